"""
How much faster than the clock the seed's cluster is recovered in memory: cluster seconds per wall second.

The whole path without the start of processes: simulated cluster, reduce, decide, and the journal of a rehearsal with
its ledger. Beside it, alternating: the same with every commit synced, as of a real cluster, and the same cluster
waiting for itself (a driver that only lets time pass). Goal: at least 600.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from engine.folding import fold_all
from engine.judging import Rules
from engine.memory import Memory
from engine.plan import Plan
from engine.runner import Runner
from engine.turn import Turn
from journal.entries import RunOpened
from journal.lease import Holder
from journal.options import DEFAULTS, REHEARSAL, Options
from journal.row import Row
from journal.store import Journal
from phases.recipe import recipe
from rekindle.clocks import HostClock
from rekindle.ending import closing_of
from rekindle.rehearsal import load
from rekindle.simulator.world import SimWorld

PASSES = 7
GOAL = 600.0
SCENARIOS = ("june-12", "cold-start")


class Silent:
    """Nobody watches."""

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Nothing."""

    def wrote(self, rows: Sequence[Row]) -> None:
        """Nothing."""


def opened(plan: Plan, at: float) -> RunOpened:
    """Begin a run."""
    return RunOpened(
        at=at,
        run_id="bench",
        purpose="rehearse",
        cluster=plan.cluster,
        identity={"kind": "simulated"},
        plan=plan.compiled(),
        plan_digest=plan.digest(),
        version="bench",
        initial=plan.machine.initial,
    )


def recover(name: str, options: Options = REHEARSAL) -> tuple[float, float]:
    """Recover once; (cluster seconds, wall seconds)."""
    _, scenario, plan = load(name)
    world = SimWorld(scenario)
    begun_by = opened(plan, world.now())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        with Journal.open_run(path, begun_by, holder=Holder.here(), options=options) as journal:
            known = [row.entry for row in journal.rows() if row.entry is not None]
            runner = Runner(
                rules=Rules.of(recipe(), plan),
                logbook=journal,
                world=world,
                memory=fold_all(Memory(), known),
                dice=random.Random(1).random,
                clock=HostClock(),
                watcher=Silent(),
                closing=partial(closing_of, journal, begun_by.run_id, plan),
            )
            begun = time.perf_counter()
            ended = runner.run()
            wall = time.perf_counter() - begun
    assert ended.outcome == "done", ended.outcome
    return world.now() - begun_by.at, wall


def idle(name: str, cluster_seconds: float) -> float:
    """Let the same cluster pass the same time with nobody acting; wall seconds."""
    _, scenario, _ = load(name)
    world = SimWorld(scenario)
    end = world.now() + cluster_seconds
    begun = time.perf_counter()
    while world.now() < end:
        world.next(end)
        world.look()
    return time.perf_counter() - begun


def main() -> int:
    """Print the medians of alternating passes; 1 when the goal is missed."""
    missed = False
    for name in SCENARIOS:
        rates, synced, peers = [], [], []
        for _ in range(PASSES):
            cluster, wall = recover(name)
            rates.append(cluster / wall)
            peers.append(cluster / max(idle(name, cluster), 1e-9))
            cluster, wall = recover(name, DEFAULTS)
            synced.append(cluster / wall)
        rate = statistics.median(rates)
        print(
            f"{name:12} {rate:7.0f} cluster seconds per wall second (goal {GOAL:g}); every commit synced: "
            f"{statistics.median(synced):.0f}; only letting time pass: {statistics.median(peers):.0f}"
        )
        missed = missed or rate < GOAL
    print(f"passes {PASSES}, alternating; load {os.getloadavg()[0]:.1f}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
