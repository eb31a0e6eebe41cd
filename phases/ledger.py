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
from typing import NamedTuple

from engine.answer import Subject
from engine.folding import fold
from engine.memory import Memory
from engine.plan import Plan
from journal import entries as e
from journal.entries import AnyEntry, Fact, Instant, Json
from journal.steady import onward
from phases import codes
from phases.hindsight import Course, Window
from phases.vertices import Vertex
from phases.wait_classes import NOBODY, NS_HELD, PERSON, UNKNOWN, USEFUL
from phases.wait_questions import open_questions
from phases.waits import Question, is_held, what_is
from phases.worked import Worked

Read = Callable[[], Iterable[AnyEntry]]
DIGITS = 3
PIECES = 1_000
SPACE = codes.subject("namespace", "")
NODES = codes.node("")


class Piece(NamedTuple):
    """From *start* to *end* the run waited for *vertex* (empty: for nothing more), and that was of class *name*."""

    start: Instant
    end: Instant
    vertex: Vertex
    name: str


@dataclass(slots=True)
class Ledger:
    """
    A run's time, in seconds: *classes* add up to *total*; *critical_path* is what the work alone would have taken.

    *beside* has waits that ran while the path went on elsewhere: part of no sum. *pieces* are where *classes* come
    from, in the order of time; empty where there were too many of them.
    """

    total: float
    critical_path: float
    classes: dict[str, float]
    beside: dict[str, float]
    pieces: tuple[Piece, ...] = ()

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
    return ledger_along(plan, course, read, opened, onward(last, end or last))


def ledger_along(
    plan: Plan, course: Course, read: Read, opened: Instant, closed: Instant
) -> Ledger:
    """Add up a run whose *course* is known to its end already: *read* is called once."""
    book, worked = booked(plan, course, read, opened, closed)
    pieces = tuple(book.pieces) if len(book.pieces) <= PIECES else ()
    return Ledger(closed - opened, worked.longest(), book.classes, book.beside, pieces)


def pieces_along(
    plan: Plan, course: Course, read: Read, opened: Instant, closed: Instant
) -> tuple[Piece, ...]:
    """Return the pieces of such a ledger and nothing else: half the work, and none once there are too many of them."""
    book = _Book(plan, course, course.windows(opened, closed))
    for entry in read():
        book.see(entry)
        if len(book.pieces) > PIECES:
            return ()
    book.until(closed)
    return tuple(book.pieces) if len(book.pieces) <= PIECES else ()


def booked(
    plan: Plan, course: Course, read: Read, opened: Instant, closed: Instant
) -> tuple[_Book, Worked]:
    """Book every second of a run: to its class, and to what was worked on."""
    windows = course.windows(opened, closed)
    worked = Worked(course, windows, opened, closed)
    book = _Book(plan, course, windows, worked)
    for entry in read():
        book.see(entry)
    book.until(closed)
    return book, worked


def closing(plan: Plan, read: Read, end: Instant) -> dict[str, Json]:
    """Return what a run's closing entry has of it."""
    return {"ledger": ledger_of(plan, read, end).as_json()}


