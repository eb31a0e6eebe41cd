"""Small worlds for tests, and what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.world import Intent, Settlement
from journal.entries import Instant
from phases.followed import Objects
from phases.snapshot import NodeLook, Seen
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import find_scenario, load_scenario
from rekindle.simulator.world import SimWorld

DATA = Path(__file__).parent / "data"
SMALL_PODS = 12
ANTON_PODS = 104


def small(name: str, *, seed: int | None = None, faults: Faults | None = None) -> SimWorld:
    """A world of the small tree: cold, june or healthy."""
    return SimWorld(load_scenario(DATA / f"small-{name}.yaml"), seed=seed, faults=faults)


def packaged(name: str, *, seed: int | None = None, faults: Faults | None = None) -> SimWorld:
    """A world of a scenario of the package."""
    return SimWorld(load_scenario(find_scenario(name)), seed=seed, faults=faults)


def objects(world: SimWorld, kind: str) -> Objects:
    """All objects of a kind, which must be seen."""
    seen = world.look().objects[kind]
    assert isinstance(seen, Seen)
    return seen.value


def node(world: SimWorld, name: str) -> NodeLook:
    """A node, which must be seen."""
    seen = world.look().nodes[name]
    assert isinstance(seen, Seen)
    return seen.value


def messages(world: SimWorld, kind: str, key: str) -> dict[str, tuple[str, str, str]]:
    """Conditions of an object: status, reason and message by type."""
    found = objects(world, kind)[key]
    return {
        state.type: (state.status, state.reason, state.message) for state in found.status.conditions
    }


def intent(
    world: SimWorld,
    action: str,
    verb: str,
    target: str,
    deadline: float = 900.0,
    **arguments: Any,  # noqa: ANN401
) -> Intent:
    """An intent of this instant."""
    return Intent(action, verb, target, 1, 1, deadline, world.now(), arguments)


def do(world: SimWorld, action: str, verb: str, target: str, **arguments: Any) -> Settlement:  # noqa: ANN401
    """Start an action and wait for its settlement."""
    world.start(intent(world, action, verb, target, **arguments))
    return settled(world, action)


def settled(world: SimWorld, action: str, seconds: float = 7200.0) -> Settlement:
    """Wait for the settlement of an action."""
    end = world.now() + seconds
    while world.now() < end:
        for settlement in world.next(end).settlements:
            if settlement.action == action:
                return settlement
    text = f"{action} did not settle"
    raise AssertionError(text)


def run_to(world: SimWorld, instant: Instant) -> None:
    """Let time pass to an instant, and do nothing."""
    while world.now() < instant:
        world.next(instant)


def run_for(world: SimWorld, seconds: float) -> None:
    """Let time pass, and do nothing."""
    run_to(world, world.now() + seconds)
