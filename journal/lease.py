"""
Who may append: an OS lock on a file beside the journal, which dies with its holder.

Never on the database file: closing any descriptor of that would drop SQLite's own locks. The epoch in the lease row is
the second barrier, for the case that somebody deletes the lock file.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import socket
import time
import weakref
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from journal import files
from journal.learned import decoder
from journal.stamp import boot_id

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE_SECONDS: Final = (
    0.1  # a reader that looks whether the holder lives has the lock for microseconds
)
_PAUSE_SECONDS: Final = 0.005
_CONTENT_BYTES: Final = 4096
_pause: Final = time.sleep


class Holder(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process that may append: the person's name, the host, the process and the boot it lives in."""

    name: str
    host: str
    pid: int
    boot_id: str = ""

    @classmethod
    def here(cls) -> Holder:
        """Name this process."""
        try:
            name = getpass.getuser()
        except (OSError, KeyError):  # a container's user without a name
            name = f"uid {os.getuid()}"
        return cls(name=name, host=socket.gethostname(), pid=os.getpid(), boot_id=boot_id())

    def __str__(self) -> str:
        """Say who and where."""
        return f"{self.name}@{self.host} (pid {self.pid})"


class Claim(msgspec.Struct, frozen=True):
    """What the lock file says of its holder; *since* in wall seconds. It may be an earlier one's if nobody holds it."""

    holder: Holder
    since: float

    def __str__(self) -> str:
        """Say who, where, since when."""
        since = datetime.fromtimestamp(self.since, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"{self.holder}, since {since} UTC"


class Lock:
    """The OS lock, held. A forked child lets go of it at once, an exec'd one never has it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        _HELD.add(self)

    def release(self) -> None:
        """Let the next one in. The file stays: deleting it would let two in."""
        _HELD.discard(self)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    forget = release  # closing a child's copy leaves the parent's lock alone


_HELD: Final[weakref.WeakSet[Lock]] = weakref.WeakSet()


def _let_go_in_child() -> None:
    for lock in list(_HELD):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)


def lock_file(path: Path) -> Path:
    """Name the lock file of a journal."""
    return files.beside(path, ".lock")


def acquire(path: Path, holder: Holder) -> Lock | None:
    """Take the lock and say so in the file; None while somebody else has it. Raises ``JournalFailed``."""
    try:
        descriptor = os.open(
            lock_file(path),
            os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC,
            files.PRIVATE_FILE,
        )
    except OSError as error:
        raise files.refused(lock_file(path), error) from error
    if not _lock_patiently(descriptor):
        os.close(descriptor)
        return None
    try:
        os.fchmod(descriptor, files.PRIVATE_FILE)
        text = msgspec.json.encode(Claim(holder, time.time()))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text, 0)
    except OSError as error:
        os.close(descriptor)
        raise files.refused(lock_file(path), error) from error
    return Lock(descriptor)


def _lock_patiently(descriptor: int) -> bool:
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            _pause(_PAUSE_SECONDS)
        else:
            return True


def claim(path: Path) -> Claim | None:
    """Read who the lock file names; None if it says nothing that can be read."""
    try:
        with lock_file(path).open("rb") as file:
            return decoder(Claim).decode(file.read(_CONTENT_BYTES))
    except (OSError, msgspec.MsgspecError, ValueError):
        return None


def is_held(path: Path) -> bool | None:
    """
    Tell whether a living process holds the lock; None if we may not look.

    The probe asks for a shared lock and gives it back at once, so that two probes never see each other.
    """
    try:
        descriptor = os.open(lock_file(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    else:
        return False
    finally:
        os.close(descriptor)
