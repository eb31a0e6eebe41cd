"""
What a run's work alone would have taken: the longest chain of what was worked on, each from the last of its needs on.

Work is what the ledger calls useful (``phases.waits``), and nothing else: the path that the run really took is one of
the chains, so that the longest is never shorter than what was useful on it; and no two links overlap in time, so that
it is never longer than the run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise

from engine.answer import Subject
from engine.memory import Memory
from journal import entries as e
from journal.entries import Instant
from phases.circles import as_left
from phases.hindsight import Course, Window
from phases.verbs import NUDGE, PREAPPLY, UNHOOK, UNSERVE
from phases.vertices import Vertex
from phases.wait_classes import MACHINES, USEFUL
from phases.wait_machines import ON_MACHINES, calm_after
from phases.waits import Question, may_be_useful, may_tell, rests_on, what_is

Link = tuple[Vertex, Instant]  # a vertex, and when it was done
# The verbs that a recovery takes most often are useful to what they are done to.
NONE: frozenset[Vertex] = frozenset()
ONLY_ITS_TARGET = {NUDGE, PREAPPLY, UNHOOK, UNSERVE}


@dataclass(frozen=True, slots=True)
class Life:
    """
    From *begin* only *vertex* itself was missing, and at *end* it was done; or the run ended.

    *anew*: it had been done before and was lost at *begin*, so that it comes after all that was done by then.
    """

    vertex: Vertex
    begin: Instant
    end: Instant
    anew: bool = False

    @property
    def link(self) -> Link:
        """What chains name it by."""
        return self.vertex, self.end


@dataclass(slots=True)
class Worked:
    """
    How long each life was worked on, in seconds; folded in a second reading, when *course* knows how it all ended.

    The windows of the path are booked by whoever has classed them (``book``); all other lives are followed here. A
    verdict is asked for again when something changed that it rests on: of most entries that is little.
    """

    course: Course
    windows: tuple[Window, ...]
    opened: Instant
    closed: Instant
    seconds: dict[Link, float] = field(default_factory=dict)
    _lives: list[Life] = field(default_factory=list)
    _next: int = 0
    _alive: dict[Vertex, Life] = field(default_factory=dict)
    _working: dict[Vertex, Instant] = field(default_factory=dict)
    _watched: dict[Subject, set[Vertex]] = field(default_factory=dict)
    _followed: set[Vertex] = field(default_factory=set)
    _stale: set[Vertex] = field(default_factory=set)
    _timed: set[Vertex] = field(default_factory=set)
    _ends: list[tuple[Instant, Vertex]] = field(default_factory=list)
    _asks: tuple[Subject, ...] = ()
    _news: bool = True  # of machines, since they were asked about last
    _calm: Instant = 0.0
    _last: Instant = 0.0

    def __post_init__(self) -> None:
        """Find the lives once."""
        booked = {(window.vertex, window.end) for window in self.windows}
        found = (life for life in self._found() if life.link not in booked)
        self._lives = sorted(found, key=lambda life: (life.begin, life.link))

    def _found(self) -> Iterator[Life]:
        """What is not done has a life when all that it needs is."""
        needs, course = self.course.needs, self.course
        for vertex, needed in needs.items():
            for at, _ in course.spells.get(vertex, ()):
                yield self._life(vertex, at)
            if course.done(vertex) is None and all(course.done(n) is not None for n in needed):
                yield self._life(vertex, self.closed)

    def _life(self, vertex: Vertex, end: Instant) -> Life:
        since, need = self.course.begin(vertex, end)
        begin = self.opened if since is None else max(self.opened, since)
        return Life(vertex, begin, end, anew=since is not None and not need)

    def book(self, window: Window, seconds: float) -> None:
        """Count so many useful seconds of a window of the path."""
        link = window.vertex, window.end
        self.seconds[link] = self.seconds.get(link, 0.0) + seconds

    def see(self, entry: e.AnyEntry, before: Memory) -> None:
        """Find out whose verdict may be another after *entry*; *before* is what was known before it."""
        match entry:
            case e.Observed():
                self._observe(entry, before)
            case e.FindingsChanged():
                known = before.findings
                old = (known[name] for name in (*entry.changed, *entry.cleared) if name in known)
                for found in (*entry.changed.values(), *old):
                    self._touch((found.subject, *found.blocks))
            case e.ActionIntended() | e.ActionSettled() if entry.verb in ONLY_ITS_TARGET:
                self._touch((entry.target,))
            case e.Decided() | e.Moved() | e.TimerSet() | e.TimerCancelled() | e.Note():
                pass  # what is asked, ``until`` is told
            case _:
                self._news = True
                self._stale.update(self._alive)

    def _observe(self, entry: e.Observed, before: Memory) -> None:
        known, watched, stale = before.facts, self._watched, self._stale
        for subject, fact in entry.changed.items():
            if subject.startswith(MACHINES):
                self._news = True
                stale |= watched.get(subject, NONE)
            elif subject in watched and may_tell(known.get(subject), fact):
                stale |= watched[subject]
        self._news = self._news or any(map(is_machine, entry.removed))
        self._touch(entry.removed)

    def _touch(self, subjects: Iterable[Subject]) -> None:
        for subject in subjects:
            self._stale |= self._watched.get(subject, NONE)

    def until(
        self, begun: Instant, till: Instant, memory: Memory, asks: tuple[Subject, ...]
    ) -> None:
        """Follow what was alive from *begun* to *till*, between which nothing changed."""
        self._bury(begun)  # what ended while nobody pursued the run
        self._bear(begun)
        if asks != self._asks:
            self._stale.update(self._alive)
        self._asks = asks
        self._ask_machines(begun, memory)
        if self._stale:
            self._ask(begun, memory, asks)
        self._bury(till)

    def _bury(self, now: Instant) -> None:
        while self._ends and self._ends[0][0] <= now:
            _, vertex = heappop(self._ends)
            self._turn(vertex, now, works=False)
            self._alive.pop(vertex, None)  # two lives that ended at one instant are one
            self._timed.discard(vertex)

    def _ask(self, now: Instant, memory: Memory, asks: tuple[Subject, ...]) -> None:
        for vertex in self._stale & self._alive.keys():
            works = not memory.interrupted and may_be_useful(memory, vertex)
            if works:
                asked = Question(self.course.section, self.course, memory, vertex, now, asks)
                works = what_is(asked) == USEFUL
            if works is not (vertex in self._working):
                self._turn(vertex, now, works=works)
        self._stale = set()

    def _ask_machines(self, now: Instant, memory: Memory) -> None:
        """A verdict about a machine changes with any other machine, and with time alone while one is given some."""
        if self._news:
            self._calm = calm_after(memory)
        if self._news or self._last <= self._calm:
            self._stale |= self._timed
        self._news, self._last = False, now

    def rest(self, at: Instant) -> None:
        """Count nothing from *at* to the next entry: nobody pursued the run."""
        for vertex in [*self._working]:
            self._turn(vertex, at, works=False)
        self._stale.update(self._alive)

    def _bear(self, now: Instant) -> None:
        while self._next < len(self._lives) and self._lives[self._next].begin <= now:
            life = self._lives[self._next]
            self._next += 1
            if life.end > now:
                self._alive[life.vertex] = life
                self._stale.add(life.vertex)
                heappush(self._ends, (life.end, life.vertex))
                if is_machine(life.vertex) or life.vertex.startswith(ON_MACHINES):
                    self._timed.add(life.vertex)
                self._watch(life.vertex)

    def _watch(self, vertex: Vertex) -> None:
        """Who has several lives is watched from the first of them on: between them it is not asked about."""
        if vertex not in self._followed:
            self._followed.add(vertex)
            for subject in rests_on(self.course, vertex):
                self._watched.setdefault(subject, set()).add(vertex)

    def _turn(self, vertex: Vertex, at: Instant, *, works: bool) -> None:
        if works:
            self._working.setdefault(vertex, at)
            return
        since = self._working.pop(vertex, None)
        if since is not None:
            link = self._alive[vertex].link
            self.seconds[link] = self.seconds.get(link, 0.0) + at - since

    def longest(self) -> float:
        """Return the length of the longest chain of work, in seconds."""
        path = [self._of(window) for window in self.windows]
        before = {life.link: earlier.link for earlier, life in pairwise(path)}
        rank = {vertex: place for place, vertex in enumerate(as_left(self.course.needs))}
        best: dict[Link, float] = {}
        ends: list[Instant] = []
        most: list[float] = []  # the longest that had ended by each of *ends*
        for life in sorted(
            (*self._lives, *path),
            key=lambda one: (one.end, rank.get(one.vertex, 0)),
        ):
            ahead = [best.get(link, 0.0) for link in self._needed(life)]
            ahead.append(best.get(before.get(life.link, life.link), 0.0))
            ended = bisect_right(ends, life.begin)
            if ended and (life.anew or life.vertex not in self.course.needs):
                ahead.append(most[ended - 1])
            best[life.link] = max(ahead) + self.seconds.get(life.link, 0.0)
            ends.append(life.end)
            most.append(max([best[life.link], *most[-1:]]))
        return most[-1] if most else 0.0

    def _of(self, window: Window) -> Life:
        if window.vertex in self.course.needs:
            return self._life(window.vertex, window.end)
        return Life(window.vertex, window.start, window.end)

    def _needed(self, life: Life) -> Iterator[Link]:
        """Yield what had to be done before a life began, each with when it was."""
        for need in self.course.needs.get(life.vertex, ()):
            at = self.course.became(need, life.end)
            if at is not None and at <= life.begin:
                yield need, at


def is_machine(name: Subject | Vertex) -> bool:
    """Say whether a subject or a vertex is one whose verdict other machines and time may change."""
    return name.startswith(MACHINES)
