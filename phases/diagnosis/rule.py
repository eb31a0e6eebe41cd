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
    # What controllers say is foreign text, and here is the one gate that every finding passes.
    clean = (replace(found, message=redact_text(found.message)) for found in rule.find(scene))
    return {f"{found.rule}:{found.subject}": found for found in clean}


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
