"""
The log of a simulated world: every command it was given, written before it is obeyed.

The same scenario, seed and commands make the same world; so the log is all that has to survive its process.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.world import Intent, Question
from journal.entries import Instant
from rekindle.simulator.errors import WorldBusy, WorldGone

SCHEMA = "rekindle.world/1"


class Line(msgspec.Struct, frozen=True, tag_field="op", omit_defaults=True, kw_only=True):
    """A command, given at the world instant *now*."""

    now: Instant


class Opened(Line, frozen=True, kw_only=True, tag="opened"):
    """The first line: which world this is. *digest* covers the scenario and its tree."""

    schema: str
    world: str
    scenario: str
    seed: int
    digest: str
    faults: dict[str, Any] = {}


class Connected(Line, frozen=True, kw_only=True, tag="connected"):
    """A client came; what an earlier one waited for is lost."""


class Started(Line, frozen=True, kw_only=True, tag="start"):
    """An action began."""

    intent: Intent


class Adopted(Line, frozen=True, kw_only=True, tag="adopt"):
    """An action was taken over."""

    intent: Intent


class Asked(Line, frozen=True, kw_only=True, tag="ask"):
    """The scenario's operator was asked."""

    question: Question


class Passed(Line, frozen=True, kw_only=True, tag="next"):
    """Time passes."""

    until: Instant | None = None


class Paused(Line, frozen=True, kw_only=True, tag="pause"):
    """The ``next`` of the line before ended here: its client hung up, or interrupted it."""


AnyLine = Opened | Connected | Started | Adopted | Asked | Passed | Paused
_DECODER: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)


@dataclass
class WorldLog:
    """An open log; nobody else may write to it."""

    descriptor: int

    @classmethod
    def open(cls, path: Path) -> tuple[WorldLog, list[AnyLine]]:
        """Open or create a log; return it and what it holds. A line that was cut short was never obeyed."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise WorldBusy(
                f"another process holds the world of {path.name}",
                reference="world-busy",
                hint="it ends by itself a minute after its run has ended",
            ) from error
        whole = path.read_bytes()
        end = whole.rfind(b"\n") + 1
        if end != len(whole):
            os.ftruncate(descriptor, end)
        return cls(descriptor), [_line(path, raw) for raw in whole[:end].splitlines()]

    def append(self, line: AnyLine) -> None:
        """Write a line, in one piece."""
        os.write(self.descriptor, msgspec.json.encode(line) + b"\n")


def _line(path: Path, raw: bytes) -> AnyLine:
    try:
        return _DECODER.decode(raw)
    except msgspec.ValidationError as error:
        raise WorldGone(
            f"{path.name} is not the log of a world that this rekindle can rebuild: {error}",
            reference="world-log-unreadable",
            hint="begin the rehearsal again",
        ) from error
