"""
What only logs show: disks of another Ceph cluster, and tunnels without a connection.

Mutants, each killed here: an old look, another pod's look, or one that ends too early counts; one pod speaks for all of
a tunnel; a cluster of Ceph that is well is complained about; one that has OSDs is held for lost.
"""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.scene import LOG_FRESH_SECONDS, Scene
from phases.diagnosis.structure import blocking
from phases.pod_logs import ForeignOsd, Lack, LogLook
from phases.snapshot import Seen
from tests.phases.diagnosis.scenes import AT, dangers, failed, found_by, made, pod, scene

OLD = "f5a1c3d2-0000-4b6e-9c7d-0123456789ab"
OLDER = "aaaaaaaa-0000-4b6e-9c7d-0123456789ab"
FOREIGN = LogLook("uid-Pod-prep-a", foreign=(ForeignOsd(OLD, 3, "sda"),), found_at=AT - 300)


def ceph(health: str = "HEALTH_WARN", name: str = "rook/ceph", **more: Any) -> dict[str, Any]:
    return made("CephCluster", name, status={"phase": "Ready", "ceph": {"health": health}}, **more)


def prepare(node: str = "a", key: str = "rook/prep-a", **more: Any) -> dict[str, Any]:
    owner = ("Job", f"rook-ceph-osd-prepare-{node}")
    return pod(key, owner=owner, spec={"nodeName": node}, status={"phase": "Succeeded"}, **more)


def claim(driver: str = "rook.rbd.csi.ceph.com", phase: str = "Pending") -> dict[str, Any]:
    asked = {"annotations": {"volume.kubernetes.io/storage-provisioner": driver}}
    return made("PersistentVolumeClaim", "x/data", status={"phase": phase}, metadata=asked)


WAITS = failed(
    "Kustomization", "f/k", "timeout waiting for: [CephCluster/rook/ceph status: 'InProgress']"
)
OSD = made("Deployment", "rook/rook-ceph-osd-0")
LOGS: dict[str, LogLook | None] = {"rook/prep-a": FOREIGN}


def test_disks_of_another_cluster_are_one_cause_however_many_nodes_have_them() -> None:
    second = LogLook("uid-Pod-prep-b", foreign=(ForeignOsd(OLDER), ForeignOsd(OLD, 4)), found_at=AT)
    prepared = prepare(), prepare("b", "rook/prep-b"), prepare("c", "rook/prep-c")
    logs = {**LOGS, "rook/prep-b": second, "rook/prep-c": LogLook("uid-Pod-prep-c")}

    (found,) = found_by("L14", scene(ceph(), *prepared, WAITS, claim(), logs=logs))

    assert found.subject == "cephcluster/rook/ceph"
    assert found.message.startswith(
        f"3 disks on 2 nodes (a, b) hold data of 2 Ceph clusters ({OLDER}, {OLD}): "
        "Rook leaves them alone, and no OSD of CephCluster rook/ceph can come of them"
    )
    assert (found.clears_itself, found.since) == ("no", AT - 300)
    assert found.blocks == ("kustomization/f/k", "persistentvolumeclaim/x/data")
    assert found.evidence[0] == f"logs[rook/prep-a].foreign {OLD} osd.3 on sda"
    assert found.evidence[1] == f"logs[rook/prep-b].foreign {OLDER}"
    assert dangers(found) == {"look", "destructive", "never"}


def test_it_is_the_root_of_what_waits_for_the_cluster() -> None:
    looked_at = scene(ceph(), prepare(), WAITS, logs=LOGS, unlisted=("Deployment",))

    roots = roots_of(diagnose(looked_at), blocking(looked_at))

    assert [(root.finding.rule, root.victims) for root in roots] == [
        ("L14", ("kustomization/f/k",))
    ]


@pytest.mark.parametrize(
    ("objects", "logs"),
    [
        # well: a disk of another cluster that is none of those it is to have
        ((ceph("HEALTH_OK"), prepare()), LOGS),
        ((ceph(metadata={"deletionTimestamp": "2027-01-15T07:50:00Z"}), prepare()), LOGS),
        ((ceph(name="other/ceph"), prepare()), LOGS),
        ((prepare(),), LOGS),
        ((ceph(), prepare()), {}),
        ((ceph(), prepare()), {"rook/prep-a": None}),
        ((ceph(), prepare()), {"rook/prep-a": LogLook("uid-Pod-prep-a")}),
        # the log of a pod of that name which is gone
        ((ceph(), prepare()), {"rook/prep-a": replace(FOREIGN, uid="uid-of-the-former")}),
        ((ceph(), pod("rook/prep-a", owner=("Job", "other"))), LOGS),
        # a newer pod of the same Job found none
        (
            (
                ceph(),
                prepare(),
                prepare(key="rook/prep-z", metadata={"creationTimestamp": "2027-01-01T00:00:00Z"}),
            ),
            {**LOGS, "rook/prep-z": LogLook("uid-Pod-prep-z")},
        ),
    ],
)
def test_where_nothing_is_known_or_nothing_is_wrong_no_disk_is_spoken_of(
    objects: tuple[dict[str, Any], ...], logs: dict[str, LogLook | None]
) -> None:
    assert found_by("L14", scene(*objects, logs=logs)) == []


