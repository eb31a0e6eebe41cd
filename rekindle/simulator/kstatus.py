"""kstatus, as the controllers compute it: Current, InProgress, Failed, Terminating, NotFound."""

from __future__ import annotations

from typing import Any

from phases.objects import Workload, condition
from rekindle.simulator.api import Api, terminating

CURRENT = "Current"
IN_PROGRESS = "InProgress"
FAILED = "Failed"
TERMINATING = "Terminating"
NOT_FOUND = "NotFound"
_GENERIC = ("Kustomization", "HelmRelease", "ExternalSecret", "ClusterSecretStore", "GitRepository")


def status_of(api: Api, kind: str, key: str) -> str:
    """Return an object's status."""
    value = api.get(kind, key)
    if value is None:
        return NOT_FOUND
    if terminating(value):
        return TERMINATING
    if kind in ("Deployment", "StatefulSet", "DaemonSet"):
        return _workload(kind, value)
    if kind == "CustomResourceDefinition":
        return CURRENT if api.established(key) else IN_PROGRESS
    if kind == "PersistentVolumeClaim":
        return CURRENT if value.status.phase == "Bound" else IN_PROGRESS
    return _generic(value) if kind in _GENERIC else CURRENT


def _generic(value: Any) -> str:  # noqa: ANN401  any object with conditions
    observed = getattr(value.status, "observed_generation", None)
    if observed is not None and observed != value.metadata.generation:
        return IN_PROGRESS
    for found in value.status.conditions:
        if found.type == "Reconciling" and found.status == "True":
            return IN_PROGRESS
        if found.type == "Stalled" and found.status == "True":
            return FAILED
    ready = condition(value.status.conditions, "Ready")
    return CURRENT if ready is not None and ready.status == "True" else IN_PROGRESS


def _workload(kind: str, value: Workload) -> str:
    status = value.status
    if status.observed_generation != value.metadata.generation:
        return IN_PROGRESS
    if kind == "DaemonSet":
        desired = status.desired_number_scheduled
        good = desired is not None and desired <= min(
            status.current_number_scheduled,
            status.updated_number_scheduled,
            status.number_available,
            status.number_ready,
        )
        return CURRENT if good else IN_PROGRESS
    wanted = 1 if value.spec.replicas is None else value.spec.replicas
    if kind == "StatefulSet":
        good = status.replicas == wanted and status.ready_replicas >= wanted
        return CURRENT if good else IN_PROGRESS
    progressing = condition(status.conditions, "Progressing")
    if progressing is not None and progressing.reason == "ProgressDeadlineExceeded":
        return FAILED
    available = condition(status.conditions, "Available")
    good = (
        status.replicas == wanted
        and status.updated_replicas >= wanted
        and status.available_replicas >= wanted
        and status.ready_replicas >= wanted
        and progressing is not None
        and progressing.reason == "NewReplicaSetAvailable"
        and available is not None
        and available.status == "True"
    )
    return CURRENT if good else IN_PROGRESS
