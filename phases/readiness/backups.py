"""
Restores: VolSync's replications and Velero's restores.

A mover that found nothing to restore ends as well as one that restored everything (volsync issue 1211): an empty
volume that its backups then overwrite. So what ended well is not yet restored; somebody has to have counted.
Constants are VolSync's api/v1alpha1/common_types.go and Velero's pkg/apis/velero/v1/restore_types.go.
"""

from __future__ import annotations

from journal.entries import Fact
from phases.backup_objects import Replication, Restore
from phases.codes import PROGRESSING, READY
from phases.objects import condition
from phases.readiness.saying import (
    absent,
    blocked,
    failed,
    since_of,
    terminating,
    text_of,
)

SUCCESSFUL = "Successful"
# Phases of Velero that end in a failure, also before they have ended.
PARTIAL = (
    "FinalizingPartiallyFailed",
    "PartiallyFailed",
    "WaitingForPluginOperationsPartiallyFailed",
)
LOST = ("Failed", "FailedValidation")


def restored(found: Replication | None, *, counted: int | None = None) -> Fact:
    """
    Judge a ReplicationDestination. *counted*: bytes or files that were restored (None: nobody counted).

    Without a count it is Ready and not verified: backups should not be let go on over it.
    """
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    late = _unfinished(found)
    if late is not None:
        return late
    if found.status.latest_image is None:
        return Fact(PROGRESSING, "there is no image yet that could be restored from")
    if counted == 0:
        return failed("the restored volume is empty", "empty-restore", terminal=True)
    if counted is None:
        return Fact(READY, "restored: nobody counted what", detail={"verified": False})
    return Fact(READY)


def replicated(found: Replication | None) -> Fact:
    """Judge a ReplicationSource: its last move ended well."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    return _unfinished(found) or Fact(READY)


def _unfinished(found: Replication) -> Fact | None:
    """Return why the last move did not end well, or is not the one that was asked for."""
    syncing = condition(found.status.conditions, "Synchronizing")
    if syncing is not None and syncing.reason == "Error":
        return blocked(text_of(syncing), "reason:Error", since_of(syncing))
    result = found.status.latest_mover_status.result
    if result == "Failed":  # its mover is started again
        return failed("the last move failed", "reason:MoverFailed", terminal=False)
    wanted = found.spec.trigger.manual
    if wanted and found.status.last_manual_sync != wanted:
        return Fact(PROGRESSING, f"the move {wanted} has not ended")
    if result != SUCCESSFUL:
        return Fact(PROGRESSING, text_of(syncing) or "nothing was moved yet")
    return None


def restore(found: Restore | None) -> Fact:
    """Judge a Restore of Velero; detail.warnings counts what it left as it was."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    status = found.status
    if status.phase in (*LOST, *PARTIAL):
        counted = f"{status.errors} errors, {status.warnings} warnings"
        text = f"{status.phase}: {status.failure_reason or counted}"
        return failed(text, f"reason:{status.phase}", terminal=True)
    if status.phase != "Completed":
        return Fact(PROGRESSING, status.phase or "not begun")
    detail = {"warnings": status.warnings} if status.warnings else {}
    return Fact(READY, f"{status.warnings} warnings" if detail else "", detail=detail)
