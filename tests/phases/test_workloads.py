"""Deployments, StatefulSets, DaemonSets: kstatus' rules, and where they are too kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from phases.objects import Workload
from phases.readiness.workloads import verdict

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
    assert {"ready": status.get("readyReplicas", 0), "expected": expected} == fact.detail


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
