"""
All rules, and the one call that runs them.

Registration by list, one line a family; a rule's id is unique.
"""

from __future__ import annotations

from journal.entries import Finding
from phases.diagnosis import (
    artifacts,
    controllers,
    cycles,
    dependencies,
    kustomization_builds,
    kustomizations,
    missing,
    namespaces,
    releases,
    secrets,
    secrets_webhook,
    sources,
    starvation,
)
from phases.diagnosis.rule import Rule
from phases.diagnosis.scene import Scene

FAMILIES = (
    artifacts.RULES,
    controllers.RULES,
    cycles.RULES,
    dependencies.RULES,
    kustomization_builds.RULES,
    kustomizations.RULES,
    missing.RULES,
    namespaces.RULES,
    releases.RULES,
    secrets.RULES,
    secrets_webhook.RULES,
    sources.RULES,
    starvation.RULES,
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
