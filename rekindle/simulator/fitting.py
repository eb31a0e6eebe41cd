"""
What a scenario names that is not there: releases and objects of its tree, nodes of its cluster.

Each with the place in the scenario's file where it is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.yamlfile import Path
    from rekindle.simulator.scenario import Scenario
    from rekindle.simulator.tree import Tree

OF_NODES = ("reboot", "power-off", "power-on", "wipe", "replace", "empty", "alarm")


def unfit(scenario: Scenario, tree: Tree) -> Iterator[tuple[Path, str]]:
    """Say what does not fit together, and where it stands."""
    for name, command in scenario.commands.items():
        for index, key in enumerate(command.helmreleases):
            if key not in tree.helmreleases:
                said = f"command {name} brings {key}, which is no release of the tree"
                yield ("commands", name, "helmreleases", index), said
    yield from _left(scenario, tree)
    for index, event in enumerate(scenario.events):
        if event.node and event.node not in scenario.nodes:
            said = f"event at {event.at:g}: there is no node {event.node}"
            yield ("events", index, "node"), said
        if event.do in OF_NODES and not event.node:
            yield ("events", index), f"event at {event.at:g}: {event.do} needs a node"
    for said in _unknown(scenario):
        yield ("request",), said


def _left(scenario: Scenario, tree: Tree) -> Iterator[tuple[Path, str]]:
    """What is left of a cluster was brought by its tree."""
    left = scenario.initial.left
    if left is None:
        return
    have = {f"{item.kind}/{item.id}" for item in tree.items()}
    have |= {f"Kustomization/{key}" for key in tree.roots}
    looked = (
        ("releases", left.releases, tree.helmreleases, "{} is no release of the tree"),
        ("objects", left.objects, have, "{} is not in the tree"),
        ("crds", left.crds, tree.crds(), "crd {} is not in the tree"),
    )
    for part, named, there, text in looked:
        for index, name in enumerate(named):
            if name not in there:
                yield ("initial", "left", part, index), text.format(name)


def _unknown(scenario: Scenario) -> list[str]:
    """What is asked of the run is about verbs and nodes that there are."""
    if not scenario.request:
        return []
    raw = scenario.request.get("node.reset")
    if set(scenario.request) != {"node.reset"} or not isinstance(raw, dict):
        return ["request: only {node.reset: {nodes: [...], scope: [...]}} can be asked for"]
    named = [*map(str, raw.get("nodes") or ())]
    unknown = [f"request: there is no node {name}" for name in named if name not in scenario.nodes]
    scope = set(map(str, raw.get("scope", ("STATE", "EPHEMERAL"))))
    if not named or not scope or not scope <= {"STATE", "EPHEMERAL"}:
        unknown.append("request: a reset needs nodes, and a scope of STATE and EPHEMERAL")
    return unknown
