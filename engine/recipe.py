"""
What a domain hands to the engine.

The engine knows no cluster: a recipe gives it the functions that reduce a look to facts, the guards that judge facts,
the phases that decide, and the verbs that may be done. All of them are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from engine.answer import Answer, Subject
from engine.world import Intent
from journal.entries import Fact, Finding, Observed

if TYPE_CHECKING:
    from engine.errors import Problem
    from engine.memory import Attempt, Deed, Memory
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


OWED = "owed"  # what was to be given back could not all be taken yet

Probe = Callable[["Plan", Facts, Intent], Happened]
Undone = Callable[["Plan", "Memory", "Attempt"], bool]


@dataclass(frozen=True, slots=True)
class Retry:
    """
    How often and how soon a failed action is tried again. Seconds; *on* lists codes of settlements.

    *attempts* are those at one target in one visit of a state; of what is done once per key (an argument ``once``),
    those for one key.
    """

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
    it for every target, not only for its own. *undone* says of an attempt that whatever it did, or ran into, is
    provably gone from the world since (its machines were wiped, and seen to be): it then counts neither as doubt nor
    as a try. *returned_by* names the verb that gives back what this one only borrowed: what a run still owes of it,
    the next one does; one that is done with the code ``OWED`` gave too little back.
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
    undone: Undone | None = None
    returned_by: str = ""


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
    stability window that began before it begins anew. *own* is what the goal says of itself, where it is only needed
    ``until`` another one holds.
    """

    verdict: Verdict
    why: str = ""
    done: int = 0
    expected: int = 0
    disturbed: float = 0.0
    own: Verdict | None = None


Reduce = Callable[["Plan", Any], Facts]
Diagnose = Callable[["Plan", Any], Findings]
Guard = Callable[["Plan", Facts], Judgement]
Decide = Callable[["Plan", Facts, Findings, "Memory"], dict[Subject, Answer]]
Deeds = Callable[["Plan", "Memory", "Memory", "Collection[str]"], "Sequence[Deed]"]


Timed = Callable[["Memory", Observed], Observed]
Alarming = Callable[[Facts, Facts], bool]
Owed = Callable[["Plan", "Memory"], Mapping[str, str]]
Held = Callable[["Plan", Facts, "Memory", dict[Subject, Answer]], dict[Subject, Answer]]


def _never(before: Facts, after: Facts) -> bool:
    """Wait for the next diagnosis whatever changed."""
    del before, after
    return False


def _untimed(before: Memory, entry: Observed) -> Observed:
    """Learn nothing of how long things take."""
    del before
    return entry


def _nothing(plan: Plan, memory: Memory) -> Mapping[str, str]:
    """Owe nothing."""
    del plan, memory
    return {}


def _as_said(
    plan: Plan, facts: Facts, memory: Memory, answers: dict[Subject, Answer]
) -> dict[Subject, Answer]:
    """Hold nothing back."""
    del plan, facts, memory
    return answers


def _none(plan: Plan, before: Memory, after: Memory, wished: Collection[str]) -> Sequence[Deed]:
    """Recognise nothing."""
    del plan, before, after, wished
    return ()


Behind = Callable[["Plan", "Memory", Mapping[Subject, Answer]], Collection[Subject]]


def _nobody_waits(
    plan: Plan, memory: Memory, answers: Mapping[Subject, Answer]
) -> Collection[Subject]:
    """Take what waits beside what is stuck for independent."""
    del plan, memory, answers
    return ()


Objection = Callable[["Plan", "Memory"], "Answer | None"]


def _no_objection(plan: Plan, memory: Memory) -> Answer | None:
    """Let the machine move."""
    del plan, memory
    return None


class Phase(Protocol):
    """
    A phase that is told which state it pursues: one for many states, each with options of its own.

    The contract of the entry point group ``rekindle.phases``. Whatever a distribution registers there (a module, or an
    object) has these; all but ``VERSION`` are functions of their arguments alone: no clock, no network, no files, no
    chance, nothing remembered between two calls. Facts and the memory are only read. It may have a ``behind`` as well,
    with the arguments of the recipe's: of its own waits those that are in vain while something of it is stuck.
    """

    @property
    def VERSION(self) -> str:  # noqa: N802  a constant of a module
        """What the journal writes down beside the distribution: it changes when a decision does."""

    def check(self, plan: Plan, state: str) -> Sequence[str]:
        """Say what is wrong with the state's options, a sentence each; asked once, when a plan is loaded."""

    def guard(self, plan: Plan, state: str, facts: Facts) -> Judgement:
        """Say whether the state's goal holds; broken needs contrary evidence, what was not seen is unknown."""

    def decide(
        self, plan: Plan, state: str, facts: Facts, findings: Findings, memory: Memory
    ) -> Mapping[Subject, Answer]:
        """Answer for each subject of the state that is left; what is Done may be left out."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A phase that another *distribution* offers; *phase* is None where it cannot be used, *trouble* says why."""

    distribution: str
    version: str
    phase: Phase | None
    trouble: str = ""


def _nobody(name: str) -> Guest | None:
    """Know no other distribution."""
    del name
    return None


def _no_items(section: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Know nothing to walk over."""
    del section
    return {}


Section = Callable[[dict[str, Any], "Marks", "Include", "list[Problem]"], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """
    A domain: pure functions and a table of verbs. Names are those that a plan's machine uses.

    *reduce* judges a look on every turn; *diagnose* finds causes in it, which is dearer and is asked now and then.

    *owed* names the states whose goal does not hold, whatever their guard sees, before something that was asked of
    this run is done in them, and says what: a guard knows facts, and what was asked is no fact.

    *held* says what becomes of a phase's answers, whosever phase it is, where the facts forbid that anything begins.

    *behind* names what cannot come before a person has mended what the answers are stuck on, and is waited for in
    vain: only what is certain, for a session ends once nothing else is waited for.

    *alarming* says whether what changed between two turns' facts calls for a diagnosis at once.

    *own* are phases that are told their state, *guest* finds one that another distribution offers, *unwelcome* says
    what is wrong with those. *items* names what a walk may go over, from the domain's part of the plan.

    *section* checks the domain's part of a plan file and returns it as JSON, adding what is wrong to the problems;
    *target* turns that JSON into the domain's own type. *goal* tells the revision that everything should reach (empty:
    unknown), *counts* a run's closing figures. *objection* is what stands in the way of the end (None: nothing).

    *timed* adds to an observation that is about to be written on what work begins with it, and how long what is well
    now was worked on.

    *figures* are subjects of facts that are for people alone: nothing is decided by them, and a journal may be older.
    """

    reduce: Reduce
    diagnose: Diagnose
    guards: Mapping[str, Guard]
    phases: Mapping[str, Decide]
    verbs: Mapping[str, Verb]
    machine: Mapping[str, Any]
    section: Section
    target: Callable[[dict[str, Any]], Any]
    goal: Callable[[Plan, Memory], str]
    counts: Callable[[Plan, Facts], dict[str, Any]]
    deeds: Deeds = _none
    owed: Owed = _nothing
    held: Held = _as_said
    behind: Behind = _nobody_waits
    alarming: Alarming = _never
    objection: Objection = _no_objection
    timed: Timed = _untimed
    figures: Collection[Subject] = frozenset()
    own: Mapping[str, Phase] = field(default_factory=dict)
    guest: Callable[[str], Guest | None] = _nobody
    unwelcome: tuple[str, ...] = ()
    items: Callable[[Mapping[str, Any]], Mapping[str, tuple[str, ...]]] = _no_items
