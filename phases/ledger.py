"""
The dead-wait ledger: what a run's time went to, from its journal alone.

In hindsight (``phases.hindsight``) every instant of a run belongs to one vertex of the path that it really took. Was
somebody at work on that vertex, the time was useful; else it is dead, of the class that facts, findings, answers and
timers of that instant tell. What they do not tell is ``unknown``; time without a session is ``nobody``'s. Seconds of
world time; a wait that ran beside the path cost nothing and is told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.answer import Subject
from engine.folding import fold
from engine.memory import Memory
from engine.plan import Plan
from journal import entries as e
from journal.entries import AnyEntry, Instant, Json
from phases.hindsight import Course, Window, Worked
from phases.needs import Vertex
from phases.waits import (
    NOBODY,
    NS_HELD,
    PERSON,
    UNKNOWN,
    USEFUL,
    Question,
    is_held,
    open_questions,
    what_is,
)

Read = Callable[[], Iterable[AnyEntry]]
DIGITS = 3


@dataclass(slots=True)
class Ledger:
    """
    A run's time, in seconds: *classes* add up to *total*; *critical_path* is what the work alone would have taken.

    *beside* has waits that ran while the path went on elsewhere: part of no sum.
    """

    total: float
    critical_path: float
    classes: dict[str, float]
    beside: dict[str, float]

    def as_json(self) -> dict[str, Json]:
        """Write it as a run's closing entry has it; *ratio* is None where no work was seen."""
        dead = {
            name: round(span, DIGITS)
            for name, span in sorted(self.classes.items())
            if name not in {USEFUL, UNKNOWN}
        }
        work = self.critical_path
        return {
            "seconds": round(self.total, DIGITS),
            "critical_path_seconds": round(work, DIGITS),
            "ratio": round(self.total / work, 2) if work > 0 else None,
            "dead": dead,
            "useful": round(self.classes.get(USEFUL, 0.0), DIGITS),
            "unknown": round(self.classes.get(UNKNOWN, 0.0), DIGITS),
            "beside": {name: round(span, DIGITS) for name, span in sorted(self.beside.items())},
        }


def ledger_of(plan: Plan, read: Read, end: Instant | None = None) -> Ledger:
    """
    Add up a run. *read* gives its entries from the first, twice; *end* is when it ends (none: at its last entry).

    Memory: O(objects of the plan). *plan* is the newest one: a graph that a changed plan no longer has is not known.
    """
    course, opened, last = Course(plan.target), 0.0, 0.0
    for entry in read():
        if isinstance(entry, e.RunOpened):
            opened = last = entry.at
        last = max(last, entry.at)
        course.see(entry)
    closed = max(last, end or last)
    book = _Book(plan, course, course.windows(opened, closed))
    worked = Worked(course, opened, closed)
    for entry in read():
        book.see(entry)
        worked.see(entry)
    book.until(closed)
    longest = max(worked.longest(), book.classes.get(USEFUL, 0.0))
    total = closed - opened
    return Ledger(total, min(longest, total), book.classes, book.beside)


def closing(plan: Plan, read: Read, end: Instant) -> dict[str, Json]:
    """Return what a run's closing entry has of it."""
    return {"ledger": ledger_of(plan, read, end).as_json()}


@dataclass(slots=True)
class _Book:
    """The second reading: each interval between two entries goes to one class."""

    plan: Plan
    course: Course
    windows: tuple[Window, ...]
    memory: Memory = field(default_factory=Memory)
    classes: dict[str, float] = field(default_factory=dict)
    beside: dict[str, float] = field(default_factory=dict)
    _at: int = 0
    _asked: tuple[object, object, tuple[Subject, ...]] = (None, None, ())

    def see(self, entry: AnyEntry) -> None:
        """Book what passed before *entry*, then take it in."""
        if not isinstance(entry, e.RunOpened):
            if isinstance(entry, e.RunResumed) and entry.idle_seconds > 0:
                begun = max(self.memory.now, entry.at - entry.idle_seconds)
                self.until(begun)
                self._add(NOBODY, self.memory.now, entry.at)
            else:
                self.until(entry.at)
        self.memory = fold(self.memory, entry)

    def until(self, end: Instant) -> None:
        """Book the time from the latest entry to *end*, window by window."""
        begun = self.memory.now
        while begun < end:
            window = self._window(begun)
            till = min(end, window.end) if window is not None else end
            self._book(window.vertex if window is not None else "", begun, till)
            begun = till
        if end > self.memory.now:
            self.memory = _later(self.memory, end)

    def _window(self, at: Instant) -> Window | None:
        while self._at < len(self.windows) and self.windows[self._at].end <= at:
            self._at += 1
        return self.windows[self._at] if self._at < len(self.windows) else None

    def _book(self, vertex: Vertex, begun: Instant, till: Instant) -> None:
        if self.memory.interrupted:
            self._add(NOBODY, begun, till)
            return
        asks = self._questions()
        found = what_is(Question(self.plan.target, self.course, self.memory, vertex, begun, asks))
        self._add(found, begun, till)
        if found not in {PERSON, NS_HELD} and (asks or is_held(self.plan.target, self.memory)):
            name = PERSON if asks else NS_HELD
            self.beside[name] = self.beside.get(name, 0.0) + till - begun

    def _questions(self) -> tuple[Subject, ...]:
        """Return the open questions; most entries change neither questions nor what people said."""
        answers, approvals = self.memory.answers, self.memory.approvals
        if self._asked[0] is not answers or self._asked[1] is not approvals:
            self._asked = (answers, approvals, open_questions(self.memory))
        return self._asked[2]

    def _add(self, name: str, begun: Instant, till: Instant) -> None:
        if till > begun:
            self.classes[name] = self.classes.get(name, 0.0) + till - begun


def _later(memory: Memory, now: Instant) -> Memory:
    return fold(memory, e.Note(at=now, text="", actor=""))
