"""
How long the report of a long run takes, and how much memory: a journal of 100,000 facts, made up, and the program.

``python benchmarks/report.py [FACTS] [--each N] [--rounds N]``: *each* is how many facts an entry has; a rehearsed
night has 3.2 an ``observed``, and three entries of four are ``observed`` or ``decided``. A closed run and an open one,
each as Markdown, as a page and as JSON, in turns with a peer: a bare Python that does no more than read every payload
of the same journal with ``sqlite3`` and ``json``. Prints medians of the processor's seconds (user and system, from the
start of the process to its end), so that what else the machine does counts little, beside them those on the clock on
the wall, their ratio to the peer, and the most memory of a pass. Goals: each format in at most 5 s of the processor and
200 MB; 1 when one is missed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from engine.folding import fold_all
from engine.memory import Memory
from engine.plan import Plan
from engine.runner import CHECKPOINT_ENTRIES
from journal import entries as e
from journal.entries import Fact, Finding, Outcome, RunOutcome
from journal.lease import Holder
from journal.options import Options
from journal.row import Row
from journal.store import Journal
from phases import codes
from phases.ledger import closing
from rekindle.rehearsal import load

START = 1_749_716_160.0
FACTS, EACH, PODS, ROUNDS = 100_000, 3, 104, 3
GOAL_SECONDS, GOAL_MB = 5.0, 200.0
FORMATS = ("markdown", "html", "json")
PEER = """
import json, sqlite3, sys
for (body,) in sqlite3.connect(sys.argv[1]).execute("SELECT body FROM payloads ORDER BY id"):
    json.loads(body)
