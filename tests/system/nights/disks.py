"""Nights on which the journal cannot be what it should be."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from journal.row import Row
from tests.system.nights.lying import network
from tests.system.nights.page import Shown, only, problem, whole
from tests.system.nights.stage import Stage, begun, until

MOUNTS = "36 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 36 0:40 / {folder} rw - nfs4 nas:/home rw\n"
# The file that the kernel would have, on a machine whose share is mounted there.
ELSEWHERE = (
    "import journal.filesystem, pathlib; journal.filesystem._MOUNTS = pathlib.Path('mounts')"
)


@contextmanager
def small_disk(stage: Stage) -> Iterator[Path]:
    """Mount a disk of 64 MiB where only the stage's program sees it; yield where it is found from outside."""
    inside = stage.tmp / "disk"
    inside.mkdir()
    mount = f"mount -t tmpfs -o size=64m none {inside} && echo mounted && exec sleep 600"
    unshare = shutil.which("unshare") or "unshare"
    holder = subprocess.Popen(
        [unshare, "-Urm", "sh", "-c", mount], stdout=subprocess.PIPE, text=True
    )
    try:
        if holder.stdout is None or holder.stdout.readline() != "mounted\n":
            pytest.skip("this machine lets nobody mount a disk of their own")
        enter = ("nsenter", "--preserve-credentials", "-U", "-m", "-t", str(holder.pid))
        stage.before = (*enter, "sh", "-c", 'cd "$0" && exec "$@"', str(stage.tmp))
        yield Path(f"/proc/{holder.pid}/root{inside}")
    finally:
        stage.close()
        stage.before = ()
        holder.kill()
        holder.communicate()


def fill(disk: Path) -> Path:
    """Leave not a byte."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


def rows_on(stage: Stage, disk: Path) -> list[Row]:
    """Read a copy of the journal there: its path leads into another namespace."""
    copy = stage.tmp / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for name in ("home.db", "home.db-wal"):
        with suppress(FileNotFoundError):
            shutil.copyfile(disk / name, copy / name)
    return stage.rows(copy / "home.db")


def full_disk(stage: Stage) -> Iterator[Shown]:
    """The disk of the journal is the one that /tmp is on, as on most laptops."""
    with small_disk(stage) as disk:
        there = {"TMPDIR": str(stage.tmp / "disk")}
        words = ("--journal", "disk/home.db")
        running = stage.start("run", "recovery.yaml", *words, **there)
        settled = lambda: [row for row in rows_on(stage, disk) if row.kind == "action.settled"]  # noqa: E731
        until("a settled action", settled, running.told)
        before = rows_on(stage, disk)
        filler = fill(disk)
        stage.api.put("DaemonSet", network())
        yield problem(running.ended())
        yield only(stage("status", *words), "held by", "you must")
        assert rows_on(stage, disk)[: len(before)] == before
        filler.unlink()
        running = stage.start("resume", *words, **there)
        until("resumed", lambda: any(r.kind == "run.resumed" for r in rows_on(stage, disk)))
        running.end()
        yield whole(stage("log", "--verify", *words))
        assert rows_on(stage, disk)[: len(before)] == before
        fill(disk)
        yield whole(stage("run", "recovery.yaml", "--journal", "disk/new.db", **there))
        assert not (disk / "new.db").exists()


def network_file_system(stage: Stage) -> Iterator[Shown]:
    folder = stage.tmp / "share"
    folder.mkdir()
    (stage.tmp / "mounts").write_text(MOUNTS.format(folder=folder))
    words = ("run", "recovery.yaml", "--journal", "share/home.db")
    yield whole(stage(*words, code=ELSEWHERE))
    assert not list(folder.iterdir())
    begun(stage).end()


def newer_version(stage: Stage) -> Iterator[Shown]:
    begun(stage).end()
    before = stage.rows()
    _layout(stage.journal, 2)
    content = stage.journal.read_bytes()
    yield whole(stage("status"))
    yield whole(stage("resume"))
    assert stage("run", "recovery.yaml").code == stage("log").code == 78
    assert stage.journal.read_bytes() == content
    _layout(stage.journal, 1)
    stage.kept(before)
    running = stage.start("resume")
    until("resumed", lambda: stage.entries("run.resumed"), running.told)
    running.end()


def _layout(journal: Path, version: int) -> None:
    with closing(sqlite3.connect(journal)) as database:
        database.execute(f"PRAGMA user_version = {version}")


def damaged(stage: Stage) -> Iterator[Shown]:
    """A flipped bit in the last entry, and half a file; a copy of before is whole, and a new journal begins."""
    begun(stage).end()
    good = stage.journal.read_bytes()
    at = good.rfind(b'"signal"')
    assert at > 0
    stage.journal.write_bytes(good[:at] + b'"singal"' + good[at + 8 :])
    yield whole(stage("log", "--verify"))
    yield whole(stage("resume"))
    stage.journal.write_bytes(good[: len(good) // 2])
    yield whole(stage("status"))
    assert stage("run", "recovery.yaml").code == 77
    stage.journal.write_bytes(good)
    assert stage("log", "--verify").code == 0
    running = stage.start("run", "recovery.yaml", "--journal", "new.db")
    running.until_told("action.settled")
    running.end()
