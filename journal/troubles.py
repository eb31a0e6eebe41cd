"""The store's errors, said once: what happened, where, and what to do next."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from journal import files, lease, opening
from journal.errors import Diagnosed, JournalFailed, LeaseHeld
from journal.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from journal.row import Lease


@contextmanager
def closing_on_error(close: Callable[[], None]) -> Iterator[None]:
    """Let go of everything if a journal cannot be opened; the first error is the one to tell."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            close()
        raise


def demand_journal(path: Path) -> None:
    """Refuse to resume what is not there, before a lock file is left beside it."""
    if not files.is_there(path):
        raise opening.missing(path)


def demand_working(failure: Diagnosed | None) -> None:
    """Refuse to go on after an error."""
    if failure is not None:
        raise JournalFailed(
            f"the journal stopped at an earlier error: {failure.message}",
            reference="journal-stopped",
            hint=failure.hint,
        ) from failure


def closed(path: Path) -> JournalFailed:
    """Say that this holder has let go: a bug of the caller."""
    return JournalFailed(
        f"{path} was closed by this process",
        reference="journal-stopped",
        hint="This is a bug of rekindle; the journal itself is sound. `rekindle resume` goes on.",
    )


def without_run(path: Path) -> JournalFailed:
    """Say that there is nothing to resume."""
    return JournalFailed(
        f"{path} holds no run",
        reference="journal-missing",
        hint="Start a run first.",
    )


def held(path: Path) -> LeaseHeld:
    """Say who may append, where, since when, and what they wrote last."""
    claim = lease.claim(path)
    who = "another process" if claim is None else str(claim)
    last = ""
    with suppress(Diagnosed), Reader(path) as reader:
        row = reader.last_row()
        if row is not None:
            at = datetime.fromtimestamp(row.wall_ns / 1e9, tz=UTC).strftime("%H:%M:%S")
            last = f"; its last entry is {row.seq} ({row.kind}) of run {row.run_id}, {at} UTC"
    return LeaseHeld(
        f"{path} is being written by {who}{last}",
        reference="lease-held",
        hint="`rekindle status` shows the run; `rekindle approve` and `rekindle cancel` reach it from here. "
        "Or end that process first.",
    )


def held_elsewhere(path: Path, row: Lease) -> LeaseHeld:
    """Say who may be going on with this run on another machine, and until when that has to be reckoned with."""
    last, ends = _clock(row.heartbeat_wall), _clock(row.expires)
    return LeaseHeld(
        f"{path} was being written by {row.holder}, since {_moment(row.since)} UTC, on another machine; its last sign "
        f"of life in this copy is of {last}, its lease ends at {ends} UTC",
        reference="lease-held",
        hint="End that session there (Ctrl-C) and copy its journal anew. If that machine is gone, wait until "
        f"{ends} UTC and call the same command again.",
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%H:%M:%S")


def stale(path: Path, epoch: int, row: Lease | None) -> LeaseHeld:
    """Say that somebody took the lease over while we thought that we had it."""
    who = "nobody" if row is None or not row.holder else f"{row.holder} under epoch {row.epoch}"
    return LeaseHeld(
        f"the lease of {path} was ours under epoch {epoch}; now it belongs to {who}",
        reference="lease-lost",
        hint="Nothing was written. Was the .lock file deleted? `rekindle status` shows who goes on.",
    )


def is_full(error: Exception) -> bool:
    """Tell a full disk from every other error: the one after which nothing is in doubt, as no write was accepted."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    return files.is_full(error) or (isinstance(code, int) and code & 0xFF == sqlite3.SQLITE_FULL)


def full(path: Path, *, written: bool) -> JournalFailed:
    """Say that the disk is full, and whether the last words are on it."""
    fate = "the last entries were still written" if written else "the last entries were not written"
    return JournalFailed(
        f"no space is left for {path}; {fate}",
        reference="journal-disk-full",
        hint="Make room on that file system (a few MiB), then `rekindle resume`.",
    )


def failed(path: Path, error: Exception) -> JournalFailed:
    """Translate what SQLite, SQLAlchemy or the system says."""
    if is_full(error):
        return full(path, written=False)
    original = getattr(error, "orig", None) or error
    return JournalFailed(
        f"cannot write to {path}: {original}",
        reference="journal-write-failed",
        hint="Check the disk. The run can be resumed from what was written before.",
    )