"""
# A process begun by a large one is told to have been as large; this one is small, and tells of its only child.
LAUNCHER = """
import os, subprocess, sys, time
begun = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
wall = time.perf_counter() - begun
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss)
"""
COMMIT = CHECKPOINT_ENTRIES
ACTION_EVERY, FINDING_EVERY, POD_EVERY, DECIDED_EVERY = 40, 25, 6, 2
CODES = (codes.PROGRESSING, codes.READY, codes.FAILED, codes.BLOCKED)


def subjects_of(plan: Plan) -> list[str]:
    """Name what the facts are about: all that the inventory of the plan lists."""
    listed = plan.target.inventory
    named = {
        "kustomization": [item.key for item in listed.kustomizations],
        "helmrelease": [item.key for item in listed.helmreleases],
        "externalsecret": [item.key for item in listed.externalsecrets],
        "namespace": listed.namespaces,
        "crd": [item.name for item in listed.crds],
    }
    found = [f"{family}/{key}" for family, keys in named.items() for key in keys]
    return [*found, *(f"{item.kind.lower()}/{item.key}" for item in listed.workloads)]


def entries(plan: Plan, facts: int, each: int) -> Iterator[e.AnyEntry]:
    """Make up a long night: everything comes and goes, and at last all is well."""
    chance = random.Random(612)
    names = subjects_of(plan)
    at = START
    yield e.Observed(at=at, changed={name: Fact(codes.ABSENT) for name in names})
    for number in range((facts - len(names)) // each):
        at += chance.uniform(0.1, 2.0)
        changed = {
            chance.choice(names): Fact(chance.choice(CODES), f"for the {number}th reason", at)
            for _ in range(each)
        }
        if number % POD_EVERY == 0:
            ready = chance.randrange(PODS)
            changed[codes.PODS] = Fact(
                "counted", since=START, detail={"ready": ready, "expected": PODS}
            )
        yield e.Observed(at=at, changed=changed)
        yield from _beside(number, at, chance, names)
    yield e.Observed(at=at, changed={name: Fact(codes.READY, since=at) for name in names})


def _beside(
    number: int, at: float, chance: random.Random, names: list[str]
) -> Iterator[e.AnyEntry]:
    name = chance.choice(names)
    if number % DECIDED_EVERY == 0:
        answer = {"answer": "wait", "reason": "not yet", "can_clear": "yes"}
        yield e.Decided(at=at, state="flux-synced", answers={name: answer})
        yield e.TimerSet(at=at, name=f"retry/{number % 50}", due=at + 30, span=30.0)
    if number % FINDING_EVERY == 0:
        root = Finding(
            subject=name,
            cause="made-up",
            message=f"{name} cannot go on",
            blocks=(chance.choice(names),),
            clears_itself="unknown",
            rule="X1",
            root=True,
            victims=tuple(chance.choices(names, k=20)),
        )
        yield e.FindingsChanged(at=at, changed={f"X1:{name}": root})
        yield e.FindingsChanged(at=at, cleared=(f"X1:{name}",))
    if number % ACTION_EVERY == 0:
        action = f"a{number}"
        yield e.ActionIntended(
            at=at,
            action=action,
            verb="flux.nudge",
            target=name,
            attempt=1,
            epoch=1,
            deadline_seconds=15.0,
        )
        yield e.ActionSettled(
            at=at + 0.05, action=action, verb="flux.nudge", target=name, outcome=Outcome.DONE
        )


def _folded(memory: Memory, rows: Iterable[Row]) -> Memory:
    return fold_all(memory, [row.entry for row in rows if row.entry is not None])


def made(path: Path, facts: int, each: int, *, left_open: bool) -> int:
    """Write the journal; return how many entries it has."""
    _, scenario, plan = load("june-12")
    opened = e.RunOpened(
        at=START,
        run_id="bench",
        purpose="run",
        cluster=scenario.cluster,
        identity={"cluster": scenario.cluster},
        plan=plan.compiled(),
        plan_digest=plan.digest(),
        version="0",
        initial=plan.machine.initial,
    )
    options = Options(synchronous="off")
    kept: list[e.AnyEntry] = [opened]
    with Journal.open_run(path, opened, holder=Holder.here(), options=options) as journal:
        batch: list[e.AnyEntry] = []
        memory = _folded(Memory(), journal.rows())
        for entry in entries(plan, facts, each):
            kept.append(entry)
            batch.append(entry)
            if len(batch) >= COMMIT:
                memory = _folded(memory, journal.append(batch, lease_seconds=900.0))
                journal.append([], checkpoint=msgspec.json.encode(memory))  # as a session does
                batch = []
        end = kept[-1].at
        if not left_open:
            summary = closing(plan, lambda: kept, end)
            batch.append(
                e.RunClosed(at=end, outcome=RunOutcome.DONE, state="done", summary=summary)
            )
        journal.append(batch, lease_seconds=900.0)
    return len(kept)


class Pass(NamedTuple):
    """A program from its start to its end: seconds of the processor, seconds on the wall, MB."""

    seconds: float
    wall: float
    size: float


def measured(words: Sequence[str]) -> Pass:
    """Run a program once."""
    told = subprocess.run(
        [sys.executable, "-c", LAUNCHER, sys.executable, *words],
        check=True,
        capture_output=True,
        text=True,
    )
    code, seconds, wall, size = told.stdout.split()
    assert int(code) == 0
    scale = 1 if sys.platform == "darwin" else 1024
    return Pass(float(seconds), float(wall), int(size) * scale / 1e6)


def compared(name: str, journal: Path, rounds: int) -> bool:
    """Measure each format of a run and the peer in turns, print a line each; say whether a goal was missed."""
    report = ("-m", "rekindle", "report", "--journal", str(journal), "--format")
    words: dict[str, tuple[str, ...]] = {"peer": ("-c", PEER, str(journal))}
    words |= {form: (*report, form) for form in FORMATS}
    passes: dict[str, list[Pass]] = {who: [] for who in words}
    for _ in range(rounds):
        for who, command in words.items():
            passes[who].append(measured(command))
    seconds = {who: median(one.seconds for one in found) for who, found in passes.items()}
    missed = False
    for who, found in passes.items():
        ratio = seconds[who] / seconds["peer"]
        size = max(one.size for one in found)
        wall = median(one.wall for one in found)
        late = who != "peer" and is_missed(seconds[who], size)
        missed = missed or late
        print(
            f"{name:6} {who:9} {seconds[who]:5.2f} s  wall {wall:5.2f} s  {ratio:4.1f} x  {size:4.0f} MB"
            f"{'  missed' if late else ''}"
        )
    return missed


def is_missed(seconds: float, size: float) -> bool:
    """Say whether a format takes more than its goal allows."""
    return seconds > GOAL_SECONDS or size > GOAL_MB


def main() -> int:
    """Make the journals, and measure; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("facts", nargs="?", type=int, default=FACTS)
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory(prefix="rekindle-report-") as folder:
        for name in ("closed", "open"):
            journal = Path(folder) / f"{name}.db"
            count = made(journal, given.facts, given.each, left_open=name == "open")
            size = journal.stat().st_size / 1e6
            print(f"{name}: {given.facts} facts in {count} entries, {size:.0f} MB")
            missed = compared(name, journal, given.rounds) or missed
    print(
        f"goals: {GOAL_SECONDS:g} s of the processor, {GOAL_MB:g} MB; load {os.getloadavg()[0]:.1f}"
    )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
