"""
All rules, and the one call that runs them.

Registration by list, one line a family; a rule's id is unique.
"""

from __future__ import annotations

from journal.entries import Finding
from phases.diagnosis import finalizers, namespaces, ownership
from phases.diagnosis.rule import Rule
from phases.diagnosis.scene import Scene

FAMILIES = (
    finalizers.RULES,
    namespaces.RULES,
    ownership.RULES,
)
RULES: tuple[Rule, ...] = tuple(rule for family in FAMILIES for rule in family)
BY_ID = {rule.id: rule for rule in RULES}


def diagnose(scene: Scene) -> dict[str, Finding]:
    """Run every rule; findings by id, which is ``RULE:subject``."""
    return {
        f"{finding.rule}:{finding.subject}": finding
        for rule in RULES
        for finding in rule.find(scene)
    }
