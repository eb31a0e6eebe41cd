"""
Things that wait for one another in a circle (catalogue K4): no time and no retry ends that.

A circle of dependsOn is seen in the cluster. With an inventory two more ways to wait are known: what does not exist yet
waits for its parent to apply it, and a parent with ``wait`` for its children; and a Kustomization that holds objects of
a kind that nothing defines waits for whoever brings that kind. (kustomize-controller 1.9.4,
internal/controller/kustomization_controller.go and kustomization_indexers.go: a circle also stops every other object of
the same source from being woken by a new commit, kustomize-controller issue 1712.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.attempts import failing
from phases.diagnosis.controllers import is_flux_to_come
from phases.diagnosis.providers import UNLESS, carriers
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, look, never
from phases.diagnosis.scene import Scene, subject_of
from phases.diagnosis.structure import FLUX_KINDS, ill_of
from phases.kinds import usual_crds
from phases.readiness.kinds import unserved

if TYPE_CHECKING:
    from phases.inventory import Inventory

PARENT: Final = ("kustomize.toolkit.fluxcd.io/namespace", "kustomize.toolkit.fluxcd.io/name")
MANY: Final = 10
CIRCLE: Final = "circle"
APPLIED, IS_READY = "applied", "ready"
State = tuple[str, Subject]
Need = tuple[State, State, str]  # the first waits for the second, and why


def _circles(scene: Scene) -> Iterable[Finding]:
    ill = ill_of(scene)
    if not ill:
        return
    order = tuple(_needs(scene))
    told: set[frozenset[Subject]] = set()
    for members, whys in _among(ill, order):
        if members not in told:
            told.add(members)
            yield _finding(scene, CIRCLE, sorted(members), whys, NO)
    # Asked apart, and after: no CRD unties a circle that is one without any kind.
    absent = _absent_kinds(scene)
    asked = tuple(_asked(scene, absent))
    kinds = (*asked, *_foretold(scene, absent))
    tried, lacking = (frozenset(why for _, _, why in found) for found in (asked, kinds))
    for members, whys in _among(ill, (*order, *kinds)) if kinds else ():
        if not lacking.isdisjoint(whys) and not any(known <= members for known in told):
            told.add(members)
            # Nobody has asked yet, and Flux is still to come: a bootstrap may bring the kind before it.
            is_foretold = tried.isdisjoint(whys) and is_flux_to_come(scene)
            clears = UNKNOWN if is_foretold else NO
            yield _finding(scene, codes.THROUGH_A_KIND, sorted(members), whys, clears)


def _among(
    ill: set[Subject], found: Iterable[Need]
) -> Iterator[tuple[frozenset[Subject], list[str]]]:
    """Return circles of what is not well, and why each waits for the next."""
    needs: dict[State, dict[State, str]] = {}
    # What is well waits for nobody, and nobody for it.
    open_ = (need for need in found if need[0][1] in ill and need[1][1] in ill)
    for waits, needed, why in sorted(open_):
        needs.setdefault(waits, {})[needed] = why
    for state in [s for need in needs.values() for s in need] + list(needs):
        if state[0] == IS_READY:
            needs.setdefault(state, {})[APPLIED, state[1]] = ""
    for _ in range(MANY):
        circle = _one(needs)
        if circle is None:
            return
        steps = [(waits, needed) for waits, needed in pairwise(circle) if needs[waits][needed]]
        # What waits for its own apply is in every circle through it, and stays.
        yield (
            frozenset(subject for _, subject in circle),
            [needs[waits].pop(needed) for waits, needed in steps],
        )


def _one(needs: dict[State, dict[State, str]]) -> list[State] | None:
    """Return a circle, each member followed by what it waits for; None where there is none."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as found:
        states: list[State] = found.args[1]
        return states[::-1]
    return None


def _finding(
    scene: Scene, cause: str, members: list[Subject], whys: list[str], clears: str
) -> Finding:
    first, *others = members
    how, unless = (" for ever", "") if clears == NO else ("", UNLESS)
    found = scene.get(*_kind_and_key(first))
    return Finding(
        subject=first,
        cause=cause,
        message=f"these wait for one another{how}: {'; '.join(sorted(whys))}{unless}",
        blocks=tuple(others),
        clears_itself=clears,
        rule="K4",
        uid="" if found is None else found.metadata.uid,
        evidence=tuple(_evidence(scene, members)),
        clears_when="one of them no longer waits for the next",
        remedies=(
            look("break the circle in Git: split what provides from what consumes"),
            never("wait, or raise a timeout: no retry can end this"),
        ),
    )


