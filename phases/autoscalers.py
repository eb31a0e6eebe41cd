"""
How few pods autoscalers leave a workload: how many they add is theirs, and differs from night to night.

A HorizontalPodAutoscaler brings its workload to ``minReplicas`` without any metrics, and leaves alone what has no
replicas (kubernetes v1.36, pkg/controller/podautoscaler/horizontal.go). KEDA makes one, which cannot say 0: to nothing
KEDA goes itself, so its own object is read as well (apis/keda/v1alpha1/scaledobject_types.go, ``GetHPAMinReplicas``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from phases.autoscaler_objects import ScaleTarget
from phases.diagnosis.scene import Scene
from phases.snapshot import Unseen

AUTOSCALER: Final = "HorizontalPodAutoscaler"
SCALED: Final = "ScaledObject"
_SCALABLE: Final = ("Deployment", "StatefulSet")
_GROUP: Final = "apps/"

# The fewest pods of a workload, by its kind and key.
Fewest = Mapping[tuple[str, str], int]


def fewest_of(scene: Scene) -> Fewest:
    """Return how few pods are left to each workload that is autoscaled; of several autoscalers the fewest of all."""
    found: dict[tuple[str, str], int] = {}
    for namespace, target, fewest in _autoscalers(scene):
        if target.api_version.startswith(_GROUP) and target.kind in _SCALABLE:
            at = (target.kind, f"{namespace}/{target.name}")
            found[at] = min(fewest, found.get(at, fewest))
    return found


def not_told(scene: Scene) -> tuple[str, ...]:
    """Say what is not known where autoscalers could not be listed."""
    notes = []
    if why := _why_not(scene, AUTOSCALER):
        notes.append(
            "how few pods autoscalers leave, so that each workload counts with the pods that it asks for now: "
            f"{AUTOSCALER} cannot be listed: {why}"
        )
    # Where nobody may list what is not installed, that is refused as well.
    by_keda = any(
        owner.kind == SCALED
        for one in scene.of(AUTOSCALER).values()
        for owner in one.metadata.owner_references
    )
    if by_keda and (why := _why_not(scene, SCALED)):
        notes.append(
            "what KEDA leaves without pods, so that its workloads count with one pod at least: "
            f"{SCALED} cannot be listed: {why}"
        )
    return tuple(notes)


def _autoscalers(scene: Scene) -> Iterator[tuple[str, ScaleTarget, int]]:
    """Go through all of them: the namespace, the target, and the fewest pods."""
    for one in scene.of(AUTOSCALER).values():
        yield one.metadata.namespace, one.spec.scale_target_ref, one.spec.min_replicas
    for one in scene.of(SCALED).values():
        idle, least = one.spec.idle_replica_count, one.spec.min_replica_count
        yield one.metadata.namespace, one.spec.scale_target_ref, least if idle is None else idle


def _why_not(scene: Scene, kind: str) -> str:
    look = scene.snapshot.objects.get(kind, Unseen(0.0, "not-asked"))
    return look.why or look.code if isinstance(look, Unseen) else ""
