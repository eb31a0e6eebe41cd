"""
Namespaces that are being emptied, and that nothing holds (catalogue N4).

Pods go first, and as long as their grace lasts the deleter says nothing: all five conditions are False. After that it
calls what is still there a failure to delete, though nobody refuses anything (kubernetes v1.36,
pkg/controller/namespace/deletion/namespaced_resources_deleter.go: unexpected items still remain).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from journal.entries import Finding, Instant
from phases.diagnosis.namespaces import (
    GONE,
    PATIENCE_SECONDS,
    SOURCE,
    UNDELETABLE,
    Obstacle,
    is_outlived,
    obstruction,
    terminating,
    told,
)
from phases.diagnosis.quoting import quote, utc
from phases.diagnosis.rule import UNKNOWN, YES, Proof, Rule, look
from phases.diagnosis.scene import Scene, deleted_at
from phases.diagnosis.words import counted, listed
from phases.objects import Condition, Namespace

REMAINING: Final = Obstacle(
    "N4",
    "NamespaceContentRemaining",
    "emptying",
    lambda message: f"is being emptied: {quote(message)}",
    GONE,
    (look("wait: pods go first, then everything else"),),
)


def _left(found: Namespace) -> Condition | None:
    failed = told(found, UNDELETABLE.type)
    if failed is not None and is_outlived(failed):
        return failed
    return told(found, REMAINING.type)


def _remaining(scene: Scene) -> Iterable[Finding]:
    """N4: something is left and no finalizer holds it: the deleter is at work, or cannot tell."""
    for found, since in terminating(scene):
        held = scene.holders(f"namespace/{found.metadata.name}")
        if held or told(found, "NamespaceFinalizersRemaining"):
            continue
        said = _left(found)
        if said is not None:
            clears = UNKNOWN if scene.older(since, PATIENCE_SECONDS) else YES
            yield obstruction(scene, REMAINING, found, since, said, clears)
        elif pods := _ending(scene, found.metadata.name):
            yield _graceful(scene, found, since, pods)


def _ending(scene: Scene, namespace: str) -> dict[str, Instant]:
    """Return the pods that have been told to go, and when their grace is over; finalizers are another matter."""
    return {
        pod.metadata.name: until
        for pod in scene.of("Pod").values()
        if pod.metadata.namespace == namespace and not pod.metadata.finalizers
        if (until := deleted_at(pod.metadata)) is not None
    }


def _graceful(scene: Scene, found: Namespace, since: Instant, pods: dict[str, Instant]) -> Finding:
    until = max(pods.values())
    text = f"{counted(len(pods), 'pod')} ({listed(pods)}) may take until {utc(until)} to end"
    return replace(
        obstruction(
            scene,
            REMAINING,
            found,
            since,
            Condition(REMAINING.type, message=text),
            UNKNOWN if scene.passed(until) else YES,
        ),
        evidence=tuple(
            f"Pod/{found.metadata.name}/{name} .metadata.deletionTimestamp" for name in sorted(pods)
        ),
    )


RULES = (Rule("N4", "a namespace is being emptied", Proof.CONTROLLER, SOURCE, _remaining),)
