"""A journal's newest run, folded: what every command that reads begins with. Standard library and msgspec only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from engine.folding import fold
from engine.memory import Memory
from journal import entries as e
from journal import files
from journal.codec import kind_of
from journal.learned import decoder
from journal.reader import Reader
from journal.row import Lease, Row

VERIFIED_ENTRIES = 2_000  # thirty milliseconds a thousand


@dataclass(frozen=True, slots=True)
class Closed:
    """How a run was closed: *at* is the host's time in seconds, *by* who asked for it (empty: nobody had to)."""

    outcome: str
    at: float
    by: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A run, folded, with the compiled plan that it is judged by; *alive*: somebody holds the lease just now."""

    memory: Memory
    opened: e.RunOpened
    plan: dict[str, Any]
    lease: Lease | None
    alive: bool | None
    last_seq: int
    closed: Closed | None = None

    @property
    def simulated(self) -> bool:
        """Say whether its cluster is a scenario's: only such a run's first entry says how to find a world again."""
        return self.opened.purpose == "rehearse" or bool(self.opened.world)


def newest(path: Path, run_id: str | None = None) -> Found | None:
    """
    Fold the newest run of a journal, or the one that is named, from its last checkpoint.

    None when there is no such file or no run in it. A short journal that nobody writes is verified before it is
    believed; a long one would take too long, and of one that grows meanwhile no reader can tell.
    """
    if run_id is None and not files.is_there(path):
        return None
    with Reader(path) as reader:
        if reader.holder_alive() is False and reader.head().id <= VERIFIED_ENTRIES:
            reader.verify()
        runs = reader.runs()
        chosen = [run for run in runs if run_id is None or run.run_id.startswith(run_id)]
        if not chosen:
            return None
        run = chosen[-1]
        memory, after = Memory(), 0
        checkpoint = reader.latest_checkpoint(run.run_id)
        if checkpoint is not None:
            after, body = checkpoint
            memory = decoder(Memory).decode(body)
        plan = run.opened.plan
        for entry in reader.entries(run.run_id, after):
            memory = fold(memory, entry)
        if memory.plan_digest != run.opened.plan_digest:
            for entry in reader.entries(run.run_id, kind=kind_of(e.PlanChanged)):
                plan = entry.plan if isinstance(entry, e.PlanChanged) else plan
        closed = _closed(reader, memory, after) if memory.outcome else None
        alive = reader.holder_alive()
        return Found(memory, run.opened, plan, run.lease, alive, run.last_seq, closed)


def opening(path: Path, run_id: str) -> list[Row]:
    """Read how a run was opened: its first entry, which is written before anybody watches it."""
    with Reader(path) as reader:
        return list(islice(reader.rows(run_id), 1))


def _closed(reader: Reader, memory: Memory, after: int) -> Closed | None:
    """Find who asked, and when it was over; the asking may lie before the last checkpoint, which is at *after*."""
    for row in reader.of_kind(memory.run_id, kind_of(e.RunClosed)):
        if isinstance(row.entry, e.RunClosed):
            outcome = row.entry.outcome.value
            asked = _asker(reader, memory, 0 if outcome == "cancelled" else after)
            return Closed(outcome, row.wall_ns / 1e9, asked)
    return None


def _asker(reader: Reader, memory: Memory, after: int) -> str:
    """Name who asked last for the end, after an entry; whether anybody did is known without looking for it."""
    by = ""
    if memory.cancel_requested:
        for entry in reader.entries(memory.run_id, after, kind=kind_of(e.CancelRequested)):
            by = entry.actor if isinstance(entry, e.CancelRequested) else by
    return by