def _evidence(scene: Scene, members: list[Subject]) -> Iterator[str]:
    for member in members:
        kind, key = _kind_and_key(member)
        there = scene.get(kind, key) is not None
        yield f"{kind}/{key} .spec.dependsOn" if there else f"inventory {member}"


def _kind_and_key(subject: Subject) -> tuple[str, str]:
    family, _, key = subject.partition("/")
    return next((kind for kind in FLUX_KINDS if kind.lower() == family), ""), key


def _needs(scene: Scene) -> Iterator[Need]:
    yield from _in_cluster(scene)
    if scene.inventory is not None:
        yield from _in_inventory(scene, scene.inventory)


def _in_cluster(scene: Scene) -> Iterator[Need]:
    for kind in FLUX_KINDS:
        for found in scene.of(kind).values():
            mine = subject_of(kind, found.metadata)
            for ref in found.spec.depends_on:
                key = f"{ref.namespace or found.metadata.namespace}/{ref.name}"
                yield _depends(mine, codes.subject(kind, key))
            space, name = (found.metadata.labels.get(label, "") for label in PARENT)
            parent = scene.get("Kustomization", f"{space}/{name}")
            if parent is not None and parent.spec.wait:
                yield _watches(subject_of("Kustomization", parent.metadata), mine)


def _in_inventory(scene: Scene, inventory: Inventory) -> Iterator[Need]:
    waiting = {item.key for item in inventory.kustomizations if item.wait}
    listed = (
        ("Kustomization", inventory.kustomizations),
        ("HelmRelease", inventory.helmreleases),
    )
    for kind, items in listed:
        for item in items:
            mine = codes.subject(kind, item.key)
            for key in item.depends_on:
                yield _depends(mine, codes.subject(kind, key))
            if item.parent is None:
                continue
            parent = codes.subject("kustomization", item.parent)
            if item.parent in waiting:
                yield _watches(parent, mine)
            if scene.seen(kind) and item.key not in scene.of(kind):
                yield (APPLIED, mine), (APPLIED, parent), f"{mine} is applied by {parent}"


def _absent_kinds(scene: Scene) -> dict[str, Subject]:
    """Return who brings each CRD that is not there; where CRDs are not listed, of none it is known."""
    if scene.inventory is None or not scene.seen("CustomResourceDefinition"):
        return {}
    there = scene.of("CustomResourceDefinition")
    items = scene.inventory.crds
    return {item.name: item.provider for item in items if item.provider and item.name not in there}


def _asked(scene: Scene, absent: dict[str, Subject]) -> Iterator[Need]:
    """Who holds objects of a kind that nothing defines waits for its provider, not for the provider's readiness."""
    for kind in FLUX_KINDS if absent else ():
        for found, ready in failing(scene, kind):
            for asked in unserved(ready.message):
                names = (asked.crd,) if asked.crd else usual_crds(asked.kind, asked.group)
                for name in names:
                    yield from _lacks(subject_of(kind, found.metadata), absent, name)


def _foretold(scene: Scene, absent: dict[str, Subject]) -> Iterator[Need]:
    """Nobody has run into it yet; by what the inventory knows of what they hold."""
    for name, holders in carriers(scene).items():
        for holder in holders:
            yield from _lacks(holder, absent, name)


def _depends(mine: Subject, other: Subject) -> Need:
    return (APPLIED, mine), (IS_READY, other), f"{mine} depends on {other}"


def _watches(parent: Subject, child: Subject) -> Need:
    return (IS_READY, parent), (IS_READY, child), f"{parent} waits until its {child} is ready"


def _lacks(holder: Subject, absent: dict[str, Subject], name: str) -> Iterator[Need]:
    """Who brings a kind itself applies it before all else, and waits for nobody."""
    provider = absent.get(name)
    if provider is not None and provider != holder:
        why = f"{holder} needs {name}, which {provider} brings"
        yield (APPLIED, holder), (APPLIED, provider), why


RULES = (
    Rule(
        "K4",
        "things wait for one another in a circle",
        Proof.CONTROLLER,
        "kustomize-controller 1.9.4 kustomization_indexers.go (failed to sort dependencies), #1712",
        _circles,
    ),
)
