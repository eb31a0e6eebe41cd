"""
How long the program takes to say something, beside a bare Python: ``--help`` and ``status``.

Alternating passes, medians, ratios. Goals: ``--help`` at most 6 x, ``status`` at most 15 x the start of a bare Python.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PASSES = 15
GOALS = {"--help": 6.0, "status": 15.0}


def seconds(command: list[str]) -> float:
    """Run once."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


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
    }
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
        print(f"{name:12} {median * 1000:7.1f} ms  {median / bare:5.1f} x{verdict}")
        missed = missed or (goal is not None and median / bare > goal)
    print(f"passes {PASSES}, alternating; load {os.getloadavg()[0]:.1f}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
