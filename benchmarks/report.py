"""
How long the report of a long run takes, and how much memory: a journal of 100,000 facts, made up, and the program.

``python benchmarks/report.py [FACTS] [--open] [--each N]``: *each* is how many facts an entry has; a rehearsed night
has 3.2 an ``observed``, and three entries of four are ``observed`` or ``decided``. Prints seconds and MB, the least of
three; the journal is kept in a folder of its own and made once.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from engine.plan import Plan
from journal import entries as e
from journal.entries import Fact, Finding, Outcome, RunOutcome
from journal.lease import Holder
from journal.options import Options
from journal.store import Journal
from phases import codes
from phases.ledger import closing
from rekindle.rehearsal import load

START = 1_749_716_160.0
FACTS, EACH, PODS = 100_000, 3, 104
COMMIT = 1_000
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
        for entry in entries(plan, facts, each):
            kept.append(entry)
            batch.append(entry)
            if len(batch) >= COMMIT:
                journal.append(batch, lease_seconds=900.0)
                batch = []
        end = kept[-1].at
        if not left_open:
            summary = closing(plan, lambda: kept, end)
            batch.append(
                e.RunClosed(at=end, outcome=RunOutcome.DONE, state="done", summary=summary)
            )
        journal.append(batch, lease_seconds=900.0)
    return len(kept)


def measured(journal: Path, form: str) -> tuple[float, float]:
    """Return seconds and MB of the program, from its start to its end."""
    words = [sys.executable, "-m", "rekindle", "report", "--journal", str(journal)]
    begun = time.monotonic()
    process = subprocess.Popen([*words, "--format", form], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    scale = 1 if sys.platform == "darwin" else 1024
    return time.monotonic() - begun, usage.ru_maxrss * scale / 1e6


def main() -> None:
    """Make the journal, and measure each format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("facts", nargs="?", type=int, default=FACTS)
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--open", action="store_true", dest="left_open")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rekindle-report-") as folder:
        journal = Path(folder) / "long.db"
        count = made(journal, given.facts, given.each, left_open=given.left_open)
        print(f"{given.facts} facts in {count} entries, {journal.stat().st_size / 1e6:.0f} MB")
        for form in ("markdown", "json"):
            seconds, size = min(measured(journal, form) for _ in range(3))
            print(f"{form:9} {seconds:5.2f} s  {size:5.0f} MB")


if __name__ == "__main__":
    main()
