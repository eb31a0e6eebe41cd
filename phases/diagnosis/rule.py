"""
A rule of the catalogue, and the words it may use.

The closed sets here are what people and programs read: dangers of remedies, whether a cause clears by itself, and how
a rule is known to be right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from msgspec.structs import replace

from journal.entries import Finding, Remedy
from journal.redactor import redact_text
from phases.diagnosis.scene import Scene

YES, NO, UNKNOWN = "yes", "no", "unknown"
FAILED = "rule-failed"


class Proof(StrEnum):
    """How a rule is known to be right."""

    CONTROLLER = "seen on a real controller"
    SOURCE = "read in its source"


@dataclass(frozen=True, slots=True)
class Rule:
    """
    *id* is the catalogue's (``N5``), *source* cites where the signature stands, with its version.

    *find* is pure. A rule that cannot say what will clear its cause never leads to a nudge.
    """

    id: str
    title: str
    proof: Proof
    source: str
    find: Callable[[Scene], Iterable[Finding]]


def ask(rules: Iterable[Rule], scene: Scene) -> dict[str, Finding]:
    """Run rules, each once a scene; findings by id, which is ``RULE:subject``."""
    told: dict[str, Finding] = {}
    for rule in rules:
        told.update(scene.once(f"rule {rule.id}", partial(_told, rule, scene)))
    return told


def _told(rule: Rule, scene: Scene) -> dict[str, Finding]:
    try:
        found = tuple(rule.find(scene))
    except Exception as error:  # noqa: BLE001  a mistake in one rule must not end a recovery
        found = (_failed(rule, error),)
    # What controllers say is foreign text, and here is the one gate that every finding passes.
    clean = (replace(one, message=redact_text(one.message)) for one in found)
    return {f"{one.rule}:{one.subject}": one for one in clean}


def _failed(rule: Rule, error: Exception) -> Finding:
    """Say that a rule could not be asked, without what it was asked about: nobody knows what is in that."""
    return Finding(
        subject=f"rule/{rule.id}",
        cause=FAILED,
        message=f"rule {rule.id} could not be asked ({type(error).__name__}): a mistake of rekindle, please report it",
        clears_itself=UNKNOWN,
        rule=rule.id,
    )


def look(text: str) -> Remedy:
    """Something to look at; changes nothing."""
    return Remedy(text, "look")


def nudge(text: str) -> Remedy:
    """An annotation that asks a controller to look again; harmless to repeat."""
    return Remedy(text, "nudge")


def reversible(text: str) -> Remedy:
    """A change that can be taken back."""
    return Remedy(text, "reversible")


def destructive(text: str) -> Remedy:
    """What cannot be taken back: only after a typed approval bound to the object."""
    return Remedy(text, "destructive")


def never(text: str) -> Remedy:
    """What people try at three in the morning and must not."""
    return Remedy(text, "never")
