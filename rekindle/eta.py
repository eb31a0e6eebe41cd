"""
When it will be done, and by what that is known; or why nobody can say.

A time is only told where waiting leads to the goal by what is known now: not while a person is asked, not while a cause
stands that never clears, not where things wait for one another in a circle. It is a lower bound: ``phases.path``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from engine.memory import Memory
from engine.patience import spoken
from engine.plan import DONE, Plan, from_compiled
from journal.reader import Reader
from journal.row import Row
from phases.path import Learnt, critical_path
from phases.recipe import recipe
from phases.section import Section
from phases.sentence import OURS
from rekindle.causes import roots
from rekindle.folding import Found
from rekindle.sentences import questions
from rekindle.view import nothing_seen

SHOWN = 3  # subjects at the beginning of the path; the last one is always shown
READ_ENTRIES = 20_000  # less than a second; of a longer run the defaults have to do
EVERY_SECONDS = 10.0  # of world time, between two looks of a session
CLEARED_BY_US = tuple(name for name in OURS if name != "N")  # a held namespace needs a person


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


def eta(memory: Memory, plan: Plan, learnt: Learnt, *, held: bool = True) -> Eta:
    """Say when a run will be done; *held*: a session pursues it."""
    if memory.state == DONE:
        return Eta(0.0, "nothing is left to do")
    why = _hindrance(memory, held=held)
    if why:
        return Eta(None, why=why)
    section: Section = plan.target
    path = critical_path(section, memory.facts, memory.now, learnt)
    if path.remaining_seconds is None:
        circle = " -> ".join((*path.circle, path.circle[0]))
        return Eta(None, path=path.subjects, why=f"they wait for one another: {circle}")
    basis = path.basis
    if learnt.count:
        basis = f"class defaults and {learnt.count} durations of this run"
    seconds = path.remaining_seconds + _steady(memory, plan)
    return Eta(round(seconds, 3), basis, path.subjects)


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
        ours = root.rule.startswith(CLEARED_BY_US)
        if root.clears_itself == "no" and not root.next_after and not ours:
            return f"this never clears by itself: {root.message}"
    return "" if held else "nobody pursues it"


def _steady(memory: Memory, plan: Plan) -> float:
    """Return how long goals must still hold, from this state on."""
    names = plan.states[plan.states.index(memory.state) :] if memory.state in plan.states else ()
    armed = memory.timers.get(f"stable/{memory.state}")
    left = max(0.0, armed.due - memory.now) if armed is not None else None
    spans = [plan.machine.states[name].stable for name in names]
    if left is not None and spans:
        spans[0] = left
    return sum(spans)


def of_found(found: Found, journal: Path) -> Eta:
    """Say it for a run that was read from its journal, by the durations that are in it."""
    learnt = Learnt()
    plan = from_compiled(found.plan, recipe())
    if not found.memory.outcome and found.last_seq <= READ_ENTRIES:
        with Reader(journal) as reader:
            _learn(learnt, islice(reader.rows(found.memory.run_id), READ_ENTRIES))
    return eta(found.memory, plan, learnt, held=found.alive is not False)


def _learn(learnt: Learnt, rows: Iterable[Row]) -> None:
    for row in rows:
        if row.entry is not None:
            learnt.see(row.entry)


@dataclass(slots=True)
class Forecast:
    """The same for a session that goes on: learns from what it writes, and looks again every ten seconds."""

    learnt: Learnt = field(default_factory=Learnt)
    _said: str = ""
    _key: tuple[object, ...] = ()
    _at: float = float("-inf")

    def wrote(self, rows: Iterable[Row]) -> None:
        """Learn from what was written."""
        _learn(self.learnt, rows)

    def say(self, plan: Plan, memory: Memory) -> str:
        """Return the sentence; an older one of the same state within the ten seconds."""
        if not isinstance(getattr(plan, "target", None), Section):
            return ""
        key = (memory.state, memory.outcome, len(questions(memory)))
        if key != self._key or memory.now - self._at >= EVERY_SECONDS:
            self._key, self._at = key, memory.now
            self._said = eta(memory, plan, self.learnt).sentence
        return self._said
