"""
Logs reduced to what rules read; nothing else of their text goes on from here.

Every line begins with the instant that the kubelet gave it. Sentences are those of rook v1.9 to v1.20
(pkg/daemon/ceph/osd: volume.go, encryption.go, daemon.go) and of cloudflared 2021.12 to 2026.8 (connection/observer.go,
connection/rpc.go, supervisor/tunnel.go); ids and devices have to be of a strict form, or are left out.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from journal.learned import decoder
from phases.pod_logs import PROVISION, ForeignOsd, Lack, LogLook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from journal.entries import Instant

FOREIGN_AT_MOST = 32
# A connection is counted a moment after it is logged: an error within it says nothing of how many there are.
COUNTED_SECONDS = 1.0
_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_DEVICE = r"[A-Za-z0-9/_.:-]{1,64}"
# ``skipping osd.3: "UUID" belonging to ...`` of raw disks, ``skipping osd3: "UUID" running on ...`` of volumes of LVM.
_OSD = re.compile(
    rf'\bosd\.?(\d{{1,6}}): "({_ID})" (?:belonging to|running on) a different ceph cluster "({_ID})"'
)
_ENCRYPTED = re.compile(
    rf'encrypted disk "({_DEVICE})" is part of a different ceph cluster "({_ID})'
)
_DISK = re.compile(rf'skipping device "({_DEVICE})", detected an existing OSD\. UUID=({_ID})')
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_REGISTERED = re.compile(rf"Registered tunnel connection|Connection {_ID} registered")
_LEVELS = {"INF": "info", "ERR": "error"}
_DIALLED = ("Failed to dial a quic connection", "Failed to create new quic connection")
_REACHED = ("Unable to establish connection with Cloudflare edge",)
_TAKEN = ("Register tunnel error from server side",)
_SERVED = (
    "Serve tunnel error",
    "Unable to establish connection.",
    "failed to serve tunnel connection",
    "Failed to serve tunnel connection",
    "Failed to serve quic connection",
)
# What quic-go says when nothing came back, or when the firewall of the host itself said no.
_UNHEARD = ("no recent network activity", "handshake did not complete", "operation not permitted")


class _Said(msgspec.Struct, frozen=True):
    """A line of cloudflared, which writes JSON if it is told to."""

    level: str = ""
    message: str = ""
    error: str = ""


def reduced(body: bytes, container: str, uid: str, *, cut: bool) -> LogLook:
    """Reduce the log of a container; *cut*: more would have come, and its last line may be half of one."""
    lines = list(_lines(body[: body.rfind(b"\n") + 1] if cut else body))
    look = LogLook(uid, cut=cut)
    return _of_rook(look, lines) if container == PROVISION else _of_cloudflared(look, lines)


def _lines(body: bytes) -> Iterator[tuple[Instant, str]]:
    """Return lines with their instants; what has none is not the kubelet's."""
    for line in _COLOUR.sub("", body.decode(errors="replace")).split("\n"):
        stamp, _, text = line.partition(" ")
        try:
            at = datetime.fromisoformat(stamp)
        except ValueError:
            continue
        if at.tzinfo is not None:
            yield at.timestamp(), text


def _of_rook(look: LogLook, lines: list[tuple[Instant, str]]) -> LogLook:
    """Gather the disks that belong to another cluster; the OSD's own id tells which disk it is on."""
    found: dict[str, ForeignOsd] = {}
    devices: dict[str, str] = {}
    first: Instant | None = None
    for at, text in lines:
        if (disk := _DISK.search(text)) is not None:
            devices[disk[2]] = disk[1]
        elif (osd := _OSD.search(text)) is not None:
            found[osd[2]] = ForeignOsd(osd[3], int(osd[1]))
            first = at if first is None else first
        elif (hidden := _ENCRYPTED.search(text)) is not None:
            found[hidden[1]] = ForeignOsd(hidden[2], device=hidden[1])
            first = at if first is None else first
    named = (replace(one, device=one.device or devices.get(id_, "")) for id_, one in found.items())
    ordered = sorted(named, key=lambda one: (one.device, -1 if one.osd is None else one.osd))
    return replace(look, foreign=tuple(ordered[:FOREIGN_AT_MOST]), found_at=first)


def _of_cloudflared(look: LogLook, lines: list[tuple[Instant, str]]) -> LogLook:
    """
    Say since when no connection is there.

    What fails is an error only while there is no connection at all, and a warning otherwise
    (supervisor/conn_aware_logger.go): so one error after the last registration is enough, wherever the log begins.
    """
    registered = since = None
    lacks: set[Lack] = set()
    for at, text in lines:
        said = _said(text)
        if said.level == "info" and _REGISTERED.match(said.message):
            registered, since = at, None
            lacks.clear()
        elif registered is not None and at <= registered + COUNTED_SECONDS:
            continue
        elif said.level == "error" and (lack := _lack(said)) is not None:
            since = at if since is None else since
            lacks.add(lack)
    return replace(look, unconnected_since=since, lacks=tuple(sorted(lacks)))


def _said(text: str) -> _Said:
    if text.startswith("{"):
        try:
            return decoder(_Said).decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return _Said()
    _, _, rest = text.partition(" ")  # cloudflared's own instant
    level, _, message = rest.partition(" ")
    return _Said(_LEVELS.get(level, ""), message, message)


def _lack(said: _Said) -> Lack | None:
    """Name what an error is about; None: about something else, as an origin that does not answer."""
    if said.message.startswith(_DIALLED):
        return Lack.QUIC if any(word in said.error for word in _UNHEARD) else Lack.EDGE
    if said.message.startswith(_REACHED):
        return Lack.EDGE
    if said.message.startswith(_TAKEN):
        return Lack.UNAUTHORIZED if "Unauthorized" in said.error else Lack.REFUSED
    return Lack.BROKEN if said.message.startswith(_SERVED) else None
