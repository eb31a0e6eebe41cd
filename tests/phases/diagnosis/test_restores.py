"""
Restores of VolSync: what L10 knows of them, and what L11 finds.

Mutants, killed here: the mover's words not read, or read of a move that failed; a volume that another image filled
called empty; a backup of nothing taken for one; a namesake's backup taken for the claim's; what was not listed taken
for absent.
"""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.backup_objects import Replication
from phases.diagnosis.rule import NO, UNKNOWN
from tests.phases.diagnosis.scenes import AT, dangers, found_by, made, pod, said, scene, stamp

EMPTY = (
    "repository 1f3a opened\nNo eligible snapshots found\n=== No data will be restored ===\n"
    "Restic completed in 3s"
)
NOTE = "volsync.backube/populated-from"
SYNC = "Synchronizing"


def claim(phase: str = "Pending", **more: Any) -> dict[str, Any]:
    spec = {
        "dataSourceRef": {"kind": "ReplicationDestination", "name": "data"},
        **({"volumeName": "pv"} if phase == "Bound" else {}),
        **more.pop("spec", {}),
    }
    return made("PersistentVolumeClaim", "x/data", spec=spec, status={"phase": phase}, **more)


def destination(
    *conditions: Any,
    result: str = "",
    logs: str = "",
    image: str = "",
    ended: float | None = AT - 600,
    name: str = "x/data",
    **more: Any,
) -> dict[str, Any]:
    status: dict[str, Any] = {"latestMoverStatus": {"result": result, "logs": logs}}
    if image:
        kind, _, of = image.partition("/")
        status["latestImage"] = {"kind": kind, "name": of}
    if ended is not None:
        status["lastSyncTime"] = stamp(ended)
    return made("ReplicationDestination", name, *conditions, status=status, **more)


def backup(
    ended: float | None = AT - 60,
    result: str = "Successful",
    logs: str = "",
    of: str = "data",
    name: str = "x/data",
) -> dict[str, Any]:
    status: dict[str, Any] = {"latestMoverStatus": {"result": result, "logs": logs}}
    if ended is not None:
        status["lastSyncTime"] = stamp(ended)
    return made("ReplicationSource", name, spec={"sourcePVC": of}, status=status)


def volume(**notes: str) -> dict[str, Any]:
    metadata = {"annotations": notes}
    return made("PersistentVolume", "pv", status={"phase": "Bound"}, metadata=metadata)


FILLED = volume(**{NOTE: "x/image-1"})
BROUGHT_NOTHING = destination(result="Successful", logs=EMPTY, image="VolumeSnapshot/image-1")
BROUGHT_DATA = destination(
    result="Successful", logs="restoring snapshot 1f", image="VolumeSnapshot/image-1"
)
USER = pod(
    "x/p",
    said("PodScheduled", "False", "Unschedulable", "unbound", AT - 700),
    owner=("StatefulSet", "db"),
    spec={"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]},
    status={"phase": "Pending"},
)


@pytest.mark.parametrize(
    ("objects", "unlisted", "count"),
    [
        ((claim("Bound"), FILLED, BROUGHT_NOTHING), (), 1),
        ((claim(), BROUGHT_NOTHING), (), 1),
        ((claim("Bound"), FILLED, BROUGHT_NOTHING, backup(AT - 601)), (), 1),
        ((claim("Bound"), FILLED, BROUGHT_NOTHING, backup(logs="== Directory is empty")), (), 1),
        ((claim("Bound"), FILLED, BROUGHT_NOTHING, backup(result="Failed")), (), 1),
        ((claim("Bound"), FILLED, BROUGHT_NOTHING, backup(of="other")), (), 1),
        ((claim("Bound"), FILLED, BROUGHT_NOTHING, backup(name="y/data")), (), 1),
        ((claim("Bound"), FILLED, BROUGHT_NOTHING, backup(None)), (), 1),
        # somebody has backed up what an application has written since
        ((claim("Bound"), FILLED, BROUGHT_NOTHING, backup()), (), 0),
        ((claim("Bound"), FILLED, BROUGHT_DATA), (), 0),
        ((claim("Bound"), volume(**{NOTE: "x/image-0"}), BROUGHT_NOTHING), (), 0),
        ((claim("Bound"), volume(), BROUGHT_NOTHING), (), 0),
        ((claim("Bound"), BROUGHT_NOTHING), (), 0),
        ((claim("Bound"), FILLED, destination(result="Failed", logs=EMPTY, image="VolumeSnapshot/image-1")), (), 0),
        ((claim("Lost", spec={"volumeName": "pv"}), FILLED, BROUGHT_NOTHING), (), 0),
        ((claim("Bound"), FILLED), (), 0),
        ((claim("Bound"), FILLED, BROUGHT_NOTHING), ("ReplicationSource",), 0),
        ((claim("Bound"), FILLED, BROUGHT_NOTHING), ("ReplicationDestination",), 0),
        ((claim("Bound", metadata={"deletionTimestamp": stamp(AT)}), FILLED, BROUGHT_NOTHING), (), 0),
    ],
    ids=[
        *("filled from nothing", "about to be", "backed up before", "nothing was backed up"),
        *("its backup failed", "another claim's backup", "another namespace's", "never backed up"),
        *("backed up since", "restored", "filled from another image", "filled by nobody", "no volume"),
        *("the move failed", "lost", "no destination", "backups unseen", "destinations unseen"),
        "on its way out",
    ],
)  # fmt: skip
def test_a_restore_that_brought_nothing(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...], count: int
) -> None:
    found = found_by("L11", scene(*objects, unlisted=unlisted))

    assert [(f.cause, f.clears_itself, f.since) for f in found] == [
        ("nothing-restored", UNKNOWN, AT - 600)
    ] * count
    assert all(dangers(f) == {"look", "reversible", "never", "destructive"} for f in found)


