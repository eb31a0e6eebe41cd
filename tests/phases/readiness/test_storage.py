"""
Claims, volumes, snapshots, Ceph, Longhorn.

Mutants, killed here: Lost waits on like any phase; a claim that nobody uses is in progress; the uid of a claimRef not
compared; a detached Longhorn volume is healthy.
"""

from __future__ import annotations

from typing import Any

import pytest

from phases.backup_objects import CephCluster, LonghornVolume, VolumeSnapshot
from phases.more_objects import Claim, Volume
from phases.readiness.storage import (
    ceph_cluster,
    claim,
    longhorn_volume,
    volume,
    volume_snapshot,
)
from tests.phases.readiness.given import DELETED, MOVED, MOVED_AT, cases, made, said

PENDING, FAST = {"phase": "Pending"}, {"storageClassName": "fast"}
ASKED = {"annotations": {"volume.kubernetes.io/storage-provisioner": "csi"}}
FROM = {**FAST, "dataSourceRef": {"kind": "ReplicationDestination", "name": "x-dst"}}
FIRST = "Blocked first-consumer"
POPULATOR = "Blocked populator:ReplicationDestination/apps/x-dst"
CLAIMS = {
    "not there": (None, None, "Absent"),
    "bound": (made(Claim, status={"phase": "Bound"}), None, "Ready"),
    "bound and unused": (made(Claim, status={"phase": "Bound"}), False, "Ready"),
    "trap: Lost is only in progress for kstatus": (
        made(Claim, spec={"volumeName": "pv-1"}, status={"phase": "Lost"}),
        None,
        "Failed! volume:pv-1",
    ),
    "trap: Pending is right while no pod uses it": (
        made(Claim, spec=FAST, status=PENDING),
        False,
        FIRST,
    ),
    "a pod uses it": (made(Claim, spec=FAST, status=PENDING), True, "Progressing"),
    "who uses it was not looked for": (made(Claim, spec=FAST, status=PENDING), None, "Progressing"),
    "a provisioner was asked": (
        made(Claim, spec=FAST, status=PENDING, **ASKED),
        False,
        "Progressing",
    ),
    "trap: pre-bound, it asks no provisioner": (
        made(Claim, spec={**FAST, "volumeName": "pv-1"}, status=PENDING),
        False,
        "Progressing",
    ),
    "trap: filled from a restore first": (made(Claim, spec=FROM, status=PENDING), True, POPULATOR),
    "trap: the populator waits for the first consumer too": (
        made(Claim, spec=FROM, status=PENDING),
        False,
        FIRST,
    ),
    "says nothing yet": (made(Claim), None, "Progressing"),
    "trap: protected while a pod uses it": (
        made(Claim, **DELETED, finalizers=["kubernetes.io/pvc-protection"]),
        True,
        "Terminating kubernetes.io/pvc-protection",
    ),
}


@pytest.mark.parametrize(("found", "used", "expected"), cases(CLAIMS))
def test_claims(found: Claim | None, used: bool | None, expected: str) -> None:  # noqa: FBT001
    assert expected == said(claim(found, used=used))


OWNER: dict[str, Any] = {"claimRef": {"namespace": "apps", "name": "x", "uid": "u1"}}


def a_volume(phase: str, policy: str = "Retain", **owner: Any) -> Volume:  # noqa: ANN401
    spec = {**owner, "persistentVolumeReclaimPolicy": policy}
    found: Volume = made(
        Volume, spec=spec, status={"phase": phase, "lastPhaseTransitionTime": MOVED}, namespace=""
    )
    return found