@dataclass(slots=True)
class _Book:
    """
    The second reading: each interval between two entries goes to one class.

    The facts and answers of *memory* are changed in place: a copy an entry would be most of the work. It is as of the
    latest entry but for its clock, which is *now*. *worked* (None: nobody asks) is told of all of it.
    """

    plan: Plan
    course: Course
    windows: tuple[Window, ...]
    worked: Worked | None = None
    memory: Memory = field(default_factory=Memory)
    now: Instant = 0.0
    classes: dict[str, float] = field(default_factory=dict)
    beside: dict[str, float] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    _at: int = 0
    _asks: tuple[Subject, ...] = ()
    _held: bool = False

    def see(self, entry: AnyEntry) -> None:
        """Book what passed before *entry*, then take it in."""
        if not isinstance(entry, e.RunOpened):
            if isinstance(entry, e.RunResumed) and entry.idle_seconds > 0:
                self.until(max(self.now, entry.at - entry.idle_seconds))
                if self.worked is not None:
                    self.worked.rest(self.now)
                self._add(NOBODY, self.now, entry.at, "")
            elif entry.at > self.now:
                self.until(entry.at)
        self.now = max(self.now, entry.at)
        if self.worked is not None:
            self.worked.see(entry, self.memory)
        self._take(entry)

    def _take(self, entry: AnyEntry) -> None:
        if isinstance(entry, e.Observed):
            self._look(entry)
        elif isinstance(entry, e.Decided):
            self._answer(entry)
        elif not (isinstance(entry, e.TimerSet) and entry.name in self.memory.timers):
            self.memory = fold(self.memory, entry)  # of timers nothing but their names is asked
            if isinstance(entry, e.ApprovalAsked | e.ApprovalGiven | e.ApprovalRefused):
                self._asks = open_questions(self.memory)

    def _answer(self, entry: e.Decided) -> None:
        known = self.memory.answers
        known.update(entry.answers)
        for subject in entry.removed:
            known.pop(subject, None)
        fresh = {subject: known[subject] for subject in entry.answers if subject in known}
        stay = (s for s in self._asks if s in known and s not in fresh)
        self._asks = (*stay, *open_questions(self.memory, fresh))

    def _look(self, entry: e.Observed) -> None:
        if self.memory.looked_at is None:
            self.memory = fold(self.memory, e.Observed(at=entry.at))
        facts, changed, spaces = self.memory.facts, entry.changed, False
        for subject, fact in changed.items():
            if subject.startswith(NODES):
                known = facts.get(subject)
                if known is not None and known.code != fact.code:
                    self.memory.codes[subject] = known.code
            elif subject.startswith(SPACE):
                spaces = spaces or codes.TERMINATING in {fact.code, _code(facts.get(subject))}
        facts.update(changed)
        for subject in entry.removed:
            facts.pop(subject, None)
            spaces = spaces or subject.startswith(SPACE)
        if spaces:
            self._held = is_held(self.plan.target, self.memory)

    def until(self, end: Instant) -> None:
        """Book the time from the latest entry to *end*, window by window."""
        begun = self.now
        if begun < end and self.worked is not None:
            self.worked.until(begun, end, self.memory, self._asks)
        while begun < end:
            window = self._window(begun)
            till = min(end, window.end) if window is not None else end
            self._book(window, begun, till)
            begun = till
        self.now = max(self.now, end)

    def _window(self, at: Instant) -> Window | None:
        while self._at < len(self.windows) and self.windows[self._at].end <= at:
            self._at += 1
        return self.windows[self._at] if self._at < len(self.windows) else None

    def _book(self, window: Window | None, begun: Instant, till: Instant) -> None:
        vertex = window.vertex if window is not None else ""
        if self.memory.interrupted:
            self._add(NOBODY, begun, till, vertex)
            return
        asks = self._asks
        found = what_is(Question(self.plan.target, self.course, self.memory, vertex, begun, asks))
        self._add(found, begun, till, vertex)
        if window is not None and found == USEFUL and self.worked is not None:
            self.worked.book(window, till - begun)
        if found not in {PERSON, NS_HELD} and (asks or self._held):
            name = PERSON if asks else NS_HELD
            self.beside[name] = self.beside.get(name, 0.0) + till - begun

    def _add(self, name: str, begun: Instant, till: Instant, vertex: Vertex) -> None:
        if till <= begun:
            return
        self.classes[name] = self.classes.get(name, 0.0) + till - begun
        last = self.pieces[-1] if self.pieces else None
        if last is not None and (last.vertex, last.name) == (vertex, name):
            self.pieces[-1] = Piece(last.start, till, vertex, name)
        elif len(self.pieces) <= PIECES:  # one more than is kept says that there were too many
            self.pieces.append(Piece(begun, till, vertex, name))


def _code(fact: Fact | None) -> str:
    return "" if fact is None else fact.code
