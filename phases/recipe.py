"""
The recipe: everything that the engine needs to recover a Talos + Flux cluster, in one table.

Registration by list, one line each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from engine.answer import Answer
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts, Findings, Recipe
from phases import (
    cni_up,
    codes,
    command_until,
    deeds,
    durations,
    facts,
    flux_synced,
    giving_back,
    hopeless,
    node_maintenance,
    one_operator,
    pods_healthy,
    resets,
    revisions,
    talos_ready,
)
from phases.probing import COMMAND_UNTIL
from phases.section import Section
from phases.sectionfile import load_section
from phases.snapshot import Snapshot
from phases.verbs import VERBS

STATES = {
    "cni-up": cni_up,
    "flux-synced": flux_synced,
    "node-maintenance": node_maintenance,
    "pods-healthy": pods_healthy,
    "talos-ready": talos_ready,
}


@cache
def default_machine() -> dict[str, Any]:
    """Read the package's own recovery.yaml."""
    text = files("phases").joinpath("recovery.yaml").read_text(encoding="utf-8")
    machine: dict[str, Any] = yaml.safe_load(text)
    return machine


def counts(plan: Plan, known: Facts) -> dict[str, Any]:
    """Return the figures that people count by."""
    pods = known.get(codes.PODS)
    section: Section = plan.target
    ready = int(pods.detail["ready"]) if pods is not None else 0
    return {"pods": {"ready": ready, "expected": section.inventory.pods}}


def _diagnose(plan: Plan, snapshot: Snapshot) -> Findings:
    # A hundred rules and their patterns: only a session that looks needs them.
    from phases.causes import diagnose

    return diagnose(plan, snapshot)


def alarming(before: Facts, after: Facts) -> bool:
    """Say whether something is held that was not known to be: whoever waits for it should hear at once why."""
    return any(subject.startswith("holder/") for subject in after.keys() - before.keys())


def objection(plan: Plan, memory: Memory) -> Answer | None:
    """Say what is still owed before a run may be called done: a yes to its revision, and what it only borrowed."""
    return revisions.objection(plan, memory) or giving_back.objection(plan, memory)


def items(section: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Name what a walk may go over: the planned nodes, in their order. The section may still be wrong."""
    talos = section.get("talos")
    nodes = talos.get("nodes") if isinstance(talos, dict) else None
    return {codes.NODES: tuple(map(str, nodes)) if isinstance(nodes, dict) else ()}


@cache
def recipe() -> Recipe:
    """Return the domain."""
    return Recipe(
        reduce=facts.reduce,
        diagnose=_diagnose,
        guards={name: module.guard for name, module in STATES.items()},
        phases={name: module.decide for name, module in STATES.items()},
        verbs=VERBS,
        machine=default_machine(),
        section=load_section,
        target=Section.model_validate,
        goal=revisions.goal,
        objection=objection,
        counts=counts,
        deeds=deeds.deeds,
        alarming=alarming,
        timed=durations.timed,
        figures=frozenset({codes.EXISTING, codes.LEAVING}),
        own={COMMAND_UNTIL: command_until},
        items=items,
        owed=resets.owed,
        held=one_operator.held,
        behind=hopeless.behind,
    )
