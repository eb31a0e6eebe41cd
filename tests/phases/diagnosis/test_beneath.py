"""
How the storage is that something waits for, in the words of who waits.

Mutants, killed here: a warning of Ceph's keeps volumes from being made; every cluster named where the driver tells
which; a claim that is bound, or another pod's, asked about; what is well named.
"""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.catalogue import diagnose
from tests.phases.diagnosis.scenes import found_by, made, pod, rules_of, said, scene

ASKED = "volume.kubernetes.io/storage-provisioner"
RBD = "storage.rbd.csi.ceph.com"


def claim(phase: str = "Pending", driver: str = RBD, name: str = "x/data") -> dict[str, Any]:
    metadata = {"annotations": {ASKED: driver}}
    return made(
        "PersistentVolumeClaim",
        name,
        spec={"storageClassName": "block"},
        status={"phase": phase},
        metadata=metadata,
    )


def ceph(health: str = "HEALTH_ERR", name: str = "storage/ceph", **more: Any) -> dict[str, Any]:
    status = {"phase": "Ready", "message": "Cluster created successfully"}
    return made(
        "CephCluster", name, status={**status, **({"ceph": {"health": health}} if health else more)}
    )


def waits(kind: str, name: str = "storage/ceph") -> dict[str, Any]:
    message = f"timeout waiting for: [{kind}/{name} status: 'InProgress']"
    ready = said("Ready", "False", "HealthCheckFailed", message)
    return made("Kustomization", "f/k", ready)


USER = pod(
    "x/p",
    said("PodScheduled", "False", "Unschedulable", "pod has unbound immediate claims"),
    owner=("StatefulSet", "db"),
    spec={"volumes": [{"name": "tmp"}, {"persistentVolumeClaim": {"claimName": "data"}}]},
)
IN_ERROR = "; CephCluster storage/ceph: Ceph is in error"


@pytest.mark.parametrize(
    ("objects", "text"),
    [
        ((claim(), ceph()), IN_ERROR),
        ((claim(driver="storage.cephfs.csi.ceph.com"), ceph()), IN_ERROR),
        ((claim(driver="elsewhere.rbd.csi.ceph.com"), ceph()), IN_ERROR),
        ((claim(), ceph(), ceph(name="other/ceph")), IN_ERROR),
        (
            (claim(), ceph("", message="waiting for mons")),
            "; CephCluster storage/ceph: waiting for mons",
        ),
        ((claim(), ceph("HEALTH_WARN")), ""),
        ((claim(), ceph("HEALTH_OK")), ""),
        ((claim("Bound"), ceph()), ""),
        ((claim(name="y/data"), ceph()), ""),
        ((claim(name="x/other"), ceph()), ""),
        ((claim(driver="driver.longhorn.io"), ceph()), ""),
        ((claim(),), ""),
    ],
    ids=[
        *("in error", "a file system", "no cluster beside it", "beside its operator", "no word of Ceph's"),
        *("warns", "well", "bound", "another namespace's", "another claim", "another driver", "none"),
    ],
)  # fmt: skip
def test_a_pod_without_its_volume_says_how_ceph_is(
    objects: tuple[dict[str, Any], ...], text: str
) -> None:
    (found,) = found_by("L5", scene(*objects, USER))

    assert found.message.endswith(f"(pod has unbound immediate claims){text}")
    where = ("CephCluster/storage/ceph .status.ceph.health .status.phase",) if text else ()
    assert found.evidence == ("Pod/x/p .status.conditions[PodScheduled]", *where)


DONE = {
    "latestMoverStatus": {"result": "Successful"},
    "latestImage": {"kind": "VolumeSnapshot", "name": "i"},
}
FAILED = {"latestMoverStatus": {"result": "Failed"}}


@pytest.mark.parametrize(
    ("waited", "there", "ends", "clears"),
    [
        ("CephCluster", (ceph(),), IN_ERROR, "unknown"),
        ("CephCluster", (ceph("HEALTH_OK"),), "which is ready by now", "yes"),
        ("CephCluster", (), "", "unknown"),
        (
            "ReplicationDestination",
            (made("ReplicationDestination", "storage/ceph", status=FAILED),),
            "; ReplicationDestination storage/ceph: the last move failed",
            "unknown",
        ),
        (
            "ReplicationSource",
            (made("ReplicationSource", "storage/ceph", status=DONE),),
            "which is ready by now",
            "yes",
        ),
        ("CephBlockPool", (ceph(),), "", "unknown"),
    ],
)
def test_who_waited_for_storage_says_how_it_is_by_now(
    waited: str, there: tuple[dict[str, Any], ...], ends: str, clears: str
) -> None:
    (found,) = found_by("K13", scene(waits(waited), *there))

    assert found.message.endswith(ends or f"{waited}/storage/ceph")
    assert found.clears_itself == clears
    assert len(found.evidence) == (2 if ends.startswith(";") else 1)


def test_of_itself_no_storage_makes_a_finding_but_ceph_in_error() -> None:
    """There is no rule about it: whatever waits for it speaks. Of Ceph in error X5 does, where nobody waits."""
    restore = made("ReplicationDestination", "x/data", status=FAILED)
    assert diagnose(scene(ceph("HEALTH_WARN"), restore)) == {}
    assert list(diagnose(scene(ceph(), restore))) == ["X5:cephcluster/storage/ceph"]
    assert "X5" not in rules_of(scene(ceph(), claim(), USER))


def test_what_could_not_be_listed_is_not_named() -> None:
    (found,) = found_by("L5", scene(claim(), ceph(), USER, unlisted=("CephCluster",)))

    assert "Ceph" not in found.message
