"""
Restores: what ended well is not yet restored.

Mutants, killed here: an empty restore is Ready; lastManualSync not compared; a partial failure not known for one.
"""

from __future__ import annotations

from typing import Any

import pytest

from phases.backup_objects import Replication, Restore
from phases.readiness.backups import replicated, restore, restored
from tests.phases.readiness.given import DELETED, cases, made, said

SUCCESS: dict[str, Any] = {
    "latestMoverStatus": {"result": "Successful"},
    "lastManualSync": "restore-1",
}
IMAGE: dict[str, Any] = {"latestImage": {"kind": "VolumeSnapshot", "name": "x"}}
SYNC = "Synchronizing=False"


def moved(*conditions: str, manual: str = "restore-1", **status: Any) -> Replication:  # noqa: ANN401
    found: Replication = made(
        Replication, *conditions, spec={"trigger": {"manual": manual}}, status=status
    )
    return found


WHOLE = moved(f"{SYNC}/WaitingForManual", **SUCCESS, **IMAGE)
MOVES = {
    "not there": (None, 1, "Absent"),
    "restored": (WHOLE, 4096, "Ready"),
    "trap: Successful, and nothing was restored": (WHOLE, 0, "Failed! empty-restore"),
    "nobody counted": (WHOLE, None, "Ready"),
    "trap: no image": (moved(**SUCCESS), 4096, "Progressing"),
    "trap: Successful is of the move before": (
        moved(**SUCCESS, **IMAGE, manual="restore-2"),
        4096,
        "Progressing",
    ),
    "by schedule there is no token": (moved(**SUCCESS, **IMAGE, manual=""), 4096, "Ready"),
    "under way": (moved("Synchronizing=True/SyncInProgress"), None, "Progressing"),
    "cleaning up": (moved("Synchronizing=False/CleaningUp", **IMAGE), 1, "Progressing"),
    "trap: waits for its schedule, and nothing was moved": (
        moved(f"{SYNC}/WaitingForSchedule", **IMAGE, manual=""),
        1,
        "Progressing",
    ),
    "in error": (moved(f"{SYNC}/Error no Secret", **SUCCESS, **IMAGE), 1, "Blocked reason:Error"),
    "its mover failed, and is started again": (
        moved(latestMoverStatus={"result": "Failed"}),
        None,
        "Failed reason:MoverFailed",
    ),
    "being deleted": (made(Replication, **DELETED), None, "Terminating"),
}


@pytest.mark.parametrize(("found", "counted", "expected"), cases(MOVES))
def test_restores_of_volsync(found: Replication | None, counted: int | None, expected: str) -> None:
    assert expected == said(restored(found, counted=counted))


def test_a_restore_that_nobody_counted_is_not_verified() -> None:
    assert ({"verified": False}, {}) == (restored(WHOLE).detail, restored(WHOLE, counted=1).detail)


def test_a_backup_needs_no_image() -> None:
    assert "Ready" == said(replicated(moved(**SUCCESS)))
    assert "Progressing" == said(replicated(moved(**SUCCESS, manual="later")))
    assert "Absent" == said(replicated(None))
    assert "Terminating" == said(replicated(made(Replication, **DELETED)))


def velero(phase: str, **status: Any) -> Restore:  # noqa: ANN401
    found: Restore = made(Restore, status={"phase": phase, **status})
    return found


RESTORES = {
    "not there": (None, "Absent", ""),
    "completed": (velero("Completed"), "Ready", ""),
    "completed with warnings": (velero("Completed", warnings=3), "Ready", "3 warnings"),
    "in progress": (velero("InProgress"), "Progressing", "InProgress"),
    "not begun": (velero(""), "Progressing", "not begun"),
    "trap: PartiallyFailed is not ok": (
        velero("PartiallyFailed", errors=2, warnings=1),
        "Failed! reason:PartiallyFailed",
        "PartiallyFailed: 2 errors, 1 warnings",
    ),
    "trap: it has not ended, and will be PartiallyFailed": (
        velero("FinalizingPartiallyFailed"),
        "Failed! reason:FinalizingPartiallyFailed",
        "FinalizingPartiallyFailed",
    ),
    "refused": (
        velero("FailedValidation", failureReason="no backup"),
        "Failed! reason:FailedValidation",
        "FailedValidation: no backup",
    ),
    "being deleted": (made(Restore, **DELETED), "Terminating", "is being deleted"),
}


@pytest.mark.parametrize(("found", "expected", "reason"), cases(RESTORES))
def test_restores_of_velero(found: Restore | None, expected: str, reason: str) -> None:
    fact = restore(found)

    assert (expected, reason) == (said(fact), fact.reason[: len(reason)])


def test_warnings_are_counted() -> None:
    assert {"warnings": 3} == restore(velero("Completed", warnings=3)).detail
