"""
What ails the storage beneath something that waits, and the restores and backups that a health check waits for.

No rule of the catalogue is about them, so that they make no finding of their own: who waits for them says how they are.
Rook names its drivers ``PREFIX.rbd.csi.ceph.com``, with the namespace of its operator for a prefix unless told
otherwise (rook v1.20, pkg/operator/ceph/csi); whoever asks a provisioner writes its name on the claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from phases.backup_objects import CephCluster
from phases.codes import READY
from phases.diagnosis.quoting import quote
from phases.diagnosis.scene import Scene, path_of
from phases.more_objects import Claim
from phases.objects import Pod, key_of
from phases.readiness.storage import ASKED
from phases.readiness.verdict import verdict

CEPH: Final = "CephCluster"
FIELDS: Final = {
    CEPH: ("status.ceph.health", "status.phase"),
    "ReplicationDestination": ("status",),
    "ReplicationSource": ("status",),
}
DRIVERS: Final = (".rbd.csi.ceph.com", ".cephfs.csi.ceph.com", ".nfs.csi.ceph.com")
WARNING: Final = "HEALTH_WARN"  # volumes are made all the same


class Beneath(NamedTuple):
    """The end of a sentence, empty where nothing is to be said, and where it stands."""

    text: str = ""
    evidence: tuple[str, ...] = ()


def waited_for_now(scene: Scene, items: Iterable[str]) -> Beneath:
    """Say how those are by now that a health check waited for (``Kind/namespace/name``)."""
    found = []
    for item in items:
        kind, _, key = item.partition("/")
        one = scene.get(kind, key) if kind in FIELDS else None
        if one is not None:
            found.append((kind, one))
    return _told(found)


def under_claims(scene: Scene, pods: Iterable[Pod]) -> Beneath:
    """Say which clusters of Ceph are not well that should make the volumes which some pods wait for."""
    drivers = {
        asked
        for pod in pods
        for claim in _claims(scene, pod)
        for asked in (claim.metadata.annotations.get(name, "") for name in ASKED)
        if claim.status.phase == "Pending" and asked.endswith(DRIVERS)
    }
    found = {
        key_of(one.metadata): one
        for driver in drivers
        for one in _clusters(scene, driver.partition(".")[0])
        if one.status.ceph is None or one.status.ceph.health != WARNING
    }
    return _told((CEPH, one) for _, one in sorted(found.items()))


def _told(found: Iterable[tuple[str, Any]]) -> Beneath:
    ill = [
        (f"{kind} {key_of(one.metadata)}: {quote(fact.reason)}", path_of(kind, one.metadata, *FIELDS[kind]))
        for kind, one in found
        if (fact := verdict(kind, one)).code != READY
    ]  # fmt: skip
    return Beneath("".join(f"; {text}" for text, _ in ill), tuple(where for _, where in ill))


def _claims(scene: Scene, pod: Pod) -> Iterator[Claim]:
    for volume in pod.spec.volumes:
        used = volume.persistent_volume_claim
        name = used.claim_name if used is not None else ""
        found: Claim | None = scene.get("PersistentVolumeClaim", f"{pod.metadata.namespace}/{name}")
        if found is not None:
            yield found


def _clusters(scene: Scene, namespace: str) -> list[CephCluster]:
    """Return the clusters beside a driver's operator; all of them where it has none there."""
    every: list[CephCluster] = list(scene.of(CEPH).values())
    return [one for one in every if one.metadata.namespace == namespace] or every
