"""
When it will be done, and by what that is known; or why nobody can say.

A time is only told where waiting leads to the goal by what is known now: not while a person is asked, not while a cause
stands that never clears, not where things wait for one another in a circle. It is a lower bound: ``phases.path``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.memory import Memory
from engine.patience import spoken
from journal import entries as e
from journal.codec import kind_of
from journal.reader import Reader
from journal.row import Row
from rekindle.causes import roots
from rekindle.folding import Found
from rekindle.sentences import questions
from rekindle.view import nothing_seen, states_of

# What should exist, and the paths through it, are read only where a time can be told: they take longer to import than
# everything else that ``status`` does.
if TYPE_CHECKING:
    from engine.plan import Plan
    from journal.entries import Finding
    from phases.outline import Outline
    from phases.path import Learnt
    from phases.path import Path as Chain

SHOWN = 3  # subjects at the beginning of the path; the last one is always shown
READ_ENTRIES = 20_000  # less than a second; of a longer run of before the defaults have to do
EVERY_SECONDS = 10.0  # of world time, between two looks of a session


@dataclass(frozen=True, slots=True)
class Eta:
    """
    *seconds* from now (world time) until everything runs, at least; None: *why* says why nobody can tell.

    *path* has the subjects of the longest chain, first what is to be done first; *basis* says where durations are from.
    """

    seconds: float | None
    basis: str = ""
    path: tuple[str, ...] = ()
    why: str = ""

    @property
    def sentence(self) -> str:
        """Say it in a line."""
        if self.seconds is None:
            return f"not known: {self.why}"
        if not self.path:
            return f"{_about(self.seconds)}, {self.basis}"
        return f"{_about(self.seconds)}, by {self.basis}; {len(self.path)} on the path: {_chain(self.path)}"

    def as_json(self) -> dict[str, Any]:
        """Write it as ``status --json`` has it."""
        return {
            "seconds": self.seconds,
            "basis": self.basis,
            "path": list(self.path),
            "why": self.why,
        }


def _about(seconds: float) -> str:
    return f"about {spoken(seconds)}" if seconds else "now"


def _chain(path: Sequence[str]) -> str:
    if len(path) <= SHOWN + 1:
        return " -> ".join(path)
    return " -> ".join((*path[:SHOWN], "...", path[-1]))


@dataclass(frozen=True, slots=True)
class Ahead:
    """What of a plan is ahead: its *states* in order, how long each has to hold (*stable*), and what should exist."""

    states: tuple[str, ...]
    stable: Mapping[str, float]
    section: Callable[[], Outline]

    @classmethod
    def of(cls, plan: Plan) -> Ahead:
        """Read it of a plan."""
        stable = {name: plan.machine.states[name].stable for name in plan.states}
        return cls(plan.states, stable, lambda: plan.target)

    @classmethod
    def within(cls, compiled: Mapping[str, Any]) -> Ahead:
        """Read it of a plan as a journal carries it, and of that no more than is asked for."""

        def section() -> Outline:
            from phases.journaled import outline_of

            return outline_of(compiled["section"])

        states = states_of(compiled)[:-1]
        found = compiled["machine"]["states"]
        return cls(
            states, {name: float(found[name].get("stable", 0.0)) for name in states}, section
        )


def eta(memory: Memory, plan: Plan, learnt: Learnt, *, held: bool = True) -> Eta:
    """Say when a run will be done; *held*: a session pursues it."""
    return told(memory, Ahead.of(plan), lambda: learnt, held=held)


def told(memory: Memory, ahead: Ahead, learnt: Callable[[], Learnt], *, held: bool = True) -> Eta:
    """Say the same, and ask for what was *learnt* only if there is a time to tell, and nothing of it is remembered."""
    if memory.at_goal:
        return Eta(0.0, "nothing is left to do")
    why = _hindrance(memory, held=held)
    if why:
        return Eta(None, why=why)
    from phases.durations import Durations, under_way
    from phases.path import Learnt, critical_path

    if memory.begun or memory.took:
        known, durations = Learnt(begun=under_way(memory)), Durations.of(memory)
    else:  # a journal of before has not written down how long things took, and all of it is read for that
        known = learnt()
        durations = replace(known.durations(), earlier=memory.took_earlier)
    path = critical_path(ahead.section(), memory.facts, memory.now, known, durations)
    if path.remaining_seconds is None:
        circle = " -> ".join((*path.circle, path.circle[0]))
        return Eta(None, path=path.subjects, why=f"they wait for one another: {circle}")
    own = len(memory.took) or known.count
    basis = _basis(path, own) if path.subjects or own else path.basis
    seconds = path.remaining_seconds + _steady(memory, ahead)
    return Eta(round(seconds, 3), basis, path.subjects)


def _basis(path: Chain, own: int) -> str:
    """Say from where durations are: of this run all that it taught, of the others those that are on the path."""
    said = {
        "of this run": own,
        "that objects report": path.reported,
        "of an earlier run": path.earlier,
    }
    found = (f"{n} duration{'' if n == 1 else 's'} {text}" for text, n in said.items() if n)
    *first, last = ("class defaults", *found)
    return f"{', '.join(first)} and {last}" if first else last


def _hindrance(memory: Memory, *, held: bool) -> str:
    """Say why no time can be told; empty: it can."""
    if memory.outcome:
        return "this run is closed"
    if nothing_seen(memory):
        return "nothing has been seen yet"
    asked = questions(memory)
    if asked:
        return f"a person is asked: {asked[0].question}"
    stuck = [body for body in memory.answers.values() if body.get("answer") == "stuck"]
    if stuck:
        return f"stuck: {stuck[0].get('message', '')}"
    for root in roots(memory):
        ours = not memory.watches and _is_cleared_by_us(root, memory)  # tied hands clear nothing
        if root.clears_itself == "no" and not root.next_after and not ours:
            return f"this never clears by itself: {root.message}"
    return "" if held else "nobody pursues it"


def _is_cleared_by_us(root: Finding, memory: Memory) -> bool:
    from phases.hands import verb_for
    from phases.verbs import PREAPPLY, RELEASE

    applied = memory.last_of(
        PREAPPLY, root.subject
    )  # a CRD that Helm does not put back is applied out of band
    if applied is not None and applied.outcome is not e.Outcome.FAILED:
        return True
    return verb_for(root) not in {"", RELEASE}  # what a finalizer holds needs a person


def _steady(memory: Memory, ahead: Ahead) -> float:
    """Return how long goals must still hold, from this state on."""
    names = ahead.states[ahead.states.index(memory.state) :] if memory.state in ahead.states else ()
    armed = memory.timers.get(f"stable/{memory.state}")
    left = max(0.0, armed.due - memory.now) if armed is not None else None
    spans = [ahead.stable[name] for name in names]
    if left is not None and spans:
        spans[0] = left
    return sum(spans)


def of_found(found: Found, journal: Path) -> Eta:
    """Say it for a run that was read from its journal, by the durations that are in it up to then."""
    return told(
        found.memory,
        Ahead.within(found.plan),
        lambda: _learnt_until(found, journal),
        held=found.alive is not False,
    )


def _learnt_until(found: Found, journal: Path) -> Learnt:
    """Read what had been learnt by the last entry that is in *found*; of a long run nothing."""
    learnt = _nothing_learnt()
    if found.last_seq <= READ_ENTRIES:
        with Reader(journal) as reader:
            run, until = found.memory.run_id, found.last_seq
            for entry in reader.entries(run, until=until, kind=kind_of(e.Observed)):
                learnt.see(entry)
    return learnt


def _nothing_learnt() -> Learnt:
    from phases.path import Learnt

    return Learnt()


def _learn(learnt: Learnt, rows: Iterable[Row]) -> None:
    for row in rows:
        if row.entry is not None:
            learnt.see(row.entry)


@dataclass(slots=True)
class Forecast:
    """The same for a session that goes on: learns from what it writes, and looks again every ten seconds."""

    learnt: Learnt = field(default_factory=_nothing_learnt)
    _said: str = ""
    _key: tuple[object, ...] = ()
    _at: float = float("-inf")

    def wrote(self, rows: Iterable[Row]) -> None:
        """Learn from what was written."""
        _learn(self.learnt, rows)

    def say(self, plan: Plan, memory: Memory) -> str:
        """Return the sentence; an older one of the same state within the ten seconds."""
        from phases.section import Section

        if not isinstance(getattr(plan, "target", None), Section):
            return ""
        key = (memory.state, memory.outcome, memory.at_goal, len(questions(memory)))
        if key != self._key or memory.now - self._at >= EVERY_SECONDS:
            self._key, self._at = key, memory.now
            self._said = eta(memory, plan, self.learnt).sentence
        return self._said
