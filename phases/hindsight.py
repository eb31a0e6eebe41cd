"""
The path that a run really took: walked back from the last thing that became well, through what came last before it.

In hindsight no duration has to be assumed: each vertex has the instant at which it was done for good, and between the
latest of its needs and that instant it was the vertex that everything waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.answer import Subject
from journal import entries as e
from journal.entries import Fact, Instant
from phases import codes
from phases.needs import Standing, is_same_footing, needs_of
from phases.path import Learnt, critical_path
from phases.section import Section
from phases.vertices import Needs, Vertex

Spell = tuple[Instant, Instant | None]
SPELLS = 32
RECONCILED = ("kustomization/", "helmrelease/", "gitrepository/")
LOST = "?"  # the path leads to something that was lost again: what came before is not known


@dataclass(frozen=True, slots=True)
class Window:
    """From *start* to *end* (world time) the run waited for *vertex*; empty: everything was done."""

    start: Instant
    end: Instant
    vertex: Vertex


@dataclass(slots=True)
class Course:
    """
    What a run's observations tell of each vertex, folded entry by entry: O(vertices), however long the journal is.

    *spells* has, per vertex, the instants at which it became done and was lost again (None: it is done); of a vertex
    that comes and goes the last ones are kept. *looks* has those spells that began with the end of a mere look.
    """

    section: Section
    needs: Needs = field(init=False)
    standing: Standing = field(init=False)
    facts: dict[Subject, Fact] = field(default_factory=dict)
    spells: dict[Vertex, list[Spell]] = field(default_factory=dict)
    learnt: Learnt = field(default_factory=Learnt)
    looks: set[tuple[Vertex, Instant]] = field(default_factory=set)
    _looked_at: set[Vertex] = field(default_factory=set)
    _own: bool = True  # all that it knows it saw itself, so that each spell is of its facts

    def __post_init__(self) -> None:
        """Make the graph once."""
        self.needs = needs_of(self.section)
        self.standing = Standing(self.section, self.needs)

    def see(self, entry: e.AnyEntry) -> None:
        """Take in an entry; only observations tell."""
        if not isinstance(entry, e.Observed):
            return
        self.learnt.see(entry)
        # Codes alone tell what is done (``Standing``): most changes are of a reason, and of no code.
        facts, turned, looks = self.facts, [*entry.removed], []
        for subject, fact in entry.changed.items():
            known = facts.get(subject)
            if known is None or not is_same_footing(subject, known.code, fact.code):
                turned.append(subject)
            elif known.code != fact.code and subject.startswith(RECONCILED):
                looks.append(subject)
        facts.update(entry.changed)
        for subject in entry.removed:
            facts.pop(subject, None)
        touched = self.standing.touched
        for subject in turned:
            for vertex in touched(subject):
                self._mark(vertex, entry.at)
        for subject in looks if self._looked_at or not self._own else ():
            for vertex in touched(subject):
                if vertex in self._looked_at or not self._own:
                    self._mark(vertex, entry.at)

    def go_on_from(self, earlier: Course) -> None:
        """Take over what the course of another plan saw: of vertices that both have, when each was done as well."""
        self.facts, self.learnt, self._own = earlier.facts, earlier.learnt, False
        known = earlier.spells
        self.spells = {vertex: known[vertex] for vertex in self.needs if vertex in known}

    def _mark(self, vertex: Vertex, at: Instant) -> None:
        spells = self.spells.get(vertex)
        if spells is None:
            spells = self.spells[vertex] = []
        begun = spells[-1] if spells else None
        was = begun is not None and begun[1] is None
        if self.standing.is_done(vertex, self.facts):
            if not was:
                self._begin(vertex, spells, at)
        elif begun is not None and was:
            spells[-1] = (begun[0], at)
            if self._is_look(vertex):  # nothing is lost by that until it says otherwise
                self._looked_at.add(vertex)
        elif vertex in self._looked_at and not self._is_look(vertex):
            self._looked_at.discard(vertex)

    def _begin(self, vertex: Vertex, spells: list[Spell], at: Instant) -> None:
        if vertex in self._looked_at:
            self._looked_at.discard(vertex)
            self.looks.add((vertex, at))
        spells.append((at, None))
        if len(spells) > SPELLS:
            self.looks.discard((vertex, spells.pop(0)[0]))

    def _is_look(self, vertex: Vertex) -> bool:
        """Say whether who is not done is only looked at once more."""
        if not vertex.startswith(RECONCILED):
            return False
        fact = self.facts.get(vertex.partition("#")[0])
        return fact is not None and _is_look(fact)

    def done(self, vertex: Vertex) -> Instant | None:
        """Return since when a vertex is done; None: it is not."""
        spells = self.spells.get(vertex)
        return spells[-1][0] if spells and spells[-1][1] is None else None

    def became(self, vertex: Vertex, by: Instant) -> Instant | None:
        """Return the last instant, at *by* at the latest, at which a vertex became done."""
        return next((at for at, _ in reversed(self.spells.get(vertex, ())) if at <= by), None)

    def begin(self, vertex: Vertex, by: Instant) -> tuple[Instant | None, Vertex]:
        """
        Say since when only *vertex* itself was missing, of what was done at *by*; and which need came last.

        None: since the run began. No need is named where the vertex had been done and was lost again later than that.
        """
        need, since = "", None
        for other in self.needs.get(vertex, ()):
            at = self.became(other, by)
            if at is not None and (since is None or (at, other) > (since, need)):
                need, since = other, at
        lost = [end for _, end in self.spells.get(vertex, ()) if end is not None and end < by]
        if lost and (since is None or lost[-1] > since):
            return lost[-1], ""
        return since, need

    def windows(self, opened: Instant, end: Instant) -> tuple[Window, ...]:
        """
        Cut the time from *opened* to *end* into windows, without a gap, in their order.

        A run that is not finished waits, at its end, for the first vertex of its critical path.
        """
        vertex = self._frontier(end)
        till = end
        found: list[Window] = []
        if not vertex:
            vertex, till = self._last(end, self.became)
            found.append(Window(max(till, opened), end, ""))
        passed: set[tuple[Vertex, Instant]] = set()
        while vertex and till > opened and (vertex, till) not in passed:
            passed.add((vertex, till))
            since, need = self.begin(vertex, till)
            start = opened if since is None else max(opened, since)
            found.append(Window(start, till, vertex))
            vertex, till = need, start
            if not need and start > opened:
                vertex, till = self._last(start, self._recovered)
                found.append(Window(max(till, opened), start, LOST))
        if till > opened:
            found.append(Window(opened, till, LOST))
        return tuple(window for window in reversed(found) if window.start < window.end)

    def _last(
        self, by: Instant, told: Callable[[Vertex, Instant], Instant | None]
    ) -> tuple[Vertex, Instant]:
        """Name what became well last before *by*, and when; what is well goes before what was only applied."""
        known = ((told(v, by), "#" not in v, v) for v in self.spells)
        at, _, vertex = max(
            ((at, well, v) for at, well, v in known if at is not None), default=(0.0, True, "")
        )
        return vertex, at

    def _recovered(self, vertex: Vertex, by: Instant) -> Instant | None:
        """Return the last instant, at *by* at the latest, at which a vertex became well again that had not been."""
        begun = (at for at, _ in reversed(self.spells.get(vertex, ())) if at <= by)
        return next((at for at in begun if (vertex, at) not in self.looks), None)

    def _frontier(self, now: Instant) -> Vertex:
        """Name what a run that is not finished waits for; empty: everything is done."""
        if all(self.done(vertex) is not None for vertex in self.needs):
            return ""
        path = critical_path(self.section, self.facts, now, self.learnt)
        # A circle: nothing of it can begin, so any of it is what the run waits for.
        return path.head or next(iter(path.subjects), "")


def _is_look(fact: Fact) -> bool:
    """Say whether Flux only looks at an object, at its interval or when asked to, or at what that waits for."""
    if fact.code == codes.PROGRESSING:
        return True
    cause = str(fact.detail.get("cause") or "")
    return fact.code == codes.BLOCKED and cause.startswith("dependency:")
