"""
All rules, and the one call that runs them.

Registration by list, one line a family; a rule's id is unique.
"""

from __future__ import annotations

from journal.entries import Finding
from phases.diagnosis import (
    apiservices,
    crds,
    deadlocks,
    finalizers,
    images,
    namespaces,
    network,
    nodes,
    ownership,
    storage,
    webhooks,
    workloads,
)
from phases.diagnosis.rule import Rule, ask
from phases.diagnosis.scene import Scene

FAMILIES = (
    apiservices.RULES,
    crds.RULES,
    finalizers.RULES,
    images.RULES,
    namespaces.RULES,
    network.RULES,
    nodes.RULES,
    ownership.RULES,
    storage.RULES,
    webhooks.RULES,
    workloads.RULES,
)
FIRST: tuple[Rule, ...] = tuple(rule for family in FAMILIES for rule in family)
RULES: tuple[Rule, ...] = (*FIRST, *deadlocks.rules_after(FIRST))
BY_ID = {rule.id: rule for rule in RULES}


def diagnose(scene: Scene) -> dict[str, Finding]:
    """Run every rule; findings by id, which is ``RULE:subject``."""
    return ask(RULES, scene)
