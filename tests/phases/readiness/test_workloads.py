"""
Deployments, StatefulSets, DaemonSets, ReplicaSets: kstatus' rules, and where they are too kind.

Mutants, killed here: a DaemonSet that nobody observed counted; a partition compares revisions; the rollout's own
condition not asked; a deadline exceeded in vain to wait for; ReplicaFailure not read.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from phases.objects import Workload
from phases.readiness.workloads import replica_set, verdict
from tests.phases.readiness.given import MOVED_AT, cases, condition, made, said

GONE = "2026-06-12T10:00:00Z"
WHOLE = {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
DAEMONS = {
    "desiredNumberScheduled": 3,
    "currentNumberScheduled": 3,
    "updatedNumberScheduled": 3,
    "numberAvailable": 3,
    "numberReady": 3,
}
AVAILABLE = {"type": "Available", "status": "True"}
UNAVAILABLE = {"type": "Available", "status": "False", "reason": "MinimumReplicasUnavailable"}
EXCEEDED = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}


def workload(status: dict[str, Any], replicas: int | None = 2, **metadata: Any) -> Workload:  # noqa: ANN401
    body = {
        "metadata": {"name": "w", "generation": 4, **metadata},
        "spec": {} if replicas is None else {"replicas": replicas},
        "status": {"observedGeneration": 4, **status},
    }
    return msgspec.convert(body, Workload)


@pytest.mark.parametrize(
    ("status", "replicas", "expected", "code", "reason"),
    [
        (WHOLE, 2, 2, "Ready", ""),
        ({**WHOLE, "conditions": [AVAILABLE]}, 2, 2, "Ready", ""),
        ({}, 0, 0, "Ready", ""),
        ({}, 2, 2, "Progressing", "0 of 2 pods updated"),
        ({}, None, 1, "Progressing", "0 of 1 pods updated"),
        ({**WHOLE, "observedGeneration": 3}, 2, 2, "Progressing", "the controller has not seen"),
        ({**WHOLE, "updatedReplicas": 1}, 2, 2, "Progressing", "1 of 2 pods updated"),
        ({**WHOLE, "replicas": 1}, 2, 2, "Progressing", "2 of 2 pods updated"),
        ({**WHOLE, "replicas": 3}, 2, 2, "Progressing", "1 old pods left"),
        ({**WHOLE, "availableReplicas": 1}, 2, 2, "Progressing", "2 of 2 pods ready"),
        ({**WHOLE, "readyReplicas": 1}, 2, 2, "Progressing", "1 of 2 pods ready"),
        ({**WHOLE, "conditions": [UNAVAILABLE]}, 2, 2, "Progressing", "not available"),
        (
            {**WHOLE, "readyReplicas": 0, "conditions": [EXCEEDED]},
            2,
            2,
            "Failed",
            "ProgressDeadline",
        ),
        # kstatus calls these Current; the inventory knows better.
        ({}, 0, 2, "Progressing", "scaled to 0 of 2"),
        (WHOLE, 2, 5, "Progressing", "scaled to 2 of 5"),
        (WHOLE, 2, 1, "Ready", ""),
    ],
)
def test_deployments(
    status: dict[str, Any], replicas: int | None, expected: int, code: str, reason: str
) -> None:
    fact = verdict("Deployment", workload(status, replicas), expected)

    assert code == fact.code
    assert fact.reason.startswith(reason)
    counts = {"ready": status.get("readyReplicas", 0), "expected": expected}
    assert counts == {name: fact.detail[name] for name in counts}
    assert ("zero" in fact.detail) is fact.reason.startswith("scaled to 0 ")


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        ({**WHOLE, "currentRevision": "a", "updateRevision": "a"}, "Ready", ""),
        (
            {**WHOLE, "currentRevision": "a", "updateRevision": "b"},
            "Progressing",
            "an update is rolling",
        ),
        ({**WHOLE, "readyReplicas": 1}, "Progressing", "1 of 2 pods ready"),
        ({**WHOLE, "replicas": 1}, "Progressing", "2 of 2 pods ready"),
        ({**WHOLE, "replicas": 4}, "Progressing", "2 old pods left"),
        ({**WHOLE, "observedGeneration": 3}, "Progressing", "the controller has not seen"),
    ],
)
def test_stateful_sets(status: dict[str, Any], code: str, reason: str) -> None:
    fact = verdict("StatefulSet", workload(status), 2)

    assert (code, reason) == (fact.code, fact.reason[: len(reason)])


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (DAEMONS, "Ready", ""),
        ({}, "Progressing", "not counted yet"),
        # kstatus calls a DaemonSet that wants no pods Current: it is no network.
        (dict.fromkeys(DAEMONS, 0), "Progressing", "wants 0 of 3 nodes"),
        ({**DAEMONS, "desiredNumberScheduled": 2}, "Progressing", "wants 2 of 3 nodes"),
        ({**DAEMONS, "updatedNumberScheduled": 1}, "Progressing", "1 of 3 pods updated"),
        ({**DAEMONS, "numberReady": 2}, "Progressing", "2 of 3 pods ready"),
        ({**DAEMONS, "numberAvailable": 2}, "Progressing", "3 of 3 pods ready"),
        ({**DAEMONS, "currentNumberScheduled": 2}, "Progressing", "3 of 3 pods ready"),
        ({**DAEMONS, "observedGeneration": 3}, "Progressing", "the controller has not seen"),
    ],
)
def test_daemon_sets(status: dict[str, Any], code: str, reason: str) -> None:
    fact = verdict("DaemonSet", workload(status, None), 3)

    assert (code, reason) == (fact.code, fact.reason[: len(reason)])
    assert status.get("numberReady", 0) == fact.detail["ready"]


def test_what_is_being_deleted_is_terminating_however_whole_it_is() -> None:
    fact = verdict("Deployment", workload(WHOLE, deletionTimestamp=GONE), 2)

    assert "Terminating" == fact.code
    assert datetime(2026, 6, 12, 10, tzinfo=UTC).timestamp() == fact.since


COMPLETE = condition("Progressing=True/NewReplicaSetAvailable")
ROLLING = condition("Progressing=True/ReplicaSetUpdated")
PAUSED = condition("Progressing=Unknown/DeploymentPaused")
LATE = condition("Progressing=False/ProgressDeadlineExceeded")
ON_DELETE = {"updateStrategy": {"type": "OnDelete"}}


def partition(number: int) -> dict[str, Any]:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}}


def of_spec(status: dict[str, Any], **spec: Any) -> Workload:  # noqa: ANN401
    body = {"replicas": 2, **spec}
    found: Workload = made(
        Workload, spec=body, status={"observedGeneration": 4, **status}, generation=4
    )
    return found


def of_deadline(*conditions: dict[str, str], seconds: int = 600) -> Workload:
    return of_spec({**WHOLE, "conditions": list(conditions)}, progressDeadlineSeconds=seconds)


OLD = {**WHOLE, "currentRevision": "a", "updateRevision": "b"}
TRAPS = {
    "complete": ("Deployment", of_deadline(COMPLETE), 2, "Ready", ""),
    "trap: all pods are there, and the rollout is not complete": (
        "Deployment",
        of_deadline(ROLLING),
        2,
        "Progressing",
        "its rollout is not complete: ReplicaSetUpdated",
    ),
    "trap: paused": ("Deployment", of_deadline(PAUSED), 2, "Progressing", "its rollout is not"),
    "trap: without a deadline nobody writes Progressing": (
        "Deployment",
        of_deadline(ROLLING, seconds=2**31 - 1),
        2,
        "Ready",
        "",
    ),
    "no Progressing was told": ("Deployment", of_deadline(), 2, "Ready", ""),
    "trap: a slow pull fails at ten minutes and may succeed later": (
        "Deployment",
        of_deadline(LATE),
        2,
        "Failed reason:ProgressDeadlineExceeded",
        "ProgressDeadlineExceeded: 2 of 2",
    ),
    "trap: the deadline of the generation before": (
        "Deployment",
        of_spec({**WHOLE, "observedGeneration": 3, "conditions": [LATE]}),
        2,
        "Progressing",
        "the controller has not seen",
    ),
    "trap: replicas 0 is Current for kstatus": (
        "Deployment",
        of_spec({}, replicas=0),
        0,
        "Ready",
        "scaled to zero",
    ),
    "trap: OnDelete is Current at once for kstatus": (
        "StatefulSet",
        of_spec({**WHOLE, "readyReplicas": 0}, **ON_DELETE),
        2,
        "Progressing",
        "0 of 2 pods ready",
    ),
    "OnDelete leaves old pods on purpose": (
        "StatefulSet",
        of_spec(OLD, **ON_DELETE),
        2,
        "Ready",
        "",
    ),
    "trap: of a partition not all are updated yet": (
        "StatefulSet",
        of_spec({**OLD, "updatedReplicas": 0}, **partition(1)),
        2,
        "Progressing",
        "0 of 1 pods updated",
    ),
    "a partition leaves old pods on purpose": (
        "StatefulSet",
        of_spec({**OLD, "updatedReplicas": 1}, **partition(1)),
        2,
        "Ready",
        "",
    ),
    "trap: partition 0, the API's default, leaves none": (
        "StatefulSet",
        of_spec(OLD, **partition(0)),
        2,
        "Progressing",
        "an update is rolling",
    ),
    "a partition beyond all pods": (
        "StatefulSet",
        of_spec({**OLD, "updatedReplicas": 0}, **partition(9)),
        2,
        "Ready",
        "",
    ),
    "trap: fewer at the current revision than wanted": (
        "StatefulSet",
        of_spec({**WHOLE, "currentReplicas": 1}),
        2,
        "Progressing",
        "1 of 2 pods at the current",
    ),
    "trap: pods of a StatefulSet come one after the other": (
        "StatefulSet",
        of_spec({**WHOLE, "replicas": 1, "readyReplicas": 0}),
        2,
        "Progressing",
        "0 of 2 pods ready; 1 more come only after those that are there",
    ),
    "trap: a new DaemonSet says 0 before anybody counted": (
        "DaemonSet",
        made(Workload, status={"desiredNumberScheduled": 0}, generation=1),
        0,
        "Progressing",
        "the controller has not seen",
    ),
    "a DaemonSet that no node matches": (
        "DaemonSet",
        made(Workload, status={"desiredNumberScheduled": 0, "observedGeneration": 1}, generation=1),
        0,
        "Ready",
        "",
    ),
    "held by a finalizer": (
        "StatefulSet",
        workload(WHOLE, deletionTimestamp=GONE, finalizers=["foregroundDeletion"]),
        2,
        "Terminating foregroundDeletion",
        "is being deleted",
    ),
}


@pytest.mark.parametrize(("kind", "found", "expected", "code", "reason"), cases(TRAPS))
def test_traps(kind: str, found: Workload, expected: int, code: str, reason: str) -> None:
    fact = verdict(kind, found, expected)

    assert (code, reason) == (said(fact), fact.reason[: len(reason)])


@pytest.mark.parametrize(
    ("ready", "spec"), [(1, {}), (0, {"podManagementPolicy": "Parallel"})], ids=["next", "parallel"]
)
def test_whoever_waits_for_no_other_pod_is_not_said_to(ready: int, spec: dict[str, Any]) -> None:
    """Mutants: leave out the policy; say it while those that are there are ready."""
    fact = verdict(
        "StatefulSet", of_spec({**WHOLE, "replicas": 1, "readyReplicas": ready}, **spec), 2
    )

    assert f"{ready} of 2 pods ready" == fact.reason


def test_since_when_the_deadline_is_exceeded() -> None:
    assert MOVED_AT == verdict("Deployment", of_deadline(LATE), 2).since


LABELED = {"replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "fullyLabeledReplicas": 2}
REFUSED = condition("ReplicaFailure=True/FailedCreate exceeded quota: compute")
REPLICA_SETS = {
    "not there": (None, "Absent", ""),
    "whole": (of_spec(LABELED), "Ready", ""),
    "not labeled": (of_spec({**LABELED, "fullyLabeledReplicas": 1}), "Progressing", "2 of 2"),
    "not available": (of_spec({**LABELED, "availableReplicas": 1}), "Progressing", "2 of 2"),
    "not ready": (of_spec({**LABELED, "readyReplicas": 1}), "Progressing", "1 of 2"),
    "one too many": (of_spec({**LABELED, "replicas": 3}), "Progressing", "1 old pods left"),
    "trap: a quota refuses its pods, and only the message says so": (
        of_spec({"conditions": [REFUSED]}),
        "Blocked reason:FailedCreate",
        "FailedCreate: exceeded quota: compute",
    ),
    "no failure any more": (
        of_spec({**LABELED, "conditions": [{**REFUSED, "status": "False"}]}),
        "Ready",
        "",
    ),
    "of an older generation": (of_spec({**LABELED, "observedGeneration": 3}), "Progressing", "the"),
    "scaled to zero": (of_spec({}, replicas=0), "Ready", "scaled to zero"),
    "being deleted": (workload(LABELED, deletionTimestamp=GONE), "Terminating", "is being"),
}


@pytest.mark.parametrize(("found", "expected", "reason"), cases(REPLICA_SETS))
def test_replica_sets(found: Workload | None, expected: str, reason: str) -> None:
    fact = replica_set(found)

    assert (expected, reason) == (said(fact), fact.reason[: len(reason)])
