"""
Rows of a journal: as people and the engine read them, and as the chain sees them.

A payload may be withdrawn, so that a row can be without its entry; it never loses its place.
"""

from __future__ import annotations

import msgspec

from journal.entries import AnyEntry, Instant, RunOpened, RunOutcome


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """
    One entry at its place.

    *id* counts over the file and *seq* over the run, both from 1 and without gaps; *at* is world time in seconds,
    *wall_ns* the writing host's clock in nanoseconds. *entry* is None once its payload was withdrawn.
    """

    id: int
    run_id: str
    seq: int
    kind: str
    at: Instant
    wall_ns: int
    epoch: int
    entry: AnyEntry | None


class Record(msgspec.Struct, frozen=True):
    """The columns of an entry, as stored and in their order, with the payload's bytes (None: withdrawn, or lost)."""

    id: int
    run_id: str
    seq: int
    kind: str
    at: float
    wall_ns: int
    monotonic_ns: int
    boot_id: str
    epoch: int
    version: int
    payload_digest: bytes
    previous: bytes
    hash: bytes
    body: bytes | None


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where a chain ends: the last entry's id and hash. An empty journal ends at its genesis, with id 0."""

    id: int
    hash: bytes


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """
    Who may append, as the journal tells it. Whether that process lives, only the OS lock knows.

    *since*, *expires* and *heartbeat_wall* are wall seconds since the epoch, *heartbeat_world* is world time; the
    holder is empty after a clean release.
    """

    epoch: int
    holder: str
    host: str
    pid: int
    boot_id: str
    since: float
    expires: float
    heartbeat_wall: float
    heartbeat_world: float


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """
    A run in one line. *outcome* is None while it is open; *lease* is of the file, on its newest run only.

    *closed_at* is when it was closed: notes may follow.
    """

    run_id: str
    opened: RunOpened
    first_id: int
    last_id: int
    last_seq: int
    last_at: Instant
    last_kind: str
    outcome: RunOutcome | None
    lease: Lease | None
    closed_at: Instant | None = None

    @property
    def ended_at(self) -> Instant:
        """When it was closed; of an open run, its latest entry."""
        return self.last_at if self.closed_at is None else self.closed_at
