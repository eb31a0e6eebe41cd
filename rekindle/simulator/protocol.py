"""
What client and server of a simulated world say to each other: frames of MessagePack, each with its length before it.

The server answers every request with one ``Response``, and says ``Welcome`` or ``Refusal`` first. Only
``Interrupt`` has no answer of its own: it makes the ``next`` that is under way return.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

import msgspec

from engine.world import Intent, Question, Reply, Settlement
from journal.entries import Instant
from phases.snapshot import ApiLook, Holder, KubeconfigLook, NodeLook, Seen, Unseen

_LENGTH = struct.Struct(">I")
LONGEST_FRAME = 64 * 1024 * 1024
PATH_LIMIT = 100  # a Unix socket with a path of 108 characters does not bind


class Frame(msgspec.Struct, frozen=True, tag_field="t", omit_defaults=True):
    """A message."""


class Look(Frame, frozen=True, tag="look"):
    """Ask for what changed since the last look over this connection."""


class Start(Frame, frozen=True, tag="start"):
    """Begin an action."""

    intent: Intent


class Adopt(Frame, frozen=True, tag="adopt"):
    """Take over an action of an earlier client."""

    intent: Intent


class Ask(Frame, frozen=True, tag="ask"):
    """Tell the scenario's operator of a question."""

    question: Question


class Expects(Frame, frozen=True, tag="expects"):
    """Ask whether the scenario has an event that is still to come."""


class Next(Frame, frozen=True, tag="next"):
    """Let time pass."""

    until: Instant | None = None


class Interrupt(Frame, frozen=True, tag="interrupt"):
    """Make the ``next`` that is under way return."""


class Summary(Frame, frozen=True, tag="summary"):
    """Ask for the counters and the digest of the state."""


class Shutdown(Frame, frozen=True, tag="shutdown"):
    """The run is closed: end."""


Request = Look | Start | Adopt | Ask | Expects | Next | Interrupt | Summary | Shutdown


class Welcome(Frame, frozen=True, tag="welcome"):
    """The world is yours until you hang up."""

    world: str
    cluster: str
    now: Instant


class Refusal(Frame, frozen=True, tag="refusal"):
    """Somebody else is connected."""

    message: str


class Changed(msgspec.Struct, frozen=True):
    """What changed of one kind: objects by key, and keys that are gone. *value* holds objects of that kind."""

    value: msgspec.Raw
    removed: tuple[str, ...] = ()


class Delta(msgspec.Struct, frozen=True, omit_defaults=True):
    """A look, without what is as it was. *unseen*: no objects can be seen at all."""

    nodes: dict[str, Seen[NodeLook] | Unseen]
    api: Seen[ApiLook] | Unseen
    kubeconfig: Seen[KubeconfigLook] | Unseen
    revision: str
    unseen: Unseen | None = None
    kinds: dict[str, Changed] = {}
    holders: dict[str, tuple[Holder, ...]] | None = None
    probes: dict[str, Seen[int] | Unseen] = {}


class Response(Frame, frozen=True, tag="response"):
    """An answer: the world's time, and what was asked for."""

    now: Instant
    settlements: tuple[Settlement, ...] = ()
    changed: bool = False
    replies: tuple[Reply, ...] = ()
    look: Delta | None = None
    summary: dict[str, Any] | None = None
    yes: bool = False


Answer = Welcome | Refusal | Response
ENCODER = msgspec.msgpack.Encoder()
REQUESTS: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def send(connection: socket.socket, frame: Frame) -> None:
    """Send one frame."""
    body = ENCODER.encode(frame)
    connection.sendall(_LENGTH.pack(len(body)) + body)


def receive(connection: socket.socket) -> bytes | None:
    """Return the body of the next frame; None at the end."""
    head = _exactly(connection, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    return _exactly(connection, length) if length <= LONGEST_FRAME else None


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
