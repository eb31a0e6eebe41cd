"""
Ready at an old revision, or Ready of what nobody has looked at (catalogue K21).

kstatus calls an object without conditions Current (fluxcd/cli-utils pkg/kstatus/status/generic.go; flux2 issue 387):
where the controller of a kind does not run, a Kustomization that waits for its objects is Ready all the same. Flux's
own kinds are told apart by ``observedGeneration: -1``, which External Secrets does not write. How long nobody has
looked is told by how long the Kustomization has been Ready: it applied everything before it said so. What was made anew
since is given as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from journal.entries import Finding
from phases.diagnosis.flux_findings import finding
from phases.diagnosis.rule import UNKNOWN, look, nudge
from phases.diagnosis.scene import Scene, instant, is_younger, path_of, subject_of
from phases.diagnosis.words import listed
from phases.objects import Condition, Flux, condition, key_of
from phases.readiness.flux import short

FRESH_SECONDS: Final = 60.0  # a new artifact is taken up at once, by event
GROUP: Final = "external-secrets.io"
KINDS: Final = ("ExternalSecret", "SecretStore", "ClusterSecretStore")


def stale(scene: Scene) -> Iterator[Finding]:
    """K21: Ready=True, and that says less than it seems."""
    for found in scene.of("Kustomization").values():
        ready = condition(found.status.conditions, "Ready")
        gone = found.metadata.deletion_timestamp is not None
        if ready is None or ready.status != "True" or found.spec.suspend or gone:
            continue
        yield from _behind(scene, found)
        yield from _unjudged(scene, found, ready)


def _behind(scene: Scene, found: Flux) -> Iterator[Finding]:
    ref = found.spec.source_ref
    if ref is None:
        return
    source = scene.get(ref.kind, f"{ref.namespace or found.metadata.namespace}/{ref.name}")
    artifact = source.status.artifact if source is not None else None
    applied = found.status.last_applied_revision
    if artifact is None or not artifact.revision or artifact.revision == applied:
        return
    since = artifact.last_update_time.timestamp() if artifact.last_update_time else None
    if since is not None and not scene.older(since, FRESH_SECONDS):
        return
    yield finding(
        scene,
        "Kustomization",
        found,
        "K21",
        None,
        cause="stale",
        message=f"Kustomization {key_of(found.metadata)} says Ready, at {short(applied) or 'no revision'}; "
        f"its source serves {short(artifact.revision)}",
        since=since,
        clears_itself=UNKNOWN,
        evidence=(path_of("Kustomization", found.metadata, "status.lastAppliedRevision"),),
        clears_when="it has applied what its source serves",
        remedies=(nudge("annotate it with reconcile.fluxcd.io/requestedAt"),),
    )


def _unjudged(scene: Scene, found: Flux, ready: Condition) -> Iterator[Finding]:
    since = instant(ready)
    if not found.spec.wait or since is None or not scene.older(since, FRESH_SECONDS):
        return
    entries = found.status.inventory.entries if found.status.inventory is not None else ()
    unseen = []
    for entry in entries:
        namespace, _, rest = entry.id.partition("_")
        name, group, kind = [*rest.rsplit("_", 2), "", ""][:3]
        if group != GROUP or kind not in KINDS:
            continue
        one = scene.get(kind, f"{namespace}/{name}" if namespace else name)
        if one is None or is_younger(scene, one.metadata, FRESH_SECONDS):
            continue
        if condition(one.status.conditions, "Ready") is None:
            unseen.append((kind, one.metadata))
    if not unseen:
        return
    names = listed(f"{kind} {key_of(metadata)}" for kind, metadata in unseen)
    yield finding(
        scene,
        "Kustomization",
        found,
        "K21",
        None,
        cause="unjudged",
        message=f"Kustomization {key_of(found.metadata)} says Ready, and nobody has looked at {names} yet",
        since=since,
        blocks=tuple(subject_of(kind, metadata) for kind, metadata in unseen),
        clears_itself=UNKNOWN,
        evidence=tuple(path_of(kind, metadata, "status") for kind, metadata in unseen),
        clears_when="they have a Ready condition",
        remedies=(look("whether the controllers of External Secrets run"),),
    )
