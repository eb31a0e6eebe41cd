"""The runner's ports: the logbook, whoever watches, the host's clocks, what people ask for, a run's last figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.judging import Rules
from engine.memory import Memory
from engine.turn import Turn
from journal.entries import AnyEntry, Instant, Json
from journal.row import Row


class Logbook(Protocol):
    """Where entries become durable. One commit an append; an error of it is final."""

    @property
    def epoch(self) -> int:
        """The lease under which this process appends."""

    def append(
        self,
        entries: Sequence[AnyEntry],
        *,
        checkpoint: bytes | None = None,
        lease_seconds: float | None = None,
    ) -> Sequence[Row]:
        """Write entries, all or none, and extend the lease; the rows are as every reader will see them."""

    def heartbeat(self, now: Instant) -> None:
        """Note, outside the chain, that somebody holds the lease at this world instant."""


class Watcher(Protocol):
    """Who shows the run to people. It may not fail."""

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Called after a session's first turn, and after each that changed something."""

    def wrote(self, rows: Sequence[Row]) -> None:
        """Called after each commit."""


class Clock(Protocol):
    """The host's clocks, in seconds."""

    def wall(self) -> float:
        """Time since the epoch; people and NTP may set it."""

    def monotonic(self) -> float:
        """Time that only grows and stands still while the machine sleeps."""


@dataclass(slots=True)
class Requests:
    """
    What people asked for from other terminals, as entries to write.

    *take* returns (entries, done): *done* is called once they are durable.
    """

    take: Callable[[Memory, Instant], list[tuple[AnyEntry, Callable[[], None]]]]


NO_REQUESTS = Requests(lambda _memory, _now: [])
Closing = Callable[[Instant], dict[str, Json]]


def nothing_more(_now: Instant) -> dict[str, Json]:
    """Add nothing to a closing entry."""
    return {}
