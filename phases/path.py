"""
The critical path: the longest chain of what is still to be done, and how long it will take at least.

A lower bound by nature: it knows no queue for a controller's workers, no pull limit and no failure. How long each
vertex takes ``phases.durations`` tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.answer import Subject
from journal import entries as e
from journal.entries import Instant
from phases.durations import Basis, Durations, medians
from phases.needs import (
    AT_WORK_AT_ALL,
    Standing,
    family_of,
    is_at_work,
    is_well,
    needs_of,
    subject_of,
)
from phases.outline import Outline
from phases.vertices import Needs, Vertex

if TYPE_CHECKING:
    from engine.recipe import Facts

AT_LEAST_SECONDS = 1.0  # what is overdue is not done
KEPT = 64  # durations of a family


@dataclass(slots=True)
class Learnt:
    """
    How long things took in this run, in seconds: from when work on them was first seen to when they were well.

    *begun* has what is being worked on. Folded entry by entry; of a family the last durations are kept. What a session
    wrote down itself is in *written*, and goes before what is learnt in reading: journals of before have none.
    """

    begun: dict[Subject, Instant] = field(default_factory=dict)
    took: dict[str, list[float]] = field(default_factory=dict)
    written: dict[Subject, float] = field(default_factory=dict)

    def see(self, entry: e.AnyEntry) -> None:
        """Take in an entry; only observations tell."""
        if not isinstance(entry, e.Observed):
            return
        self.written.update(entry.took)
        for subject, fact in entry.changed.items():
            if fact.code in AT_WORK_AT_ALL and is_at_work(subject, fact):
                self.begun.setdefault(subject, entry.at)
                continue
            begun = self.begun.pop(subject, None)
            if begun is not None and is_well(subject, {subject: fact}):
                kept = self.took.setdefault(family_of(subject), [])
                kept.append(entry.at - begun)
                del kept[:-KEPT]
        for subject in entry.removed:
            self.begun.pop(subject, None)

    @property
    def count(self) -> int:
        """How many durations are known."""
        return sum(map(len, self.took.values()))

    def durations(self) -> Durations:
        """Return what is known of this run."""
        return (
            Durations.seen(self.written) if self.written else Durations(families=medians(self.took))
        )


@dataclass(frozen=True, slots=True)
class Path:
    """
    The longest chain of what is not done, first what is to be done first.

    *remaining_seconds* is None where no chain has a length: *circle* then names what waits for itself. *learnt* counts
    the vertices of the chain whose duration is this run's own, *reported* and *earlier* those that it has from the
    objects themselves and from runs before; *basis* says so in words.
    """

    subjects: tuple[Subject, ...]
    remaining_seconds: float | None
    basis: str
    head: Vertex = ""
    learnt: int = 0
    reported: int = 0
    earlier: int = 0
    circle: tuple[Subject, ...] = ()


def critical_path(
    section: Outline,
    facts: Facts,
    now: Instant,
    learnt: Learnt | None = None,
    durations: Durations | None = None,
) -> Path:
    """
    Find the longest remaining chain at the instant *now* (world time); of a finished cluster it is empty and 0 s.

    *learnt* tells since when things are being worked on, and how long they take unless *durations* does.

    Source of the method: the earliest finish of each vertex is its own remaining time after the latest of its needs.
    """
    needs = needs_of(section)
    standing = Standing(section, needs)
    known = learnt or Learnt()
    search = _Search(needs, standing, facts, now, known.begun, durations or known.durations())
    for vertex in needs:
        search.finish(vertex)
        if search.circle:
            names = tuple(dict.fromkeys(map(subject_of, search.circle)))
            return Path(names, None, "a circle", circle=names)
    last = max(search.found, key=lambda v: (search.found[v], v), default="")
    chain = search.chain(last)
    if not chain:
        return Path((), 0.0, "nothing is left to do")
    by = Counter(search.durations.find(vertex, needs, facts).basis for vertex in chain)
    return Path(
        tuple(dict.fromkeys(map(subject_of, chain))),
        round(search.found[last], 3),
        _basis(by, len(chain)),
        head=chain[0],
        learnt=by[Basis.OWN],
        reported=by[Basis.REPORTED],
        earlier=by[Basis.EARLIER],
    )


def _basis(by: Counter[Basis], whole: int) -> str:
    """Say in words by what the durations of a chain are known."""
    said = {
        Basis.OWN: "this run's own",
        Basis.REPORTED: "reported by the objects",
        Basis.EARLIER: "of an earlier run",
    }
    found = [
        f"{by[basis]} of {whole} durations are {text}" for basis, text in said.items() if by[basis]
    ]
    return ", ".join(found) or "class defaults"


@dataclass(slots=True)
class _Search:
    """Earliest finishes, in seconds from now; a stack of its own, so that no tree is too deep."""

    needs: Needs
    standing: Standing
    facts: Facts
    now: Instant
    begun: Mapping[Subject, Instant]
    durations: Durations
    found: dict[Vertex, float] = field(default_factory=dict)
    before: dict[Vertex, Vertex] = field(default_factory=dict)
    circle: tuple[Vertex, ...] = ()

    def finish(self, start: Vertex) -> None:
        """Find the finish of *start* and of all that it needs; or the circle that they are in."""
        stack, path = [start], dict[Vertex, None]()
        while stack:
            vertex = stack[-1]
            if vertex in self.found:
                stack.pop()
                path.pop(vertex, None)
                continue
            if self.standing.is_done(vertex, self.facts):
                self.found[vertex] = 0.0
                continue
            open_ = [v for v in self.needs[vertex] if v not in self.found]
            if not open_:
                self._settle(vertex)
                continue
            path[vertex] = None
            inside = next((v for v in open_ if v in path), None)
            if inside is not None:
                names = [*path]
                self.circle = tuple(names[names.index(inside) :])
                return
            stack.append(open_[0])

    def _settle(self, vertex: Vertex) -> None:
        last = max(self.needs[vertex], key=lambda v: (self.found[v], v), default="")
        ahead = self.found.get(last, 0.0)
        if ahead > 0:
            self.before[vertex] = last
        self.found[vertex] = ahead + self._own(vertex, waits=ahead > 0)

    def _own(self, vertex: Vertex, *, waits: bool) -> float:
        """Return a vertex's own remaining seconds: less what has passed, if it is being worked on."""
        usual = self.durations.find(vertex, self.needs, self.facts).seconds
        begun = self.begun.get(vertex)
        fact = self.facts.get(vertex)
        if begun is None and fact is not None and is_at_work(vertex, fact):
            begun = fact.since
        if waits or begun is None:
            return usual
        return max(AT_LEAST_SECONDS, usual - max(0.0, self.now - begun))

    def chain(self, last: Vertex) -> list[Vertex]:
        """Return the chain that ends in *last*, without what is done."""
        if not last or self.found[last] == 0:
            return []
        found = [last]
        while found[-1] in self.before:
            found.append(self.before[found[-1]])
        return found[::-1]
