"""
What talosctl prints, taken apart: JSON where there is some, text tables by their header, errors by their gRPC code.

Nothing else of talosctl's output is trusted: not its sentences, and not its exit code where many nodes were asked.
"""

from __future__ import annotations

import re

import msgspec

from journal.learned import decoder

UNAVAILABLE = "Unavailable"
_CODE = re.compile(r"code = ([A-Za-z]+)")
_COLUMN = re.compile(r"\S+(?: \S+)*")
_UNKNOWN_AUTHORITY = "certificate signed by unknown authority"
_CERTIFICATE_REQUIRED = "certificate required"
# Said by the dialler, before a byte of the call was sent.
_NOT_SENT = ("connection refused", "no route to host", "network is unreachable")


class NotUnderstood(Exception):  # noqa: N818  it is said of a text
    """The text is not what this talosctl was known to print."""


class Unmet(msgspec.Struct, frozen=True):
    """An unmet condition."""

    name: str = ""
    reason: str = ""


class StageStatus(msgspec.Struct, frozen=True, rename="camel"):
    """See MachineStatus."""

    ready: bool = False
    unmet_conditions: tuple[Unmet, ...] | None = None


class MachineStatus(msgspec.Struct, frozen=True):
    """The spec of the resource machinestatus."""

    stage: str
    status: StageStatus = StageStatus()


class SystemInformation(msgspec.Struct, frozen=True):
    """The spec of the resource systeminformation."""

    uuid: str = ""


class Version(msgspec.Struct, frozen=True):
    """The spec of the resource version."""

    version: str = ""


class EtcdService(msgspec.Struct, frozen=True):
    """The etcd service's own view of itself. *state*: empty where there is no such service, None: not told."""

    state: str | None = ""
    healthy: bool = False


class Members(msgspec.Struct, frozen=True):
    """Etcd's member list: host names, and which of them are learners."""

    names: tuple[str, ...]
    learners: tuple[str, ...] = ()


class _Resource(msgspec.Struct, frozen=True):
    """What ``get -o json`` prints for a resource; a stream of these, not a list."""

    spec: msgspec.Raw


def spec_of(stdout: bytes, kind: type[msgspec.Struct]) -> msgspec.Struct:
    """Decode the spec of the first resource in the output of ``get -o json``."""
    try:
        resource = decoder(_Resource).decode(_first_document(stdout))
        return decoder(kind).decode(resource.spec)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        why = f"not a resource of kind {kind.__name__}: {type(error).__name__}"
        raise NotUnderstood(why) from error


def _first_document(stdout: bytes) -> bytes:
    """Cut a stream of indented JSON documents after the first."""
    end = stdout.find(b"\n}\n")
    return stdout if end < 0 else stdout[: end + 2]


def etcd_service(stdout: str) -> EtcdService:
    """Read ``service etcd``: a name and a value a line."""
    fields: dict[str, str] = {}
    for line in stdout.splitlines():
        name, _, value = line.partition("  ")
        if name.strip():
            fields.setdefault(name.strip(), value.strip())
    if "STATE" not in fields:
        raise NotUnderstood("service etcd: no line STATE")
    return EtcdService(state=fields["STATE"], healthy=fields.get("HEALTH") == "OK")


def etcd_members(stdout: str) -> Members:
    """Read ``etcd members``; the columns are found by the header, a member that never started has no host name."""
    rows = table(stdout)
    if not rows or not {"HOSTNAME", "LEARNER"} <= rows[0].keys():
        raise NotUnderstood("etcd members: no columns HOSTNAME and LEARNER")
    names = tuple(row["HOSTNAME"] for row in rows)
    return Members(names, tuple(row["HOSTNAME"] for row in rows if row["LEARNER"] == "true"))


def table(text: str) -> list[dict[str, str]]:
    """Split a text table at the places where its header's words begin."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    starts = [(found.start(), found.group()) for found in _COLUMN.finditer(lines[0])]
    ends = [start for start, _ in starts[1:]] + [None]
    return [
        {name: line[start:end].strip() for (start, name), end in zip(starts, ends, strict=True)}
        for line in lines[1:]
    ]


def grpc_code(stderr: str) -> str:
    """Return the last gRPC code that was named: the innermost, which is the node's own (empty: none)."""
    found = _CODE.findall(stderr)
    return found[-1] if found else ""


def was_not_sent(stderr: str) -> bool:
    """Tell whether the call certainly never reached the node."""
    return grpc_code(stderr) == UNAVAILABLE and any(text in stderr for text in _NOT_SENT)


def is_not_registered(stderr: str) -> bool:
    """Tell whether talosctl says that the node has no such service."""
    return "is not registered" in stderr


def is_foreign(stderr: str) -> bool:
    """Tell whether the node has a certificate of other secrets than ours."""
    return _UNKNOWN_AUTHORITY in stderr


def wants_certificate(stderr: str) -> bool:
    """Tell whether the node refused us for want of a client certificate."""
    return _CERTIFICATE_REQUIRED in stderr
