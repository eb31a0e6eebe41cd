"""
Jobs: as Flux judges them, not as kstatus does.

Mutants, killed here: what is not Failed is Ready (kstatus' own rule); suspend asked before Failed; a Job that is gone
taken for absent whatever it was applied with.
"""

from __future__ import annotations

import pytest

from phases.more_objects import Job, JobSpec
from phases.readiness.jobs import job
from tests.phases.readiness.given import DELETED, MOVED_AT, cases, made, said

COMPLETE, FAILED = "Complete=True/", "Failed=True/BackoffLimitExceeded no"
SUSPEND = {"suspend": True}
TABLE = {
    "not there": (None, "Absent"),
    "trap: a running Job is Current for kstatus": (made(Job, status={"active": 1}), "Progressing"),
    "complete": (made(Job, COMPLETE), "Ready"),
    "trap: SuccessCriteriaMet is not yet Complete": (
        made(Job, "SuccessCriteriaMet=True/x"),
        "Progressing",
    ),
    "failed": (made(Job, FAILED), "Failed! reason:BackoffLimitExceeded"),
    "not failed": (made(Job, "Failed=False/"), "Progressing"),
    "suspended": (made(Job, spec=SUSPEND), "Ready"),
    "trap: failed, then suspended": (
        made(Job, FAILED, spec=SUSPEND),
        "Failed! reason:BackoffLimitExceeded",
    ),
    "being deleted, and complete": (made(Job, COMPLETE, **DELETED), "Terminating"),
}


@pytest.mark.parametrize(("found", "expected"), cases(TABLE))
def test_jobs(found: Job | None, expected: str) -> None:
    assert expected == said(job(found))


@pytest.mark.parametrize(("ttl", "expected"), [(None, "Absent"), (0, "Ready"), (600, "Ready")])
def test_trap_a_job_that_deletes_itself_has_succeeded_when_it_is_gone(
    ttl: int | None, expected: str
) -> None:
    assert expected == said(job(None, as_applied=JobSpec(ttl_seconds_after_finished=ttl)))


def test_since_when_it_has_failed() -> None:
    assert MOVED_AT == job(made(Job, FAILED)).since
