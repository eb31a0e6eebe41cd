"""
Why a claim does not get its data from VolSync, or got none: what L10 and L11 rest on.

VolSync's populator waits for the image of a ReplicationDestination, takes nothing but a snapshot of a volume, and notes
on the volume which one it was. A mover that fails is started again. But restic's ends well where its repository has no
snapshot: the image is then of an empty volume (volsync issue 1211), and only the mover's own words say so. A new
application looks just like that, until its first backup; whether the data should be there nobody can see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from journal.entries import Instant, Remedy
from phases.backup_objects import NOTHING_RESTORED, NOTHING_SAVED, Replication
from phases.codes import BLOCKED, FAILED
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import NO, UNKNOWN, destructive, look, never, reversible
from phases.diagnosis.scene import Scene, instant
from phases.more_objects import Claim, Volume
from phases.objects import Reference, condition, key_of
from phases.readiness.backups import SUCCESSFUL
from phases.readiness.verdict import verdict

DESTINATION: Final = "ReplicationDestination"
BACKUP: Final = "ReplicationSource"
POPULATED: Final = "volsync.backube/populated-from"
FAILING_SECONDS: Final = 60.0  # a Secret that comes a moment after its user is nobody's trouble
TOO_EARLY: Final = never(
    "let a backup of it run before: it would keep the empty volume as the latest"
)
UNTIL_KNOWN: Final = reversible(
    "scale what uses the claim to 0, and pause its backups, until that is known"
)


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a claim does not get its data: *text* goes on after its name, *where* is a field of the destination."""

    cause: str
    text: str
    clears: str
    since: Instant | None
    where: str
    remedies: tuple[Remedy, ...]


def lack(scene: Scene, claim: Claim) -> Lack | None:
    """Return why a claim does not get its data from VolSync, or got none; None: it does, or nobody can tell."""
    found = destination(scene, claim)
    if found is None or claim.metadata.deletion_timestamp or found.metadata.deletion_timestamp:
        return None
    name, image = f"{DESTINATION} {key_of(found.metadata)}", found.status.latest_image
    if claim.status.phase == "Pending":
        if image is None:
            return _unfinished(scene, name, found)
        if image.kind not in {"", "VolumeSnapshot"}:
            return _no_snapshot(name, image)
    elif claim.status.phase != "Bound":
        return None
    elif image is None:
        return _unfilled(scene, claim, name, found)
    return _nothing(scene, claim, name, found)


def _unfinished(scene: Scene, name: str, found: Replication) -> Lack | None:
    fact = verdict(DESTINATION, found)
    since = fact.since or instant(condition(found.status.conditions, "Synchronizing"))
    if fact.code not in {BLOCKED, FAILED} or (since and not scene.older(since, FAILING_SECONDS)):
        return None
    text = f"cannot be filled from {name}, which has no image: {quote(fact.reason)}"
    look_ = look(f"what the mover of {name} wrote: .status.latestMoverStatus, and its pod's log")
    return Lack(
        "restore-fails", text, UNKNOWN, since, "status.latestMoverStatus", (look_, TOO_EARLY)
    )


def _no_snapshot(name: str, image: Reference) -> Lack:
    return Lack(
        "no-snapshot",
        f"is never filled from {name}: its image is the {image.kind} {image.name}, not a snapshot of a volume",
        NO,
        None,
        "status.latestImage",
        (reversible(f"set copyMethod: Snapshot on {name} in Git"), TOO_EARLY),
    )


def _nothing(scene: Scene, claim: Claim, name: str, found: Replication) -> Lack | None:
    status = found.status
    mover = status.latest_mover_status
    if mover.result != SUCCESSFUL or not any(words in mover.logs for words in NOTHING_RESTORED):
        return None
    if _may_hold_data(scene, claim, found):
        return None
    pending = claim.status.phase == "Pending"
    if not pending and not _is_filled_from(_volume(scene, claim), claim, status.latest_image):
        return None
    is_ = "would be" if pending else "is"
    return Lack(
        "nothing-restored",
        f"{is_} empty: {name} found no snapshot in its repository and restored nothing",
        UNKNOWN,
        status.last_sync_time.timestamp() if status.last_sync_time else None,
        "status.latestMoverStatus.logs",
        (
            look(
                f"whether the repository of {name} should have snapshots: of a new application it has none yet"
            ),
            UNTIL_KNOWN,
            TOO_EARLY,
            destructive(
                "delete the claim, to have it filled anew once the restore has brought data"
            ),
        ),
    )


def _unfilled(scene: Scene, claim: Claim, name: str, found: Replication) -> Lack | None:
    """Provisioners name a volume by its claim's UID; a populator makes it for a claim of its own, and hands it on."""
    volume = claim.spec.volume_name
    if volume != f"pvc-{claim.metadata.uid}" or _may_hold_data(scene, claim, found):
        return None
    return Lack(
        "bound-without-its-data",
        f"has volume {volume}, which was made without its data: {name} has no image yet",
        UNKNOWN,
        None,
        "status.latestImage",
        (
            look(f"what made volume {volume}: not every provisioner heeds a dataSourceRef"),
            UNTIL_KNOWN,
            TOO_EARLY,
        ),
    )


def _is_filled_from(volume: Volume | None, claim: Claim, image: Reference | None) -> bool:
    if volume is None or image is None:
        return False
    source = f"{claim.metadata.namespace}/{image.name}"
    return volume.metadata.annotations.get(POPULATED) == source


def _may_hold_data(scene: Scene, claim: Claim, found: Replication) -> bool:
    """Say whether a claim was backed up since its restore, or nobody could see: then what is in it may be its data."""
    return not scene.seen(BACKUP) or any(_has_saved(one, found) for one in backups(scene, claim))


def _has_saved(backup: Replication, found: Replication) -> bool:
    """Say whether a backup with something in it ended after a restore."""
    saved, restored = backup.status.last_sync_time, found.status.last_sync_time
    mover = backup.status.latest_mover_status
    if mover.result != SUCCESSFUL or NOTHING_SAVED in mover.logs or saved is None:
        return False
    return restored is None or saved > restored


def destination(scene: Scene, claim: Claim) -> Replication | None:
    """Return the destination that a claim is filled from; VolSync looks for it beside the claim alone."""
    source = claim.spec.data_source_ref
    if source is None or source.kind != DESTINATION:
        return None
    found: Replication | None = scene.get(DESTINATION, f"{claim.metadata.namespace}/{source.name}")
    return found


def _volume(scene: Scene, claim: Claim) -> Volume | None:
    found: Volume | None = scene.get("PersistentVolume", claim.spec.volume_name)
    return found


def backups(scene: Scene, claim: Claim) -> list[Replication]:
    """Return what backs a claim up."""
    return [
        one
        for one in scene.of(BACKUP).values()
        if one.metadata.namespace == claim.metadata.namespace
        and one.spec.source_pvc == claim.metadata.name
    ]
