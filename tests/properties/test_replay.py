"""
Promise: the facts of any journal, fed to today's ``decide``, give the decisions that it holds.

Method: whole recoveries with crashes and faults, on the small cluster; then ``engine.replay``. Everything that a
decision rests on has to be in the journal: a decision that peeks at anything else (a clock, a counter of the process,
what was not yet written) differs here.

Mutant, killed here: ``flux_synced._nudge`` takes its token from the host's clock in place of the journal's.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.answer import Answer, Subject, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Decide, Facts, Findings
from engine.replay import Replayer, replay
from journal import entries as e
from phases.recipe import recipe
from rekindle.simulator.faults import Faults
from tests.properties.clusters import (
    NOBODY,
    SEEDS,
    YES,
    Operator,
    examples,
    faults,
    lives,
    story,
)
from tests.properties.harness import Death
from tests.properties.toy import START, House, chain, recipe_of, story_of

Life = list[tuple[Death, float]]


@given(
    name=st.sampled_from(["cold", "june", "healthy"]),
    seed=SEEDS,
    trouble=faults(),
    life=lives(3),
    operator=st.sampled_from([YES, YES, NOBODY]),
)
@settings(max_examples=examples(0.4))
def test_a_journal_replays_to_its_own_decisions(
    name: str, seed: int, trouble: Faults, life: Life, operator: Operator
) -> None:
    run, _ = story(name, seed=seed, faults=trouble, operator=operator)

    run.to_the_end(life)

    entries = run.book.entries()
    compared, differences = replay(recipe(), entries)
    assert compared == sum(isinstance(entry, e.Decided) for entry in entries)
    assert differences == ()
    # By its spans it is the same plan: all that this one's own timers tell is what the journal's tell.
    other = Replayer(recipe(), replace(run.plan, cluster=f"not {run.plan.cluster}"))
    told = [d for n, entry in enumerate(entries, start=1) for d in other.see(n, entry)]
    assert [*told, *other.ended()] == []


@pytest.mark.parametrize("name", ["cold", "june", "healthy"])
def test_every_turn_that_left_a_trace_is_compared(name: str) -> None:
    run, _ = story(name)
    run.session()
    replayer = Replayer(recipe())

    found = [d for n, one in enumerate(run.book.entries(), start=1) for d in replayer.see(n, one)]

    assert [*found, *replayer.ended()] == []
    assert replayer.counted.turns == sum(bool(turn.commits) for turn in run.turns)
    assert replayer.counted.left == {}


def test_code_that_differs_only_where_nothing_was_decided_is_found() -> None:
    """Mutant: hold only turns with a ``decided`` against today's code."""
    run, _ = story("june")
    run.session()
    written = [[entry for commit in turn.commits for entry in commit.entries] for turn in run.turns]
    decided = {one.at for turn in written for one in turn if isinstance(one, e.Decided)}
    quiet = {turn[0].at for turn in written if turn and turn[0].at not in decided}
    usual = recipe()

    def idle(decide: Decide) -> Decide:
        return lambda plan, facts, findings, memory: (
            {"moon": Wait("wait for everything")}
            if memory.now in quiet
            else decide(plan, facts, findings, memory)
        )

    today = replace(usual, phases={name: idle(decide) for name, decide in usual.phases.items()})

    different = replay(today, run.book.entries())[1]

    assert len(quiet) > 5
    assert different
    assert {one.at for one in different} <= quiet


def test_a_sentence_that_is_redacted_is_decided_once() -> None:
    """What the journal may not hold must not look new on every turn, nor differ when it is replayed."""
    secret = Wait("deployment/apps/api-token: pod-7d9f is not ready")
    table = recipe_of(["hall", "attic"])

    def decide(
        plan: Plan, facts: Facts, findings: Findings, memory: Memory
    ) -> dict[Subject, Answer]:
        found = table.phases["hall"](plan, facts, findings, memory)
        return {s: secret if isinstance(a, Wait) else a for s, a in found.items()}

    spoken = replace(table, phases={**table.phases, "hall": decide})
    house = House({"hall": False, "attic": False}, {"hall": 600.0})
    for number in range(20):
        shown = bool(number % 2)
        house.at(START + 20.0 * number, lambda shown=shown: house.set("attic", shown))  # type: ignore[misc]
    run = story_of(spoken, chain(["hall", "attic"]), house)

    run.session()

    waits = [
        entry
        for entry in run.book.entries()
        if isinstance(entry, e.Decided) and "[redacted" in str(entry.answers)
    ]
    assert len(waits) == 1
    assert replay(spoken, run.book.entries())[1] == ()