@pytest.mark.parametrize(
    ("objects", "unlisted"),
    [((OSD,), ()), ((), ("Deployment",))],
    ids=["an OSD is there", "unknown whether"],
)
def test_a_cluster_that_may_have_osds_may_come_without_these_disks(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...]
) -> None:
    looked_at = scene(ceph(), prepare(), claim(), *objects, logs=LOGS, unlisted=unlisted)

    (found,) = found_by("L14", looked_at)

    assert (found.clears_itself, found.blocks) == ("unknown", ())
    assert "1 disk on node a holds" in found.message
    assert "too few OSDs" in found.message


@pytest.mark.parametrize(
    "other", [claim("other.rbd.csi.ceph.com"), claim(phase="Bound"), claim("csi.example.com")]
)
def test_a_claim_of_others_does_not_wait_for_it(other: dict[str, Any]) -> None:
    (found,) = found_by("L14", scene(ceph(), prepare(), other, logs=LOGS))

    assert found.blocks == ()


# --- tunnels -------------------------------------------------------------------------------------


def tunnel(name: str = "cloudflared-1", **more: Any) -> dict[str, Any]:
    status = {"phase": "Running", "containerStatuses": [{"name": "app", **more.pop("state", {})}]}
    status.update(more.pop("status", {}))
    return pod(f"net/{name}", owner=("Deployment", "cloudflared"), status=status, **more)


def lost(name: str = "cloudflared-1", *lacks: Lack, since: float = AT - 300) -> LogLook:
    return LogLook(
        f"uid-Pod-{name}", unconnected_since=since, lacks=tuple(lacks) or (Lack.UNAUTHORIZED,)
    )


CONNECTED = LogLook("uid-Pod-cloudflared-2")
ONE: dict[str, LogLook | None] = {"net/cloudflared-1": lost()}


def test_a_tunnel_that_runs_without_a_connection_is_named_with_the_reason() -> None:
    logs = {
        "net/cloudflared-1": lost("cloudflared-1", Lack.QUIC),
        "net/cloudflared-2": lost("cloudflared-2", Lack.EDGE, Lack.QUIC, since=AT - 200),
    }

    runs = made("Deployment", "net/cloudflared")

    (found,) = found_by("L16", scene(runs, tunnel(), tunnel("cloudflared-2"), logs=logs))

    assert found.subject == "deployment/net/cloudflared"
    assert found.message == (
        "Deployment net/cloudflared runs, and no connection of its tunnel is registered: "
        "nothing comes back by QUIC, and no address of Cloudflare is reached"
    )
    assert (found.clears_itself, found.since) == ("unknown", AT - 300)
    assert found.evidence == tuple(f"logs[net/cloudflared-{n}].unconnected_since" for n in (1, 2))
    assert dangers(found) == {"look", "reversible"}
    assert "7844" in found.remedies[0].text


@pytest.mark.parametrize("lack", Lack)
def test_every_reason_has_words(lack: Lack) -> None:
    (found,) = found_by("L16", scene(tunnel(), logs={"net/cloudflared-1": lost("cloudflared-1", lack)}))  # fmt: skip

    assert found.message.partition("registered: ")[2]
    assert found.remedies


@pytest.mark.parametrize(
    ("pods", "logs"),
    [
        ((tunnel(),), {}),
        ((tunnel(),), {"net/cloudflared-1": None}),
        ((tunnel(),), {"net/cloudflared-1": LogLook("uid-Pod-cloudflared-1")}),
        ((tunnel(),), {"net/cloudflared-1": replace(lost(), cut=True)}),
        ((tunnel(),), {"net/cloudflared-1": replace(lost(), uid="uid-of-the-former")}),
        ((tunnel(),), {"net/cloudflared-1": lost(since=AT - 100)}),
        # one of two has a connection, or may have one
        ((tunnel(), tunnel("cloudflared-2")), {**ONE, "net/cloudflared-2": CONNECTED}),
        ((tunnel(), tunnel("cloudflared-2")), {**ONE, "net/cloudflared-2": None}),
        (
            (tunnel(), tunnel("cloudflared-2")),
            {**ONE, "net/cloudflared-2": lost("cloudflared-2", since=AT - 100)},
        ),
        # what begins again and again is told by other rules
        ((tunnel(state={"state": {"waiting": {"reason": "CrashLoopBackOff"}}}),), ONE),
        ((tunnel(state={"state": {"terminated": {"exitCode": 1}}}),), ONE),
        ((tunnel(status={"phase": "Pending"}),), ONE),
        ((tunnel(metadata={"deletionTimestamp": "2027-01-15T07:50:00Z"}),), ONE),
    ],
)
def test_a_tunnel_that_may_have_a_connection_is_not_spoken_of(
    pods: tuple[dict[str, Any], ...], logs: dict[str, LogLook | None]
) -> None:
    assert found_by("L16", scene(*pods, logs=logs)) == []


@pytest.mark.parametrize(
    ("rule", "objects", "logs"),
    [("L14", (ceph(), prepare()), LOGS), ("L16", (tunnel(),), ONE)],
)
def test_a_log_that_was_read_long_ago_says_nothing_any_more(
    rule: str, objects: tuple[dict[str, Any], ...], logs: dict[str, LogLook]
) -> None:
    looked_at = scene(*objects, logs=logs)
    assert found_by(rule, looked_at)

    aged = {name: Seen(look, AT - LOG_FRESH_SECONDS - 1) for name, look in logs.items()}
    assert found_by(rule, Scene(replace(looked_at.snapshot, logs=aged))) == []
