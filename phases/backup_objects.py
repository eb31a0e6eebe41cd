"""
Objects of storage and backup operators: VolSync, Velero, Rook, Longhorn, and snapshots of volumes.

Only the fields that are read, under the API's own names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import force_setattr

from phases.api_struct import ApiStruct
from phases.objects import Condition, Meta, Reference

# Words of VolSync's restic mover for a move that moved nothing, and ended well (volsync v0.16 mover-restic/entry.sh).
NOTHING_RESTORED: Final = ("No eligible snapshots found", "No data will be restored")
NOTHING_SAVED: Final = "Directory is empty"


class Trigger(ApiStruct, frozen=True, rename="camel"):
    """When VolSync moves data: once for each new value of *manual*, or by *schedule* (cron)."""

    manual: str = ""
    schedule: str = ""


class Repository(ApiStruct, frozen=True, rename="camel"):
    """Where a mover keeps its data: the name of the Secret that says it (of restic and Kopia, of rclone)."""

    repository: str = ""
    rclone_config: str = ""


class ReplicationSpec(ApiStruct, frozen=True, rename="camel"):
    """See Replication. *source_pvc*: the claim that a source backs up. *kopia* is a fork's mover."""

    trigger: Trigger = Trigger()
    source_pvc: str = msgspec.field(default="", name="sourcePVC")
    restic: Repository | None = None
    kopia: Repository | None = None
    rclone: Repository | None = None


class Mover(ApiStruct, frozen=True, rename="camel"):
    """
    How the last move ended: Successful, Failed, or empty while none has.

    Of *logs* only the words are kept that say that nothing was moved: the rest is foreign text and may hold anything.
    """

    result: str = ""
    logs: str = ""

    def __post_init__(self) -> None:
        """Leave out what nobody reads."""
        if self.logs:
            said = (*NOTHING_RESTORED, NOTHING_SAVED)
            force_setattr(self, "logs", "\n".join(words for words in said if words in self.logs))


class ReplicationStatus(ApiStruct, frozen=True, rename="camel"):
    """
    See Replication. *latest_image* is what can be restored from; only destinations have one.

    *last_sync_time* is the end of the last move that ended well.
    """

    conditions: tuple[Condition, ...] = ()
    last_manual_sync: str = ""
    last_sync_time: datetime | None = None
    latest_image: Reference | None = None
    latest_mover_status: Mover = Mover()


class Replication(ApiStruct, frozen=True, rename="camel"):
    """volsync.backube/v1alpha1 ReplicationDestination or ReplicationSource."""

    metadata: Meta
    spec: ReplicationSpec = ReplicationSpec()
    status: ReplicationStatus = ReplicationStatus()


class RestoreStatus(ApiStruct, frozen=True, rename="camel"):
    """See Restore."""

    phase: str = ""
    warnings: int = 0
    errors: int = 0
    failure_reason: str = ""


class Restore(ApiStruct, frozen=True, rename="camel"):
    """velero.io/v1 Restore."""

    metadata: Meta
    status: RestoreStatus = RestoreStatus()


class Ceph(ApiStruct, frozen=True, rename="camel"):
    """Ceph's own health: HEALTH_OK, HEALTH_WARN or HEALTH_ERR."""

    health: str = ""
    last_changed: str = ""


class CephStatus(ApiStruct, frozen=True, rename="camel"):
    """See CephCluster. *ceph* is None until Rook has asked Ceph."""

    phase: str = ""
    message: str = ""
    ceph: Ceph | None = None


class CephCluster(ApiStruct, frozen=True, rename="camel"):
    """ceph.rook.io/v1 CephCluster."""

    metadata: Meta
    status: CephStatus = CephStatus()


class LonghornStatus(ApiStruct, frozen=True, rename="camel"):
    """See LonghornVolume. *robustness*: healthy, degraded, faulted, or unknown while detached."""

    state: str = ""
    robustness: str = ""


class LonghornVolume(ApiStruct, frozen=True, rename="camel"):
    """longhorn.io/v1beta2 Volume."""

    metadata: Meta
    status: LonghornStatus = LonghornStatus()


class SnapshotError(ApiStruct, frozen=True, rename="camel"):
    """See VolumeSnapshot; its driver tries again."""

    message: str = ""


class SnapshotStatus(ApiStruct, frozen=True, rename="camel"):
    """See VolumeSnapshot."""

    ready_to_use: bool = False
    error: SnapshotError | None = None


class VolumeSnapshot(ApiStruct, frozen=True, rename="camel"):
    """snapshot.storage.k8s.io/v1 VolumeSnapshot."""

    metadata: Meta
    status: SnapshotStatus = SnapshotStatus()
