"""The journal that a run would write: its folder, its file system, its settings, and the clock that stamps it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from journal import filesystem
from journal.errors import Diagnosed
from journal.reader import Reader
from rekindle.doctor.check import EVERYTHING, Check, Verdict, ok, unknown, warning
from rekindle.doctor.disk import nearest
from rekindle.there import is_folder, is_there, may_be_there

if TYPE_CHECKING:
    from rekindle.doctor.host import Host

VERIFIED_ENTRIES = 2_000  # thirty milliseconds a thousand
SKEW_SECONDS = 60.0
_HEADER_BYTES, _FORMAT, _WAL = 20, slice(18, 20), b"\x02\x02"  # sqlite.org/fileformat.html 1.3.3
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Found:
    """
    A journal as it is. *trouble*: reference, message and hint of why it cannot be used (None: it can).

    *held*: somebody writes it now (None: nobody may look); *last*: the wall second of its last entry.
    """

    trouble: tuple[str, str, str] | None = None
    held: bool | None = False
    entries: int = 0
    verified: bool = False
    last: float | None = None
    ahead: bool = True
    private: bool = True


def rows(host: Host, path: Path) -> list[Check]:
    """Look at the folder and, if there is one, at the journal."""
    folder = nearest(path.parent)
    rows_of_folder = [
        place(str(path.parent), host.filesystem(folder)),
        writable(
            str(path.parent), may_write=os.access(folder, os.W_OK | os.X_OK), file=_in_the_way(path)
        ),
    ]
    if not may_be_there(path):
        return [*rows_of_folder, ok("journal.file", str(path), "not there yet; a run makes it")]
    found = gathered(path)
    return [
        *rows_of_folder,
        *judged(str(path), found),
        clock(str(path), found.last, host.now()),
    ]


def _in_the_way(path: Path) -> str:
    """Name the file that stands where a folder would have to be; empty: none does."""
    first = next((one for one in path.parents if is_there(one)), path.parent)
    return "" if is_folder(first) else str(first)


def gathered(path: Path) -> Found:
    """Read it; a short one that nobody writes is verified as a whole."""
    try:
        with Reader(path) as reader:
            held, head, last = reader.holder_alive(), reader.head(), reader.last_row()
            verified = held is False and head.id <= VERIFIED_ENTRIES
            if verified:
                reader.verify()
    except Diagnosed as error:
        return Found((error.reference, error.message, error.hint))
    wall = last.wall_ns / 1e9 if last is not None else None
    return Found(None, held, head.id, verified, wall, _is_ahead(path), _is_private(path))


def _is_ahead(path: Path) -> bool:
    """
    Say whether SQLite would write ahead.

    Whoever closes the file loses every lock that its process has on it (fcntl(2); "How To Corrupt An SQLite Database
    File", 2.2). Only the command `doctor` comes here, which holds no journal, and after its reader has let go: a
    session's preflight leaves this family out (``examine.preflight``).
    """
    with suppress(OSError), path.open("rb") as file:
        return file.read(_HEADER_BYTES)[_FORMAT] == _WAL
    return False


def _is_private(path: Path) -> bool:
    with suppress(OSError):
        return not stat.S_IMODE(path.stat().st_mode) & _OTHERS
    return True


def place(folder: str, kind: str) -> Check:
    """Judge the kind of file system: over a network SQLite's locks seem to work, and lose data."""
    name = "journal.filesystem"
    if not kind:
        todo = "see that it is a local disk (`df -T`, `mount`)"
        return ok(name, folder, f"this system does not name its kind; {todo}")
    if filesystem.is_shared(kind):
        said = f"is of type {kind}: two hosts could write to it at once, unseen"
        todo = "put the journal on a local disk: --journal FILE, or set XDG_STATE_HOME"
        return Check(name, folder, Verdict.RED, said, todo, EVERYTHING)
    return ok(name, folder, kind)


def writable(folder: str, *, may_write: bool, file: str = "") -> Check:
    """Judge whether a journal can be written there; *file* stands where a folder would have to be."""
    if file:
        todo = "take another folder with --journal FILE, or set XDG_STATE_HOME"
        said = f"cannot be made: {file} is no folder"
        return Check("journal.folder", folder, Verdict.RED, said, todo, EVERYTHING)
    if may_write:
        return ok("journal.folder", folder, "can be written")
    todo = f"give yourself the right to write to {folder}, or take another with --journal FILE"
    return Check("journal.folder", folder, Verdict.RED, "cannot be written", todo, EVERYTHING)


def judged(path: str, found: Found) -> list[Check]:
    """Judge a journal that is there."""
    name = "journal.file"
    if found.trouble is not None:
        reference, message, hint = found.trouble
        todo = f"{hint} (docs/errors/{reference}.md)"
        return [Check(name, path, Verdict.RED, f"{reference}: {message}", todo, EVERYTHING)]
    if found.held is None:
        todo = "run as the user whose journal it is"
        return [unknown(name, path, "whether somebody writes it may not be looked at", todo)]
    if found.held:
        todo = "`rekindle status` says who; a second run would be refused as long as that one lives"
        return [warning(name, path, f"{found.entries} entries; somebody writes it now", todo)]
    whole = "whole" if found.verified else "not verified: `rekindle log --verify` does"
    return [ok(name, path, f"{found.entries} entries, {whole}"), *_settings(path, found)]


def _settings(path: str, found: Found) -> list[Check]:
    name = "journal.settings"
    if not found.ahead:
        todo = "leave the file to rekindle alone: the next run sets it again, and refuses a disk that cannot"
        return [
            warning(name, path, "has no write-ahead log: another tool has changed its mode", todo)
        ]
    if not found.private:
        todo = f"chmod 600 {path}: a journal tells much of a cluster"
        return [warning(name, path, "others on this machine may read it", todo)]
    return [ok(name, path, "write-ahead log, private; commits of a real run are synced in full")]


def clock(path: str, last: float | None, now: float) -> Check:
    """Hold this host's clock against the last entry: time does not go back."""
    name = "journal.clock"
    if last is None or last <= now + SKEW_SECONDS:
        return ok(name, "clock", f"{_spelled(now)}, not before the journal's last entry")
    said = f"{_spelled(now)} here, and the last entry of {path} was written at {_spelled(last)}"
    todo = (
        "set this machine's clock (`timedatectl`, NTP): deadlines and certificates are judged by it"
    )
    return warning(name, "clock", said, todo)


def _spelled(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
