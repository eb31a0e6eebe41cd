"""
What only a log shows: disks of another Ceph cluster, and a tunnel that runs and leads nowhere (catalogue L14, L16).

Logs are read by the adapter, which hands on codes, instants and names (``phases/pod_logs.py``). Where one was not read,
or not lately, or not to its end, it says nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from engine.answer import Subject
from journal.entries import Finding, Remedy
from phases.backup_objects import CephCluster
from phases.codes import READY
from phases.diagnosis.beneath import CEPH, DRIVERS
from phases.diagnosis.pods import Group, Trouble, living, owner_of
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, destructive, look, never, reversible
from phases.diagnosis.scene import Scene, path_of, subject_of
from phases.diagnosis.storage import KIND as CLAIM
from phases.diagnosis.storage import users_of
from phases.diagnosis.victims import WAITING, waited_for
from phases.diagnosis.words import counted, named
from phases.objects import Pod, key_of
from phases.pod_logs import Lack, LogLook, is_tunnel, preparing
from phases.readiness.storage import ASKED
from phases.readiness.verdict import verdict

_OSD: Final = re.compile(r"rook-ceph-osd-\d+")
Prepared = dict[str, tuple[Pod, LogLook]]


def _foreign(scene: Scene) -> Iterable[Finding]:
    """L14: disks that a Ceph cluster is to have hold OSDs of another, and Rook leaves them alone."""
    for found in scene.of(CEPH).values():
        gone = found.metadata.deletion_timestamp is not None
        prepared = _prepared(scene, found.metadata.namespace)
        # One that is well needs none of them: Rook looks at every disk of a machine, wanted or not.
        if prepared and not gone and verdict(CEPH, found).code != READY:
            yield _taken(scene, found, prepared)


def _prepared(scene: Scene, namespace: str) -> Prepared:
    """Return the pods that found disks of another cluster, by their keys."""
    found: Prepared = {}
    for pod in preparing(scene.of("Pod")).values():
        said = _log(scene, pod) if pod.metadata.namespace == namespace else None
        if said is not None and said.foreign:
            found[key_of(pod.metadata)] = (pod, said)
    return found


def _taken(scene: Scene, cluster: CephCluster, prepared: Prepared) -> Finding:
    key = key_of(cluster.metadata)
    disks = [disk for _, said in prepared.values() for disk in said.foreign]
    others = named({disk.fsid for disk in disks}, "Ceph cluster")
    where = named({pod.spec.node_name or key for key, (pod, _) in prepared.items()}, "node")
    alone = not _has_osds(scene, cluster)
    since = [said.found_at for _, said in prepared.values() if said.found_at is not None]
    return Finding(
        subject=subject_of(CEPH, cluster.metadata),
        cause="disks-of-another-ceph-cluster",
        message=f"{counted(len(disks), 'disk')} on {where} {'holds' if len(disks) == 1 else 'hold'} data of {others}: "
        f"Rook leaves them alone, and {'no OSD' if alone else 'too few OSDs'} of {CEPH} {key} can come of them",
        blocks=_behind(scene, cluster, alone=alone),
        clears_itself=NO if alone else UNKNOWN,
        rule="L14",
        uid=cluster.metadata.uid,
        since=min(since, default=None),
        evidence=(*_disks(prepared), path_of(CEPH, cluster.metadata, "status.ceph.health")),
        clears_when=f"Rook prepares the disks of {CEPH} {key} again and finds none of another cluster's",
        remedies=(
            look(
                f"whether anybody still needs the data of {others}. If so, {CEPH} {key} has to take over the mons of "
                "that cluster, or nobody can read the disks any more (Rook: Troubleshooting, Disaster Recovery)"
            ),
            destructive("only if nobody does: wipe these disks, and restart Rook's operator"),
            never(
                "let Rook wipe them unasked (cleanupPolicy.wipeDevicesFromOtherClusters) before that is decided"
            ),
        ),
    )


def _has_osds(scene: Scene, cluster: CephCluster) -> bool:
    """Say whether a cluster may have OSDs that Rook did bring up; it makes a Deployment of each."""
    namespace = cluster.metadata.namespace
    made = (key.partition("/") for key in scene.of("Deployment"))
    found = any(space == namespace and _OSD.fullmatch(name) for space, _, name in made)
    return found or not scene.seen("Deployment")


def _behind(scene: Scene, cluster: CephCluster, *, alone: bool) -> tuple[Subject, ...]:
    """Return who waits for a cluster, and, where it has no disk at all, for a volume of it."""
    found = waited_for(scene, CEPH, cluster.metadata, WAITING)
    if alone:
        for claim in scene.of(CLAIM).values():
            asked = {claim.metadata.annotations.get(name, "") for name in ASKED}
            drivers = {f"{cluster.metadata.namespace}{driver}" for driver in DRIVERS}
            if claim.status.phase == "Pending" and asked & drivers:
                waiting = waited_for(scene, CLAIM, claim.metadata, WAITING)
                found += [subject_of(CLAIM, claim.metadata), *users_of(scene, claim), *waiting]
    return tuple(dict.fromkeys(found))


def _disks(prepared: Prepared) -> Iterator[str]:
    for key, (_, said) in sorted(prepared.items()):
        for disk in said.foreign:
            osd = "" if disk.osd is None else f" osd.{disk.osd}"
            device = f" on {disk.device}" if disk.device else ""
            yield f"logs[{key}].foreign {disk.fsid}{osd}{device}"


UNCONNECTED_SECONDS: Final = 120.0  # it tries five times, and then another protocol
LACKS: Final[Mapping[Lack, str]] = {
    Lack.QUIC: "nothing comes back by QUIC",
    Lack.EDGE: "no address of Cloudflare is reached",
    Lack.UNAUTHORIZED: "Cloudflare does not take its token",
    Lack.REFUSED: "Cloudflare refuses to register it",
    Lack.BROKEN: "what connection it gets ends",
}
WAYS: Final[Mapping[Lack, tuple[Remedy, ...]]] = {
    Lack.QUIC: (
        look("whether UDP to port 7844 gets out of the nodes, and its answers in: firewall, policies, provider"),
        reversible("set TUNNEL_TRANSPORT_PROTOCOL to http2 in Git, which needs TCP to port 7844 only"),
    ),
    Lack.EDGE: (look("whether TCP and UDP to port 7844 get out of the nodes: firewall, policies"),),
    Lack.UNAUTHORIZED: (
        look("whether the tunnel still exists at Cloudflare, and whether the Secret has its present token"),
    ),
}  # fmt: skip


def _unconnected(scene: Scene) -> Iterable[Finding]:
    """L16: all pods of a tunnel run, and none of them has a connection."""
    for group, looks in _tunnels(scene):
        since = [look_.unconnected_since for look_ in looks if look_ and not look_.cut]
        known = [at for at in since if at is not None]
        if len(known) < len(looks) or not scene.older(max(known), UNCONNECTED_SECONDS):
            continue  # one that was not read may have what the others lack
        lacks = [one for one in Lack if any(look_ and one in look_.lacks for look_ in looks)]
        yield group.finding(
            scene,
            "L16",
            cause="tunnel-is-not-registered",
            message=f"{group.name} runs, and no connection of its tunnel is registered: "
            + ", and ".join(LACKS[one] for one in lacks),
            clears_itself=UNKNOWN,
            clears_when=f"the log of {group.name} says Registered tunnel connection",
            remedies=(
                *(way for one in lacks for way in WAYS.get(one, ())),
                look(f"the log of {group.name}, and /ready on its metrics port"),
            ),
        )


def _tunnels(scene: Scene) -> Iterator[tuple[Group, list[LogLook | None]]]:
    """Return what runs cloudflared, with the logs of all its pods that run."""
    found: dict[Subject, tuple[Group, list[LogLook | None]]] = {}
    for pod in living(scene):
        if is_tunnel(pod) and pod.status.phase == "Running":
            group = Group(*owner_of(scene, pod))
            group, looks = found.setdefault(group.subject, (group, []))
            said = _log(scene, pod) if _is_up(pod) else None
            looks.append(said)
            since = None if said is None else said.unconnected_since
            where = f"logs[{key_of(pod.metadata)}].unconnected_since"
            group.troubles.append(Trouble(pod, "", since, where))
    yield from found.values()


def _is_up(pod: Pod) -> bool:
    """What begins again and again has a log of each time, and rules of its own."""
    states = [one.state for one in pod.status.container_statuses]
    return all(state.waiting is None and state.terminated is None for state in states)


def _log(scene: Scene, pod: Pod) -> LogLook | None:
    """Return what a pod's log says, if it is this very pod's."""
    said = scene.log(key_of(pod.metadata))
    return said if said is not None and said.uid == pod.metadata.uid else None


ROOK: Final = (
    "rook v1.20 pkg/daemon/ceph/osd/volume.go: GetCephVolumeRawOSDs, GetCephVolumeLVMOSDs; encryption.go: "
    "isCephEncryptedBlock; daemon.go: getAvailableDevices"
)
TUNNEL: Final = (
    "cloudflared 2026.8 supervisor/tunnel.go: serveTunnel, serveQUIC; supervisor/conn_aware_logger.go; "
    "connection/observer.go: logConnected"
)

RULES = (
    Rule("L14", "disks hold data of another Ceph cluster", Proof.SOURCE, ROOK, _foreign),
    Rule("L16", "a tunnel runs and is not registered", Proof.SOURCE, TUNNEL, _unconnected),
)
