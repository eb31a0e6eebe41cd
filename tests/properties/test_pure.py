"""
Promise: a turn is computed, not performed: same facts, same memory, same answers, and nothing that went in is changed.

Method: at any point of a recovery, ``decide`` and the whole turn are asked twice, in another process's rules (compiled
anew from the journaled plan) and after other questions in between; what went in is compared byte for byte with a copy.

Mutant, killed here: the cache of verdicts does not look whether the object is still the same.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.judging import Rules, answers_of, spelled
from engine.memory import Memory
from engine.plan import from_compiled
from engine.turn import take
from phases.recipe import recipe
from phases.snapshot import Snapshot
from rekindle.simulator.faults import Faults
from tests.properties.clusters import YES, examples, plan_of, scenario, story


@cache
def moments(name: str) -> tuple[tuple[Memory, Snapshot], ...]:
    """Every look of a recovery with some trouble, and what was known when it was taken."""
    found: list[tuple[Memory, Snapshot]] = []

    def keep(snapshot: Any) -> Any:  # noqa: ANN401  the domain's look
        found.append((run.book.folded(), snapshot))
        return snapshot

    trouble = Faults(lost_answers=("root.apply#1",), reboots=(("n3", 200.0),))
    run, _ = story(name, faults=trouble, operator=YES, blindfold=keep)
    run.to_the_end()
    return tuple(found)


def written(value: Any) -> bytes:  # noqa: ANN401  anything of ours
    """What a value is, as bytes."""
    return msgspec.json.encode(value, order="sorted")


@given(
    name=st.sampled_from(["cold", "june"]),
    where=st.floats(0, 1, exclude_max=True),
    other=st.floats(0, 1, exclude_max=True),
    draining=st.booleans(),
)
@settings(max_examples=examples(2))
def test_a_turn_is_a_function(name: str, where: float, other: float, draining: bool) -> None:  # noqa: FBT001
    found = moments(name)
    memory, snapshot = found[int(where * len(found))]
    before = (written(memory), written(snapshot))
    plan = plan_of(scenario(name))
    again = from_compiled(msgspec.json.decode(msgspec.json.encode(plan.compiled())), recipe())
    rules, others = Rules.of(recipe(), plan), Rules.of(recipe(), again)
    others_memory, others_snapshot = found[int(other * len(found))]
    take(others, others_memory, others_snapshot, others_snapshot.at, random.Random(2).random)

    first = take(rules, memory, snapshot, snapshot.at, random.Random(1).random, draining=draining)
    second = take(others, memory, snapshot, snapshot.at, random.Random(1).random, draining=draining)

    assert first == second
    assert not (draining and first.intents)
    assert (written(memory), written(snapshot)) == before
    answers = {subject: spelled(a) for subject, a in answers_of(rules, memory).items()}
    assert answers == {subject: spelled(a) for subject, a in answers_of(others, memory).items()}
    for name_, decide in recipe().phases.items():
        one = decide(plan, memory.facts, memory.findings, memory)
        assert one == decide(again, memory.facts, memory.findings, memory), name_
    assert (written(memory), written(snapshot)) == before
