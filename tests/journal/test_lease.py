"""One writer at a time, by a lock that dies with its holder."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from journal import files, lease
from journal.errors import JournalFailed, LeaseHeld
from journal.lease import Holder
from journal.options import Options
from journal.reader import Reader
from journal.stamp import Stamp
from journal.store import Journal

from .making import ALICE, BOB, QUICK, begin, note, opened, start_python

HOLD = """
import sys
from pathlib import Path
from journal.lease import Holder
from journal.store import Journal
from tests.journal.making import QUICK, note, opened
holder = Holder(name="carol", host="elsewhere", pid=4242)
journal = Journal.open_run(Path(sys.argv[1]), opened(), holder=holder, options=QUICK)
journal.append([note("still here")])
{extra}
print("holding", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_another_process(path: Path, extra: str = "") -> Iterator[int]:
    process = start_python(HOLD.format(extra=extra), path)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n", process.stderr and process.stderr.read()
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def test_a_second_process_is_told_who_where_since_when_and_what_last(tmp_path: Path) -> None:
    """Mutant: let ``lease.acquire`` go on without the lock."""
    path = tmp_path / "j.db"
    with held_by_another_process(path) as pid:
        attempts: tuple[Callable[[], Journal], ...] = (
            lambda: Journal.resume(path, holder=BOB, options=QUICK),
            lambda: Journal.open_run(path, opened("run-2"), holder=BOB, options=QUICK),
        )
        for attempt in attempts:
            with pytest.raises(LeaseHeld) as caught:
                attempt()
            assert caught.value.exit_code == 76
            message = caught.value.message
            assert "carol@elsewhere (pid 4242), since 20" in message
            assert "its last entry is 3 (note) of run run-1" in message
        with Reader(path) as reader:
            assert reader.holder_alive() is True
            assert len(list(reader.rows())) == 3
        os.kill(pid, signal.SIGKILL)
        wait_until_free(path)
        with Journal.resume(path, holder=BOB, options=QUICK) as resumed:
            assert resumed.epoch == 2
            assert resumed.append([note()])[0].seq == 5
            assert resumed.previous_lease is not None
            assert resumed.previous_lease.holder == "carol@elsewhere (pid 4242)"


def test_a_child_does_not_keep_the_lock_of_a_killed_parent(tmp_path: Path) -> None:
    """Mutants: make the descriptor inheritable (exec), or drop the at-fork hook (fork)."""
    path = tmp_path / "j.db"
    extra = """
import os, subprocess, time
orphan = subprocess.Popen(["sleep", "30"], close_fds=False)
print(orphan.pid, flush=True)
child = os.fork()
if not child:
    time.sleep(30)
    os._exit(0)
print(child, flush=True)
"""
    process = start_python(HOLD.format(extra=extra), path)
    children: list[int] = []
    try:
        assert process.stdout is not None
        children = [int(process.stdout.readline()) for _ in range(2)]
        assert process.stdout.readline() == "holding\n"
        process.kill()
        process.wait()
        wait_until_free(path)
        Journal.resume(path, holder=BOB, options=QUICK).close()
        assert all(Path(f"/proc/{child}").exists() for child in children)
    finally:
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        process.kill()
        process.communicate()


def test_a_reader_that_looks_does_not_refuse_a_starting_writer(tmp_path: Path) -> None:
    """Mutant: no patience in ``lease.acquire``."""
    path = tmp_path / "j.db"
    begin(path).close()
    descriptor = os.open(lease.lock_file(path), os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)

    def let_go_soon(seconds: float) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lease, "_pause", let_go_soon)
        Journal.resume(path, holder=BOB, options=QUICK).close()
    os.close(descriptor)


def test_two_readers_that_look_at_once_see_nobody(tmp_path: Path) -> None:
    """Mutant: probe with an exclusive lock; each would take the other for the holder."""
    path = tmp_path / "j.db"
    begin(path).close()
    with lease.lock_file(path).open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert lease.is_held(path) is False


def test_a_journal_that_was_never_held_has_no_holder(tmp_path: Path) -> None:
    assert lease.is_held(tmp_path / "j.db") is False
    assert lease.claim(tmp_path / "j.db") is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\x00", b'{"holder": 3}'])
