"""
Flux's controllers: whether they run, which version, and with which options; messages mean different things by version.

Up to kustomize-controller 1.6 the stage of Namespaces and CRDs is awaited for the whole timeout, from 1.7 for 60 s
(fluxcd/pkg ssa/manager_apply.go, WaitTimeout): what "Detecting drift" can cost depends on the version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engine.answer import Subject
from journal.entries import Finding, Instant
from phases import codes
from phases.diagnosis.attempts import timeout_of
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.diagnosis.structure import ill_of, is_well
from phases.diagnosis.victims import is_gone
from phases.kinds import WORKLOADS
from phases.objects import Condition, Flux, Workload, condition
from phases.readiness.workloads import option_in, workers_said

SERVES: Final = {
    "helm-controller": ("HelmRelease",),
    "kustomize-controller": ("Kustomization",),
    "source-controller": ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart"),
}
# Their own defaults of --concurrent (main.go of each; kustomize 1.9.4, helm 1.6.3, source 1.9.1).
WORKERS: Final = {"helm-controller": 4, "kustomize-controller": 4, "source-controller": 2}
DEFAULT_NAMESPACE: Final = "flux-system"
STAGE_WAIT_SECONDS: Final = 60.0
SHORT_STAGES: Final = (
    1,
    7,
)  # the first version whose stages are awaited for STAGE_WAIT_SECONDS only
COMPONENT: Final = "app.kubernetes.io/component"
# Labels: fluxcd/pkg ssa/manager.go (SetOwnerLabels) and helm-controller internal/postrender (its origin labels).
MARKS: Final = frozenset({"kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"})
MARKED: Final = ("Namespace", *WORKLOADS)
_TAG = re.compile(r":v?((\d+)\.(\d+)[\w.+-]*)")


def deployment_of(scene: Scene, name: str) -> Workload | None:
    """Return a controller's Deployment; of several the one that is available."""
    found: list[Workload] = [
        work
        for _, work in sorted(scene.of("Deployment").items())
        if name in {work.metadata.name, work.metadata.labels.get(COMPONENT)}
    ]
    return min(found, key=lambda work: not work.status.available_replicas, default=None)


def is_flux_to_come(scene: Scene) -> bool:
    """
    Say whether Flux was never here, as far as is known: until then a bootstrap may bring any kind.

    It marks whatever it applies, and that stays when it goes: who lost Flux had a bootstrap before. Where Deployments
    are not listed, what it has reconciled tells as well.
    """
    if deployment_of(scene, "kustomize-controller") is not None or _has_marked(scene):
        return False
    reconciled = any(found.status.conditions for found in scene.of("Kustomization").values())
    return scene.seen("Deployment") or not reconciled


def _has_marked(scene: Scene) -> bool:
    found = (one.metadata.labels for kind in MARKED for one in scene.of(kind).values())
    return any(not MARKS.isdisjoint(labels) for labels in found)


def version_of(scene: Scene, name: str) -> tuple[int, int] | None:
    """Return major and minor of the running image; None where its tag does not tell."""
    tag = _tag(scene, name)
    return None if tag is None else (int(tag[2]), int(tag[3]))


def release_of(scene: Scene, name: str) -> str:
    """Return the version that the running image's tag says; empty where it says none."""
    tag = _tag(scene, name)
    return "" if tag is None else tag[1]


def releases(scene: Scene) -> dict[str, str]:
    """Return the versions of Flux's controllers, of those that tell."""
    found = {name: release_of(scene, name) for name in SERVES}
    return {name: release for name, release in found.items() if release}


def _tag(scene: Scene, name: str) -> re.Match[str] | None:
    work = deployment_of(scene, name)
    images = () if work is None else (c.image for c in work.spec.template.spec.containers)
    tags = (_TAG.search(image.rpartition("/")[2]) for image in images if name in image)
    return next((tag for tag in tags if tag), None)


def option_of(scene: Scene, name: str, option: str) -> str | None:
    """Return what a controller was started with for ``--option``; None where it has its default."""
    work = deployment_of(scene, name)
    return None if work is None else option_in(work, option)


def workers_of(scene: Scene, name: str) -> int:
    """Return how many objects a controller reconciles at once."""
    work = deployment_of(scene, name)
    return (None if work is None else workers_said(work)) or WORKERS[name]


def attempt_ends(scene: Scene, found: Flux, held: Condition) -> Instant | None:
    """Return when a Kustomization's attempt that a worker holds ends at the latest; None where nobody can tell."""
    since, timeout = instant(held), timeout_of(found)
    if since is None or timeout is None:
        return None
    if held.message.startswith("Running health checks"):
        return since + timeout
    version = version_of(scene, "kustomize-controller")
    if version is None:
        return None
    return since + (timeout if version < SHORT_STAGES else STAGE_WAIT_SECONDS)


