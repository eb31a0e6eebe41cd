"""Plans with states of their own, on the small cluster: the example's walk over the nodes, and made-up ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from rekindle.recipes import recipe
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import CommandSpec, ProbeSpec, Scenario, load_scenario
from tests.properties.clusters import YES, scenario, story
from tests.properties.harness import Story

EXAMPLE = Path(__file__).parents[2] / "examples" / "own-states" / "rehearsal.yaml"
VERSION = "v1.11.5"


@cache
def walk() -> tuple[Scenario, dict[str, Any]]:
    """The example's machine on the small cluster."""
    example = load_scenario(EXAMPLE)
    small = scenario("healthy")
    commands = {**small.commands, **example.commands}
    declared = {**small.plan["commands"], **example.plan["commands"]}
    del commands["apps"], declared["apps"]
    plan = {**small.plan, "commands": declared, "probes": example.plan["probes"]}
    found = replace(small, plan=plan, commands=commands, probes=example.probes)
    return found, example.plan["machine"]


def walking(
    seed: int = 7, faults: Faults | None = None, machine: Mapping[str, Any] | None = None
) -> tuple[Story, SimCluster]:
    """A run of it."""
    found, own = walk()
    return story(
        "healthy",
        found=found,
        machine=machine or own,
        using=recipe(),
        seed=seed,
        faults=faults,
        operator=YES,
    )


def marking(
    machine: Mapping[str, Any], marks: Mapping[str, float], walked: frozenset[str] = frozenset()
) -> Scenario:
    """
    A cluster with a command and a probe for each mark, by its duration; nothing else is known of what they do.

    *walked* are those that are for a node.
    """
    del machine
    small = scenario("healthy")
    plan = {
        **small.plan,
        "commands": {
            **small.plan["commands"],
            **{f"make-{mark}": {"argv": ["make", mark, *_about(mark, walked)]} for mark in marks},
        },
        "probes": {
            f"see-{mark}": {"argv": ["see", mark, *_about(mark, walked)], "not_yet": 3}
            for mark in marks
        },
    }
    commands = {f"make-{mark}": CommandSpec(span, marks=mark) for mark, span in marks.items()}
    probes = {f"see-{mark}": ProbeSpec("mark", mark=mark) for mark in marks}
    return replace(small, plan=plan, commands={**small.commands, **commands}, probes=probes)


def _about(mark: str, walked: frozenset[str]) -> tuple[str, ...]:
    return ("{node}",) if mark in walked else ()


def versions(cluster: SimCluster) -> set[str]:
    """The versions that the machines run."""
    return {machine.version for machine in cluster.machines.by_name.values()}
