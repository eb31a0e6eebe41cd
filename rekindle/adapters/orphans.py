"""
What is known of a process that an action started, and whether it still runs, by whoever asks.

The process inherits an open, locked file. The lock dies with the last process that holds it, so it outlives us when we
are killed and cannot outlive the command. Because not every child passes an open file on, the process group counts
too. The file says which program it is, and how it ended if we lived to see it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from pathlib import Path

import msgspec

from journal.learned import decoder

_PRIVATE = 0o600
_RECORD_LIMIT_BYTES = 64 * 1024
_STAT_GROUP, _STAT_SESSION, _STAT_START = 2, 3, 19  # after the program's name in /proc/PID/stat


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    A started process.

    *group* is its process group (and session), *started* its start time and *boot* the host's boot id, as the kernel
    tells them (empty: it does not). *exit_code* is None until we saw it end.
    """

    argv: tuple[str, ...] = ()
    group: int = 0
    started: str = ""
    boot: str = ""
    exit_code: int | None = None
    ended_by: str = ""


class LockHeldError(Exception):
    """Something of this action is running already."""


class ActionLock:
    """The lock and record of one action. Held by us and by the process, until both let go."""

    def __init__(self, path: Path) -> None:
        """Take the lock; durable before anything is started."""
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.fileno = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        try:
            fcntl.flock(self.fileno, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self.fileno)
            raise LockHeldError(str(path)) from error
        os.fsync(self.fileno)
        _sync_folder(path.parent)

    def write(self, record: Record) -> None:
        """Replace the record."""
        data = msgspec.json.encode(record)
        os.pwrite(self.fileno, data, 0)
        os.ftruncate(self.fileno, len(data))
        os.fsync(self.fileno)

    def note(self, pid: int, argv: tuple[str, ...]) -> None:
        """
        Record the process that was just started, so that somebody else can end it.

        It runs already: where the record cannot be written the lock alone has to tell of it.
        """
        with contextlib.suppress(OSError):
            self.write(describe(pid, argv))

    def release(self) -> None:
        """Let go of our share. The file stays: until the settlement is in the journal it is all there is."""
        os.close(self.fileno)


def path_for(journal: Path, action: str) -> Path:
    """Name the lock file of an action of this journal."""
    return journal.with_name(f"{journal.name}.action-{action.replace(os.sep, '-')}.lock")


def describe(pid: int, argv: tuple[str, ...]) -> Record:
    """Describe a process that was just started, and leads its own session."""
    return Record(argv=argv, group=pid, started=_started(pid), boot=_boot_id())


def read(path: Path) -> Record | None:
    """Read a record; None when nothing was recorded."""
    try:
        with path.open("rb") as file:
            return decoder(Record).decode(file.read(_RECORD_LIMIT_BYTES))
    except (OSError, msgspec.MsgspecError):
        return None


def is_locked(path: Path) -> bool:
    """Tell whether any process holds the lock."""
    try:
        fileno = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fileno, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fileno)
    return False


def is_running(path: Path) -> bool:
    """Tell whether anything of the action still runs."""
    record = read(path)
    return is_locked(path) or (record is not None and group_lives(record))


def group_lives(record: Record) -> bool:
    """Tell whether the recorded process group has members, and is not another one of the same number."""
    if record.group <= 1 or (record.boot and record.boot != _boot_id()):
        return False
    leader = _started(record.group)
    if leader and record.started and leader != record.started:
        return False
    if not Path("/proc/self/stat").exists():
        return _answers(record.group)
    return any(record.group in (group, session) for group, session in _groups_of_living_processes())


def end(record: Record, number: signal.Signals) -> None:
    """Send a signal to the recorded group, if it is still the same."""
    if group_lives(record):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(record.group, number)


def _answers(group: int) -> bool:
    """Ask where there is no /proc."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _groups_of_living_processes() -> list[tuple[int, int]]:
    """List group and session of each process that is not a zombie."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    stats = (_stat(pid) for pid in pids)
    return [
        (int(stat[_STAT_GROUP]), int(stat[_STAT_SESSION]))
        for stat in stats
        if stat and stat[0] not in "ZX"
    ]


def _started(pid: int) -> str:
    """Return a process's start time in the kernel's ticks (empty: not known, or no such process)."""
    stat = _stat(pid)
    return stat[_STAT_START] if stat else ""


def _stat(pid: int) -> list[str]:
    """Read /proc/PID/stat after the program's name, which may contain anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _boot_id() -> str:
    """Return the boot id of this host: after a reboot process numbers mean nothing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder durable."""
    fileno = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fileno)
    finally:
        os.close(fileno)
