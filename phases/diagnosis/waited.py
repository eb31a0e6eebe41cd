"""
What a health check waited for, looked at again: an attempt that failed says nothing about now.

Items are as Flux writes them: ``Deployment/ns/name`` (fluxcd/pkg ssa/manager_wait.go).
"""

from __future__ import annotations

from collections.abc import Iterable

from phases.codes import READY
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import FLUX_KINDS, is_well, subject_of_item
from phases.kinds import WORKLOADS
from phases.readiness.verdict import verdict
from phases.snapshot import MORE_KINDS

# Kinds that are well or not by what they say themselves, and not by what stands beside them.
JUDGED = frozenset({*WORKLOADS, *MORE_KINDS, "ClusterSecretStore", "ExternalSecret"})


def subjects_of(items: Iterable[str]) -> tuple[str, ...]:
    """Name them as facts do."""
    return tuple(subject_of_item(item) for item in items)


def are_ready(scene: Scene, items: list[str]) -> bool:
    """Say whether all of them are ready by now, as far as that is seen: at least one, and no doubt about any."""
    return bool(items) and all(_is_ready(scene, item) for item in items)


def _is_ready(scene: Scene, item: str) -> bool:
    kind, _, key = item.partition("/")
    found = scene.get(kind, key)
    if found is None:
        return False
    if kind in FLUX_KINDS:
        return is_well(found)
    return kind in JUDGED and verdict(kind, found).code == READY
