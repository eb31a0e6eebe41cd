"""
What holds a Terminating namespace by a finalizer, by who would have to take it off (catalogue N5-N9).

Only listing the objects tells (kubernetes v1.36, pkg/controller/namespace/deletion): the namespace's conditions count
the finalizers by name, and leave out pods. Where the objects could not be listed the conditions have to do. One
finding a family of finalizers, since another controller has to come back for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from msgspec.structs import replace

from journal.entries import Finding, Instant, Remedy
from phases import codes
from phases.diagnosis.namespaces import (
    FINALIZE,
    GONE,
    PATIENCE_SECONDS,
    SOURCE,
    terminating,
    told,
)
from phases.diagnosis.rule import NO, UNKNOWN, YES, Proof, Rule, destructive, look
from phases.diagnosis.scene import Scene, path_of
from phases.diagnosis.victims import behind_namespace
from phases.diagnosis.words import listed
from phases.leaks import FLUX_FINALIZER, SERVED_BY, leak_of
from phases.objects import Namespace
from phases.snapshot import Holder

COUNTED: Final = re.compile(r"([^\s,:]+) in (\d+) resource instances")
DELETERS_OWN: Final = "kubernetes"


@dataclass(frozen=True, slots=True)
class Family:
    """
    Finalizers that one kind of controller takes off.

    *by_design*: it may live and refuse, so that a controller that runs is no promise.
    """

    rule: str
    cause: str
    serves: Callable[[str], bool]
    whose: str
    remedies: tuple[Remedy, ...]
    by_design: bool = False

    @property
    def controllers(self) -> str:
        """A pattern for the names of the Deployments that serve them; empty: not known."""
        return SERVED_BY.get(self.rule, "")


def _is_flux(finalizer: str) -> bool:
    return finalizer == FLUX_FINALIZER


def _is_rook(finalizer: str) -> bool:
    return "ceph.rook.io" in finalizer or finalizer == "objectbucket.io/finalizer"


def _is_storage(finalizer: str) -> bool:
    protection = ("kubernetes.io/pvc-protection", "kubernetes.io/pv-protection")
    prefixes = ("external-attacher/", "external-provisioner.", "snapshot.storage.kubernetes.io/")
    return finalizer in protection or "longhorn.io" in finalizer or finalizer.startswith(prefixes)


def _is_pruned_operator(finalizer: str) -> bool:
    """An operator that is applied and pruned together with the objects that it finalizes."""
    return finalizer.startswith("apps.victoriametrics.com/")


ROOK = Family(
    "N6",
    "held-by-rook",
    _is_rook,
    "Rook's",
    (
        look("decide whether the data is wanted before anything else"),
        look("bring back the Rook operator; it lets go of what has no dependents left"),
        destructive("set the CephCluster's cleanupPolicy to yes-really-destroy-data"),
    ),
    by_design=True,
)
FLUX = Family(
    "N7",
    "held-by-flux",
    _is_flux,
    "Flux's own",
    (look("bring back Flux's controllers: they finish the deletion, and uninstall on the way"),),
)
STORAGE = Family(
    "N8",
    "held-by-storage",
    _is_storage,
    "the storage's",
    (
        look("find the pod that still uses the volume"),
        look("bring back the CSI driver that provisioned it"),
    ),
    by_design=True,
)
OPERATOR = Family(
    "N9",
    "held-by-a-pruned-operator",
    _is_pruned_operator,
    "an operator's that was pruned first",
    (look("apply the operator alone, wait, delete its objects, and only then the operator"),),
)
OTHERS = Family(
    "N5",
    "held",
    lambda _: True,
    "",
    (look("bring back the controller that serves these finalizers and let it finish"),),
)
FAMILIES: Final = (ROOK, FLUX, STORAGE, OPERATOR, OTHERS)  # the first that serves one has it


def _family_of(finalizers: Iterable[str]) -> Family:
    """Flux's finalizer next to another one is the other's case: Flux alone does not free the object."""
    given = tuple(finalizers)
    for family in FAMILIES:
        matches = all if family is FLUX else any
        if matches(family.serves(finalizer) for finalizer in given):
            return family
    return OTHERS


def _held(family: Family, scene: Scene) -> Iterable[Finding]:
    """Return a finding for each namespace that finalizers of this family hold."""
    for found, since in terminating(scene):
        listing = scene.holders(f"namespace/{found.metadata.name}")
        own = _own(found) if family is OTHERS else ()
        mine = tuple(
            _owned(scene, family, holder)
            for holder in listing or ()
            if _family_of(holder.finalizers) is family
        )
        counted = _counted(family, found) if listing is None else []
        parts = [
            *([_holding(family, mine)] if mine else []),
            *([f"finalizers are left in it: {listed(counted)}"] if counted else []),
            *([f"its own finalizer is left: {listed(own)}"] if own else []),
        ]
        if parts:
            yield _finding(family, scene, found, since, mine, " and ".join(parts))


def _owned(scene: Scene, family: Family, holder: Holder) -> Holder:
    """
    Say whether the controller of a holder lives, where nobody who looked could tell.

    One whose Deployment is gone, while Deployments were listed, is gone; one that is there and not available may be
    about to come back.
    """
    if holder.owner_alive is not None or not family.controllers or not scene.seen("Deployment"):
        return holder
    serving = [w for key, w in scene.of("Deployment").items() if re.search(family.controllers, key)]
    if any(work.status.available_replicas for work in serving):
        return replace(holder, owner_alive=True)
    return holder if serving else replace(holder, owner_alive=False)


def _own(found: Namespace) -> tuple[str, ...]:
    """A namespace may be held by itself: all five conditions are False then, and nothing is left in it."""
    given = (*found.spec.finalizers, *found.metadata.finalizers)
    return tuple(finalizer for finalizer in given if finalizer != DELETERS_OWN)


def _counted(family: Family, found: Namespace) -> list[str]:
    """What holds it could not be listed: its condition counts finalizers by name."""
    said = told(found, "NamespaceFinalizersRemaining")
    counts = COUNTED.findall(said.message) if said is not None else []
    return [f"{name} on {number}" for name, number in counts if _family_of((name,)) is family]


def _finding(
    family: Family,
    scene: Scene,
    found: Namespace,
    since: Instant,
    mine: tuple[Holder, ...],
    why: str,
) -> Finding:
    name = found.metadata.name
    where = path_of("Namespace", found.metadata, "status.conditions[NamespaceFinalizersRemaining]")
    groups = sorted({holder.group for holder in mine})
    # Flux lives and may be refused all the same, by a webhook or a right: its Ready does not say so.
    refused = family is FLUX and scene.older(since, PATIENCE_SECONDS)
    return Finding(
        subject=codes.subject("namespace", name),
        cause=family.cause,
        message=f"namespace {name} is Terminating: {why}",
        blocks=behind_namespace(scene, found.metadata),
        clears_itself=_clears(family, mine, refused=refused),
        rule=family.rule,
        uid=found.metadata.uid,
        since=since,
        evidence=tuple(f"holders[namespace/{name}] {h.kind}/{h.name} {h.uid}" for h in mine)
        or (where,),
        clears_when=GONE,
        remedies=(
            *family.remedies,
            *(
                destructive(f"take the finalizers off by hand: {leak_of(group)}")
                for group in groups
            ),
            FINALIZE,
        ),
    )


def _clears(family: Family, mine: tuple[Holder, ...], *, refused: bool) -> str:
    """One dead controller is enough to hold a namespace for good; all have to live for it to clear."""
    if any(holder.owner_alive is False for holder in mine):
        return NO
    alive = bool(mine) and all(holder.owner_alive for holder in mine)
    return YES if alive and not family.by_design and not refused else UNKNOWN


def _holding(family: Family, mine: tuple[Holder, ...]) -> str:
    """Count what holds by kind: ``3 cephblockpools hold finalizers of a controller that is gone``."""
    by_resource: dict[str, list[Holder]] = {}
    for holder in mine:
        by_resource.setdefault(holder.resource, []).append(holder)
    what = ", ".join(
        f"{len(held)} {resource}" if len(held) > 1 else f"1 {held[0].kind.lower()}"
        for resource, held in sorted(by_resource.items())
    )
    verb = "hold" if len(mine) > 1 else "holds"
    gone = all(holder.owner_alive is False for holder in mine)
    whose = f" ({family.whose})" if family.whose else ""
    return f"{what} {verb} finalizers{' of a controller that is gone' if gone else ''}{whose}"


RULES = (
    Rule("N5", "finalizers hold a namespace", Proof.CONTROLLER, SOURCE, partial(_held, OTHERS)),
    Rule(
        "N6",
        "Rook's finalizers hold a namespace",
        Proof.CONTROLLER,
        "rook v1.18 pkg/operator/ceph/{cluster,pool,object}: disaster protection; rook#12218, #2912",
        partial(_held, ROOK),
    ),
    Rule(
        "N7",
        "only Flux's own finalizers hold a namespace",
        Proof.CONTROLLER,
        "kustomize-controller v1.9.5 and helm-controller v1.6.4: finalizers.fluxcd.io",
        partial(_held, FLUX),
    ),
    Rule(
        "N8",
        "the storage's finalizers hold a namespace",
        Proof.CONTROLLER,
        "kubernetes v1.36 pkg/controller/volume/{pvcprotection,pvprotection}; external-attacher; longhorn",
        partial(_held, STORAGE),
    ),
    Rule(
        "N9",
        "an operator was pruned before its objects",
        Proof.CONTROLLER,
        "VictoriaMetrics/helm-charts#2726: apps.victoriametrics.com/finalizer",
        partial(_held, OPERATOR),
    ),
)
