"""
How long the program takes to say something, beside a bare Python: ``--help``, ``status``, ``log`` and ``log --at``.

Alternating passes, medians, ratios. Goals, beside a bare Python: ``--help`` at most 6 x, ``status``, ``log`` and ``log
--at`` at most 15 x. A moment that has an ETA, as the status of an open run, is shown without a goal: the ETA is of what
should exist, and to read that is most of it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from journal.reader import Reader

PASSES = 15
ASKED, UNDERWAY = "log --at, a person asked", "log --at, with an ETA"
GOALS = {"--help": 6.0, "status": 15.0, "log": 15.0, ASKED: 15.0}


def seconds(command: list[str]) -> float:
    """Run once."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def moments(journal: str) -> dict[str, str]:
    """Name an entry at which a person is asked, and the last decision before the end, when all are at work."""
    with Reader(Path(journal)) as reader:
        rows = list(reader.rows())
    asked = next(row.seq for row in rows if row.kind == "approval.asked")
    last = max(row.seq for row in rows if row.kind == "moved")
    decided = max(row.seq for row in rows if row.kind == "decided" and row.seq < last)
    return {ASKED: str(asked), UNDERWAY: str(decided)}


def main() -> int:
    """Print each median and its ratio; 1 when a goal is missed."""
    program = str(Path(sys.executable).with_name("rekindle"))
    journal = str(Path(tempfile.mkdtemp()) / "bench.db")
    rehearse = [program, "rehearse", "june-12", "--journal", journal]
    subprocess.run(rehearse, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    commands = {
        "bare python": [sys.executable, "-c", "pass"],
        "--help": [program, "--help"],
        "status": [program, "status", "--journal", journal],
        "log": [program, "log", "--journal", journal],
    }
    for name, seq in moments(journal).items():
        commands[name] = [program, "log", "--at", seq, "--journal", journal]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(PASSES):
        for name, command in commands.items():
            times[name].append(seconds(command))
    bare = statistics.median(times["bare python"])
    missed = False
    for name, values in times.items():
        median = statistics.median(values)
        goal = GOALS.get(name)
        verdict = "" if goal is None else f"  goal {goal:g} x"
        print(f"{name:26} {median * 1000:7.1f} ms  {median / bare:5.1f} x{verdict}")
        missed = missed or (goal is not None and median / bare > goal)
    print(f"passes {PASSES}, alternating; load {os.getloadavg()[0]:.1f}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
