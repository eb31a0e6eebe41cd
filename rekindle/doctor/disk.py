"""Room for the journal and for what is made by the way: a full disk ends a recovery in its middle."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rekindle.doctor.check import EVERYTHING, Check, Verdict, ok, unknown, warning
from rekindle.there import is_folder

if TYPE_CHECKING:
    from rekindle.doctor.host import Free, Host

MIB = 1024 * 1024
# A night's journal is a few MiB, its recording 64 at most, the output of each command a few more.
TOO_LITTLE_BYTES = 32 * MIB
LITTLE_BYTES = 512 * MIB
LITTLE_FILES = 1_000


def rows(host: Host, journal: Path) -> list[Check]:
    """Ask the file systems of the journal and of temporary files."""
    return [
        _row(host, "disk.journal", nearest(journal.parent), blocks=EVERYTHING),
        _row(host, "disk.temporary", Path(tempfile.gettempdir()), blocks=frozenset()),
    ]


def nearest(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there already."""
    return next((one for one in (folder, *folder.parents) if is_folder(one)), Path("/"))


def _row(host: Host, name: str, folder: Path, *, blocks: frozenset[str]) -> Check:
    try:
        free = host.free(folder)
    except OSError as error:
        todo = f"`df -h {folder}` says what is free"
        return unknown(name, str(folder), f"cannot be asked: {error.strerror or error}", todo)
    return judged(name, str(folder), free, blocks)


def judged(name: str, folder: str, free: Free, blocks: frozenset[str]) -> Check:
    """Judge what is left."""
    said = f"{free.bytes // MIB} MiB free"
    if free.bytes < TOO_LITTLE_BYTES:
        todo = f"make room: at least {LITTLE_BYTES // MIB} MiB (`du -xh {folder} | sort -h | tail`), or take another "
        todo += "folder with --journal FILE" if blocks else "folder with TMPDIR"
        return Check(name, folder, Verdict.RED, said, todo, blocks)
    if free.bytes < LITTLE_BYTES:
        return warning(
            name, folder, said, f"make room: {LITTLE_BYTES // MIB} MiB are on the safe side"
        )
    if free.files is not None and free.files < LITTLE_FILES:
        todo = f"remove files: `df -i {folder}` counts them"
        return warning(name, folder, f"only {free.files} more files fit", todo)
    return ok(name, folder, said)
