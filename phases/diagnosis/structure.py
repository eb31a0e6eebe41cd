"""
What blocks what by its nature, among what is not well.

Edges run from a blocker to the blocked: a dependency to its dependents, a parent to what it should have applied and
has not, a source without an artifact to its consumers, what brings a CRD to its kind, an object to those whose health
check waited for it. What is well blocks nobody and is nobody's victim; what is suspended waits for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.answer import Subject
from phases import codes
from phases.diagnosis.graph import Blocking
from phases.diagnosis.missing import missing
from phases.diagnosis.providers import is_deadlocked
from phases.diagnosis.scene import Scene
from phases.diagnosis.victims import is_suspended, subjects
from phases.objects import Flux, Meta, Reference, condition
from phases.readiness.flux import HEALTH_ITEM, NO_PATH

FLUX_KINDS = ("Kustomization", "HelmRelease")
Edge = tuple[Subject, Subject]  # the blocker, the blocked
SOURCELESS = frozenset({"ArtifactFailed", "SourceNotReady"})  # reasons of both controllers
SOURCES = ("GitRepository", "OCIRepository", "Bucket", "HelmRepository", "HelmChart")
JUDGED = {kind.lower() for kind in (*FLUX_KINDS, *SOURCES)}


def blocking(scene: Scene) -> Blocking:
    """Return the edges between Flux objects that are not well, from the cluster and from the inventory."""
    ill = ill_of(scene)
    edges: dict[Subject, dict[Subject, None]] = {}
    paused = _suspended(scene)
    kinds = tuple(dict.fromkeys(_kinds(scene)))
    for blocker, blocked in (*_in_cluster(scene), *_in_inventory(scene), *kinds):
        is_victim = (blocked in ill and blocked not in paused) or (blocker, blocked) in kinds
        if blocker != blocked and blocker in ill and is_victim:
            edges.setdefault(blocker, {})[blocked] = None
    for blocker, blocked in _awaited(scene):
        # Whether other kinds are well is not judged here: who has no finding of its own explains nothing.
        known = blocker in ill or blocker.partition("/")[0] not in JUDGED
        if known and blocked not in paused:
            edges.setdefault(blocker, {})[blocked] = None
    return {blocker: tuple(blocked) for blocker, blocked in edges.items()}


def _suspended(scene: Scene) -> set[Subject]:
    """Return what nobody tries: neither a source nor a dependency keeps it, whatever its last attempt said."""
    return {
        _subject(kind, found.metadata)
        for kind in FLUX_KINDS
        for found in scene.of(kind).values()
        if is_suspended(found)
    }


def _in_cluster(scene: Scene) -> Iterator[Edge]:
    for kind in FLUX_KINDS:
        for found in scene.of(kind).values():
            mine = _subject(kind, found.metadata)
            for dependency in found.spec.depends_on:
                yield _referred(kind, dependency, found.metadata), mine
            source = found.spec.source_ref
            if source is not None and source.kind in SOURCES:
                referred = _referred(source.kind, source, found.metadata)
                served = scene.get(source.kind, referred.partition("/")[2])
                if blames_source(found) or not has_artifact(served):
                    yield referred, mine


def has_artifact(source: Any) -> bool:  # noqa: ANN401  sources and charts are of several kinds
    """Say whether a source still serves something: who consumes it goes on, at what it fetched before."""
    return source is not None and source.status.artifact is not None


def blames_source(found: Flux) -> bool:
    """Say whether a consumer's last attempt got nothing from its source; a folder that is not in it is another case."""
    ready = condition(found.status.conditions, "Ready")
    if ready is None or ready.status != "False":
        return False
    return ready.reason in SOURCELESS and NO_PATH not in ready.message


def _awaited(scene: Scene) -> Iterator[Edge]:
    """What the last attempt waited for in vain holds the object that waited."""
    for kind in FLUX_KINDS:
        for found in scene.of(kind).values():
            ready = condition(found.status.conditions, "Ready")
            if ready is None or ready.status != "False":
                continue
            for item in HEALTH_ITEM.findall(ready.message):
                yield subject_of_item(item), _subject(kind, found.metadata)


def subject_of_item(item: str) -> Subject:
    """Name what a health check names as ``Kind/namespace/name``, as facts do."""
    kind, _, key = item.partition("/")
    return codes.subject(kind, key)


def _in_inventory(scene: Scene) -> Iterator[Edge]:
    if scene.inventory is None:
        return
    listed = (
        ("Kustomization", scene.inventory.kustomizations),
        ("HelmRelease", scene.inventory.helmreleases),
    )
    for kind, items in listed:
        there = scene.of(kind)
        for item in items:
            mine = codes.subject(kind, item.key)
            # What is there was applied: it goes on by itself, whatever became of who did.
            if item.parent and item.key not in there:
                yield codes.subject("kustomization", item.parent), mine
            for key in item.depends_on:
                yield codes.subject(kind, key), mine


def _kinds(scene: Scene) -> Iterator[Edge]:
    """What brings a CRD explains why a kind is missing; not in a deadlock, where neither explains the other."""
    for found in missing(scene):
        item = found.item
        if found.crd is not None or item is None or not item.provider:
            continue
        if not is_deadlocked(scene, item, subjects(found.complaints)):
            yield item.provider, found.subject


def ill_of(scene: Scene) -> set[Subject]:
    """Everything of Flux that is not Ready, and everything that should exist and does not."""
    return scene.once("ill", lambda: _ill_of(scene))


def _ill_of(scene: Scene) -> set[Subject]:
    found = {
        _subject(kind, item.metadata)
        for kind in (*FLUX_KINDS, *SOURCES)
        for item in scene.of(kind).values()
        if not is_well(item)
    }
    if scene.inventory is None:
        return found
    for kind, items in (
        ("Kustomization", scene.inventory.kustomizations),
        ("HelmRelease", scene.inventory.helmreleases),
    ):
        if scene.seen(kind):
            listed = scene.of(kind)
            found.update(codes.subject(kind, item.key) for item in items if item.key not in listed)
    return found


def is_well(found: Flux) -> bool:
    """Say whether an object of Flux is Ready and stays."""
    ready = condition(found.status.conditions, "Ready")
    gone = found.metadata.deletion_timestamp is not None
    return ready is not None and ready.status == "True" and not gone


def _subject(kind: str, metadata: Meta) -> Subject:
    return codes.subject(kind, f"{metadata.namespace}/{metadata.name}")


def _referred(kind: str, reference: Reference, referrer: Meta) -> Subject:
    return codes.subject(kind, f"{reference.namespace or referrer.namespace}/{reference.name}")
