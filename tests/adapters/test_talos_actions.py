"""Calls of talosctl that outlive us, run beside themselves, or take too long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from journal.entries import Outcome
from rekindle.adapters import orphans
from rekindle.adapters.commands import Commands
from rekindle.adapters.talos import Talosctl
from rekindle.adapters.talos_actions import TalosActions
from tests.adapters.conftest import make_intent, until_true, write_program

PARENT = """
import sys, time
from pathlib import Path
from engine.world import Intent
from rekindle.adapters.talos import Talosctl
from rekindle.adapters.talos_actions import TalosActions

folder = Path(sys.argv[1])
talosctl = Talosctl(str(folder / "talosctl"), folder / "talosconfig")
actions = TalosActions(talosctl, folder / "talosconfig", folder / "c.db")
actions.bootstrap(Intent("1", "etcd.bootstrap", "t", 1, 1, 60.0, time.time(), {"address": "10.5.0.2"}))
"""


def program(folder: Path, bootstrap: str, otherwise: str = "exit 1") -> Path:
    """A talosctl that does something at a bootstrap, and something else at every question."""
    text = f"""#!/bin/sh
cd '{folder}'
case "$*" in *bootstrap) ;; *) {otherwise} ;; esac
{bootstrap}
"""
    return write_program(folder / "talosctl", text)


def actions(folder: Path) -> TalosActions:
    talosctl = Talosctl(str(folder / "talosctl"), folder / "talosconfig")
    return TalosActions(talosctl, folder / "talosconfig", folder / "c.db")


def kill_parent(folder: Path) -> orphans.Record:
    """Bootstrap from a process of its own, and kill that process without warning."""
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)], env={**os.environ, "PYTHONPATH": root}
    )
    try:
        until_true((folder / "started").exists, 15)
        until_true(lambda: orphans.read(lock_of(folder)), 5)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    record = orphans.read(lock_of(folder))
    assert record is not None
    return record


def lock_of(folder: Path) -> Path:
    return orphans.path_for(folder / "c.db", "1")


def test_a_talosctl_that_hangs_after_we_were_killed_is_ended(tmp_path: Path) -> None:
    """Mutant: ``do`` without ``started``; nothing then says which process holds the lock, and it is held for ever."""
    program(tmp_path, "touch started; exec sleep 60")
    record = kill_parent(tmp_path)
    assert record.argv[-1] == "bootstrap"
    assert orphans.is_running(lock_of(tmp_path))
    commands = Commands({}, tmp_path / "c.db", stopping=threading.Event(), grace_seconds=0.5)
    intent = make_intent("etcd.bootstrap", deadline=0.2, address="10.5.0.2")
    began = time.monotonic()
    settled = commands.adopt(intent)

    assert settled is not None
    assert settled.outcome is Outcome.UNSETTLED
    assert time.monotonic() - began < 5
    assert not orphans.is_running(lock_of(tmp_path))


def test_what_a_talosctl_left_outside_of_its_group_is_found_by_its_lock(tmp_path: Path) -> None:
    """Nothing but the open file tells of it. Mutant: ``do`` without ``pass_fds``."""
    # Both end by themselves within half a minute, also when this test is killed.
    child = 'os.setsid(); open("started","w"); [time.sleep(0.05) for _ in range(600) if not os.path.exists("go")]'
    waits = "for _ in $(seq 600); do [ -e leave ] && break; sleep 0.05; done"
    script = f"{sys.executable} -c 'import os,time; {child}' & {waits}"
    program(tmp_path, script)
    record = kill_parent(tmp_path)
    (tmp_path / "leave").touch()
    try:
        until_true(lambda: not orphans.group_lives(record))
        assert orphans.is_running(lock_of(tmp_path))
    finally:
        (tmp_path / "go").touch()
    until_true(lambda: not orphans.is_running(lock_of(tmp_path)))


def test_an_action_on_a_node_is_never_run_beside_itself(tmp_path: Path) -> None:
    """Mutant: do not translate LockHeldError; it would settle as a doubt of our own making."""
    program(tmp_path, "touch started")
    lock = orphans.ActionLock(lock_of(tmp_path))
    settled = actions(tmp_path).bootstrap(make_intent("etcd.bootstrap", address="10.5.0.2"))
    lock.release()

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "conflict")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("deadline", [0.3, 1.2])
def test_looking_takes_its_time_from_the_action(deadline: float, tmp_path: Path) -> None:
    """Mutants: give the call the whole deadline again; begin although no time is left."""
    program(tmp_path, "touch started; exec sleep 60", otherwise="sleep 0.4; exit 1")
    began = time.monotonic()
    intent = make_intent("etcd.bootstrap", deadline=deadline, address="10.5.0.2")
    settled = actions(tmp_path).bootstrap(intent)

    in_time = deadline > 1
    assert settled.outcome is (Outcome.UNSETTLED if in_time else Outcome.FAILED)
    assert (tmp_path / "started").exists() is in_time
    assert time.monotonic() - began < 1.9
