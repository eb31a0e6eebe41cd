"""
In which order things can come about: what is behind what, and on what most of the rest still hangs.

Both are questions to the graph of ``phases.needs``, which a plan alone decides: it is drawn once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from engine.answer import Subject
from engine.recipe import Facts
from phases import codes
from phases.durations import Durations
from phases.kinds import WORKLOADS
from phases.needs import Standing, is_well, needs_of, subject_of
from phases.section import Section
from phases.vertices import APPLIED, GONE, Needs, Vertex, applied

# What waits for a workload says so itself (a health check, a release that waits); one that does not, goes on without.
NOT_AWAITED = tuple(f"{kind.lower()}/" for kind in WORKLOADS)


FAMILIES = (
    "gitrepository",
    "ocirepository",
    "helmrepository",
    "helmchart",
    "kustomization",
    "helmrelease",
)


@dataclass(frozen=True, slots=True)
class Graph:
    """
    What each vertex needs, what needs it, and how facts tell that it is done.
    """

    needs: Needs
    dependents: Needs
    standing: Standing


def graph_of(section: Section) -> Graph:
    """Return a plan's graph."""
    kept = section.drawn.get("graph")
    if isinstance(kept, Graph):
        return kept
    needs = needs_of(section)
    graph = Graph(needs, _turned(needs), Standing(section, needs))
    section.drawn["graph"] = graph
    return graph


def _certain(section: Section) -> Needs:
    """
    Return what needs each vertex without any doubt: a Secret that an ExternalSecret should make may be there already.

    Most runs never ask.
    """
    kept = section.drawn.get("certain")
    if isinstance(kept, dict):
        return kept
    certain = section.drawn["certain"] = _turned(needs_of(section, certain=True))
    return certain


def _turned(needs: Needs) -> Needs:
    """Return what needs each vertex."""
    turned: dict[Vertex, list[Vertex]] = {}
    for vertex, needed in needs.items():
        for one in needed:
            turned.setdefault(one, []).append(vertex)
    return {vertex: tuple(found) for vertex, found in turned.items()}


def behind(section: Section, facts: Facts, held: Iterable[Subject]) -> set[Subject]:
    """Return what cannot come about before all of *held* is well, without *held* itself."""
    graph = graph_of(section)
    known = [s for s in held if s in graph.needs and not s.startswith(NOT_AWAITED)]
    todo = [v for s in known for v in (s, applied(s)) if v in graph.needs]
    todo = [v for v in todo if not graph.standing.is_done(v, facts)]
    found = set(todo)
    certain = _certain(section) if todo else {}
    while todo:
        for vertex in certain.get(todo.pop(), ()):
            if vertex in found or _lets_through(vertex, facts):
                continue
            if not graph.standing.is_done(vertex, facts):
                found.add(vertex)
                todo.append(vertex)
    return {subject_of(v) for v in found if not v.endswith((APPLIED, GONE))}.difference(known)


def _lets_through(vertex: Vertex, facts: Facts) -> bool:
    """What was Ready when somebody suspended it stays so for who needs it, whatever it would wait for itself."""
    fact = facts.get(vertex)
    return fact is not None and fact.code == codes.SUSPENDED and bool(fact.detail.get("says_ready"))


def urgency(
    section: Section,
    facts: Facts,
    subjects: Collection[Subject],
    durations: Durations | None = None,
) -> list[Subject]:
    """
    Order subjects by the critical path: those first that begin the longest chain of what is left.

    Sources, Kustomizations, releases, the rest: each has its own controller. Of a kind, what depends on something that
    is not ready yet would only fail again, and comes after all that can succeed. A dependency begins a longer chain
    than its dependents, so that a tree is woken from its roots on.
    """
    left = remaining(section, facts, subjects, durations)

    def place(subject: Subject) -> tuple[int, bool, float, Subject]:
        family, needed = subject.partition("/")[0], section.dependencies.get(subject, ())
        kind = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
        early = not all(is_well(other, facts) for other in needed)
        return kind, early, -left.get(applied(subject), left.get(subject, 0.0)), subject

    return sorted(subjects, key=place)


def remaining(
    section: Section,
    facts: Facts,
    subjects: Iterable[Subject],
    durations: Durations | None = None,
) -> Mapping[Vertex, float]:
    """
    Return the seconds of the longest chain that is not done and begins with each vertex: its own, and what needs it.

    Of *subjects* and of what needs them, for the whole graph is large and this is asked every turn.
    By the durations that the ETA goes by (none: the usual ones). In a circle nothing begins: where one closes, the
    chain ends.
    """
    graph, known = graph_of(section), durations or Durations()
    found: dict[Vertex, float] = {}
    for start in (v for subject in subjects for v in (applied(subject), subject)):
        if start in graph.needs:
            _measure(graph, facts, start, known, found)
    return found


def _measure(
    graph: Graph, facts: Facts, start: Vertex, durations: Durations, found: dict[Vertex, float]
) -> None:
    """Depth first with a stack of its own, so that no tree is too deep."""
    stack, path = [start], dict[Vertex, None]()
    while stack:
        vertex = stack[-1]
        if vertex in found:
            stack.pop()
            path.pop(vertex, None)
            continue
        path[vertex] = None
        after = graph.dependents.get(vertex, ())
        open_ = [v for v in after if v not in found and v not in path]
        if open_:
            stack += open_
            continue
        done = graph.standing.is_done(vertex, facts)
        own = 0.0 if done else durations.find(vertex, graph.needs, facts).seconds
        found[vertex] = own + max((found[v] for v in after if v in found), default=0.0)
