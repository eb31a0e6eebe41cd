"""
Promise: nothing is done to the cluster without an intent that was durable before it, under the same epoch.

Method: whole recoveries with crashes and faults. The world keeps what it was told and how much of the journal was
committed at that moment; each of its commands must be there as an ``action.intended`` with the same id, verb, target,
epoch and arguments. The cluster's own counts must say that it was told nothing else, and nothing twice. And
whatever a killed process left running, no command of the operator's ever runs beside another.

Mutants, killed here: the runner starts before it appends; an intent carries epoch 1 for ever; a resume forgets what is
open, so that the command runs again beside its orphan.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from journal import entries as e
from rekindle.simulator.faults import Faults
from tests.properties.clusters import SEEDS, YES, examples, faults, lives, story
from tests.properties.harness import Death

Life = list[tuple[Death, float]]
BESIDE_THE_COMMAND = st.one_of(
    st.builds(
        Death,
        point=st.sampled_from(["after-start", "after-commit", "before-start"]),
        nth=st.just(1),
        verb=st.just("command.run"),
    ),
    st.builds(Death, point=st.sampled_from(["after-next", "after-commit"]), nth=st.integers(1, 6)),
)


@given(name=st.sampled_from(["cold", "june"]), seed=SEEDS, trouble=faults(), life=lives(4))
@settings(max_examples=examples(0.4))
def test_every_command_has_its_durable_intent(
    name: str, seed: int, trouble: Faults, life: Life
) -> None:
    run, cluster = story(name, seed=seed, faults=trouble, operator=YES)

    run.to_the_end(life)

    entries = run.book.entries()
    epochs = [0]
    for entry in entries:
        epochs.append(entry.epoch if isinstance(entry, e.LeaseTaken) else epochs[-1])
    for told in run.told:
        durable = entries[: told.durable]
        mine = [
            x for x in durable if isinstance(x, e.ActionIntended) and x.action == told.intent.action
        ]
        assert len(mine) == 1, f"{told.intent} was begun without a durable intent"
        assert (mine[0].verb, mine[0].target) == (told.intent.verb, told.intent.target)
        assert mine[0].arguments == told.intent.arguments
        assert mine[0].epoch == told.intent.epoch == epochs[told.durable]
    assert max(Counter(told.intent.action for told in run.told).values(), default=0) <= 1
    assert Counter(told.intent.verb for told in run.told) == cluster.actions.counts


@given(
    name=st.sampled_from(["cold", "june"]),
    seed=SEEDS,
    life=st.lists(st.tuples(BESIDE_THE_COMMAND, st.sampled_from([0.0, 5.0, 15.0])), min_size=1),
    failures=st.integers(0, 2),
)
@settings(max_examples=examples(0.4))
def test_no_command_runs_beside_another(name: str, seed: int, life: Life, failures: int) -> None:
    trouble = Faults(command_failures=(("cni", failures),))
    run, cluster = story(name, seed=seed, faults=trouble, operator=YES)

    run.to_the_end(life)

    assert cluster.counters()["commands_at_once"] <= 1, "one sync beside another"
