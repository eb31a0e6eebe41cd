"""
Instants that only grow, where the host's clock was set back in the middle of a run.

The journal's instants are then of two clocks: what came later may look earlier, and a span across the jump would be
negative. Whoever orders or subtracts takes a run's rows through a ``SteadyClock`` first: from the jump on, instants go
on where those before it ended. What the journal says stays in each of them, and that is what people are shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from msgspec.structs import replace

from journal import entries as e
from journal.codec import kind_of
from journal.entries import Fact, Finding, Instant
from journal.row import Row

JUMPED = kind_of(e.ClockJumped)
_HAIR = 1e-6  # a sum of floats that is a hair above a second is that second

_Dated = TypeVar("_Dated", Fact, Finding)


class Steady(float):
    """An instant that goes on where the clock was set back; *written* is what the journal says of it."""

    __slots__ = ("written",)

    written: Instant

    def __new__(cls, instant: Instant, written: Instant) -> Self:
        """Keep both."""
        found = super().__new__(cls, instant)
        found.written = written
        return found


def as_written(instant: Instant) -> Instant:
    """Return what the journal says of an instant, and what a clock showed."""
    return instant.written if isinstance(instant, Steady) else instant


def encoded(value: object) -> Instant:
    """Write an instant into a document as the journal says it (an ``enc_hook`` of msgspec)."""
    if isinstance(value, Steady):
        return value.written
    raise NotImplementedError(type(value).__name__)


def onward(last: Instant, now: Instant) -> Instant:
    """Return when it is *now*, an instant that a clock shows after the entry of *last*; never earlier than that."""
    if isinstance(last, Steady) and not isinstance(now, Steady):
        return last + max(0.0, now - last.written)
    return max(last, now)


@dataclass(frozen=True, slots=True)
class SetBack:
    """
    Entry *seq* tells that the clock was set back by *seconds*.

    From *at* on, which it showed as *written*, instants are put *ahead* by so many seconds in all.
    """

    seq: int
    at: Instant
    written: Instant
    seconds: float
    ahead: float


@dataclass(slots=True)
class SteadyClock:
    """
    Fed with the rows of a run in their order; a run whose clock was never set back has its rows as they are.

    They are put ahead by whole seconds, so that fractions are cut off where they were, and what is printed adds up.
    """

    jumps: list[SetBack] = field(default_factory=list)
    _last: Instant = 0.0

    @property
    def ahead(self) -> float:
        """How far instants are put ahead by now."""
        return self.jumps[-1].ahead if self.jumps else 0.0

    def see(self, row: Row) -> Row:
        """Take in the next row; return it with instants that only grow."""
        if row.kind == JUMPED or isinstance(row.entry, e.ClockJumped):
            self._jump(row)
        if not self.jumps:
            self._last = max(self._last, row.at)
            return row
        at = self._last = self.of(row.at)
        entry = row.entry
        return replace(row, at=at, entry=None if entry is None else self._entry(entry, at))

    def of(self, written: Instant) -> Instant:
        """Return the instant that the clock shows now as *written*."""
        if not self.jumps:
            return written
        return Steady(max(self._last, written + self.ahead), written)

    def told(self, instant: Instant) -> Instant:
        """Put to an instant that was reckoned from steady ones what the clock showed then."""
        if isinstance(instant, Steady):
            return instant
        past = next((one for one in reversed(self.jumps) if one.at <= instant), None)
        return instant if past is None else Steady(instant, instant - past.ahead)

    def _jump(self, row: Row) -> None:
        entry = row.entry
        back = self._last - row.at - self.ahead  # all that is known where the entry was withdrawn
        if isinstance(entry, e.ClockJumped):
            back = -entry.seconds
        if back <= 0:
            return
        ahead = self.ahead + math.ceil(back - _HAIR)
        at = max(self._last, row.at + ahead)
        self.jumps.append(SetBack(row.seq, at, row.at, back, ahead))

    def _since(self, instant: Instant | None) -> Instant | None:
        """Put ahead what is of the clock as it was set; what is earlier than that may be of the cluster's own."""
        if instant is None:
            return None
        past = next((one for one in reversed(self.jumps) if one.written <= instant), None)
        return instant if past is None else Steady(instant + past.ahead, instant)

    def _named(self, instant: Instant | None, seq: int) -> Instant | None:
        """Put ahead what a person says of an earlier entry: it is of the clock of that entry."""
        ahead = next((one.ahead for one in reversed(self.jumps) if one.seq <= seq), 0.0)
        return instant if instant is None or not ahead else Steady(instant + ahead, instant)

    def _entry(self, entry: e.AnyEntry, at: Instant) -> e.AnyEntry:
        news: dict[str, Any] = {}
        match entry:
            case e.Observed() | e.FindingsChanged():
                changed: dict[str, Any] = dict(entry.changed)
                news["changed"] = {name: self._dated(one) for name, one in changed.items()}
            case e.TimerSet() | e.TimerFired() | e.RetryScheduled():
                news["due"] = self._since(entry.due)
            case e.Note():
                news["said"] = self._named(entry.said, entry.corrects)
                news["time"] = self._named(entry.time, entry.corrects)
            case e.ClockJumped() if entry.seconds < 0:
                # Nothing of what is remembered has to be moved back any more.
                news["seconds"] = Steady(0.0, entry.seconds)
            case _:
                pass
        return replace(entry, at=at, **news)

    def _dated(self, one: _Dated) -> _Dated:
        since = self._since(one.since)
        return one if since == one.since else replace(one, since=since)


def steady(rows: Iterable[Row]) -> Iterator[Row]:
    """Return the rows of a run, from the first, with instants that only grow."""
    clock = SteadyClock()
    return map(clock.see, rows)
