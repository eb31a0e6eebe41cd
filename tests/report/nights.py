"""Runs with a real journal, told inside the test: what reports are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from journal import entries as e
from journal.lease import Holder
from journal.store import Journal
from phases.ledger import closing
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.scenario import find_scenario, load_scenario
from tests.journal.making import QUICK
from tests.properties.clusters import YES, Operator, story
from tests.properties.harness import Death, Story
from tests.properties.sqlite_book import SqliteBook

ALICE = Holder(name="alice", host="desk", pid=101)
AT = 1_749_716_160.0  # 2025-06-12T08:16:00Z


def june(path: Path) -> tuple[Story, SimCluster]:
    """The night of the scenario june-12, whole, in the journal *path*."""
    found = load_scenario(find_scenario("june-12"))
    book = SqliteBook(path)
    run, cluster = story(
        "june-12", found=found, seed=found.seed, operator=found.operator, book=book
    )
    run.closing = lambda now: closing(run.plan, book.entries, now)
    assert run.to_the_end() == "done"
    return run, cluster


def small(
    path: Path,
    deaths: Sequence[tuple[Death, float]] = (),
    operator: Operator = YES,
    blindfold: Callable[[Any], Any] = lambda snapshot: snapshot,
) -> tuple[Story, SimCluster]:
    """The same night on the small cluster, with *deaths* in it."""
    run, cluster = story("june", operator=operator, book=SqliteBook(path), blindfold=blindfold)
    run.to_the_end(deaths)
    return run, cluster


def written(path: Path, entries: Sequence[e.AnyEntry], **changes: Any) -> Path:  # noqa: ANN401
    """A journal with these entries after the first two."""
    values = {
        "at": AT,
        "run_id": "run-1",
        "purpose": "run",
        "cluster": "lab",
        "identity": {"cluster": "lab"},
        "plan": {},
        "plan_digest": "d1",
        "version": "0.1.0",
        "initial": "node-maintenance",
        **changes,
    }
    with Journal.open_run(path, e.RunOpened(**values), holder=ALICE, options=QUICK) as journal:
        for entry in entries:
            journal.append([entry], lease_seconds=60.0 if is_intent(entry) else None)
    return path


def is_intent(entry: e.AnyEntry) -> bool:
    """An intent extends the lease in its own commit."""
    return isinstance(entry, e.ActionIntended)


def set_back(entries: Sequence[e.AnyEntry], place: int, seconds: float) -> list[e.AnyEntry]:
    """The same entries by a clock that was set back by so many *seconds* before the one at *place*."""
    first = entries[place].at
    return [
        *entries[:place],
        e.ClockJumped(at=first - seconds, seconds=-seconds),
        *(_earlier(entry, first, seconds) for entry in entries[place:]),
    ]


def _earlier(entry: e.AnyEntry, first: e.Instant, seconds: float) -> e.AnyEntry:
    """What is dated later than the jump is dated by the clock as it was set, by whomever."""
    news: dict[str, Any] = {"at": entry.at - seconds}
    if isinstance(entry, e.TimerSet | e.TimerFired | e.RetryScheduled):
        news["due"] = entry.due - seconds
    if isinstance(entry, e.Observed | e.FindingsChanged):
        news["changed"] = {
            name: replace(one, since=one.since - seconds)
            if one.since is not None and one.since >= first
            else one
            for name, one in entry.changed.items()
        }
    return replace(entry, **news)
