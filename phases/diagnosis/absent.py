"""
What should exist and does not, though nothing is in its way (X2): else a cluster that lost its root is called healthy.

Not of the catalogue: it knows no more than the inventory. Of all that is absent only the topmost is said, with what it
takes along: a namespace before what should be in it, a Kustomization or a release before what it brings. What its maker
is still at, or another finding explains, is to come and is not missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Final

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.expected import Expected, expected, is_gone
from phases.diagnosis.lost import (
    KIND_GONE,
    ROOT,
    SETTLED_SECONDS,
    Loss,
    Told,
    brought_by,
    flux_kind_gone,
    gone_with_its_home,
    nobody_brings,
)
from phases.diagnosis.rule import Proof, Rule
from phases.diagnosis.scene import Scene, instant, is_younger
from phases.diagnosis.structure import is_well
from phases.diagnosis.unexplained import explained
from phases.kinds import OPERATOR
from phases.objects import Flux, Namespace, Node, condition

SOURCE: Final = "kustomize-controller v1.9.5 and helm-controller 1.6.4: who is Ready looks again at its interval"
MAKERS: Final = {"kustomization": "Kustomization", "helmrelease": "HelmRelease"}
CRD: Final = "CustomResourceDefinition"
TOOLKIT: Final = ".toolkit.fluxcd.io"
FLUX_CRDS: Final = {
    "GitRepository": f"gitrepositories.source{TOOLKIT}",
    "HelmRelease": f"helmreleases.helm{TOOLKIT}",
    "Kustomization": f"kustomizations.kustomize{TOOLKIT}",
    "OCIRepository": f"ocirepositories.source{TOOLKIT}",
}
BEFORE: Final = {"GitRepository": "Deployment", "Kustomization": "GitRepository", CRD: "Deployment"}
NEW_CLUSTER_SECONDS: Final = 300.0  # so long nodes may take to register


def rules_after(others: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return the rule, which has to know what *others* explain."""
    find = partial(_absent, others)
    return (Rule("X2", "expected, and not there", Proof.CONTROLLER, SOURCE, find),)


def _absent(others: tuple[Rule, ...], scene: Scene) -> Iterable[Finding]:
    """X2: the topmost of what is absent, where it is due and nothing explains it."""
    if scene.inventory is None:
        return
    gone = {one.subject: one for one in expected(scene.inventory) if is_gone(scene, one)}
    if not gone:
        return
    gone |= {one.subject: one for one in _kinds_of_flux(scene, {o.kind for o in gone.values()})}
    above = {subject: tuple(_above(one, gone)) for subject, one in gone.items()}
    due = {subject for subject, one in gone.items() if _is_due(scene, one)}
    known = explained(others, scene) if due else frozenset[Subject]()
    for subject, one in gone.items():
        if above[subject] or subject in known:
            continue
        below = _below(subject, above)
        if subject in due:
            yield _finding(one, below, _told(scene, one))
        elif one.kind == "Namespace" and not due.isdisjoint(below):
            yield _finding(one, below, _told_of_home(below, gone))


def _kinds_of_flux(scene: Scene, kinds: Collection[str]) -> Iterator[Expected]:
    """Return the CRDs of Flux' own, of these *kinds*, that are not there though others of Flux' are."""
    if not any(name.endswith(TOOLKIT) for name in scene.of(CRD)):
        return
    for kind in FLUX_CRDS.keys() & kinds:
        if FLUX_CRDS[kind] not in scene.of(CRD):
            yield Expected(CRD, FLUX_CRDS[kind], first=True)


def _above(one: Expected, gone: Mapping[Subject, Expected]) -> Iterator[Subject]:
    """Return what is absent itself and has to come before it: of Flux its controllers, its source, its roots."""
    space = one.key.partition("/")[0] if "/" in one.key else ""
    if space and codes.subject("Namespace", space) in gone:
        yield codes.subject("Namespace", space)
    if one.maker in gone:
        yield one.maker
    kind = codes.subject(CRD, FLUX_CRDS.get(one.kind, ""))
    if kind in gone:
        yield kind
    if one.first and one.kind in BEFORE:
        before = BEFORE[one.kind]
        yield from (s for s, other in gone.items() if other.first and other.kind == before)


