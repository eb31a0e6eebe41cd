"""
Claims, volumes, snapshots of volumes, and the health that Ceph and Longhorn tell.

kstatus knows claims alone, and waits for ever for one that is Lost. A claim whose class binds at the first consumer is
rightly Pending until a pod uses it: who waits for it before that waits for ever. Which mode a class has is not
listed; but whoever asks a provisioner writes that on the claim (kubernetes v1.36, pv_controller.go).
"""

from __future__ import annotations

from collections.abc import Mapping

from journal.entries import Fact, Instant
from phases.backup_objects import CephCluster, LonghornVolume, VolumeSnapshot
from phases.codes import PROGRESSING, READY
from phases.more_objects import Claim, Volume
from phases.objects import Pod
from phases.readiness.saying import absent, blocked, failed, terminating

PROTECTION = "kubernetes.io/pvc-protection"
ASKED = (
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
)


def users_of_claim(namespace: str, name: str, pods: Mapping[str, Pod]) -> tuple[str, ...]:
    """
    Name the pods that keep a claim protected: those that name it and have a node, whatever has become of them.

    As kubernetes v1.36 has it, pkg/controller/volume/pvcprotection.
    """
    return tuple(
        key
        for key, pod in pods.items()
        if pod.metadata.namespace == namespace
        and pod.spec.node_name
        and any(
            used is not None and used.claim_name == name
            for used in (volume.persistent_volume_claim for volume in pod.spec.volumes)
        )
    )


def claim(found: Claim | None, *, used: bool | None = None) -> Fact:
    """Judge a claim. *used*: whether a pod uses it (None: not looked for)."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    phase, spec = found.status.phase, found.spec
    if phase == "Bound":
        return Fact(READY)
    if phase == "Lost":
        cause = f"volume:{spec.volume_name}"
        return failed(f"its volume {spec.volume_name} is gone", cause, terminal=True)
    asked = any(name in found.metadata.annotations for name in ASKED)
    is_waiting = bool(spec.storage_class_name) and not spec.volume_name and not asked
    if is_waiting and used is False:
        return blocked("is bound once a pod uses it", "first-consumer")
    source = spec.data_source_ref
    if source is not None:
        key = f"{source.namespace or found.metadata.namespace}/{source.name}"
        return blocked(
            f"is filled from {source.kind} {key} first", f"populator:{source.kind}/{key}"
        )
    if spec.volume_name:
        return Fact(PROGRESSING, f"waits for volume {spec.volume_name}")
    return Fact(PROGRESSING, "is being provisioned" if asked else "no provisioner was asked yet")


def volume(found: Volume | None, *, claims: Mapping[str, Claim] | None = None) -> Fact:
    """Judge a volume. *claims*: all claims by key, so that a reference to a former one shows (None: not listed)."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    phase, owner = found.status.phase, found.spec.claim_ref
    since = _moved(found)
    key = f"{owner.namespace}/{owner.name}" if owner is not None else ""
    if phase == "Failed":
        return failed("could not be reclaimed", "reason:Failed", terminal=False, since=since)
    if phase == "Released" and found.spec.persistent_volume_reclaim_policy == "Delete":
        return Fact(PROGRESSING, "its claim is gone, and so will it be", since)
    if phase == "Released":
        return blocked(f"still belongs to the former claim {key}", f"claim:{key}", since)
    if owner is not None and claims is not None and phase == "Bound":
        held = claims.get(key)
        if held is None or (owner.uid and held.metadata.uid != owner.uid):
            return blocked(f"belongs to a claim {key} that is gone", f"claim:{key}", since)
    if phase not in {"Available", "Bound"}:
        return Fact(PROGRESSING, f"phase {phase or 'none yet'}", since)
    return Fact(READY)


def _moved(found: Volume) -> Instant | None:
    moved = found.status.last_phase_transition_time
    return None if moved is None else moved.timestamp()


def volume_snapshot(found: VolumeSnapshot | None) -> Fact:
    """Judge a snapshot of a volume: only what is ready to use can be restored."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    status = found.status
    if status.ready_to_use:
        return Fact(READY)
    if status.error is not None:
        return failed(status.error.message, "reason:SnapshotError", terminal=False)
    return Fact(PROGRESSING, "is not ready to use yet")


def ceph_cluster(found: CephCluster | None) -> Fact:
    """Judge a Ceph cluster by Ceph's own word, and not by its operator's conditions."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    ceph = found.status.ceph
    match "" if ceph is None else ceph.health:
        case "HEALTH_OK":
            return Fact(READY)
        case "HEALTH_WARN":
            return Fact(PROGRESSING, "Ceph warns: it may be moving data")
        case "HEALTH_ERR":
            return failed("Ceph is in error", "reason:HEALTH_ERR", terminal=False)
        case _:
            return Fact(PROGRESSING, found.status.message or "Ceph was not asked yet")


def longhorn_volume(found: LonghornVolume | None) -> Fact:
    """Judge a volume of Longhorn; detached, it has no robustness that anybody could know."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    match found.status.robustness:
        case "healthy":
            return Fact(READY)
        case "degraded":
            return Fact(PROGRESSING, "replicas of it are missing")
        case "faulted":
            # Once their nodes are back it salvages what they have, by itself.
            return failed("no replica of it works", "reason:faulted", terminal=False)
        case _:
            state = found.status.state or "unknown"
            return Fact(PROGRESSING, f"{state}: how its replicas are is not known")