MINE = {"apps/x": made(Claim)}
OTHERS = {"apps/x": made(Claim, uid="u2")}
VOLUMES = {
    "not there": (None, None, "Absent"),
    "available": (a_volume("Available"), None, "Ready"),
    "bound": (a_volume("Bound", **OWNER), MINE, "Ready"),
    "claims were not listed": (a_volume("Bound", **OWNER), None, "Ready"),
    "trap: bound to a claim that is gone": (a_volume("Bound", **OWNER), {}, "Blocked claim:apps/x"),
    "trap: bound to a namesake of the claim": (
        a_volume("Bound", **OWNER),
        OTHERS,
        "Blocked claim:apps/x",
    ),
    "trap: Released is Current for kstatus": (
        a_volume("Released", **OWNER),
        None,
        "Blocked claim:apps/x",
    ),
    "Released, and about to be deleted": (
        a_volume("Released", "Delete", **OWNER),
        None,
        "Progressing",
    ),
    "trap: Failed is Current for kstatus": (
        a_volume("Failed", **OWNER),
        None,
        "Failed reason:Failed",
    ),
    "Pending": (a_volume("Pending"), None, "Progressing"),
    "being deleted": (made(Volume, **DELETED, namespace=""), None, "Terminating"),
}


@pytest.mark.parametrize(("found", "claims", "expected"), cases(VOLUMES))
def test_volumes(found: Volume | None, claims: dict[str, Claim] | None, expected: str) -> None:
    assert expected == said(volume(found, claims=claims))


def test_since_when_a_volume_is_released() -> None:
    assert MOVED_AT == volume(a_volume("Released", **OWNER)).since


SNAPSHOTS = {
    "not there": (None, "Absent"),
    "ready to use": (made(VolumeSnapshot, status={"readyToUse": True}), "Ready"),
    "trap: it exists, and cannot be used": (made(VolumeSnapshot), "Progressing"),
    "its driver failed, and tries again": (
        made(VolumeSnapshot, status={"readyToUse": False, "error": {"message": "no"}}),
        "Failed reason:SnapshotError",
    ),
    "being deleted": (made(VolumeSnapshot, status={"readyToUse": True}, **DELETED), "Terminating"),
}


@pytest.mark.parametrize(("found", "expected"), cases(SNAPSHOTS))
def test_snapshots(found: VolumeSnapshot | None, expected: str) -> None:
    assert expected == said(volume_snapshot(found))


CEPH = {
    "not there": (None, "Absent"),
    "healthy": (made(CephCluster, status={"ceph": {"health": "HEALTH_OK"}}), "Ready"),
    "warns": (made(CephCluster, status={"ceph": {"health": "HEALTH_WARN"}}), "Progressing"),
    "in error": (
        made(CephCluster, status={"ceph": {"health": "HEALTH_ERR"}}),
        "Failed reason:HEALTH_ERR",
    ),
    "trap: its operator is content, and Ceph was not asked": (
        made(CephCluster, "Ready=True/ClusterCreated", status={"phase": "Ready"}),
        "Progressing",
    ),
    "being deleted": (
        made(CephCluster, **DELETED, finalizers=["cephcluster.ceph.rook.io"]),
        "Terminating cephcluster.ceph.rook.io",
    ),
}


@pytest.mark.parametrize(("found", "expected"), cases(CEPH))
def test_ceph(found: CephCluster | None, expected: str) -> None:
    assert expected == said(ceph_cluster(found))


LONGHORN = {
    "not there": (None, "Absent"),
    "healthy": (made(LonghornVolume, status={"robustness": "healthy"}), "Ready"),
    "degraded": (made(LonghornVolume, status={"robustness": "degraded"}), "Progressing"),
    "trap: faulted may be salvaged": (
        made(LonghornVolume, status={"robustness": "faulted"}),
        "Failed reason:faulted",
    ),
    "trap: detached it has no robustness": (
        made(LonghornVolume, status={"state": "detached", "robustness": "unknown"}),
        "Progressing",
    ),
    "says nothing yet": (made(LonghornVolume), "Progressing"),
    "being deleted": (made(LonghornVolume, **DELETED), "Terminating"),
}


@pytest.mark.parametrize(("found", "expected"), cases(LONGHORN))
def test_longhorn(found: LonghornVolume | None, expected: str) -> None:
    assert expected == said(longhorn_volume(found))
