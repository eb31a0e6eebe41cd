"""
A run as its journal knew it at an earlier moment: folded so far and no further, and who held it then.

Standard library and msgspec only, as everything that only reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from engine.errors import UsageWrong
from engine.folding import fold
from engine.memory import Memory
from journal import entries as e
from journal.reader import Reader
from journal.row import Lease, Row, RunSummary
from rekindle.folding import Closed, Found
from rekindle.moments import Moment, moment_of
from rekindle.runs import pick
from rekindle.spans import stamp

NANOSECONDS = 1e9
_SEEN = e.Observed | e.FindingsChanged | e.TimerFired  # what a turn begins with


@dataclass(frozen=True, slots=True)
class Past:
    """
    *found* is what ``newest`` would have found then, *row* the last entry of the moment, *at* the instant asked for.

    *withdrawn*: of so many entries up to then the payload is known no more. *turn*: the last entry of the turn that
    this one is in the middle of (None: it ends one): what was seen in it was not decided upon yet.
    """

    found: Found
    row: Row
    at: float
    withdrawn: int
    turn: int | None = None


class Known(Struct, frozen=True):
    """What the entries so far say, up to *seq*; *by* asked for the end, *withdrawn* of them cannot be read any more."""

    seq: int = 0
    memory: Memory = Memory()
    plan: dict[str, Any] = {}
    lease: Lease | None = None
    held: bool = False
    by: str = ""
    closed: Closed | None = None
    withdrawn: int = 0

    def after(self, row: Row) -> Known:
        """Return what is known one entry later."""
        entry = row.entry
        if entry is None:
            return replace(self, seq=row.seq, withdrawn=self.withdrawn + 1)
        then = replace(self, seq=row.seq, memory=fold(self.memory, entry))
        match entry:
            case e.RunOpened() | e.PlanChanged():
                return replace(then, plan=entry.plan)
            case e.LeaseTaken():
                return replace(then, held=True, lease=_lease(entry, row))
            case e.LeaseLost():
                return replace(then, held=False)
            case e.CancelRequested():
                return replace(then, by=entry.actor)
            case e.RunClosed():
                at = row.wall_ns / NANOSECONDS
                return replace(then, closed=Closed(entry.outcome.value, at, self.by))
            case _:
                return then

    def found(self, opened: e.RunOpened) -> Found:
        """Return what ``newest`` would have found then."""
        return Found(self.memory, opened, self.plan, self.lease, self.held, self.seq, self.closed)


def _lease(entry: e.LeaseTaken, row: Row) -> Lease:
    wall = row.wall_ns / NANOSECONDS
    return Lease(
        epoch=entry.epoch,
        holder=entry.holder,
        host="",
        pid=0,
        boot_id="",
        since=wall,
        expires=wall,
        heartbeat_wall=wall,
        heartbeat_world=entry.at,
    )


def past(path: Path, run_id: str | None, text: str) -> Past:
    """
    Fold a run (None: the newest) up to the moment that *text* names.

    :raises UsageWrong: when there is no such run or no such moment.
    """
    with Reader(path) as reader:
        run = pick(reader.runs(), path, run_id)
        moment = moment_of(text, run.opened.at)
        _demand(run, moment, text)
        rows = iter(reader.rows(run.run_id))
        known, last, following = _walked(rows, moment)
        turn = _turn_of(last, following, rows)
    if last is None:
        raise AssertionError("a run has no first entry")
    if _idle(following, moment):
        known = replace(known, held=False)
    at = last.at if moment.at is None else moment.at
    return Past(known.found(run.opened), last, at, known.withdrawn, turn)


def _demand(run: RunSummary, moment: Moment, text: str) -> None:
    if moment.seq is not None and not 1 <= moment.seq <= run.last_seq:
        raise _outside(run, f"it has the entries 1 to {run.last_seq}, and no {text}")
    if moment.at is not None and moment.is_before(1, run.opened.at):
        raise _outside(run, f"it was opened at {stamp(run.opened.at)}, after {text}")


def _outside(run: RunSummary, what: str) -> UsageWrong:
    return UsageWrong(
        f"run {run.run_id} has no such moment: {what}",
        reference="moment-outside",
        hint="`rekindle log` shows its entries with their instants; --run ID names another run",
    )


def _walked(rows: Iterable[Row], moment: Moment) -> tuple[Known, Row | None, Row | None]:
    """Take in what had happened by then; return it with the last entry of it and the one that came next."""
    known, last = Known(), None
    for row in rows:
        if moment.is_before(row.seq, row.at):
            return known, last, row
        known, last = known.after(row), row
    return known, last, None


def begins(row: Row, instant: float) -> bool:
    """
    Say whether an entry begins another turn than that of *instant*.

    A turn is committed as a whole: between what it saw and what it decided there never was a moment to look at.
    """
    entry = row.entry
    return row.at != instant or (isinstance(entry, e.Observed) and entry.part == 1)


def _turn_of(last: Row | None, following: Row | None, rows: Iterable[Row]) -> int | None:
    """Return where the turn ends of which *last* is in the middle."""
    entry = last.entry if last is not None else None
    if last is None or following is None or not isinstance(entry, _SEEN):
        return None
    if begins(following, last.at):
        return None
    ends = following.seq
    for row in rows:
        if begins(row, last.at):
            break
        ends = row.seq
    return ends


def _idle(following: Row | None, moment: Moment) -> bool:
    """Say whether nobody was there: whoever came next wrote for how long there had been nobody."""
    entry = following.entry if following is not None else None
    if not isinstance(entry, e.RunResumed) or moment.at is None:
        return False
    return moment.at > entry.at - entry.idle_seconds
