"""
What it costs to look at every pod, beside kubectl and the official client; and what it costs to go on looking.

A real API server on loopback, filled once for each number of pods. Each peer is a process of its own, measured by its
wall time, its largest resident set, its CPU time and the server's; alternating passes, medians. Ours lists all kinds
that a diagnosis reads, reduces and diagnoses them; the others list the pods. Goals: 2.5 x faster than kubectl's table,
8 x than the typed client; at most 100 MiB for 10,000 pods and 350 for 50,000; no list while a watch is open; a changed
pod costs a twentieth of judging all at most.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from population import Population

from tests.testbed.bare import BareApi
from tests.testbed.build import EXIT_CONFIGURATION, CannotBuildError
from tests.testbed.waiting import until

TABLE, JSON, TYPED, OURS = "kubectl table", "kubectl json", "typed client", "rekindle"
FASTER_THAN = {TABLE: 2.5, TYPED: 8.0}
MIB_AT_MOST = {10_000: 100.0, 50_000: 350.0}
CHANGED_AT_MOST = 0.05  # of what it costs to judge all
PEERS = Path(__file__).with_name("peers.py")
MIB = 1024
RESTING, SETTLED_SECONDS = 0.1, 120.0  # CPU seconds a second


@dataclass
class Runs:
    """What a peer took, run by run."""

    seconds: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The seconds in the middle."""
        return statistics.median(self.seconds)


class Bench:
    """Measures against one API server."""

    def __init__(self, bare: BareApi, options: argparse.Namespace) -> None:
        """Fill nothing yet."""
        self._bare = bare
        self._options = options
        self._kubeconfig = str(bare.kubeconfig)
        self._home = bare.directory / "home"
        self._home.mkdir()
        kubectl = [str(bare.bin / "kubectl"), "--kubeconfig", self._kubeconfig, "get", "pods", "-A"]
        self._kubectl = {TABLE: kubectl, JSON: [*kubectl, "-o", "json"]}
        self._population = Population(bare)
        self.missed: list[str] = []

    def measure(self, pods: int) -> None:
        """Fill, and print a line a peer."""
        begun = time.perf_counter()
        self._population.fill(pods)
        print(f"{pods:,} pods, put there in {time.perf_counter() - begun:.0f} s", flush=True)
        self._look(pods)
        if self._options.steady:
            self._stay(pods)

    def _look(self, pods: int) -> None:
        commands = {OURS: self._peer("ours", pods), **self._kubectl}
        commands[TYPED] = self._peer("typed", pods)
        runs = {name: Runs() for name in commands if name not in self._options.without}
        for turn in range(self._options.passes):
            for name, found in runs.items():
                if name not in {JSON, TYPED} or turn < self._options.slow_passes:
                    self._run(commands[name], found, pods)
        mine = runs[OURS]
        for name, found in runs.items():
            print(_line(name, found, mine), flush=True)
            goal = FASTER_THAN.get(name)
            if goal and found.median / mine.median < goal:
                self.missed.append(f"{pods:,} pods: less than {goal:g} x faster than {name}")
        limit = MIB_AT_MOST.get(pods)
        if limit and max(mine.mib) > limit:
            self.missed.append(f"{pods:,} pods: more than {limit:g} MiB")

    def _stay(self, pods: int) -> None:
        """Watch, quiet at first."""
        found = self._last_line(self._peer("steady", pods, self._options.steady))
        quiet, changed = found["quiet"], found["changed"]
        print(
            f"  watching, quiet: {quiet['list']:.0f} lists, {quiet['watch']:.0f} watches begun again, "
            f"{quiet['bytes'] / 1024:.1f} KiB and {quiet['cpu_seconds']:.2f} CPU seconds a minute"
        )
        print(
            f"  a changed pod: {changed['milliseconds']:.2f} ms from its event to the facts, "
            f"{changed['list']:.0f} lists (all pods: {changed['all']:.0f} ms)",
            flush=True,
        )
        if quiet["list"] or changed["list"]:
            self.missed.append(f"{pods:,} pods: listed again while the watch was open")
        if changed["milliseconds"] > CHANGED_AT_MOST * changed["all"]:
            self.missed.append(
                f"{pods:,} pods: a changed pod costs more than {CHANGED_AT_MOST:.0%}"
            )

    def _peer(self, *arguments: object) -> list[str]:
        what, *more = map(str, arguments)
        return [sys.executable, str(PEERS), what, self._kubeconfig, *more]

    def _run(self, command: list[str], runs: Runs, pods: int) -> None:
        """Run a peer once, alone; what it says goes nowhere, but for ours and the typed client, which count."""
        self._settle()
        counts = command[0] == sys.executable
        out = subprocess.PIPE if counts else subprocess.DEVNULL
        begun, served = time.perf_counter(), self._bare.cpu_seconds()
        with subprocess.Popen(command, stdout=out, env=self._environment()) as child:
            try:
                said = child.stdout.read() if child.stdout else b""
                _, status, usage = os.wait4(child.pid, 0)
            except BaseException:
                child.kill()
                raise
            child.returncode = os.waitstatus_to_exitcode(status)
        runs.seconds.append(time.perf_counter() - begun)
        runs.mib.append(usage.ru_maxrss / MIB)
        runs.cpu.append(usage.ru_utime + usage.ru_stime)
        runs.served.append(self._bare.cpu_seconds() - served)
        assert child.returncode == 0, command
        assert not counts or json.loads(said)["pods"] == pods, said

    def _settle(self) -> None:
        """Wait until the server has done what the run before left it to do."""

        def rests() -> bool:
            before = self._bare.cpu_seconds()
            time.sleep(1.0)
            return self._bare.cpu_seconds() - before < RESTING

        until("the server rests", rests, SETTLED_SECONDS)

    def _last_line(self, command: list[str]) -> Any:  # noqa: ANN401  the peer's JSON
        done = subprocess.run(
            command, stdout=subprocess.PIPE, env=self._environment(), check=True, text=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    def _environment(self) -> dict[str, str]:
        """Keep kubectl's cache out of the user's home."""
        return os.environ | {"HOME": str(self._home)}


def _line(name: str, runs: Runs, mine: Runs) -> str:
    goal = FASTER_THAN.get(name)
    verdict = f"  goal {goal:g} x" if goal else ""
    ratio = f"{runs.median / mine.median:6.1f} x" if runs is not mine else " " * 8
    return (
        f"  {name:14} {runs.median:7.2f} s {ratio} {max(runs.mib):7.0f} MiB"
        f"  CPU {statistics.median(runs.cpu):6.2f} s, the server's {statistics.median(runs.served):5.2f} s"
        f"  ({len(runs.seconds)} {'run' if len(runs.seconds) == 1 else 'runs'}){verdict}"
    )


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", default=[10_000, 50_000], type=_numbers, help="ascending")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--slow-passes", type=int, default=1, help="of kubectl json and typed")
    parser.add_argument("--without", action="append", default=[], help="a peer to leave out")
    parser.add_argument("--steady", type=float, default=60.0, help="seconds of quiet; 0: none")
    return parser.parse_args()


def main() -> int:
    """Print the figures; 1 when a goal is missed."""
    options = _options()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as folder, BareApi(Path(folder)) as bare:
            bench = Bench(bare, options)
            for pods in options.pods:
                bench.measure(pods)
    except CannotBuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    except KeyboardInterrupt:
        return 130
    for goal in bench.missed:
        print(f"missed: {goal}")
    print(f"passes {options.passes}, alternating; load {os.getloadavg()[0]:.1f}")
    return int(bool(bench.missed))


if __name__ == "__main__":
    sys.exit(main())