def test_a_lock_file_that_says_nothing_still_refuses(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j.db"
    with begin(path):
        lease.lock_file(path).write_bytes(content)
        with pytest.raises(LeaseHeld, match="another process"):
            Journal.resume(path, holder=BOB, options=QUICK)


def test_a_lock_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    path, victim = tmp_path / "j.db", tmp_path / "victim"
    victim.write_text("precious")
    lease.lock_file(path).symlink_to(victim)
    with pytest.raises(JournalFailed) as caught:
        begin(path)
    assert caught.value.reference == "journal-not-writable"
    assert victim.read_text() == "precious"


def test_a_link_to_a_journal_has_the_same_lock(tmp_path: Path) -> None:
    """Mutant: drop ``resolve`` in ``files.beside``."""
    (tmp_path / "other").mkdir()
    with begin(tmp_path / "j.db"):
        link = tmp_path / "other" / "link.db"
        link.symlink_to(tmp_path / "j.db")
        with pytest.raises(LeaseHeld, match="alice@desk"):
            Journal.resume(link, holder=BOB, options=QUICK)


def test_an_error_while_opening_lets_go_of_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.write_text("not a database, but long enough to look at: " * 40)
    with pytest.raises(JournalFailed) as caught:
        begin(path)
    assert caught.value.reference == "journal-foreign-file"
    assert lease.is_held(path) is False


def test_the_lock_file_stays_when_the_lease_is_given_up(tmp_path: Path) -> None:
    """Deleting it would let two in: one that waits on the old file, one that makes a new one."""
    path = tmp_path / "j.db"
    with closing(begin(path, ALICE)):
        pass
    assert files.beside(path, ".lock").exists()


def wait_until_free(path: Path) -> None:
    until = time.monotonic() + 5.0
    while lease.is_held(path):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_copy_of_a_journal_that_is_held_on_another_machine_is_refused(tmp_path: Path) -> None:
    """
    No lock reaches another machine: there the lease counts, until it has run out or was given up.

    Mutants: ``_is_held_elsewhere`` returns False; without ``expires``; without the holder; without the host.
    """
    there = Holder(name="carol", host="laptop", pid=7, boot_id="boot-a")
    path, copy = tmp_path / "j.db", tmp_path / "copy.db"
    clock = [1000.0]
    timed = Options(
        synchronous="off", stamp=lambda: Stamp(int(clock[0] * 1_000_000_000), 7, "boot")
    )
    with begin(path, there, timed) as journal:
        journal.append([note()], lease_seconds=600.0)
        for suffix in ("", "-wal"):
            shutil.copyfile(files.beside(path, suffix), files.beside(copy, suffix))
    here = Holder(name="bob", host="sofa", pid=8, boot_id="boot-b")
    clock[0] = 1599.0
    attempts: tuple[Callable[[], Journal], ...] = (
        lambda: Journal.resume(copy, holder=here, options=timed),
        lambda: Journal.open_run(copy, opened("run-2"), holder=here, options=timed),
    )
    for attempt in attempts:
        with pytest.raises(LeaseHeld) as caught:
            attempt()
        assert (caught.value.exit_code, caught.value.reference) == (76, "lease-held")
        assert "carol@laptop (pid 7), since 1970-01-01 00:16:40 UTC" in caught.value.message
        assert "its lease ends at 00:26:40 UTC" in caught.value.message
    with Reader(copy) as reader:
        assert len(list(reader.rows())) == 3
    for same in (
        msgspec.structs.replace(here, host="laptop"),  # it was started anew
        msgspec.structs.replace(here, boot_id="boot-a"),  # one kernel, two names: the lock decides
    ):
        twin = tmp_path / f"{same.host}.db"
        for suffix in ("", "-wal"):
            shutil.copyfile(files.beside(copy, suffix), files.beside(twin, suffix))
        Journal.resume(twin, holder=same, options=timed).close()
    clock[0] = 1601.0
    Journal.resume(copy, holder=here, options=timed).close()
    clock[0] = 1000.0
    Journal.resume(path, holder=here, options=timed).close()  # given up in order


@pytest.mark.parametrize(
    ("number", "reference"),
    [(errno.ENOSPC, "journal-disk-full"), (errno.EIO, "journal-not-writable")],
)
def test_a_disk_that_takes_no_lock_is_said_to_be_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reference: str
) -> None:
    """Mutants: let the error of ``pwrite`` through; keep the descriptor."""

    def refuse(_descriptor: int, _text: bytes, _at: int) -> int:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "j.db"
    monkeypatch.setattr(os, "pwrite", refuse)
    with pytest.raises(JournalFailed) as caught:
        begin(path)
    assert (caught.value.exit_code, caught.value.reference) == (74, reference)
    assert not path.exists()
    assert lease.is_held(path) is False


def test_a_disk_that_takes_no_journal_is_said_to_be_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: ``troubles.is_full`` looks at SQLite's errors only."""

    def refuse(_path: Path, _content: bytes = b"") -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "create_private", refuse)
    with pytest.raises(JournalFailed) as caught:
        begin(tmp_path / "j.db")
    assert caught.value.reference == "journal-disk-full"