def test_it_says_what_backs_the_empty_volume_up_and_what_waits() -> None:
    (bound,) = found_by("L11", scene(claim("Bound"), FILLED, BROUGHT_NOTHING, backup(None), USER))
    (coming,) = found_by("L11", scene(claim(), BROUGHT_NOTHING, USER))

    assert bound.message == (
        "claim x/data is empty: ReplicationDestination x/data found no snapshot in its repository and restored "
        "nothing; ReplicationSource x/data backs it up"
    )
    assert bound.evidence == (
        "PersistentVolumeClaim/x/data .spec.dataSourceRef .status.phase",
        "ReplicationDestination/x/data .status.latestMoverStatus.logs",
        "ReplicationSource/x/data .spec.sourcePVC",
    )
    assert (bound.blocks, coming.blocks) == ((), ("statefulset/x/db",))
    assert "would be empty" in coming.message


def test_of_what_a_mover_wrote_only_those_words_are_kept() -> None:
    """Mutants: keep the logs, or whole lines; what a recording of a run then holds, nobody has read."""
    given = destination(result="Failed", logs=f"{EMPTY} of s3:x\nFatal: wrong password hunter2")
    found = msgspec.convert(given, Replication, strict=False)

    kept = "No eligible snapshots found\nNo data will be restored"
    assert found.status.latest_mover_status.logs == kept


def in_error(at: float = AT - 300) -> Any:
    return said(SYNC, "False", "Error", "Secret repository not found", at)


def moving(at: float = AT - 300) -> Any:
    return said(SYNC, "True", "SyncInProgress", "Synchronization in-progress", at)


SNAPSHOT = "VolumeSnapshot/image-1"


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (destination(moving(), result="Failed"), "restore-fails"),
        (destination(in_error()), "restore-fails"),
        (destination(result="Failed"), "restore-fails"),
        (destination(in_error(AT - 59)), None),
        (destination(moving(AT - 59), result="Failed"), None),
        (destination(moving()), None),
        (destination(), None),
        # it has an image of before: that is what the claim gets
        (destination(moving(), result="Failed", image=SNAPSHOT), None),
        (destination(result="Successful", image="PersistentVolumeClaim/x"), "no-snapshot"),
        (destination(result="Successful", image=SNAPSHOT), None),
        (destination(in_error(), metadata={"deletionTimestamp": stamp(AT)}), None),
        (
            destination(image="PersistentVolumeClaim/x", metadata={"deletionTimestamp": stamp(AT)}),
            None,
        ),
        (destination(in_error(), name="y/data"), None),
        (destination(in_error(), name="x/other"), None),
    ],
    ids=[
        *("failed", "in error", "failed before anybody said more", "just in error", "just begun"),
        *("at it", "silent", "failed after an image", "no snapshot", "done", "on its way out"),
        *("no snapshot, on its way out", "of another namespace", "of another claim"),
    ],
)
def test_a_claim_that_its_destination_cannot_fill(given: dict[str, Any], cause: str | None) -> None:
    looked_at = scene(claim(), given, USER)
    found = found_by("L11", looked_at)

    assert [f.cause for f in found] == ([cause] if cause else [])
    assert all(f.blocks == ("statefulset/x/db",) for f in found)
    assert all(f.clears_itself == (NO if cause == "no-snapshot" else UNKNOWN) for f in found)
    assert len(found_by("L10", looked_at)) == (0 if cause else 1)  # one cause, said once


def test_a_claim_of_another_kind_of_source_is_not_asked_about() -> None:
    spec = {"dataSourceRef": {"kind": "Restore", "name": "data"}}

    assert found_by("L11", scene(claim(spec=spec), destination(in_error()))) == []


IDLE = destination(ended=None)
OWN = "pvc-uid-PersistentVolumeClaim-data"


def unfilled(name: str = OWN) -> dict[str, Any]:
    return claim("Bound", spec={"volumeName": name})


@pytest.mark.parametrize(
    ("objects", "unlisted", "count"),
    [
        ((unfilled(), IDLE), (), 1),
        ((unfilled(), IDLE, backup(None)), (), 1),
        ((unfilled("pvc-uid-of-the-populator"), IDLE), (), 0),
        ((unfilled(), IDLE, backup()), (), 0),
        ((unfilled(), IDLE), ("ReplicationSource",), 0),
        ((unfilled(), destination(image=SNAPSHOT)), (), 0),
        ((unfilled(),), (), 0),
    ],
    ids=[
        *("ignored", "never backed up", "handed on by a populator", "backed up since"),
        *("backups unseen", "it has an image", "no destination"),
    ],
)
def test_a_provisioner_that_heeds_no_source(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...], count: int
) -> None:
    found = found_by("L11", scene(*objects, USER, unlisted=unlisted))

    assert [(f.cause, f.blocks) for f in found] == [("bound-without-its-data", ())] * count
    assert all(f"has volume {OWN}, which was made without its data" in f.message for f in found)


@pytest.mark.parametrize(
    ("given", "unlisted", "words"),
    [
        ((), (), "it is not there"),
        ((), ("ReplicationDestination",), "a restore runs, or cannot"),
        ((destination(moving()),), (), "SyncInProgress: Synchronization in-progress"),
        ((BROUGHT_DATA,), (), "its image is there, and no volume was made from it yet"),
    ],
)
def test_who_waits_for_data_hears_how_far_the_restore_is(
    given: tuple[dict[str, Any], ...], unlisted: tuple[str, ...], words: str
) -> None:
    (found,) = found_by("L10", scene(claim(), USER, *given, unlisted=unlisted))

    assert found.message.endswith(f"from ReplicationDestination x/data: {words}")
