"""
Promise: the dead-wait ledger accounts for every second of a run, however often it was killed.

Method: recoveries of the small cluster with deaths and idle times of Hypothesis' choice, and every length of their
journals: the classes add up to the whole, the work alone is never longer than it. Then the night of June 12.

Mutants, each tried: a resumed run's ``idle_seconds`` are not booked; ``Worked`` counts work from its beginning and not
from the last need on.
"""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from engine.plan import Plan
from journal import entries as e
from journal.entries import AnyEntry
from phases.ledger import Ledger, closing, ledger_of
from rekindle.ledger import sentence
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.scenario import OperatorRule, Scenario, find_scenario, load_scenario
from tests.properties.clusters import examples, lives, story
from tests.properties.harness import Death, Story

SECOND = 1.0
EVERY = 37  # entries between two lengths of a journal


def ledger(plan: Plan, entries: list[AnyEntry]) -> Ledger:
    return ledger_of(plan, lambda: iter(entries))


def told(name: str, think: float | None = None) -> tuple[Story, SimCluster]:
    """One of the package's scenarios, closed with its ledger; *think*: so long its operator takes to answer."""
    found: Scenario = load_scenario(find_scenario(name))
    rules = found.operator
    if think is not None:
        rules = tuple(replace(rule, think=think) for rule in rules) or (
            OperatorRule("*", answer=True, think=think),
        )
    run, cluster = story(name, found=found, seed=found.seed, operator=rules)
    run.closing = partial(closing, run.plan, lambda: iter(run.book.entries()))
    return run, cluster


def check(seen: Ledger, entries: list[AnyEntry]) -> None:
    whole = max(entry.at for entry in entries) - entries[0].at
    assert seen.total == pytest.approx(whole)
    assert sum(seen.classes.values()) == pytest.approx(seen.total, abs=1e-3)
    assert all(span > 0 for span in seen.classes.values())
    assert 0 <= seen.critical_path <= seen.total
    assert seen.classes.get("useful", 0.0) <= seen.critical_path + 1e-6


@settings(max_examples=examples(0.1))
@given(lives(most=2))
def test_every_second_has_a_class(deaths: list[tuple[Death, float]]) -> None:
    run, _ = story("june")
    run.to_the_end(deaths, resumes=1)
    entries = run.book.entries()

    for length in (*range(2, len(entries), EVERY), len(entries)):
        check(ledger(run.plan, entries[:length]), entries[:length])


def test_a_killed_run_has_the_whole_of_its_time_and_names_nobodys() -> None:
    """The dead session's 300 s are in the sum; mutant: begin the ledger at the last resume."""
    run, cluster = told("june-12")
    begun = cluster.loop.now

    assert run.to_the_end([(Death("after-commit", 60), 300.0)]) == "done"

    closed = run.book.entries()[-2]
    assert isinstance(closed, e.RunClosed)
    seen = closed.summary["ledger"]
    assert seen["seconds"] == pytest.approx(closed.at - begun, abs=SECOND)
    assert seen["dead"]["nobody"] == pytest.approx(300.0, abs=SECOND)
    spans = [*seen["dead"].values(), seen["useful"], seen["unknown"]]
    assert sum(spans) == pytest.approx(seen["seconds"], abs=SECOND)


def test_the_night_of_june_12_waited_for_a_person_and_a_held_namespace() -> None:
    run, _ = told("june-12", think=600.0)
    run.session()

    seen = run.book.folded().summary["ledger"]

    assert seen["dead"]["DW18"] == pytest.approx(600.0, abs=2.0)
    assert seen["dead"]["DW14"] > 30.0
    assert seen["ratio"] > 4
    assert "dead: a person 10 m" in sentence(run.book.folded().summary)


def test_who_answers_before_the_path_gets_there_costs_nothing() -> None:
    """The command that installs the controllers takes longer than the answer: both waits are beside the path."""
    run, _ = told("june-12")
    run.session()

    seen = run.book.folded().summary["ledger"]

    assert seen["beside"]["DW18"] > 30.0
    assert seen["beside"]["DW14"] > 30.0
    assert "DW18" not in seen["dead"]
