"""
What talosctl prints, taken apart: JSON where there is some, text tables by their header, errors by their gRPC code.

Nothing else of talosctl's output is trusted: not its sentences, and not its exit code where many nodes were asked.
"""

from __future__ import annotations

import re

import msgspec

from journal.learned import decoder

UNAVAILABLE = "Unavailable"
Diagnostics = tuple[tuple[str, str], ...]  # id and message of each
_CODE = re.compile(r"code = ([A-Za-z]+)")
_END = b"\n}\n"  # of a document in a stream of indented JSON
_COLUMN = re.compile(r"\S+(?: \S+)*")
_UNKNOWN_AUTHORITY = "certificate signed by unknown authority"
_CERTIFICATE_REQUIRED = "certificate required"
# Said by the dialler, before a byte of the call was sent.
_NOT_SENT = ("connection refused", "no route to host", "network is unreachable")

# Sentences of Talos that say more than their code (v1.12 v1alpha1_server.go, Bootstrap), and what they mean. They are
# told to people; what came of a call is never read in them.
_MEANING = {
    "bootstrap is not available yet": "Talos has not come that far in its boot",
    "bootstrap can only be performed on a control plane node": "its configuration is a worker's",
    "time is not in sync yet": "its clock comes first",
}


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
    """
    The etcd service's own view of itself. *state*: empty where there is no such service, None: not told.

    *healthy* and *failing* are both false until its health was first asked for.
    """

    state: str | None = ""
    healthy: bool = False
    failing: bool = False


class Members(msgspec.Struct, frozen=True):
    """Etcd's member list: host names, which of them are learners, and the members' ids in the same order."""

    names: tuple[str, ...]
    learners: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


class EtcdStatus(msgspec.Struct, frozen=True):
    """What a member says of itself. *leader*: empty: it knows of none, None: it did not tell."""

    member_id: str = ""
    leader: str | None = None
    term: int = 0
    db_size: str = ""


class _Identity(msgspec.Struct, frozen=True):
    """Of a resource's metadata what tells it from others of its kind."""

    id: str


class _Message(msgspec.Struct, frozen=True):
    """The spec of a diagnostic; its details hold names and addresses, and are not read."""

    message: str = ""


class _Diagnostic(msgspec.Struct, frozen=True):
    """What Talos finds wrong with its machine."""

    metadata: _Identity
    spec: _Message


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


def diagnostics(stdout: bytes) -> Diagnostics:
    """Read ``get diagnostics -o json``: id and message of each, and no output at all where nothing is wrong."""
    documents = (text + _END for text in stdout.split(_END) if text.strip())
    try:
        read = [decoder(_Diagnostic).decode(document) for document in documents]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise NotUnderstood(f"not diagnostics: {type(error).__name__}") from error
    return tuple(sorted((one.metadata.id, one.spec.message) for one in read))


def _first_document(stdout: bytes) -> bytes:
    """Cut a stream of indented JSON documents after the first."""
    end = stdout.find(_END)
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
    health = fields.get("HEALTH")
    return EtcdService(fields["STATE"], healthy=health == "OK", failing=health == "Fail")


def etcd_members(stdout: str) -> Members:
    """Read ``etcd members``; the columns are found by the header, a member that never started has no host name."""
    rows = table(stdout)
    if not rows or not {"HOSTNAME", "LEARNER"} <= rows[0].keys():
        raise NotUnderstood("etcd members: no columns HOSTNAME and LEARNER")
    names = tuple(row["HOSTNAME"] for row in rows)
    learners = tuple(row["HOSTNAME"] for row in rows if row["LEARNER"] == "true")
    ids = tuple(row["ID"] for row in rows) if "ID" in rows[0] else ()
    return Members(names, learners, ids)


def etcd_status(stdout: str) -> EtcdStatus:
    """Read ``etcd status`` of one member; an id of noughts is nobody's."""
    rows = table(stdout)
    if len(rows) != 1 or not {"MEMBER", "LEADER"} <= rows[0].keys():
        raise NotUnderstood("etcd status: not one row with columns MEMBER and LEADER")
    row = rows[0]
    term = row.get("RAFT TERM", "")
    return EtcdStatus(
        member_id=row["MEMBER"],
        leader=row["LEADER"].strip("0") and row["LEADER"],
        term=int(term) if term.isdigit() else 0,
        db_size=row.get("DB SIZE", ""),
    )


def etcd_alarms(stdout: str) -> tuple[str, ...]:
    """Read ``etcd alarm list``, which prints nothing at all where there is none."""
    rows = table(stdout)
    if rows and "ALARM" not in rows[0]:
        raise NotUnderstood("etcd alarm list: no column ALARM")
    return tuple(sorted({row["ALARM"] for row in rows} - {"NONE", ""}))


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


def meaning(stderr: str) -> str:
    """Put a refusal that is known by its words into a sentence (empty: it is not known); other words are not kept."""
    return next((f"{said}: {means}" for said, means in _MEANING.items() if said in stderr), "")


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
