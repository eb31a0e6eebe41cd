"""
Promise: every session ends in done, stuck or waiting, and no state is pursued longer than its deadline allows.

Method: recoveries with every fault, on a cluster that may never heal (``lost for ever``: a node that stays off, a
command that always fails, an etcd that never shows itself). The number of turns is bounded; each visit of a state ends
within its deadline, the time in which nobody held the lease, and the longest action that was in flight.

Mutants, killed here: ``_too_late`` is never asked; an ``active`` deadline begins anew with each process.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from journal import entries as e
from journal.entries import AnyEntry
from rekindle.simulator.faults import Faults
from tests.properties.clusters import (
    COMMAND_SECONDS,
    NOBODY,
    NODES,
    SEEDS,
    YES,
    Operator,
    examples,
    faults,
    lives,
    story,
)
from tests.properties.harness import Death, Story
from tests.properties.toy import House, chain, recipe_of, story_of

Life = list[tuple[Death, float]]
MARGIN_SECONDS = 30.0
THINK_SECONDS = 20.0
LONGEST_WAIT_SECONDS = 60.0
DAY = 86_400.0


@st.composite
def hopeless(draw: st.DrawFn) -> Faults:
    """Faults, and perhaps something that never ends."""
    found = draw(faults())
    match draw(st.sampled_from(["", "off", "unseen", "command", "etcd", "silent", "slow"])):
        case "off":
            return replace(found, off=((draw(st.sampled_from(NODES)), 100.0, DAY),))
        case "unseen":
            name = draw(st.sampled_from((*NODES, "api")))
            return replace(found, unseen=((name, draw(st.floats(0, 400)), DAY),))
        case "command":
            return replace(found, command_failures=(("cni", 1000),))
        case "etcd":
            return replace(found, etcd_delay=DAY)
        case "silent":
            return replace(found, lost_requests=("talos.apply", "root.apply", "flux.nudge"))
        case "slow":
            return replace(found, pod_slowness=40.0)
    return found


@given(
    name=st.sampled_from(["cold", "june", "healthy"]),
    seed=SEEDS,
    trouble=hopeless(),
    life=lives(2),
    operator=st.sampled_from([YES, NOBODY]),
)
@settings(max_examples=examples(1))
def test_every_session_ends_within_its_deadlines(
    name: str, seed: int, trouble: Faults, life: Life, operator: Operator
) -> None:
    run, _ = story(name, seed=seed, faults=trouble, operator=operator)
    run.most_wakeups = 3_000

    ending = run.to_the_end(life, resumes=1)

    assert ending in {"done", "stuck", "waiting"}
    for state, seconds in visits(run.book.entries()):
        allowance = COMMAND_SECONDS + MARGIN_SECONDS + THINK_SECONDS
        assert seconds <= deadlines(run)[state] + allowance


@given(
    sessions=st.lists(
        st.tuples(st.integers(1, 25), st.sampled_from([0.0, 3.0, 7200.0])), max_size=8
    )
)
@settings(max_examples=examples(1))
def test_dying_buys_no_time(sessions: list[tuple[int, float]]) -> None:
    """A deadline counts the time in which somebody was there, over all processes; a death may lose a minute of it."""
    house = House({"hall": False}, {"hall": 10 * DAY})
    run = story_of(recipe_of(["hall"]), chain(["hall"]), house)
    life = [(Death("after-next", nth), idle) for nth, idle in sessions]

    for death, idle in life:
        if run.session(death) is not None:
            break
        run.pass_time(idle)
    else:
        run.session()

    assert run.endings[-1] == "stuck"
    [(_, seconds)] = visits(run.book.entries())
    assert 1800.0 <= seconds <= 1800.0 + MARGIN_SECONDS + LONGEST_WAIT_SECONDS * len(life)


def deadlines(run: Story) -> dict[str, float]:
    """How long each state may be pursued."""
    return {name: state.deadline.after for name, state in run.plan.machine.states.items()}


def visits(entries: list[AnyEntry]) -> list[tuple[str, float]]:
    """How long each state was pursued, by sessions that were there; a fresh deadline begins a visit anew."""
    opened = entries[0]
    assert isinstance(opened, e.RunOpened)
    found: list[tuple[str, float]] = []
    state, since, idle = opened.initial, opened.at, 0.0
    for entry in entries:
        if isinstance(entry, e.RunResumed) and entry.fresh_deadlines:
            since, idle = entry.at, 0.0
        elif isinstance(entry, e.RunResumed):
            idle += entry.idle_seconds
        elif isinstance(entry, e.Moved):
            found.append((state, entry.at - since - idle))
            state, since, idle = entry.target, entry.at, 0.0
        elif isinstance(entry, e.RunInterrupted):
            found.append((state, entry.at - since - idle))
    return found
