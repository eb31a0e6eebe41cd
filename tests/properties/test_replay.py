"""
Promise: the facts of any journal, fed to today's ``decide``, give the decisions that it holds.

Method: whole recoveries with crashes and faults, on the small cluster; then ``engine.replay``. Everything that a
decision rests on has to be in the journal: a decision that peeks at anything else (a clock, a counter of the process,
what was not yet written) differs here.

Mutant, killed here: ``flux_synced._nudge`` takes its token from the host's clock in place of the journal's.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.replay import replay
from journal import entries as e
from phases.recipe import recipe
from rekindle.simulator import Faults
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
