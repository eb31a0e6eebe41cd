"""
Deployments, StatefulSets, DaemonSets and ReplicaSets.

The rules are kstatus' (cli-utils, pkg/kstatus/status/core.go), and stricter where kstatus calls nothing something: a
DaemonSet that wants no pods is no network. A condition that is not told denies nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from engine.patience import seconds
from journal.entries import Fact, Json
from phases.codes import PROGRESSING, READY
from phases.objects import Condition, Workload, WorkloadSpec, condition
from phases.readiness.saying import (
    absent,
    blocked,
    failed,
    is_stale,
    is_true,
    since_of,
    terminating,
    text_of,
)

DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
COMPLETE = "NewReplicaSetAvailable"
UNSEEN = "the controller has not seen the latest generation"
CANCELS = "CancelHealthCheckOnNewRevision"  # a gate of kustomize- and helm-controller
TO_ZERO = "scaled to 0 "
NO_DEADLINE = 2**31 - 1  # so the API says "never": the controller then writes no Progressing


def verdict(kind: str, workload: Workload, expected: int) -> Fact:
    """Judge a workload that should have *expected* pods; detail.ready counts those that are."""
    detail: dict[str, Json] = {"ready": ready_pods(kind, workload), "expected": expected}
    if workload.metadata.deletion_timestamp is not None:
        return terminating(workload.metadata, detail=detail)
    progressing = condition(workload.status.conditions, "Progressing")
    if not _is_unseen(kind, workload) and _is_exceeded(progressing):
        # A slow pull of an image comes to this as well, and may still succeed.
        text = f"{DEADLINE_EXCEEDED}: {detail['ready']} of {expected} pods ready"
        cause, since = f"reason:{DEADLINE_EXCEEDED}", since_of(progressing)
        return failed(text, cause, terminal=False, since=since, detail=detail)
    problem = _problem(kind, workload, expected)
    if problem:
        if problem.startswith(TO_ZERO):
            detail["zero"] = True  # no autoscaler did that; who brings it scales it up again
        return Fact(PROGRESSING, problem, detail=detail)
    nothing = kind != "DaemonSet" and workload.spec.replicas == 0
    return Fact(READY, "scaled to zero" if nothing else "", detail=detail)


def controller(workload: Workload, expected: int) -> Fact:
    """
    Judge the Deployment of a controller, and say what decides whether a nudge of its objects helps.

    detail.workers is how many objects it was told to reconcile at once, detail.cancels whether it was told to end a
    health check that runs as soon as it is nudged, detail.requeue after how many seconds it looks at a
    dependency again.
    """
    fact = verdict("Deployment", workload, expected)
    said = {
        "workers": workers_said(workload),
        "cancels": gate_said(workload, CANCELS),
        "requeue": requeue_said(workload),
    }
    known = {name: value for name, value in said.items() if value is not None}
    return replace(fact, detail={**fact.detail, **known}) if known else fact


def option_in(workload: Workload, option: str) -> str | None:
    """Return what a workload was started with for ``--option``; None where it has its default."""
    for container in workload.spec.template.spec.containers:
        for position, argument in enumerate(container.args):
            key, equals, value = argument.partition("=")
            if key.lstrip("-") == option and argument.startswith("-"):
                following = container.args[position + 1 : position + 2]
                return value if equals else next(iter(following), "")
    return None


def workers_said(workload: Workload) -> int | None:
    """Return how many objects a controller was told to reconcile at once; None where it has its default."""
    said = option_in(workload, "concurrent") or ""
    return int(said) if said.isdecimal() and int(said) else None


def requeue_said(workload: Workload) -> float | None:
    """Return after how many seconds a controller was told to look at a dependency again; None: its default."""
    try:
        return seconds(option_in(workload, "requeue-dependency") or "") or None
    except ValueError:
        return None


def gate_said(workload: Workload, gate: str) -> bool | None:
    """Return whether a controller was told to have a feature gate; None where it has its default."""
    for said in (option_in(workload, "feature-gates") or "").split(","):
        name, _, value = said.strip().partition("=")
        if name == gate and value.lower() in {"true", "false"}:
            return value.lower() == "true"
    return None


def replica_set(found: Workload | None) -> Fact:
    """Judge a ReplicaSet; ReplicaFailure has the words of the quota, webhook or policy that refused its pods."""
    if found is None:
        return absent()
    status = found.status
    wanted = 1 if found.spec.replicas is None else found.spec.replicas
    detail = {"ready": status.ready_replicas, "expected": wanted}
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata, detail=detail)
    if is_stale(found.metadata, status.observed_generation):
        return Fact(PROGRESSING, UNSEEN, detail=detail)
    refused = condition(status.conditions, "ReplicaFailure")
    if refused is not None and is_true(refused):
        cause = f"reason:{refused.reason}"
        return blocked(text_of(refused), cause, since_of(refused), detail)
    if (
        min(status.fully_labeled_replicas, status.available_replicas, status.ready_replicas)
        < wanted
    ):
        return Fact(PROGRESSING, f"{status.ready_replicas} of {wanted} pods ready", detail=detail)
    if status.replicas > wanted:
        return Fact(PROGRESSING, f"{status.replicas - wanted} old pods left", detail=detail)
    return Fact(READY, "" if wanted else "scaled to zero", detail=detail)


def ready_pods(kind: str, workload: Workload) -> int:
    """Count the pods that are ready."""
    status = workload.status
    return status.number_ready if kind == "DaemonSet" else status.ready_replicas


def _is_unseen(kind: str, workload: Workload) -> bool:
    """A new DaemonSet says 0 desired pods before anybody counted: its controller must have been there."""
    observed, generation = workload.status.observed_generation, workload.metadata.generation
    return is_stale(workload.metadata, observed) or (
        kind == "DaemonSet" and generation > 0 and not observed
    )


def _is_exceeded(progressing: Condition | None) -> bool:
    return progressing is not None and progressing.reason == DEADLINE_EXCEEDED


def _problem(kind: str, workload: Workload, expected: int) -> str:
    """Say what is not as it should be; empty: nothing."""
    if kind == "DaemonSet":
        return _daemon_set(workload, expected)
    if _is_unseen(kind, workload):
        return UNSEEN
    wanted = 1 if workload.spec.replicas is None else workload.spec.replicas
    if wanted < expected:
        return f"scaled to {wanted} of {expected}"
    return (
        _stateful_set(workload, wanted) if kind == "StatefulSet" else _deployment(workload, wanted)
    )


def _deployment(workload: Workload, wanted: int) -> str:
    status = workload.status
    if status.updated_replicas < wanted or status.replicas < wanted:
        return f"{status.updated_replicas} of {wanted} pods updated"
    if status.replicas > wanted:
        return f"{status.replicas - wanted} old pods left"
    if min(status.available_replicas, status.ready_replicas) < wanted:
        return f"{status.ready_replicas} of {wanted} pods ready"
    progressing = condition(status.conditions, "Progressing")
    told = workload.spec.progress_deadline_seconds not in {None, NO_DEADLINE}
    if told and progressing is not None and not _is_complete(progressing):
        return f"its rollout is not complete: {progressing.reason}"
    available = condition(status.conditions, "Available")
    if available is not None and available.status != "True":
        return f"not available: {available.reason}"
    return ""


def _is_complete(progressing: Condition) -> bool:
    return is_true(progressing) and progressing.reason == COMPLETE


def _stateful_set(workload: Workload, wanted: int) -> str:
    status, spec = workload.status, workload.spec
    if status.ready_replicas < wanted or status.replicas < wanted:
        held = _held_back(workload, wanted)
        return f"{status.ready_replicas} of {wanted} pods ready{held}"
    if status.replicas > wanted:
        return f"{status.replicas - wanted} old pods left"
    if spec.update_strategy.type == "OnDelete":  # old pods stay on purpose: nothing is rolling
        return ""
    partition = _partition(spec)
    if partition:
        due = max(wanted - partition, 0)
        late = status.updated_replicas < due
        return f"{status.updated_replicas} of {due} pods updated" if late else ""
    if status.current_revision != status.update_revision:
        return "an update is rolling"
    if status.current_replicas is not None and status.current_replicas < wanted:
        return f"{status.current_replicas} of {wanted} pods at the current revision"
    return ""


def _held_back(workload: Workload, wanted: int) -> str:
    """Name those that nobody will see before another is ready: they have no pod whose failure would show."""
    status, missing = workload.status, wanted - workload.status.replicas
    ordered = workload.spec.pod_management_policy == "OrderedReady"
    waits = ordered and missing > 0 and status.ready_replicas < status.replicas
    return f"; {missing} more come only after those that are there" if waits else ""


def _partition(spec: WorkloadSpec) -> int:
    """So many pods, the first ones, are left at the old revision on purpose."""
    rolling = spec.update_strategy.rolling_update
    return rolling.partition if rolling is not None else 0


def _daemon_set(workload: Workload, expected: int) -> str:
    status = workload.status
    desired = status.desired_number_scheduled
    if desired is None:
        return "not counted yet"
    if _is_unseen("DaemonSet", workload):
        return UNSEEN
    if desired < expected:
        return f"wants {desired} of {expected} nodes"
    if status.updated_number_scheduled < desired:
        return f"{status.updated_number_scheduled} of {desired} pods updated"
    if min(status.number_ready, status.number_available, status.current_number_scheduled) < desired:
        return f"{status.number_ready} of {desired} pods ready"
    return ""
