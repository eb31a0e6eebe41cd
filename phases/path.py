"""
The critical path: the longest chain of what is still to be done, and how long it will take at least.

A lower bound by nature: it knows no queue for a controller's workers, no pull limit and no failure. Durations are those
that this run has shown, by the median of a family; before it has shown three, the defaults below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.answer import Subject
from journal import entries as e
from journal.entries import Instant
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

# Seconds. Sources: [M] our model of a recovery of this size (a rebuild is: Talos apply and boot 3 to 5 minutes, etcd
# and API 1 to 2, network and DNS 1 to 2, Flux 1; a workload's roll-out has a median of 49 s); [S] the controllers' own:
# kustomize-controller polls health every 5 s, an API server serves a new CRD after about 5 s where there are several,
# a namespace's controller looks again after 60 s at most.
USUAL_SECONDS: Mapping[str, float] = {
    "node": 240.0,  # [M]
    "etcd": 60.0,  # [M]
    "api": 30.0,  # [M]
    "k8s-node": 15.0,  # [M]
    "daemonset": 49.0,  # [M]
    "deployment": 49.0,  # [M]
    "statefulset": 49.0,  # [M]
    "root": 5.0,
    "gitrepository": 5.0,
    "namespace": 1.0,
    "namespace#gone": 60.0,  # [S]
    "crd": 5.0,  # [S]
    "kustomization": 5.0,  # [S]
    "kustomization#applied": 5.0,  # fetch, build, dry run, apply
    "helmrelease": 5.0,
    "helmrelease#applied": 10.0,  # render, install
    "store": 10.0,
    "externalsecret": 5.0,
}
OTHER_SECONDS = 30.0
ENOUGH = 3  # durations of a family, before its median counts
AT_LEAST_SECONDS = 1.0  # what is overdue is not done
KEPT = 64  # durations of a family


@dataclass(slots=True)
class Learnt:
    """
    How long things took in this run, in seconds: from when work on them was first seen to when they were well.

    *begun* has what is being worked on. Folded entry by entry; of a family the last durations are kept.
    """

    begun: dict[Subject, Instant] = field(default_factory=dict)
    took: dict[str, list[float]] = field(default_factory=dict)

    def see(self, entry: e.AnyEntry) -> None:
        """Take in an entry; only observations tell."""
        if not isinstance(entry, e.Observed):
            return
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

    def seconds(self, family: str) -> float | None:
        """Return the median of a family; None while too few are known."""
        found = self.took.get(family, ())
        return _median(found) if len(found) >= ENOUGH else None


def _median(found: Sequence[float]) -> float:
    """Return what is in the middle; ``statistics`` takes longer to import than all that ``status`` has of this room."""
    ordered, half = sorted(found), len(found) // 2
    return ordered[half] if len(found) % 2 else (ordered[half - 1] + ordered[half]) / 2


@dataclass(frozen=True, slots=True)
class Path:
    """
    The longest chain of what is not done, first what is to be done first.

    *remaining_seconds* is None where no chain has a length: *circle* then names what waits for itself. *learnt* counts
    the vertices of the chain whose duration is this run's own, *basis* says so in words.
    """

    subjects: tuple[Subject, ...]
    remaining_seconds: float | None
    basis: str
    head: Vertex = ""
    learnt: int = 0
    circle: tuple[Subject, ...] = ()


def critical_path(
    section: Outline, facts: Facts, now: Instant, learnt: Learnt | None = None
) -> Path:
    """
    Find the longest remaining chain at the instant *now* (world time); of a finished cluster it is empty and 0 s.

    Source of the method: the earliest finish of each vertex is its own remaining time after the latest of its needs.
    """
    needs = needs_of(section)
    standing = Standing(section, needs)
    search = _Search(needs, standing, facts, now, learnt or Learnt())
    for vertex in needs:
        search.finish(vertex)
        if search.circle:
            names = tuple(dict.fromkeys(map(subject_of, search.circle)))
            return Path(names, None, "a circle", circle=names)
    last = max(search.found, key=lambda v: (search.found[v], v), default="")
    chain = search.chain(last)
    if not chain:
        return Path((), 0.0, "nothing is left to do")
    own = sum(learnt is not None and learnt.seconds(family_of(v)) is not None for v in chain)
    basis = f"{own} of {len(chain)} durations are this run's own" if own else "class defaults"
    subjects = tuple(dict.fromkeys(map(subject_of, chain)))
    return Path(subjects, round(search.found[last], 3), basis, head=chain[0], learnt=own)


@dataclass(slots=True)
class _Search:
    """Earliest finishes, in seconds from now; a stack of its own, so that no tree is too deep."""

    needs: Needs
    standing: Standing
    facts: Facts
    now: Instant
    learnt: Learnt
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
        usual = self.learnt.seconds(family_of(vertex))
        if usual is None:
            usual = USUAL_SECONDS.get(family_of(vertex), OTHER_SECONDS)
        begun = self.learnt.begun.get(vertex)
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
