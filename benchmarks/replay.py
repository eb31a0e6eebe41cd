"""
How many facts of a journal a second today's ``decide`` is held against: goal at least 50,000.

Two journals on disk, read, verified, decoded, folded, decided and compared: one of 100,000 facts, in which the API of
the seed's cluster comes and goes (each turn sees much at once), and the rehearsal of june-12 as it is (six facts a
decision: what a decision costs is nearly all of it). A fact is one that an ``observed`` entry has. Beside the first,
alternating: the same journal only read and decoded.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rehearsal import Silent, opened

from engine.folding import fold, fold_all
from engine.judging import Rules
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts
from engine.runner import Runner
from engine.turn import take
from journal import entries as e
from journal.lease import Holder
from journal.options import Options
from journal.reader import Reader
from journal.store import Journal
from phases.recipe import recipe
from rekindle.clocks import HostClock
from rekindle.rehearsal import load
from rekindle.replaying import replayed
from rekindle.runs import Source
from rekindle.simulator.world import SimWorld

PASSES = 5
GOAL = 50_000.0
FACTS = 100_000
STRIDE = 40  # entries of the recovery between two looks of the long journal
QUICK = Options(synchronous="off")


def recovery(path: Path) -> Plan:
    """Write the rehearsal of june-12."""
    _, scenario, plan = load("june-12")
    world = SimWorld(scenario)
    first = opened(plan, world.now())
    with Journal.open_run(path, first, holder=Holder.here(), options=QUICK) as journal:
        known = [row.entry for row in journal.rows() if row.entry is not None]
        Runner(
            rules=Rules.of(recipe(), plan),
            logbook=journal,
            world=world,
            memory=fold_all(Memory(), known),
            dice=random.Random(1).random,
            clock=HostClock(),
            watcher=Silent(),
        ).run()
    return plan


def moments(path: Path) -> Iterator[Facts]:
    """Return what was known in the course of it."""
    memory = Memory()
    with Reader(path) as reader:
        for row in reader.rows():
            if row.entry is not None:
                memory = fold(memory, row.entry)
            if row.seq % STRIDE == 0 and memory.facts:
                yield memory.facts


def long_journal(path: Path, plan: Plan, seen: list[Facts]) -> None:
    """Write a run that sees those moments again and again, never the same one twice in a row."""
    rules = Rules.of(
        replace(
            recipe(),
            reduce=lambda _plan, facts: facts,
            diagnose=lambda _plan, _facts: {},
            alarming=lambda _before, _after: False,
        ),
        plan,
    )
    first = opened(plan, 1_750_000_000.0)
    dice = random.Random(1)
    with Journal.open_run(path, first, holder=Holder.here(), options=QUICK) as journal:
        memory = fold_all(Memory(), [row.entry for row in journal.rows() if row.entry is not None])
        facts, now, index = 0, first.at, 0
        while facts < FACTS:
            now += 1.0
            index = (index + dice.randrange(1, len(seen))) % len(seen)
            turn = take(rules, memory, seen[index], now, dice.random, tied=True)
            for commit in turn.commits:
                journal.append(commit.entries)
                facts += sum(
                    len(one.changed) + len(one.removed)
                    for one in commit.entries
                    if isinstance(one, e.Observed)
                )
            memory = turn.memory


def read(path: Path) -> float:
    """Only read and decode; seconds."""
    begun = time.perf_counter()
    with Reader(path) as reader:
        reader.verify()
        for row in reader.rows():
            assert row.entry is not None
    return time.perf_counter() - begun


def replay(path: Path) -> tuple[int, int, float, float]:
    """Replay; (facts, decisions, seconds, seconds of the processor: it has one thread and waits for nothing)."""
    begun, worked = time.perf_counter(), time.process_time()
    result = replayed(Source(path, "bench"), None)
    wall, work = time.perf_counter() - begun, time.process_time() - worked
    assert result.same, result.differences[:1]
    counted = result.replayer.counted
    return counted.facts, counted.decisions, wall, work


def main() -> int:
    """Print the medians; 1 when the goal is missed."""
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder) / "short.db", Path(folder) / "long.db"
        plan = recovery(short)
        long_journal(long, plan, list(moments(short)))
        rates, works, peers, few, each = [], [], [], [], []
        for _ in range(PASSES):
            facts, decisions, wall, work = replay(long)
            rates.append(facts / wall)
            works.append(facts / work)
            each.append(wall / decisions * 1000)
            peers.append(facts / read(long))
            few.append(replay(short))
    rate = statistics.median(rates)
    print(
        f"a journal of {facts} facts: {rate:7.0f} facts a second (goal {GOAL:g}), {decisions} decisions of "
        f"{statistics.median(each):.2f} ms; by the processor's time {statistics.median(works):.0f}; only verified and "
        f"read: {statistics.median(peers):.0f}"
    )
    facts, decisions, _, _ = few[0]
    wall = statistics.median(one[2] for one in few)
    print(
        f"june-12, {facts} facts and {decisions} decisions: {facts / wall:.0f} facts a second, "
        f"{wall / decisions * 1000:.2f} ms a decision; whole run {wall:.2f} s"
    )
    print(f"passes {PASSES}, alternating; load {os.getloadavg()[0]:.1f}")
    return int(rate < GOAL)


if __name__ == "__main__":
    sys.exit(main())
