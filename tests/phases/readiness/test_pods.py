"""
Pods: what ended, what waits, what finds no node.

Mutants, killed here: init containers not asked; Failed taken for an end as good as Succeeded; the 15 s of the
scheduler not counted from its word.
"""

from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Fact
from phases.objects import Pod
from phases.readiness.pods import SCHEDULING_SECONDS, pod
from tests.phases.readiness.given import DELETED, GONE_AT, MOVED_AT, cases, made, said

HOMELESS = "PodScheduled=False/Unschedulable 0/5 nodes are available"


def waiting(*reasons: str, kind: str = "containerStatuses") -> dict[str, Any]:
    return {kind: [{"name": "c", "state": {"waiting": {"reason": reason}}} for reason in reasons]}


def a_pod(phase: str, *conditions: str, status: Any = None, **metadata: Any) -> Pod:  # noqa: ANN401
    found: Pod = made(Pod, *conditions, status={"phase": phase, **(status or {})}, **metadata)
    return found


READY, UNREADY = "Ready=True/", "Ready=False/ContainersNotReady"
INIT = "initContainerStatuses"
TABLE = {
    "not there": (None, "Absent"),
    "ready": (a_pod("Running", READY), "Ready"),
    "running and not ready": (a_pod("Running", UNREADY), "Progressing"),
    "running says nothing yet": (a_pod("Running"), "Progressing"),
    "pending": (a_pod("Pending"), "Progressing"),
    "completed": (a_pod("Succeeded", UNREADY), "Ready"),
    "trap: a failed pod is Current for kstatus": (
        a_pod("Failed", UNREADY),
        "Failed! reason:Failed",
    ),
    "evicted": (a_pod("Failed", status={"reason": "Evicted"}), "Failed! reason:Evicted"),
    "crash loop": (
        a_pod("Running", UNREADY, status=waiting("CrashLoopBackOff")),
        "Failed reason:CrashLoopBackOff",
    ),
    "trap: a crash loop of the second container": (
        a_pod("Running", UNREADY, status=waiting("", "CrashLoopBackOff")),
        "Failed reason:CrashLoopBackOff",
    ),
    "trap: a crash loop of an init container stays in progress for kstatus": (
        a_pod("Pending", UNREADY, status=waiting("CrashLoopBackOff", kind=INIT)),
        "Failed reason:CrashLoopBackOff",
    ),
    "trap: ImagePullBackOff stays in progress for kstatus": (
        a_pod("Pending", UNREADY, status=waiting("ImagePullBackOff")),
        "Failed reason:ImagePullBackOff",
    ),
    "its Secret is missing": (
        a_pod("Pending", status=waiting("CreateContainerConfigError")),
        "Failed reason:CreateContainerConfigError",
    ),
    "trap: only a name that is no name never passes": (
        a_pod("Pending", status=waiting("InvalidImageName")),
        "Failed! reason:InvalidImageName",
    ),
    "creating": (a_pod("Pending", status=waiting("ContainerCreating")), "Progressing"),
    "trap: it was in a loop and is ready now": (
        a_pod("Running", READY, status=waiting("CrashLoopBackOff", kind=INIT)),
        "Ready",
    ),
    "being deleted": (a_pod("Running", READY, **DELETED), "Terminating"),
    "trap: held by a finalizer": (
        a_pod("Succeeded", **DELETED, finalizers=["example.com/hold"]),
        "Terminating example.com/hold",
    ),
}


@pytest.mark.parametrize(("found", "expected"), cases(TABLE))
def test_pods(found: Pod | None, expected: str) -> None:
    assert expected == said(pod(found, MOVED_AT + 60.0))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (None, "Progressing"),
        (MOVED_AT + SCHEDULING_SECONDS, "Progressing"),
        (MOVED_AT + SCHEDULING_SECONDS + 0.1, "Failed reason:Unschedulable"),
    ],
)
def test_the_scheduler_has_15_seconds_from_when_it_found_no_node(
    now: float | None, expected: str
) -> None:
    """The pod itself is years old: kstatus would call it Failed at once."""
    assert expected == said(pod(a_pod("Pending", HOMELESS), now))


def test_since_when_is_the_condition_s_or_the_deletion_s() -> None:
    looping = pod(a_pod("Running", UNREADY, status=waiting("CrashLoopBackOff")))

    assert (MOVED_AT, GONE_AT) == (looping.since, pod(a_pod("Running", **DELETED)).since)


def test_a_scheduler_that_says_something_else_is_no_failure() -> None:
    gated = a_pod("Pending", "PodScheduled=False/SchedulingGated waiting for gates")

    assert Fact("Progressing", "starts") == pod(gated, MOVED_AT + 60.0)
