"""Nights of two operators, of clocks that lie, and of a terminal that is gone."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from rekindle.adapters.cluster_lease import PATH
from tests.adapters.leases import Stored
from tests.system.nights.lying import Truth, network
from tests.system.nights.page import Shown, only, problem, whole
from tests.system.nights.stage import MAIN, Said, Stage, begun, until

# The process is of another machine, as far as it can tell: another name, and another boot of another kernel.
LAPTOP = """
import socket, journal.lease, journal.stamp
socket.gethostname = lambda: "laptop"
journal.stamp.boot_id = journal.lease.boot_id = lambda: "1c1d1e1f-0000-4000-8000-202122232425"
"""
# What sets a clock, or lets a machine sleep: wall time goes on by what a file says, monotonic time does not.
CLOCK = """
import time, pathlib
def ahead():
    try:
        return int(pathlib.Path("ahead").read_text())
    except (OSError, ValueError):
        return 0
wall, wall_ns = time.time, time.time_ns
time.time = lambda: wall() + ahead()
time.time_ns = lambda: wall_ns() + ahead() * 10**9
"""
# What a shell does for what it starts: this terminal is its own, and its end is told to it, whoever runs the tests.
OWN_TERMINAL = """
import fcntl, signal, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
"""
HOURS_SECONDS = 8 * 3600


def second_operator(stage: Stage) -> Iterator[Shown]:
    running = begun(stage)
    before = stage.rows()
    yield whole(stage("run", "recovery.yaml"))
    assert stage("resume").code == 76
    assert running.process.poll() is None
    running.end()
    stage.kept(before)
    stage.api.put("DaemonSet", network())
    running = stage.start("resume")
    stage.until_state("flux-synced", running)
    running.end()


def other_machine(stage: Stage) -> Iterator[Shown]:
    """A copy of the journal of a run that goes on elsewhere; with the session there ended, a new copy goes on."""
    running = begun(stage, code=LAPTOP)
    copy = stage.tmp / "mine"
    copy.mkdir()
    for name in ("home.db", "home.db-wal"):
        shutil.copyfile(stage.tmp / name, copy / name)
    words = ("--journal", "mine/home.db")
    yield whole(stage("run", "recovery.yaml", *words))
    assert stage("resume", *words).code == 76
    running.end()
    before = stage.rows()
    stage.api.put("DaemonSet", network())
    running = stage.start("resume")  # the clean end there let go of its lease
    stage.until_state("flux-synced", running)
    running.end()
    stage.kept(before)


def another_journal(stage: Stage) -> Iterator[Shown]:
    """Two who know nothing of each other: the lease in the cluster lets one of them act, and then the other."""
    lease = Stored()
    stage.api.lies.append(
        lambda asked: lease.reply(asked) if asked.path.startswith(PATH) else Truth
    )
    running = begun(stage, code=LAPTOP)
    until("the first has the lease", lambda: lease.holder.startswith("operator@laptop"))
    words = ("--journal", "other.db")
    other = stage.start("run", "recovery.yaml", *words)
    path = stage.tmp / "other.db"
    until("the second waits", lambda: "acts on this cluster" in other.told(), other.told)
    yield only(stage("status", *words), "waits for", "can succeed", "you must")
    assert not [row for row in stage.rows(path) if row.kind == "action.intended"]
    running.end()
    acts = partial(_began, stage, path)
    until("the second goes on", acts, other.told)
    yield only(other.end(), "action.intended", "to go on")
    stage.kept(stage.rows())


def _began(stage: Stage, journal: Path) -> bool:
    return any(row.kind == "action.intended" for row in stage.rows(journal))


def _jump(stage: Stage, seconds: int) -> Iterator[Shown]:
    running = begun(stage, code=CLOCK)
    before, (timer,) = stage.rows(), _deadlines(stage)
    (stage.tmp / "ahead").write_text(str(seconds))
    until("the jump is seen", lambda: stage.entries("clock.jumped"), running.told)
    (jumped,) = stage.entries("clock.jumped")
    assert abs(jumped.seconds - seconds) < 2
    yield only(stage("status", code=CLOCK), "held by", "you must")
    stage.api.put("DaemonSet", network())
    stage.until_state("flux-synced", running)
    assert timer not in {entry.name for entry in stage.entries("timer.fired")}
    yield only(running.end(), "clock.jumped")
    stage.kept(before)
    running = stage.start("resume", code=CLOCK)
    until("it looked", lambda: stage.entries("run.resumed"), running.told)
    assert "did not reach its goal" not in running.end().err


def _deadlines(stage: Stage) -> list[str]:
    return [e.name for e in stage.entries("timer.set") if e.name == "deadline/cni-up"]


def clock_set_back(stage: Stage) -> Iterator[Shown]:
    yield from _jump(stage, -HOURS_SECONDS)


def asleep(stage: Stage) -> Iterator[Shown]:
    yield from _jump(stage, HOURS_SECONDS)


def terminal_closed(stage: Stage) -> Iterator[Shown]:
    """The window is closed, and with it goes the only place to say anything."""
    ours, theirs = pty.openpty()
    words = ("run", "recovery.yaml", "--yes", "--journal", "home.db")
    process = subprocess.Popen(
        [sys.executable, "-c", f"{OWN_TERMINAL}\n{MAIN}", *words],
        env={**stage.environment, "TERM": "xterm", "NO_COLOR": ""},
        cwd=stage.tmp,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        os.set_blocking(ours, False)
        until("a settled action", lambda: _drained(ours) or stage.entries("action.settled"))
        before = stage.rows()
        os.close(ours)
        code = process.wait(30)
    finally:
        process.kill()
        process.wait()
    yield Shown(Said("rekindle run recovery.yaml", code, "", ""), ("(the window is closed)",))
    yield only(stage("status"), "held by", "you must")
    assert stage.entries("run.interrupted")[-1].why == "signal"
    stage.kept(before)
    stage.api.put("DaemonSet", network())
    running = stage.start("resume")
    stage.until_state("flux-synced", running)
    yield problem(running.end())


def _drained(terminal: int) -> bool:
    with suppress(BlockingIOError):
        while os.read(terminal, 65536):
            pass
    return False
