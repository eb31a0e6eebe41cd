"""
Rehearsals: a scenario's plan, and the simulated cluster that outlives a killed run.

A scenario needs no other file: its inventory and its tree travel with it.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import PlanInvalid, Problem
from engine.plan import Plan, of_parts
from engine.yamlfile import Marks, YamlFile
from phases.recipe import recipe
from phases.section import load_section
from rekindle.simulator.scenario import (
    Scenario,
    check_commands,
    find_scenario,
    load_scenario,
    tree_path,
)

if TYPE_CHECKING:
    from engine.world import World
    from rekindle.folding import Found
    from rekindle.simulator.client import WorldAddress


def load(name: str) -> tuple[Path, Scenario, Plan]:
    """
    Load a scenario, a file or one of the package's by name, with its plan.

    :raises PlanInvalid: when its plan does not hold together.
    """
    path = find_scenario(name)
    scenario = load_scenario(path)
    return path, scenario, plan_of(path, scenario)


def plan_of(path: Path, scenario: Scenario) -> Plan:
    """Compile a scenario's plan with the default machine, or with its own."""
    raw: dict[str, Any] = dict(scenario.plan)
    machine = raw.pop("machine", {})
    beside = (path.parent, tree_path(scenario, path).parent)

    def include(file: str) -> YamlFile:
        found = next((folder / file for folder in beside if (folder / file).exists()), None)
        if found is None:
            raise FileNotFoundError(2, "no such file beside the scenario or its tree", file)
        return YamlFile(str(found), found.read_text(encoding="utf-8"))

    problems: list[Problem] = []
    section = load_section(raw, Marks(str(path), {}), include, problems)
    if problems:
        raise PlanInvalid(problems)
    crds = section["crds"]
    if crds["directory"] and not crds["available"]:
        # In a simulated cluster every definition that the tree has can be applied out of band.
        crds["available"] = [item["name"] for item in section["inventory"]["crds"]]
    check_commands(scenario, section["commands"])
    default = recipe().machine
    return of_parts(scenario.cluster, {**default, **machine}, section, recipe())


def in_process(name: str) -> tuple[Plan, World]:
    """Make a scenario's cluster inside this process: to be looked at, not to be recovered."""
    from rekindle.simulator.world import SimWorld

    _, scenario, plan = load(name)
    return plan, SimWorld(scenario)


def new_address(path: Path, scenario: Scenario, journal: Path, speed: float) -> WorldAddress:
    """Name a world that does not exist yet, so that the journal knows where to find it before it is there."""
    from rekindle.simulator.client import WorldAddress, new_socket

    world = secrets.token_hex(4)
    named = scenario.name if find_scenario(scenario.name) == path else str(path.absolute())
    log = journal.with_name(f"{journal.name}.world-{world}.jsonl")
    return WorldAddress(world, named, scenario.seed, new_socket(), str(log), speed)


def world_again(found: Found, journal: Path) -> World:
    """Find the world of a rehearsal, or build it again from its log."""
    from rekindle.simulator.client import WorldAddress, connect_or_spawn

    address = msgspec.convert(found.opened.world, WorldAddress)
    del journal
    return connect_or_spawn(address)


def end_world(world: World) -> None:
    """End the process of a simulated world: its run is closed."""
    from rekindle.simulator.client import RemoteWorld

    if isinstance(world, RemoteWorld):
        world.shutdown()
