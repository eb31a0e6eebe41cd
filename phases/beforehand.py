"""
What must be there before something has its turn, as an inventory lists it; and what is there before anything has one.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.answer import Subject
from phases import codes
from phases.circles import knots
from phases.outline import Outline
from phases.vertices import Vertex, applied


def installed(section: Outline) -> frozenset[Subject]:
    """Name the workloads that commands of the plan install, before anything that would own them is there."""
    controllers = (codes.subject("Deployment", key) for key in section.flux.controllers)
    return frozenset((*section.networking, *controllers))


def installed_owners(section: Outline) -> frozenset[Subject]:
    """
    Name what owns workloads that commands of the plan install: their CRDs come with them.

    Flux only takes over what runs already, so that who brings them in its order says nothing.
    """
    first = installed(section)
    workloads = section.inventory.workloads
    owners = (item.owner for item in workloads if codes.subject(item.kind, item.key) in first)
    return frozenset(owner for owner in owners if owner)


def _listed_needs(section: Outline) -> Iterator[tuple[Vertex, Subject, Subject]]:
    """Yield (vertex, its subject, a need that the inventory lists)."""
    for subject, kustomization in section.kustomizations:
        yield from ((applied(subject), subject, need) for need in kustomization.needs)
    for subject, release in section.releases:
        yield from ((applied(subject), subject, need) for need in release.needs)
    first = installed(section)
    for work in section.inventory.workloads:
        subject = codes.subject(work.kind, work.key)
        if subject not in first:
            yield from ((subject, subject, need) for need in work.needs)


def add_seedable(section: Outline, edges: dict[Vertex, dict[Vertex, None]]) -> None:
    """
    Add what the inventory lists, and what may also be put there beforehand: needed, unless that closes a circle.

    A circle through one of these is no proof that nothing can begin: trees whose releases bring the CRDs of their own
    neighbours live by a bootstrap that installs those first. Then the order is not known, and such an edge is none;
    whether somebody waits for himself in earnest is for diagnosis to say.
    """
    providers = {codes.subject("crd", i.name): i.provider for i in section.inventory.crds}
    found: dict[Vertex, dict[Vertex, None]] = {}
    for vertex, owner, need in _listed_needs(section):
        needed = applied(need) if need.startswith(("kustomization/", "helmrelease/")) else need
        # A CRD in the set itself is applied before the rest and waited for (kustomize-controller, in stages).
        is_own = providers.get(need) == owner
        if not is_own and needed in edges and needed not in edges[vertex]:
            found.setdefault(vertex, {})[needed] = None
    if not found:
        return
    knot = knots({vertex: (*edges[vertex], *found.get(vertex, ())) for vertex in edges})
    for vertex, needs in found.items():
        edges[vertex].update((n, None) for n in needs if knot[n] != knot[vertex])
