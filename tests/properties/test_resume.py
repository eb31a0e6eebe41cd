"""
Promise: resume(resume(x)) = resume(x); a crash inside a resume is the same case again.

Method: the same run, with the same seed and the same death, is told twice. One is resumed once, the other dies again
inside its resume (after the lease, after the entry, before or after an adoption) and is resumed a second time. Both
must then know the same, decide the same and write the same journal to its end; only the lease and resume entries
differ. With time between the two resumes the timers must agree as well: what nobody was there for is counted once.

Mutants, killed here: a resume counts an attempt; the runner adopts nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from engine.memory import Memory
from journal import entries as e
from journal.entries import AnyEntry
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.faults import Faults
from tests.properties.clusters import SEEDS, YES, deaths, examples, faults, story
from tests.properties.harness import Death, Story

TELL_OF_IT = (e.LeaseTaken, e.RunResumed, e.LeaseLost, e.RunInterrupted)
INSIDE = st.one_of(
    st.builds(
        Death, point=st.sampled_from(["before-commit", "after-commit"]), nth=st.integers(1, 2)
    ),
    st.builds(Death, point=st.sampled_from(["before-adopt", "after-adopt"]), nth=st.integers(1, 3)),
)


def told(name: str, seed: int, trouble: Faults, death: Death) -> tuple[Story, SimCluster]:
    """Tell the story up to its first death; one that the run never comes to is moved to an early action."""
    for fate in (death, Death("after-start", 1 + death.nth % 3)):
        run, cluster = story(name, seed=seed, faults=trouble, operator=YES)
        run.session(fate)
        if not run.closed():
            break
    assume(not run.closed())
    return run, cluster


def reachable(inside: Death, run: Story) -> Death:
    """A death in the taking over of an action needs that action; where there is none, die at a commit."""
    left = len(run.book.folded().open)
    if not inside.point.endswith("adopt") or inside.nth <= left:
        return inside
    return Death(inside.point.replace("adopt", "commit"), min(inside.nth, 2))


def after(run: Story, cluster: SimCluster) -> dict[str, Any]:
    """Resume, and stop at the first thing that this process would write or do of its own."""
    before = len(run.turns)
    run.session(Death("after-next", 1))
    return {
        "at": cluster.loop.now,
        "memory": tidy(run.book.folded()),
        "intents": [intent for turn in run.turns[before:] for intent in turn.intents],
    }


def tidy(memory: Memory) -> dict[str, Any]:
    """A memory without what tells how often it was resumed."""
    known: dict[str, Any] = msgspec.to_builtins(memory)
    for name in ("epoch",):
        del known[name]
    for attempt in [*known["open"].values(), *known["last"].values()]:
        attempt.pop("epoch")
    return known


def close(one: Any, other: Any) -> bool:  # noqa: ANN401  JSON
    """Equal, but for the last bits of instants that were added up in another order."""
    if isinstance(one, float) or isinstance(other, float):
        return bool(abs(one - other) < 0.001)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return bool(one == other)


def tail(entries: list[AnyEntry]) -> list[dict[str, Any]]:
    """A journal without what tells how often it was resumed."""
    found = [msgspec.to_builtins(entry) for entry in entries if not isinstance(entry, TELL_OF_IT)]
    for body in found:
        body.pop("epoch", None)
    return found


@given(
    name=st.sampled_from(["cold", "june"]),
    seed=SEEDS,
    trouble=faults(),
    death=deaths(),
    inside=INSIDE,
    idle=st.sampled_from([0.0, 0.5, 30.0, 600.0, 4000.0]),
)
@example(  # it is settled by its deadline, the run moves at once, and asks for the same again
    name="june",
    seed=0,
    trouble=Faults(),
    death=Death("before-start", 7),
    inside=Death("before-commit", 1),
    idle=600.0,
)
@settings(max_examples=examples(0.2))
def test_dying_in_a_resume_changes_nothing(
    name: str, seed: int, trouble: Faults, death: Death, inside: Death, idle: float
) -> None:
    once, _ = told(name, seed, trouble, death)
    once.pass_time(idle)
    ending = once.to_the_end()

    twice, _ = told(name, seed, trouble, death)
    twice.pass_time(idle)
    before = len(twice.book.entries())
    assume(twice.session(reachable(inside, twice)) is None)
    assert {type(x) for x in twice.book.entries()[before:]} <= set(TELL_OF_IT)
    twice.dice_offset = 1

    assert twice.to_the_end() == ending
    assert tail(twice.book.entries()) == tail(once.book.entries())
    for story_ in (once, twice):
        left = {
            a for x in story_.book.entries() if isinstance(x, e.RunResumed) for a in x.open_actions
        }
        settled = [x for x in story_.book.entries() if isinstance(x, e.ActionSettled)]
        assert left <= {x.action for x in settled if x.by != "deadline"}, "nobody took it over"


@given(
    name=st.sampled_from(["cold", "june"]),
    seed=SEEDS,
    trouble=faults(),
    death=deaths(),
    inside=INSIDE,
    idle=st.tuples(*[st.sampled_from([0.0, 0.5, 30.0, 600.0, 4000.0])] * 2),
)
@settings(max_examples=examples(0.3))
def test_nobody_there_is_counted_once(
    name: str, seed: int, trouble: Faults, death: Death, inside: Death, idle: tuple[float, float]
) -> None:
    once, cluster = told(name, seed, trouble, death)
    once.pass_time(sum(idle))
    single = after(once, cluster)

    twice, cluster = told(name, seed, trouble, death)
    twice.pass_time(idle[0])
    assume(twice.session(reachable(inside, twice)) is None)
    twice.pass_time(idle[1])
    twice.dice_offset = 1
    double = after(twice, cluster)

    assert close(single["at"], double["at"])
    assert close(single["memory"], double["memory"])
    assert [(i.verb, i.target, i.action) for i in single["intents"]] == [
        (i.verb, i.target, i.action) for i in double["intents"]
    ]
