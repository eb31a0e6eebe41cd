"""
Dependencies that cannot be met as they are written (catalogue K2, K3, H6).

A dependency that exists and is not ready is no cause: it is an edge, and the cause is where it leads. Flux looks at
dependencies again every half minute, so one that will never exist looks as busy as one that is about to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from journal.entries import Finding
from phases.diagnosis.attempts import failing
from phases.diagnosis.quoting import meant
from phases.diagnosis.rule import NO, UNKNOWN, YES, Proof, Rule, look, never, nudge
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.objects import Condition, Flux, Reference, key_of
from phases.readiness.flux import short

WAITS: Final = "DependencyNotReady"
_BEHIND = re.compile(r"dependency '([^']+)' revision is not up to date")


def _key(reference: Reference, found: Flux) -> str:
    return f"{reference.namespace or found.metadata.namespace}/{reference.name}"


def _unmet(scene: Scene, kind: str, rule: str) -> Iterator[Finding]:
    """Name each dependency that is nowhere; what the inventory still expects is only not there yet."""
    known = scene.of(kind)  # where it was not listed, nobody fails either
    for found, ready in failing(scene, kind):
        if ready.reason != WAITS:
            continue
        absent = [key for ref in found.spec.depends_on if (key := _key(ref, found)) not in known]
        wrong = [key for key in absent if key not in _expected(scene, kind)]
        if wrong:
            yield _dangling(scene, kind, rule, found, ready, wrong)


def _expected(scene: Scene, kind: str) -> set[str]:
    if scene.inventory is None:
        return set()
    if kind == "Kustomization":
        return {item.key for item in scene.inventory.kustomizations}
    return {item.key for item in scene.inventory.helmreleases}


def _dangling(
    scene: Scene, kind: str, rule: str, found: Flux, ready: Condition, absent: list[str]
) -> Finding:
    name = key_of(found.metadata)
    known = [key for key in scene.of(kind) if key != name]
    named = ", ".join(f"{key}{meant(key, known)}" for key in absent)
    return Finding(
        subject=subject_of(kind, found.metadata),
        cause="dependency-absent",
        message=f"{kind} {name} depends on what does not exist: {named}",
        # Without an inventory its parent may still be about to apply it; so may what brings nobody knows what.
        clears_itself=UNKNOWN if scene.knows_not_all else NO,
        rule=rule,
        uid=found.metadata.uid,
        since=instant(ready),
        evidence=(
            path_of(kind, found.metadata, "spec.dependsOn"),
            path_of(kind, found.metadata, "status.conditions[Ready]"),
        ),
        clears_when=f"{', '.join(absent)} exists and is Ready",
        remedies=(
            look("correct name and namespace of the dependency in Git"),
            never("take the dependency out of the live object: Git puts it back"),
        ),
    )


def _kustomizations(scene: Scene) -> Iterable[Finding]:
    """K2: a Kustomization depends on one that is nowhere."""
    return _unmet(scene, "Kustomization", "K2")


def _releases(scene: Scene) -> Iterable[Finding]:
    """H6: a HelmRelease depends on one that is nowhere."""
    return _unmet(scene, "HelmRelease", "H6")


def _behind(scene: Scene) -> Iterable[Finding]:
    """K3: a new commit came, and a dependency that is Ready has not applied it yet."""
    for found, ready in failing(scene, "Kustomization"):
        said = _BEHIND.search(ready.message) if ready.reason == WAITS else None
        dependency: Flux | None = scene.get("Kustomization", said[1]) if said else None
        if said is None or dependency is None:
            continue
        revision = _served(scene, found)
        applied = dependency.status.last_applied_revision
        if revision and applied == revision:
            continue  # it has caught up; the next look at the dependency shows it
        yield Finding(
            subject=subject_of("Kustomization", found.metadata),
            cause="dependency-behind",
            message=f"Kustomization {key_of(found.metadata)} waits until {said[1]} has applied "
            f"{short(revision) or 'the new commit'}; it is at {short(applied) or 'none'}",
            clears_itself=NO if dependency.spec.suspend else YES,
            rule="K3",
            uid=found.metadata.uid,
            since=instant(ready),
            evidence=(path_of("Kustomization", dependency.metadata, "status.lastAppliedRevision"),),
            clears_when=f"{said[1]} has applied the revision that its source serves",
            remedies=(
                look("push nothing until the recovery is over: each commit makes all wait again"),
                nudge(f"annotate {said[1]} with reconcile.fluxcd.io/requestedAt"),
            ),
        )


def _served(scene: Scene, found: Flux) -> str:
    ref = found.spec.source_ref
    if ref is None:
        return ""
    source = scene.get(ref.kind, _key(ref, found))
    return source.status.artifact.revision if source and source.status.artifact else ""


_KUSTOMIZE = "kustomize-controller 1.9.4 internal/controller/kustomization_controller.go"
RULES = (
    Rule("K2", "a dependency does not exist", Proof.CONTROLLER, _KUSTOMIZE, _kustomizations),
    Rule("K3", "a dependency is at an older revision", Proof.CONTROLLER, _KUSTOMIZE, _behind),
    Rule(
        "H6",
        "a dependency of a release does not exist",
        Proof.CONTROLLER,
        "helm-controller 1.6.3 internal/controller/helmrelease_controller.go",
        _releases,
    ),
)