def _below(subject: Subject, above: Mapping[Subject, tuple[Subject, ...]]) -> tuple[Subject, ...]:
    """Return everything that is absent with it."""
    found = {subject}
    while more := {
        s for s, before in above.items() if s not in found and not found.isdisjoint(before)
    }:
        found |= more
    return tuple(s for s in above if s in found and s != subject)


def _is_due(scene: Scene, one: Expected) -> bool:
    """Say whether it should be there by now: nobody is still at work who might bring it."""
    if one.kind == "Node":
        first: Namespace | None = scene.get("Namespace", "kube-system")
        return first is None or not is_younger(scene, first.metadata, NEW_CLUSTER_SECONDS)
    if one.first:
        return _can_run(scene)
    if one.maker.partition("/")[0] not in MAKERS:
        return _is_at_rest(scene)
    maker = maker_of(scene, one)
    return maker is not None and _is_settled(scene, maker)


def _can_run(scene: Scene) -> bool:
    """Nobody puts back the beginning of anything before something can run: a network comes first."""
    nodes: Iterable[Node] = scene.of("Node").values()
    ready = (condition(node.status.conditions, "Ready") for node in nodes)
    return any(said is not None and said.status == "True" for said in ready)


def maker_of(scene: Scene, one: Expected) -> Flux | None:
    """Return who brings it, if that is an object of Flux which is there."""
    family, _, key = one.maker.partition("/")
    found: Flux | None = scene.of(MAKERS[family]).get(key) if family in MAKERS else None
    return found


def _is_settled(scene: Scene, found: Flux) -> bool:
    """What is suspended brings nothing, and has a rule of its own."""
    if found.spec.suspend or not is_well(found):
        return False
    since = instant(condition(found.status.conditions, "Ready"))
    return since is not None and scene.older(since, SETTLED_SECONDS)


def _is_at_rest(scene: Scene) -> bool:
    """Say whether all of Flux is done: what nobody is known to bring does not come with it any more."""
    if scene.inventory is None:
        return False
    items = (
        *(("Kustomization", i.key, i.suspended) for i in scene.inventory.kustomizations),
        *(("HelmRelease", i.key, i.suspended) for i in scene.inventory.helmreleases),
    )
    for kind, key, suspended in items:
        found = scene.of(kind).get(key)
        if found is None or not (suspended or _is_settled(scene, found)):
            return False
    return True


def _told_of_home(below: tuple[Subject, ...], gone: Mapping[Subject, Expected]) -> Told:
    """Tell of a namespace that is missed only for what is in it: of Flux its controllers, else its source and roots."""
    firsts = [gone[s] for s in below if gone[s].first and gone[s].kind in ROOT]
    if firsts:
        head = min(firsts, key=lambda one: tuple(ROOT).index(one.kind))
        return gone_with_its_home(head.kind, head.key)
    return nobody_brings(Loss("Namespace", "", "", None), at_rest=False)


def _told(scene: Scene, one: Expected) -> Told:
    if one.first and one.kind == CRD:
        return flux_kind_gone(next((k for k in scene.of("Deployment") if k.endswith(OPERATOR)), ""))
    maker = maker_of(scene, one)
    loss = Loss(one.kind, one.key, one.maker, maker, first=one.first)
    return nobody_brings(loss) if maker is None else brought_by(loss, maker)


def _finding(one: Expected, below: tuple[Subject, ...], told: Told) -> Finding:
    name = f"{one.kind} {one.key}"
    asked_by = name if told.cause != KIND_GONE else f"{len(below)} objects of Flux"
    return Finding(
        subject=one.subject,
        cause=told.cause,
        message=f"{name} is expected and does not exist: {told.why}",
        blocks=below,
        clears_itself=told.clears_itself,
        rule="X2",
        evidence=(f"{one.kind}/{one.key} absent", f"inventory: {asked_by}", *told.evidence),
        clears_when=f"{name} exists" if not told.when else told.when,
        remedies=told.remedies,
    )
