"""What the pictures are drawn from: plain values with instants in world time, in seconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Look(StrEnum):
    """How a bar is filled: each has a pattern of its own, so that paper in black and white tells them apart."""

    STATE = "state"
    DONE = "done"
    FAILED = "failed"
    DOUBT = "doubt"  # nobody learned whether it happened
    OPEN = "open"
    PERSON = "person"
    NOBODY = "nobody"


# What a legend says of each, and which is worst when bars are drawn as one.
SAID = {
    Look.STATE: "state",
    Look.DONE: "done",
    Look.FAILED: "failed",
    Look.DOUBT: "outcome in doubt",
    Look.OPEN: "still open",
    Look.PERSON: "a person was asked",
    Look.NOBODY: "no session",
}
WORST_FIRST = (Look.DOUBT, Look.FAILED, Look.OPEN, Look.NOBODY, Look.PERSON, Look.DONE, Look.STATE)


@dataclass(frozen=True, slots=True)
class Level:
    """From *at* on *ready* of *expected* pods were Ready; None: nobody could tell."""

    at: float
    ready: int | None
    expected: int | None


@dataclass(frozen=True, slots=True)
class Phase:
    """A stay in a state."""

    name: str
    begun: float
    ended: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was done at an instant."""

    at: float
    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that lasted. *label* stands beside it where it has room, *hint* is the whole story."""

    begun: float
    ended: float
    label: str
    hint: str
    look: Look


@dataclass(frozen=True, slots=True)
class Row:
    """Bars of one kind; those that overlap lie in lanes of their own."""

    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """
    An object of the blocked-by graph; *root*: nothing explains it.

    *held* is how much is known to be behind it, if that is more than the graph shows.
    """

    id: str
    label: str
    kind: str
    note: str = ""
    root: bool = False
    held: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """*blocker* held *blocked* up; both are ids of nodes."""

    blocker: str
    blocked: str
