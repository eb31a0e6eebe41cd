"""
How long the program takes to say something, beside a bare Python: ``--help``, ``status``, ``log`` and ``log --at``.

Alternating passes, medians, ratios. Goals, beside a bare Python: ``--help`` at most 6 x, ``status``, ``log`` and ``log
--at`` at most 15 x; so for a run that is open, which this process holds while it is asked about, and for a moment: both
have an ETA, which is of what should exist.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from journal import entries as e
from journal.lease import Holder
from journal.reader import Reader
from journal.store import Journal

PASSES = 15
ASKED, UNDERWAY = "log --at, a person asked", "log --at, with an ETA"
OPEN = "status, open, with an ETA"
GOALS = {"--help": 6.0, "status": 15.0, OPEN: 15.0, "log": 15.0, ASKED: 15.0, UNDERWAY: 15.0}


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


def held(path: Path, finished: str, until: int) -> Journal:
    """Begin a run that has come as far as the *finished* one had with the entry *until*, and hold it."""
    with Reader(Path(finished)) as reader:
        entries = [row.entry for row in islice(reader.rows(), until) if row.entry is not None]
    first = entries[0]
    assert isinstance(first, e.RunOpened)
    journal = Journal.open_run(path, first, holder=Holder.here())
    journal.append([one for one in entries[1:] if not isinstance(one, e.LeaseTaken)])
    return journal


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
    known = moments(journal)
    for name, seq in known.items():
        commands[name] = [program, "log", "--at", seq, "--journal", journal]
    beside = Path(journal).with_name("open.db")
    commands[OPEN] = [program, "status", "--journal", str(beside)]
    with held(beside, journal, int(known[UNDERWAY])):
        said = subprocess.run(commands[OPEN], check=True, capture_output=True, text=True).stdout
        assert "eta           about " in said, said
        return measured(commands)


def measured(commands: dict[str, list[str]]) -> int:
    """Run each in turn, again and again."""
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
