"""
Pods.

kstatus calls a pod that ended Current, well or not, and looks for crash loops among the main containers alone, of
running pods alone (cli-utils, pkg/kstatus/status/core.go). Here every container is asked why it waits.
"""

from __future__ import annotations

from journal.entries import Fact, Instant
from phases.codes import PROGRESSING, READY
from phases.objects import Condition, Pod, Waiting, condition
from phases.readiness.saying import absent, failed, is_true, since_of, terminating

SCHEDULING_SECONDS = 15.0  # kstatus gives the scheduler as long
# Why a container waits, where it is not on its way: none of these ends without a change somewhere else.
WAITING = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
    }
)
HOPELESS = frozenset({"InvalidImageName"})  # of the others each may have a cause that passes


def pod(found: Pod | None, now: Instant | None = None) -> Fact:
    """Judge a pod at the instant *now* (None: no pod is called unschedulable yet)."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    status = found.status
    ready = condition(status.conditions, "Ready")
    if status.phase == "Succeeded":
        return Fact(READY, "completed")
    if status.phase == "Failed":
        reason = status.reason or "its containers failed"
        return failed(
            reason, f"reason:{status.reason or 'Failed'}", terminal=True, since=since_of(ready)
        )
    if status.phase == "Running" and is_true(ready):
        return Fact(READY)
    waits = stuck(found)
    if waits is not None:
        hopeless = waits.reason in HOPELESS
        cause = f"reason:{waits.reason}"
        return failed(waits.reason, cause, terminal=hopeless, since=since_of(ready))
    homeless = _unscheduled(found)
    if homeless is not None:
        return _homeless(homeless, now)
    return Fact(PROGRESSING, "is running and not Ready" if status.phase == "Running" else "starts")


def stuck(found: Pod) -> Waiting | None:
    """Return why the first container that is not on its way waits; init containers hold a pod as well."""
    status = found.status
    for container in (*status.init_container_statuses, *status.container_statuses):
        waiting = container.state.waiting
        if waiting is not None and waiting.reason in WAITING:
            return waiting
    return None


def _unscheduled(found: Pod) -> Condition | None:
    said = condition(found.status.conditions, "PodScheduled")
    is_homeless = said is not None and said.status == "False" and said.reason == "Unschedulable"
    return said if is_homeless else None


def _homeless(said: Condition, now: Instant | None) -> Fact:
    """Kstatus counts from the pod's creation; this counts from when the scheduler said so."""
    since = since_of(said)
    if now is None or (since is not None and now - since <= SCHEDULING_SECONDS):
        return Fact(PROGRESSING, "the scheduler looks for a node", since)
    text = f"Unschedulable: {' '.join(said.message.split())}"
    return failed(text, "reason:Unschedulable", terminal=False, since=since)
