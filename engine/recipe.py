"""
What a domain hands to the engine.

The engine knows no cluster: a recipe gives it the functions that reduce a look to facts, the guards that judge facts,
the phases that decide, and the verbs that may be done. All of them are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from engine.answer import Answer, Subject
from engine.world import Intent
from journal.entries import Fact, Finding

if TYPE_CHECKING:
    from engine.errors import Problem
    from engine.memory import Deed, Memory
    from engine.plan import Include, Plan
    from engine.yamlfile import Marks

Facts = Mapping[Subject, Fact]
Findings = Mapping[str, Finding]


class Effect(StrEnum):
    """What a verb does to the world, and so what may be done when its outcome is in doubt."""

    READ = "read"
    CONVERGENT = "convergent"  # repeat if the facts do not show it
    ONCE = "once"  # a probe says happened, not happened or unknown; unknown goes to a person
    KEYED = "keyed"  # repeat with the same key
    UNDOABLE = "undoable"


class Happened(StrEnum):
    """What a probe says of an action whose outcome is in doubt."""

    YES = "happened"
    NO = "not-happened"
    UNKNOWN = "unknown"


Probe = Callable[["Plan", Facts, Intent], Happened]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how soon a failed action is tried again. Seconds; *on* lists codes of settlements."""

    attempts: int = 5
    backoff_seconds: float = 2.0
    backoff_limit_seconds: float = 60.0
    full_jitter: bool = True
    on: tuple[str, ...] = ("transient",)


@dataclass(frozen=True, slots=True)
class Verb:
    """
    Something that may be done.

    *probe* settles a doubtful action from facts; *guard* says, in a sentence, what refuses a second time at the
    target; *destroys* says what is gone afterwards. *scope*: doubt about a ``once`` verb of scope ``cluster`` forbids
    it for every target, not only for its own.
    """

    name: str
    effect: Effect
    deadline_seconds: float
    retry: Retry = Retry()
    probe: Probe | None = None
    guard: str = ""
    destroys: str = ""
    typed_approval: bool = False
    scope: str = "target"
    enabled: bool = True


class Verdict(StrEnum):
    """What a guard says of a state's goal. Broken needs positive contrary evidence."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    A guard's verdict, why in a sentence, and how much of the goal is reached (*done* of *expected*).

    *disturbed* is the instant of the latest thing that should not happen while the goal is held (a restart): a
    stability window that began before it begins anew.
    """

    verdict: Verdict
    why: str = ""
    done: int = 0
    expected: int = 0
    disturbed: float = 0.0


Reduce = Callable[["Plan", Any], Facts]
Diagnose = Callable[["Plan", Any], Findings]
Guard = Callable[["Plan", Facts], Judgement]
Decide = Callable[["Plan", Facts, Findings, "Memory"], dict[Subject, Answer]]
Deeds = Callable[["Plan", "Memory", "Memory", "Collection[str]"], "Sequence[Deed]"]


Alarming = Callable[[Facts, Facts], bool]


def _never(before: Facts, after: Facts) -> bool:
    """Wait for the next diagnosis whatever changed."""
    del before, after
    return False


def _none(plan: Plan, before: Memory, after: Memory, wished: Collection[str]) -> Sequence[Deed]:
    """Recognise nothing."""
    del plan, before, after, wished
    return ()


Section = Callable[[dict[str, Any], "Marks", "Include", "list[Problem]"], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """
    A domain: pure functions and a table of verbs. Names are those that a plan's machine uses.

    *reduce* judges a look on every turn; *diagnose* finds causes in it, which is dearer and is asked now and then.

    *alarming* says whether what changed between two turns' facts calls for a diagnosis at once.

    *section* checks the domain's part of a plan file and returns it as JSON, adding what is wrong to the problems;
    *target* turns that JSON into the domain's own type. *goal* tells the revision that everything should reach (empty:
    unknown), *counts* a run's closing figures.
    """

    reduce: Reduce
    diagnose: Diagnose
    guards: Mapping[str, Guard]
    phases: Mapping[str, Decide]
    verbs: Mapping[str, Verb]
    machine: Mapping[str, Any]
    section: Section
    target: Callable[[dict[str, Any]], Any]
    goal: Callable[[Plan, Facts], str]
    counts: Callable[[Plan, Facts], dict[str, Any]]
    deeds: Deeds = _none
    alarming: Alarming = _never