def without_pods(scene: Scene) -> Iterator[Subject]:
    """Return Flux's controllers that have no pod that is available, and what of their kinds is still to be made."""
    if not scene.seen("Deployment"):
        return
    for name, kinds in SERVES.items():
        work = deployment_of(scene, name)
        if work is not None and _is_available(work):
            continue
        if work is not None:  # that one is not there has another reason
            yield subject_of("Deployment", work.metadata)
        for kind in kinds:
            expected = (s for s in sorted(ill_of(scene)) if s.startswith(codes.subject(kind, "")))
            yield from (s for s in expected if is_gone(scene, kind, s.partition("/")[2]))


def _down(scene: Scene) -> Iterable[Finding]:
    """F1: nobody serves a kind of which there are objects; or, if somebody scaled its controller down, should be."""
    if not scene.seen("Deployment"):
        return
    behind = tuple(without_pods(scene))
    for name, kinds in SERVES.items():
        waiting = [
            subject_of(kind, found.metadata)
            for kind in kinds
            for found in scene.of(kind).values()
            if not is_well(found) and getattr(found.spec, "type", "") != "oci"
        ]
        work = deployment_of(scene, name)
        there = any(scene.of(kind) for kind in kinds)
        if work is None and there:
            yield _absent(scene, name, kinds, waiting)
        elif work is not None and not _is_available(work):
            families = tuple(codes.subject(kind, "") for kind in kinds)
            to_come = [subject for subject in behind if subject.startswith(families)]
            if there or (to_come and work.spec.replicas == 0):
                yield _unavailable(name, work, kinds, waiting or to_come)


def _is_available(work: Workload) -> bool:
    """Of what was scaled to zero a moment ago the status still tells pods."""
    return bool(work.status.available_replicas) and work.spec.replicas != 0


def _absent(scene: Scene, name: str, kinds: tuple[str, ...], waiting: list[Subject]) -> Finding:
    others = (deployment_of(scene, other) for other in SERVES)
    space = next((o.metadata.namespace for o in others if o is not None), DEFAULT_NAMESPACE)
    return _finding(
        subject=codes.subject("deployment", f"{space}/{name}"),
        cause="absent",
        message=f"{name} does not exist: nobody reconciles {_list(kinds)}",
        blocks=tuple(waiting),
        clears_itself=UNKNOWN if _is_expected(scene, f"{space}/{name}") else NO,
        evidence=(f"Deployment/{space}/{name} is not listed",),
        remedies=(
            reversible("install Flux again, the way this cluster was bootstrapped"),
            never("take Flux's finalizers off what waits: it orphans what they protect"),
        ),
    )


def _unavailable(
    name: str, work: Workload, kinds: tuple[str, ...], waiting: list[Subject]
) -> Finding:
    available = condition(work.status.conditions, "Available")
    key = f"{work.metadata.namespace}/{work.metadata.name}"
    zero = work.spec.replicas == 0
    what = "is scaled to zero" if zero else "is not available"
    return _finding(
        subject=subject_of("Deployment", work.metadata),
        cause="scaled-to-zero" if zero else "unavailable",
        message=f"{name} ({key}) {what}: nobody reconciles {_list(kinds)}",
        blocks=tuple(waiting),
        clears_itself=NO if zero else UNKNOWN,
        uid=work.metadata.uid,
        since=instant(available),
        evidence=(path_of("Deployment", work.metadata, "status.availableReplicas"),),
        remedies=(
            reversible(f"scale {key} to 1") if zero else look(f"why the pods of {key} do not run"),
        ),
    )


def _finding(**fields: Any) -> Finding:  # noqa: ANN401  the fields of Finding
    return Finding(rule="F1", clears_when="its Deployment is Available", **fields)


def _list(kinds: tuple[str, ...]) -> str:
    return ", ".join(f"{kind}s" if not kind.endswith("y") else f"{kind[:-1]}ies" for kind in kinds)


def _is_expected(scene: Scene, key: str) -> bool:
    """Say whether the inventory has it: then the recovery still has to bring it."""
    listed = () if scene.inventory is None else scene.inventory.workloads
    return any(item.kind == "Deployment" and item.key == key for item in listed)


RULES = (
    Rule(
        "F1",
        "a controller of Flux does not run",
        Proof.CONTROLLER,
        "flux2 v2.7 manifests/bases: one Deployment a controller",
        _down,
    ),
)
