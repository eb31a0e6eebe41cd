"""
What a Kustomization's status says about itself (catalogue K13-K15, K17-K21; what Ready leaves out is in ``unjudged``).

Signatures from kustomize-controller 1.9.4, internal/controller/kustomization_controller.go. What a health check waited
for is an edge as well (see ``structure``): where that object has a finding of its own, that one is the root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from journal.entries import Finding
from phases.diagnosis.attempts import failing, stalled, timeout_of
from phases.diagnosis.beneath import waited_for_now
from phases.diagnosis.flux_findings import finding
from phases.diagnosis.quoting import quote, utc
from phases.diagnosis.rule import (
    NO,
    UNKNOWN,
    YES,
    Proof,
    Rule,
    destructive,
    look,
    never,
    nudge,
    reversible,
)
from phases.diagnosis.scene import Scene, deleted_at, path_of, subject_of
from phases.diagnosis.unjudged import stale
from phases.diagnosis.waited import are_ready, subjects_of
from phases.leaks import FLUX_FINALIZER
from phases.objects import key_of
from phases.readiness.flux import HEALTH_ITEM

TERMINAL: Final = {"InvalidCELExpression", "FeatureGateDisabled", "AccessDenied"}
SUSPENDABLE: Final = (
    "Kustomization",
    "HelmRelease",
    "GitRepository",
    "OCIRepository",
    "HelmRepository",
)
PRUNE_SECONDS: Final = 60.0  # a prune that nothing holds is over by then


def _timed_out(scene: Scene) -> Iterator[Finding]:
    """K13: what it waited for did not become ready in time."""
    return _unhealthy(scene, "K13", "timeout waiting for", "timed-out")


def _failed_early(scene: Scene) -> Iterator[Finding]:
    """K14: what it waited for has failed for good, by kstatus."""
    return _unhealthy(scene, "K14", "failed early due to stalled resources", "stalled-resources")


def _unhealthy(scene: Scene, rule: str, text: str, cause: str) -> Iterator[Finding]:
    for found, ready in failing(scene, "Kustomization"):
        if ready.reason != "HealthCheckFailed" or text not in ready.message:
            continue
        items = HEALTH_ITEM.findall(ready.message)
        mended = are_ready(scene, items)
        name = key_of(found.metadata)
        what, now = ", ".join(items) or quote(ready.message), waited_for_now(scene, items)
        yield finding(
            scene,
            "Kustomization",
            found,
            rule,
            ready,
            cause=cause,
            message=f"Kustomization {name} waited in vain for {quote(what)}"
            + (", which is ready by now" if mended else now.text),
            clears_itself=YES if mended else UNKNOWN,
            evidence=(
                path_of("Kustomization", found.metadata, "status.conditions[Ready]"),
                *now.evidence,
            ),
            clears_when=f"{quote(what)} is ready, and the Kustomization was tried again",
            remedies=(
                look(f"why they are not ready: {', '.join(subjects_of(items))}"),
                nudge("annotate it with reconcile.fluxcd.io/requestedAt once they are ready"),
            ),
        )


def _canceled(scene: Scene) -> Iterator[Finding]:
    """K15: events or nudges cut its health check off; one is nothing, a stream of them is a livelock."""
    for found, ready in failing(scene, "Kustomization"):
        if ready.reason == "HealthCheckCanceled":
            yield finding(
                scene,
                "Kustomization",
                found,
                "K15",
                ready,
                cause="canceled",
                message=f"Kustomization {key_of(found.metadata)}: its health check was cut off: {quote(ready.message)}",
                clears_itself=UNKNOWN,
                clears_when="a health check is left alone until it ends",
                remedies=(
                    look("push nothing and nudge nothing until it is through"),
                    never("nudge it again: that cuts the next check off as well"),
                ),
            )


def _prune_failed(scene: Scene) -> Iterator[Finding]:
    """K17: what left Git could not be deleted."""
    for found, ready in failing(scene, "Kustomization"):
        if ready.reason == "PruneFailed":
            yield finding(
                scene,
                "Kustomization",
                found,
                "K17",
                ready,
                cause="prune",
                message=f"Kustomization {key_of(found.metadata)} cannot delete what left Git: {quote(ready.message)}",
                clears_itself=UNKNOWN,
                clears_when="the deletion is admitted",
                remedies=(
                    look("which webhook or right refuses the deletion"),
                    nudge("annotate it once that is mended"),
                    destructive("take the finalizer off the object by hand"),
                ),
            )


def _suspended(scene: Scene) -> Iterator[Finding]:
    """K18: somebody paused it, and Git does not."""
    for kind in SUSPENDABLE:
        meant = _meant_suspended(scene, kind)
        for found in scene.of(kind).values():
            if not found.spec.suspend or key_of(found.metadata) in meant:
                continue
            if found.metadata.deletion_timestamp is not None:
                continue
            name = f"{kind} {key_of(found.metadata)}"
            yield Finding(
                subject=subject_of(kind, found.metadata),
                cause="suspended",
                message=f"{name} is suspended: nothing of it moves until somebody resumes it",
                blocks=tuple(_dependents(scene, kind, key_of(found.metadata))),
                clears_itself=NO,
                rule="K18",
                uid=found.metadata.uid,
                evidence=(path_of(kind, found.metadata, "spec.suspend"),),
                clears_when="spec.suspend is false",
                remedies=(
                    look("who suspended it, and why"),
                    reversible(f"resume {name}, after what it depends on"),
                    never("resume everything at once: it all starts together"),
                ),
            )


def _meant_suspended(scene: Scene, kind: str) -> set[str]:
    if scene.inventory is None:
        return set()
    if kind == "Kustomization":
        return {item.key for item in scene.inventory.kustomizations if item.suspended}
    if kind == "HelmRelease":
        return {item.key for item in scene.inventory.helmreleases if item.suspended}
    return set()


def _dependents(scene: Scene, kind: str, key: str) -> Iterator[str]:
    """Who waits for it, also while it is Ready: a suspended one stays at its old revision."""
    for found, _ in failing(scene, kind) if kind in {"Kustomization", "HelmRelease"} else ():
        for ref in found.spec.depends_on:
            if f"{ref.namespace or found.metadata.namespace}/{ref.name}" == key:
                yield subject_of(kind, found.metadata)


def _terminal(scene: Scene) -> Iterator[Finding]:
    """K19: its own configuration stops it; no retry comes before the spec changes."""
    for kind in ("Kustomization", "HelmRelease"):
        for found, ready in failing(scene, kind):
            said = stalled(found)
            if said is None or said.reason not in TERMINAL:
                continue
            yield finding(
                scene,
                kind,
                found,
                "K19",
                ready,
                cause=said.reason,
                message=f"{kind} {key_of(found.metadata)} is stopped by its own configuration: {quote(said.message)}",
                clears_itself=NO,
                evidence=(path_of(kind, found.metadata, "status.conditions[Stalled]"),),
                clears_when="its spec, or the controller's options, have changed",
                remedies=(look("correct it in Git"),),
            )


def _terminating(scene: Scene) -> Iterator[Finding]:
    """K20: it is being deleted, and what it applied does not go."""
    for found in scene.of("Kustomization").values():
        since = deleted_at(found.metadata)
        held = FLUX_FINALIZER in found.metadata.finalizers
        if since is None or not held or not scene.older(since, PRUNE_SECONDS):
            continue
        name = key_of(found.metadata)
        waits = found.spec.deletion_policy == "WaitForTermination"
        span = timeout_of(found)
        ends = since + span if waits and span is not None else None
        until = "" if ends is None else f" until about {utc(ends)}"
        yield finding(
            scene,
            "Kustomization",
            found,
            "K20",
            None,
            cause="terminating",
            message=f"Kustomization {name} is being deleted, and what it applied is not gone"
            + (f"; its policy waits{until}, then leaves the rest to nobody" if waits else ""),
            since=since,
            clears_itself=YES if ends is not None and not scene.passed(ends) else UNKNOWN,
            evidence=(path_of("Kustomization", found.metadata, "metadata.deletionTimestamp"),),
            clears_when="everything of its inventory is gone",
            remedies=(
                look("which object of its inventory has a finalizer, or is refused by a webhook"),
                destructive(f"take {FLUX_FINALIZER} off: what it applied stays, owned by nobody"),
            ),
        )


_SOURCE = "kustomize-controller 1.9.4 internal/controller/kustomization_controller.go"
_FIND: tuple[tuple[str, str, Proof, Callable[[Scene], Iterable[Finding]]], ...] = (
    ("K13", "a health check timed out", Proof.CONTROLLER, _timed_out),
    ("K14", "a health check saw a failed object", Proof.CONTROLLER, _failed_early),
    ("K15", "a health check was cut off", Proof.SOURCE, _canceled),
    ("K17", "a prune failed", Proof.CONTROLLER, _prune_failed),
    ("K18", "somebody suspended it", Proof.CONTROLLER, _suspended),
    ("K19", "its own configuration stops it", Proof.CONTROLLER, _terminal),
    ("K20", "its deletion does not end", Proof.CONTROLLER, _terminating),
    ("K21", "Ready says less than it seems", Proof.CONTROLLER, stale),
)
RULES = tuple(Rule(name, title, proof, _SOURCE, find) for name, title, proof, find in _FIND)
