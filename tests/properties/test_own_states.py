"""
Promise: a plan's own states pass through kill and resume as the built-in ones do, and a walk takes one node at a time.

Method: the example's walk (cordon, drain, upgrade, settle, uncordon over three nodes) on the simulated cluster, killed
anywhere, with commands that fail, probes and nodes that cannot be seen for a while, and nodes that reboot by
themselves. And made-up machines of ``command-until`` states, some in a walk, over effects of which nobody knows
anything but a probe, in a world without faults.

Mutants, killed here: no other node is asked whether it is away (``_others``); no goal ends with a later one
(``_until``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.replay import replay
from journal import entries as e
from phases.objects import Node
from rekindle.recipes import recipe
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.faults import Faults
from tests.properties.clusters import NODES, SEEDS, YES, examples, lives, story, windows
from tests.properties.harness import Death, Story
from tests.properties.own import VERSION, marking, versions, walking

Life = list[tuple[Death, float]]
COMMANDS = ("cordon", "drain", "upgrade", "uncordon")
WORDS = st.text("abcdefgh", min_size=1, max_size=5)


def troubles() -> st.SearchStrategy[Faults]:
    """What may go wrong around a walk."""
    return st.builds(
        Faults,
        command_failures=st.lists(
            st.tuples(st.sampled_from(COMMANDS), st.integers(1, 2)), max_size=2
        ).map(tuple),
        unseen=st.lists(windows((*NODES, "api"), 300.0), max_size=2).map(tuple),
        reboots=st.lists(
            st.tuples(st.sampled_from(NODES), st.floats(1, 900, width=32)), max_size=2
        ).map(tuple),
    )


def held(run: Story, cluster: SimCluster) -> None:
    """What holds however a walk ends."""
    assert cluster.upkeep.most_cordoned <= 1
    assert cluster.commands.most_at_once <= 1
    assert replay(recipe(), run.book.entries())[1] == ()


@given(seed=SEEDS, life=lives(4, ("command.run",)))
@settings(max_examples=examples(0.2))
def test_a_killed_walk_arrives(seed: int, life: Life) -> None:
    run, cluster = walking(seed)

    assert run.to_the_end(life) == "done"

    assert versions(cluster) == {VERSION}
    held(run, cluster)


@given(seed=SEEDS, life=lives(2, ("command.run",)), trouble=troubles())
@settings(max_examples=examples(0.2))
def test_a_walk_ends_and_never_takes_two_nodes_away(seed: int, life: Life, trouble: Faults) -> None:
    run, cluster = walking(seed, trouble)
    run.most_wakeups = 3_000

    assert run.to_the_end(life, resumes=2) in {"done", "stuck", "waiting"}

    held(run, cluster)


def test_a_finished_walk_is_passed_through_without_an_action() -> None:
    run, cluster = walking()
    assert run.to_the_end([]) == "done"
    before = cluster.commands.count

    again, _ = walking()
    again.connect = run.connect

    assert again.to_the_end([]) == "done"
    assert cluster.commands.count == before > 0


@pytest.mark.parametrize("name", NODES)
def test_beside_a_node_that_somebody_took_away_none_is_taken(name: str) -> None:
    run, cluster = walking()
    node: Node = cluster.api.get("Node", name)
    cordoned = replace(node.spec, unschedulable=True)
    cluster.api.update("Node", name, spec=cordoned, status=node.status)
    first = name == NODES[0]  # the walk begins with that one anyway, and brings it back

    assert run.to_the_end([], resumes=0) == ("done" if first else "stuck")

    assert cluster.upkeep.most_cordoned == 1
    assert bool(cluster.commands.count) is first


@dataclass
class Made:
    """A machine of marks: what its states bring, in their order; *there* is what was there before."""

    machine: dict[str, Any] = field(default_factory=dict)
    durations: dict[str, float] = field(default_factory=dict)
    walked: frozenset[str] = frozenset()
    there: set[str] = field(default_factory=set)
    order: list[tuple[str, str]] = field(default_factory=list)  # a mark, and until which one


def _state(mark: str, draw: st.DrawFn, until: str = "") -> dict[str, Any]:
    return {
        "phase": "command-until",
        "options": {
            "command": f"make-{mark}",
            "probe": f"see-{mark}",
            "settle": draw(st.sampled_from(["1s", "30s", "10m"])),
        },
        "stable": draw(st.sampled_from([0.0, 0.0, 5.0])),
        "deadline": {"after": draw(st.sampled_from(["2h", "1d"])), "policy": "active"},
        **({"until": until} if until else {}),
    }


@st.composite
def machines(draw: st.DrawFn) -> Made:
    """One to five states, some of them a walk of up to three steps; what is there already is anything."""
    made = Made()
    plain = draw(st.lists(WORDS.map(lambda w: f"p{w}"), min_size=1, max_size=3, unique=True))
    steps = draw(st.lists(WORDS.map(lambda w: f"w{w}"), max_size=3, unique=True))
    made.walked = frozenset(steps)
    spans = st.sampled_from([0.0, 1.0, 29.5, 60.0, 590.0])
    made.durations = {mark: draw(spans) for mark in (*plain, *steps)}
    place = draw(st.integers(0, len(plain)))
    names = [*plain[:place], *(["walk"] if steps else []), *plain[place:]]
    states: dict[str, Any] = {}
    for name, following in zip(names, [*names[1:], "done"], strict=True):
        if name == "walk":
            body = _walk(steps, draw, made)
        else:
            body = _state(name, draw)
            made.order.append((name, ""))
        states[name] = {**body, "next": following}
    made.machine = {"initial": names[0], "states": states}
    marks = [mark for mark, _ in made.order]
    made.there = set(draw(st.lists(st.sampled_from(marks), unique=True))) - away(made, steps)
    return made


def away(made: Made, steps: list[str]) -> set[str]:
    """Nodes but the first that were taken away before: a walk rightly begins nothing beside one of those."""
    walk = made.machine["states"].get("walk", {"steps": {}})["steps"]
    takes = next((step for step in steps if "until" in walk[step]), None)
    return {f"{takes}/{node}" for node in NODES[1:]}


def _walk(steps: list[str], draw: st.DrawFn, made: Made) -> dict[str, Any]:
    untils = {
        step: draw(st.sampled_from(["", *steps[place + 1 :]])) for place, step in enumerate(steps)
    }
    for node in NODES:
        for step in steps:
            until = untils[step]
            made.order.append((f"{step}/{node}", f"{until}/{node}" if until else ""))
    body = {step: _state(step, draw, untils[step]) for step in steps}
    return {"over": "nodes", "steps": body}


def expected(made: Made) -> list[str]:
    """What has to be made, in this order: what is not there, and is not only needed until something that is."""
    there, found, later = set(made.there), [], dict(made.order)

    def is_needed(mark: str) -> bool:
        # What a later one made needless makes needless what was only needed for that.
        return mark not in there and (not later[mark] or is_needed(later[mark]))

    for mark, _ in made.order:
        if is_needed(mark):
            found.append(mark)
            there.add(mark)
    return found


@given(made=machines(), seed=SEEDS)
@settings(max_examples=examples(0.4))
def test_any_machine_of_commands_and_probes_reaches_done_in_a_kind_world(
    made: Made, seed: int
) -> None:
    found = marking(made.machine, made.durations, made.walked)
    run, cluster = story(
        "healthy", found=found, machine=made.machine, using=recipe(), seed=seed, operator=YES
    )
    cluster.upkeep.marks |= made.there
    wanted = expected(made)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    done = [x for x in run.book.entries() if isinstance(x, e.ActionIntended)]
    assert [x.target.removeprefix("command/make-") for x in done] == wanted
    assert cluster.commands.most_at_once <= 1
