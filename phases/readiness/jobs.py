"""
Jobs.

kstatus calls a running Job Current; Flux has a rule of its own for that (fluxcd/pkg runtime/statusreaders/job.go),
and so has this. A Job that deletes itself after its end (``ttlSecondsAfterFinished``) has succeeded when it is gone;
what its template says about that only its author knows.
"""

from __future__ import annotations

from journal.entries import Fact
from phases.codes import PROGRESSING, READY
from phases.more_objects import Job, JobSpec
from phases.objects import condition
from phases.readiness.saying import (
    absent,
    failed,
    is_stale,
    is_true,
    since_of,
    terminating,
    text_of,
)


def job(found: Job | None, *, as_applied: JobSpec | None = None) -> Fact:
    """Judge a Job. *as_applied*: what it was applied with, for a Job that is gone (None: not known)."""
    if found is None:
        if as_applied is not None and as_applied.ttl_seconds_after_finished is not None:
            return Fact(READY, "ended, and deleted itself")
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    if is_stale(found.metadata, found.status.observed_generation):
        return Fact(PROGRESSING, "the controller has not seen the latest generation")
    conditions = found.status.conditions
    lost = condition(conditions, "Failed")
    if lost is not None and is_true(lost):
        cause = f"reason:{lost.reason}"
        return failed(text_of(lost), cause, terminal=True, since=since_of(lost))
    if is_true(condition(conditions, "Complete")):
        return Fact(READY, "complete")
    if found.spec.suspend:
        return Fact(READY, "suspended: it has not run")
    return Fact(PROGRESSING, "is running")
