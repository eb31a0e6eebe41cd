"""
Rehearsals: a scenario's plan, and the simulated cluster that outlives a killed run.

A scenario needs no other file: its inventory and its tree travel with it.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.checked import remains, validated
from engine.errors import Diagnosed, PlanInvalid, Problem
from engine.plan import Plan, of_parts
from engine.walks import refused
from engine.yamlfile import Marks, spelled
from journal.entries import Json
from phases.section import Section
from rekindle.recipes import recipe
from rekindle.simulator.errors import ScenarioInvalid
from rekindle.simulator.inventory import section_of
from rekindle.simulator.scenario import (
    Scenario,
    check_commands,
    check_probes,
    find_scenario,
    identity,
    load_scenario,
    read_scenario,
)
from rekindle.speeds import speed_of

if TYPE_CHECKING:
    from engine.world import World
    from rekindle.folding import Found
    from rekindle.simulator.client import WorldAddress
    from rekindle.simulator.tree import Tree
    from rekindle.simulator.world import SimWorld


PLAN = ("plan",)  # where a scenario has its plan


def load(name: str) -> tuple[Path, Scenario, Plan]:
    """
    Load a scenario, a file or one of the package's by name, with its plan.

    :raises PlanInvalid: when its plan does not hold together.
    """
    path = find_scenario(name)
    scenario, marks = read_scenario(path)
    return path, scenario, plan_of(scenario, marks)


def plan_of(scenario: Scenario, marks: Marks, tree: Tree | None = None) -> Plan:
    """
    Compile a scenario's plan with the default machine, or with parts of its own; the tree is its inventory.

    *marks*: where the parts of the scenario stand. What is wrong with the machine is told beside what is wrong with
    the rest, as of a plan file.
    """
    raw = section_of(scenario, tree)
    machine = raw.pop("machine", {})
    problems: list[Problem] = []
    section = validated(Section, raw, marks, PLAN, problems)
    left = section or remains(Section, raw, {})
    if left is None:
        raise PlanInvalid(problems)
    known = left.model_dump(mode="json", by_alias=True)
    places = {path[1:]: place for path, place in marks.places.items() if path[:1] == PLAN}
    inside = Marks(marks.file, places)
    # What was recorded of a run has the loader's own states: they came from a plan that was loaded.
    found = [] if scenario.recorded is not None else refused(machine, inside)
    try:
        plan = of_parts(scenario.cluster, machine, known, recipe(), inside)
    except PlanInvalid as error:
        found += error.problems
    problems += [replace(one, path=f"{spelled(PLAN)}.{one.path}") for one in found]
    if problems or section is None:
        raise PlanInvalid(problems)
    check_commands(scenario, section.commands)
    check_probes(scenario, section.probes)
    return plan


def in_process(name: str) -> tuple[Plan, SimWorld]:
    """Make a scenario's cluster inside this process: to be looked at, not to be recovered."""
    from rekindle.simulator.world import SimWorld

    _, scenario, plan = load(name)
    return plan, SimWorld(scenario)


def requested(name: str) -> dict[str, Json]:
    """Return what a scenario asks of the run that rehearses it."""
    return load_scenario(find_scenario(name)).request


def new_address(path: Path, scenario: Scenario, journal: Path, speed: float) -> WorldAddress:
    """Name a world that does not exist yet, so that the journal knows where to find it before it is there."""
    from rekindle.simulator.client import WorldAddress, new_socket

    world = secrets.token_hex(4)
    log = journal.with_name(f"{journal.name}.world-{world}.jsonl")
    return WorldAddress(world, identity(path), scenario.seed, new_socket(), str(log), speed)


def same_scenario(found: Found, name: str) -> bool:
    """
    Say whether a run is a rehearsal of that scenario, however either was named.

    :raises ScenarioInvalid: when there is no scenario *name*.
    """
    wanted = identity(find_scenario(name))
    recorded = str(found.opened.world.get("scenario", ""))
    try:
        return identity(find_scenario(recorded)) == wanted
    except ScenarioInvalid:  # its file is gone; the name is all that is left to compare
        return recorded == wanted


def world_again(found: Found) -> World:
    """Find the world of a rehearsal, or build it again from its log."""
    from rekindle.simulator.client import connect_or_spawn

    return connect_or_spawn(_address(found))


def _address(found: Found) -> WorldAddress:
    from rekindle.simulator.client import WorldAddress

    opened = found.opened
    return msgspec.convert({**opened.world, "speed": speed_of(opened)}, WorldAddress)


def abandon_world(found: Found) -> dict[str, Json]:
    """End the process of a rehearsal that nobody pursues, if it lives; return what it counted."""
    from rekindle.simulator.client import connect

    # msgspec's: of a rehearsal whose journal does not say where its world was, as nobody can go on with it.
    with suppress(Diagnosed, OSError, msgspec.ValidationError):
        world = connect(_address(found))
        if world is not None:
            counted = world.summary()
            world.shutdown()
            return counted
    return {}


def end_world(world: World) -> None:
    """End the process of a simulated world: its run is closed."""
    from rekindle.simulator.client import RemoteWorld

    if isinstance(world, RemoteWorld):
        world.shutdown()
