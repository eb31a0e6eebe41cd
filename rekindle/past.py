"""
A run as its journal knew it at an earlier moment: folded so far and no further, and who held it then.

Standard library and msgspec only, as everything that only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import UsageWrong
from engine.folding import fold
from engine.memory import Memory
from journal import entries as e
from journal.reader import Reader
from journal.row import Lease, Row, RunSummary
from rekindle.folding import Closed, Found
from rekindle.lines import stamp
from rekindle.moments import Moment, moment_of

NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Past:
    """
    *found* is what ``newest`` would have found then, *row* the last entry of the moment, *at* the instant asked for.

    *withdrawn*: of so many entries up to then the payload is known no more.
    """

    found: Found
    row: Row
    at: float
    withdrawn: int


@dataclass(slots=True)
class _Walk:
    """What the rows so far say."""

    learn: Callable[[e.AnyEntry], None]
    memory: Memory = field(default_factory=Memory)
    plan: dict[str, Any] = field(default_factory=dict)
    lease: Lease | None = None
    held: bool = False
    asked_by: str = ""
    closed: Closed | None = None
    withdrawn: int = 0
    last: Row | None = None

    def take(self, row: Row) -> None:
        """Know one entry more."""
        self.last = row
        entry = row.entry
        if entry is None:
            self.withdrawn += 1
            return
        self.learn(entry)
        self.memory = fold(self.memory, entry)
        match entry:
            case e.RunOpened() | e.PlanChanged():
                self.plan = entry.plan
            case e.LeaseTaken():
                self.lease, self.held = _lease(entry, row), True
            case e.LeaseLost():
                self.held = False
            case e.CancelRequested():
                self.asked_by = entry.actor
            case e.RunClosed():
                self.closed = Closed(entry.outcome.value, row.wall_ns / NANOSECONDS, self.asked_by)
            case _:
                pass


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


def past(path: Path, run_id: str | None, text: str, learn: Callable[[e.AnyEntry], None]) -> Past:
    """
    Fold a run (None: the newest) up to the moment that *text* names; *learn* is told each entry on the way.

    :raises UsageWrong: when there is no such run or no such moment.
    """
    with Reader(path) as reader:
        runs = [r for r in reader.runs() if run_id is None or r.run_id.startswith(run_id)]
        if not runs:
            raise UsageWrong(
                f"{path}: there is no such run",
                reference="no-run",
                hint="`rekindle history` lists the runs of a journal",
            )
        run = runs[-1]
        moment = moment_of(text, run.opened.at)
        _demand(run, moment, text)
        walk, following = _walked(reader.rows(run.run_id), moment, learn)
    if walk.last is None:
        raise AssertionError("a run has no first entry")
    at = walk.last.at if moment.at is None else moment.at
    held = walk.held and not _idle(following, moment)
    found = Found(walk.memory, run.opened, walk.plan, walk.lease, held, walk.last.seq, walk.closed)
    return Past(found, walk.last, at, walk.withdrawn)


def _demand(run: RunSummary, moment: Moment, text: str) -> None:
    if moment.seq is not None and not 1 <= moment.seq <= run.last_seq:
        raise _outside(run, f"it has the entries 1 to {run.last_seq}, and no {text}")
    if moment.at is not None and moment.at < run.opened.at:
        raise _outside(run, f"it was opened at {stamp(run.opened.at)}, after {text}")


def _outside(run: RunSummary, what: str) -> UsageWrong:
    return UsageWrong(
        f"run {run.run_id} has no such moment: {what}",
        reference="moment-outside",
        hint="`rekindle log` shows its entries with their instants; --run ID names another run",
    )


def _walked(
    rows: Iterable[Row], moment: Moment, learn: Callable[[e.AnyEntry], None]
) -> tuple[_Walk, Row | None]:
    """Take in what had happened by then; return it with the entry that came next."""
    walk = _Walk(learn)
    for row in rows:
        later = row.at > moment.at if moment.at is not None else row.seq > (moment.seq or 0)
        if later:
            return walk, row
        walk.take(row)
    return walk, None


def _idle(following: Row | None, moment: Moment) -> bool:
    """Say whether nobody was there: whoever came next wrote for how long there had been nobody."""
    entry = following.entry if following is not None else None
    if not isinstance(entry, e.RunResumed) or moment.at is None:
        return False
    return moment.at > entry.at - entry.idle_seconds
