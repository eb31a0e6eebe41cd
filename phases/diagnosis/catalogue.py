"""
All rules, and the one call that runs them.

Registration by list, one line a family; a rule's id is unique.
"""

from __future__ import annotations

from functools import partial

from journal.entries import Finding
from phases.diagnosis import (
    absent,
    apiservices,
    artifacts,
    beginnings,
    certificates,
    controllers,
    crds,
    cycles,
    deadlocks,
    dependencies,
    drift,
    emptying,
    etcd,
    finalizers,
    images,
    kustomization_builds,
    kustomizations,
    logs,
    machines,
    missing_objects,
    namespaces,
    network,
    nodes,
    ownership,
    releases,
    restores,
    secrets,
    secrets_webhook,
    sources,
    starvation,
    storage,
    talos_diagnostics,
    unexplained,
    unspoken,
    volumes,
    webhooks,
    workloads,
)
from phases.diagnosis.graph import in_series
from phases.diagnosis.own import is_own
from phases.diagnosis.rule import Rule, ask
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking

FAMILIES = (
    apiservices.RULES,
    artifacts.RULES,
    beginnings.RULES,
    certificates.RULES,
    controllers.RULES,
    crds.RULES,
    cycles.RULES,
    dependencies.RULES,
    drift.RULES,
    emptying.RULES,
    etcd.RULES,
    finalizers.RULES,
    images.RULES,
    kustomization_builds.RULES,
    kustomizations.RULES,
    logs.RULES,
    machines.RULES,
    missing_objects.RULES,
    namespaces.RULES,
    network.RULES,
    nodes.RULES,
    ownership.RULES,
    releases.RULES,
    restores.RULES,
    secrets.RULES,
    secrets_webhook.RULES,
    sources.RULES,
    starvation.RULES,
    storage.RULES,
    talos_diagnostics.RULES,
    volumes.RULES,
    webhooks.RULES,
    workloads.RULES,
)
FIRST: tuple[Rule, ...] = tuple(rule for family in FAMILIES for rule in family)
# A circle through what brings a CRD is the same knot as C4's: it is not what has to be solved before it.
BEFORE: tuple[Rule, ...] = tuple(rule for rule in FIRST if rule.id != "K4")
KNOWING: tuple[Rule, ...] = (*FIRST, *deadlocks.rules_after(BEFORE))
RULES: tuple[Rule, ...] = (
    *KNOWING,
    *unexplained.rules_after(KNOWING),
    *unspoken.rules_after(KNOWING),
    *absent.rules_after(KNOWING),
)
BY_ID = {rule.id: rule for rule in RULES}


def diagnose(scene: Scene) -> dict[str, Finding]:
    """Run every rule; findings by id, which is ``RULE:subject``, and of causes in series what each comes after."""
    findings = ask(RULES, scene)
    if not any(map(is_own, findings.values())):
        return findings
    return in_series(findings, scene.once("blocking", partial(blocking, scene)))
