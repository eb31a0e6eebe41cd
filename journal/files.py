"""Files beside a journal: private from their first instant, complete or absent, and synced with their folder."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from journal.errors import JournalFailed

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
BALLAST_BYTES: Final = 1 << 20
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})


def beside(path: Path, suffix: str) -> Path:
    """
    Name a file beside the journal: ``beside(x.db, ".lock")`` is ``x.db.lock``.

    Beside the file itself, where *path* is a link to it: two names of one journal must not have two locks.
    """
    real = path.resolve()
    return real.with_name(real.name + suffix)


def is_there(path: Path) -> bool:
    """
    Say whether a journal is there: a folder that may not be entered is no answer, and ``Path.exists`` has none for it.

    :raises JournalFailed: when the system does not let us look.
    """
    try:
        path.stat()
    except OSError as error:
        if error.errno in _ABSENT:
            return False
        raise unreadable(path, error) from error
    return True


def unreadable(path: Path, error: Exception) -> JournalFailed:
    """Say that the system keeps us from reading."""
    return JournalFailed(
        f"cannot read {path}: {getattr(error, 'strerror', None) or error}",
        reference="journal-unreadable",
        hint="Check the file's owner and mode; a journal is readable by its owner alone.",
    )


def create_private(path: Path, content: bytes = b"") -> None:
    """Create a file for its owner alone, whatever the umask. Raises FileExistsError, OSError."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
    descriptor = os.open(path, flags, PRIVATE_FILE)
    try:
        os.fchmod(descriptor, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(descriptor)


def replace_private(path: Path, content: bytes) -> None:
    """Write a file so that it appears complete or not at all, and stays after a power cut."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    create_private(temporary, content)
    try:
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make a file's content durable."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make creations, renames and removals in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(error: BaseException) -> bool:
    """Tell a full disk (or quota) from every other error of the system."""
    return isinstance(error, OSError) and error.errno in _NO_SPACE


def refused(lock: Path, error: OSError) -> JournalFailed:
    """Say why there is no lock; a disk may be full before a run is begun."""
    if is_full(error):
        return JournalFailed(
            f"no space is left for {lock}; nothing was begun",
            reference="journal-disk-full",
            hint="Make room on that file system (a few MiB), then call the same command again.",
        )
    return JournalFailed(
        f"cannot open the journal's lock {lock}: {error.strerror}",
        reference="journal-not-writable",
        hint="The journal's folder must exist and be writable.",
    )


def make_folder(folder: Path) -> None:
    """
    Make the folder of a journal that nobody named, for its owner alone.

    :raises JournalFailed: when it cannot be made.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        if is_full(error):
            raise refused(folder, error) from error
        raise JournalFailed(
            f"cannot make the journal's folder {folder}: {error.strerror or error}",
            reference="journal-not-writable",
            hint="Mend the rights, or take another place: --journal FILE, or set XDG_STATE_HOME.",
        ) from error


def lay_ballast(path: Path) -> None:
    """Keep a little of the disk back for the last words; a disk that is full already has none to keep."""
    ballast = beside(path, ".ballast")
    with suppress(OSError):
        create_private(ballast, bytes(BALLAST_BYTES))


def drop_ballast(path: Path) -> None:
    """Give the kept space back to the file system."""
    with suppress(OSError):
        beside(path, ".ballast").unlink()
        sync_folder(path.parent)
