"""
Deployments, StatefulSets and DaemonSets.

The rules are kstatus' (cli-utils, pkg/kstatus/status/core.go), and stricter where kstatus calls nothing something: a
DaemonSet that wants no pods is no network.
"""

from __future__ import annotations

from journal.entries import Fact
from phases.codes import FAILED, PROGRESSING, READY, TERMINATING
from phases.objects import Meta, Workload, WorkloadSpec, condition

DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"


def verdict(kind: str, workload: Workload, expected: int) -> Fact:
    """Judge a workload that should have *expected* pods; detail.ready counts those that are."""
    ready = ready_pods(kind, workload)
    detail = {"ready": ready, "expected": expected}
    if workload.metadata.deletion_timestamp is not None:
        since = workload.metadata.deletion_timestamp.timestamp()
        return Fact(TERMINATING, "is being deleted", since, detail)
    problem = _problem(kind, workload, expected)
    if problem is None:
        return Fact(READY, detail=detail)
    code, reason = problem
    return Fact(code, reason, detail=detail)


def ready_pods(kind: str, workload: Workload) -> int:
    """Count the pods that are ready."""
    status = workload.status
    return status.number_ready if kind == "DaemonSet" else status.ready_replicas


def is_stale(metadata: Meta, observed: int) -> bool:
    """Say whether the controller has not yet seen the object as it is now."""
    return bool(observed and metadata.generation) and observed != metadata.generation


def _problem(kind: str, workload: Workload, expected: int) -> tuple[str, str] | None:
    if is_stale(workload.metadata, workload.status.observed_generation):
        return PROGRESSING, "the controller has not seen the latest generation"
    if kind == "DaemonSet":
        return _daemon_set(workload, expected)
    if kind == "StatefulSet":
        return _stateful_set(workload, expected)
    return _deployment(workload, expected)


def _deployment(workload: Workload, expected: int) -> tuple[str, str] | None:
    status, spec = workload.status, workload.spec
    progressing = condition(status.conditions, "Progressing")
    if progressing is not None and progressing.reason == DEADLINE_EXCEEDED:
        return FAILED, f"{DEADLINE_EXCEEDED}: {status.ready_replicas} of {expected} pods ready"
    wanted = 1 if spec.replicas is None else spec.replicas
    if wanted < expected:
        return PROGRESSING, f"scaled to {wanted} of {expected}"
    if status.updated_replicas < wanted or status.replicas < wanted:
        return PROGRESSING, f"{status.updated_replicas} of {wanted} pods updated"
    if status.replicas > wanted:
        return PROGRESSING, f"{status.replicas - wanted} old pods left"
    if status.available_replicas < wanted or status.ready_replicas < wanted:
        return PROGRESSING, f"{status.ready_replicas} of {wanted} pods ready"
    available = condition(status.conditions, "Available")
    if available is not None and available.status != "True":
        return PROGRESSING, f"not available: {available.reason}"
    return None


def _stateful_set(workload: Workload, expected: int) -> tuple[str, str] | None:
    status, spec = workload.status, workload.spec
    wanted = 1 if spec.replicas is None else spec.replicas
    if wanted < expected:
        return PROGRESSING, f"scaled to {wanted} of {expected}"
    if status.ready_replicas < wanted or status.replicas < wanted:
        return PROGRESSING, f"{status.ready_replicas} of {wanted} pods ready"
    if status.replicas > wanted:
        return PROGRESSING, f"{status.replicas - wanted} old pods left"
    if not _updates_by_hand(spec) and status.current_revision != status.update_revision:
        return PROGRESSING, "an update is rolling"
    return None


def _updates_by_hand(spec: WorkloadSpec) -> bool:
    """OnDelete and a partition leave old pods on purpose: nothing is rolling."""
    rolling = spec.update_strategy.rolling_update
    return spec.update_strategy.type == "OnDelete" or (
        rolling is not None and rolling.partition > 0
    )


def _daemon_set(workload: Workload, expected: int) -> tuple[str, str] | None:
    status = workload.status
    desired = status.desired_number_scheduled
    if desired is None:
        return PROGRESSING, "not counted yet"
    if desired < expected:
        return PROGRESSING, f"wants {desired} of {expected} nodes"
    if status.updated_number_scheduled < desired:
        return PROGRESSING, f"{status.updated_number_scheduled} of {desired} pods updated"
    if min(status.number_ready, status.number_available, status.current_number_scheduled) < desired:
        return PROGRESSING, f"{status.number_ready} of {desired} pods ready"
    return None
