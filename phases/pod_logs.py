"""
What a few pods tell in their logs alone, and which pods those are.

A log may hold anything, a tunnel's token among it. So no text of one comes in here: whoever reads it keeps codes,
instants and a few names of a strict form.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from journal.entries import Instant
from phases.objects import ContainerStatus, Pod, key_of

PREPARE: Final = "rook-ceph-osd-prepare-"  # rook v1.20 pkg/operator/ceph/cluster/osd/osd.go
PROVISION: Final = "provision"
CLOUDFLARED: Final = "cloudflared"
# Which image a container has is not kept of ten thousand pods. A wrong guess costs a question: what is not cloudflared
# does not say its sentences.
TUNNELS: Final = (CLOUDFLARED, "cloudflare-tunnel")
NAMING: Final = ("app.kubernetes.io/name", "app")
AT_MOST: Final = 16  # pods whose logs are asked for


class Lack(StrEnum):
    """Why cloudflared has no connection, by the last errors that it wrote."""

    QUIC = "quic"  # nothing came back for what was sent by UDP
    EDGE = "edge"  # an address of Cloudflare was not reached
    UNAUTHORIZED = "unauthorized"  # Cloudflare does not take the token
    REFUSED = "refused"  # Cloudflare refused for another reason
    BROKEN = "broken"  # a connection that was there ended


class ForeignOsd(msgspec.Struct, frozen=True):
    """An OSD of the Ceph cluster *fsid* on a disk that Rook was to use; *device* is empty where the log names none."""

    fsid: str
    osd: int | None = None
    device: str = ""


class LogLook(msgspec.Struct, frozen=True):
    """
    What the log of the pod *uid* says, so far as it was read: its end, and not *cut* there.

    *foreign* are disks of another Ceph cluster, found first at *found_at*. *unconnected_since* is the first error of
    cloudflared that says that no connection is there, if none was registered after it (None: one was, or there is no
    such error), *lacks* why.
    """

    uid: str
    cut: bool = False
    foreign: tuple[ForeignOsd, ...] = ()
    found_at: Instant | None = None
    unconnected_since: Instant | None = None
    lacks: tuple[Lack, ...] = ()


class Wanted(NamedTuple):
    """A container whose log is asked for."""

    pod: Pod
    container: str

    @property
    def key(self) -> str:
        """Return ``namespace/name`` of its pod."""
        return key_of(self.pod.metadata)


def wanted(pods: Mapping[str, Pod]) -> list[Wanted]:
    """Return the logs to ask for: few, in a stable order, and only where a container has run."""
    found = [Wanted(pod, PROVISION) for _, pod in sorted(preparing(pods).items())]
    found += [
        Wanted(pods[key], name)
        for key in sorted(pods)
        if is_tunnel(pods[key]) and (name := _tunnel_container(pods[key]))
    ]
    return [one for one in found if _has_run(one)][:AT_MOST]


def preparing(pods: Mapping[str, Pod]) -> dict[str, Pod]:
    """Return the newest pod of each of Rook's Jobs that prepare disks, by ``namespace/job``."""
    found: dict[str, Pod] = {}
    for pod in pods.values():
        for owner in pod.metadata.owner_references:
            if owner.kind == "Job" and owner.name.startswith(PREPARE):
                job = f"{pod.metadata.namespace}/{owner.name}"
                found[job] = max(found.get(job, pod), pod, key=_made)
    return found


def is_tunnel(pod: Pod) -> bool:
    """Say whether a pod may be cloudflared's, by the names of it and its containers."""
    meta = pod.metadata
    names = [meta.name, *(one.name for one in pod.status.container_statuses)]
    names += [meta.labels[label] for label in NAMING if label in meta.labels]
    gone = meta.deletion_timestamp is not None or pod.status.phase in {"Succeeded", "Failed"}
    return not gone and any(known in name for name in names for known in TUNNELS)


def _tunnel_container(pod: Pod) -> str:
    """Return the container that is cloudflared's: the one of that name, or the only one."""
    names = [one.name for one in pod.status.container_statuses]
    if CLOUDFLARED in names:
        return CLOUDFLARED
    return names[0] if len(names) == 1 else ""


def _made(pod: Pod) -> tuple[float, str]:
    made = pod.metadata.creation_timestamp
    return (0.0 if made is None else made.timestamp(), pod.metadata.name)


def _has_run(one: Wanted) -> bool:
    return any(
        status.name == one.container and _ran(status)
        for status in one.pod.status.container_statuses
    )


def _ran(status: ContainerStatus) -> bool:
    return status.state.waiting is None or status.restart_count > 0
