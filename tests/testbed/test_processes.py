from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.testbed.keeper import started
from tests.testbed.processes import Processes
from tests.testbed.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import sys, time
from pathlib import Path
from tests.testbed.processes import Processes
processes = Processes(Path(sys.argv[1]))
processes.start("deaf", ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"])
processes.start("child", ["/bin/sh", "-c", "sleep 600 & wait"])
print(processes.pid("deaf"), processes.pid("child"), flush=True)
time.sleep(600)
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path)
    yield processes
    processes.stop_all()


def test_a_program_runs_until_it_is_stopped(processes: Processes) -> None:
    processes.start("sleeper", ["/bin/sleep", "600"])
    pid = processes.pid("sleeper")
    assert processes.running("sleeper")

    processes.stop("sleeper")

    assert not processes.running("sleeper")
    assert started(pid) is None


def test_starting_what_runs_changes_nothing(processes: Processes) -> None:
    processes.start("sleeper", ["/bin/sleep", "600"])
    pid = processes.pid("sleeper")

    processes.start("sleeper", ["/bin/sleep", "600"])

    assert processes.pid("sleeper") == pid


def test_a_program_that_ended_by_itself_is_started_again(
    processes: Processes, tmp_path: Path
) -> None:
    for _ in range(2):
        processes.start("short", ["/bin/echo", "here"])
        until("it ends", lambda: not processes.running("short"), 10)

    assert (tmp_path / "short.log").read_text() == "here\nhere\n"


def test_nothing_outlives_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert [started(pid) is not None for pid in pids] == [True, True]

        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()

    begin = time.monotonic()
    until("both have ended", lambda: all(started(pid) is None for pid in pids), 15)
    assert time.monotonic() - begin < 12
