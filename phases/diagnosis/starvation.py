"""
All workers of a controller are busy, and others wait for one (catalogue K16).

A health check holds its worker for as long as it lasts: four that never end stop the whole controller. Sources are not
counted: their attempts end within their own timeout of a minute. Logs and queue metrics would tell more; this is read
from the conditions (kustomize-controller 1.9.4, internal/controller/kustomization_controller.go; helm-controller 1.6.3,
internal/reconcile/atomic_release.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from journal.entries import Finding
from phases import codes
from phases.diagnosis.attempts import holding, next_attempt
from phases.diagnosis.controllers import (
    DEFAULT_NAMESPACE,
    attempt_ends,
    deployment_of,
    workers_of,
)
from phases.diagnosis.quoting import utc
from phases.diagnosis.rule import UNKNOWN, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.objects import Condition, Flux, condition, key_of

# A queue that moves is progress: where a worker took something up a moment ago, the next in line comes soon.
STILL_SECONDS = 30.0
REQUESTED = "reconcile.fluxcd.io/requestedAt"
Held = tuple[Flux, Condition]


def _starved(scene: Scene) -> Iterable[Finding]:
    for kind, name in (
        ("Kustomization", "kustomize-controller"),
        ("HelmRelease", "helm-controller"),
    ):
        held = [
            (found, said)
            for found in scene.of(kind).values()
            if (said := holding(kind, found)) is not None
        ]
        if len(held) < workers_of(scene, name) or _moves(scene, held):
            continue
        waiting = tuple(_waiting(scene, kind))
        if waiting:
            yield _finding(scene, kind, name, held, waiting)


def _moves(scene: Scene, held: list[Held]) -> bool:
    """Say whether any of the workers began its attempt only just."""
    starts = (instant(said) for _, said in held)
    return any(start is not None and not scene.older(start, STILL_SECONDS) for start in starts)


def _waiting(scene: Scene, kind: str) -> Iterator[str]:
    """Name what a free worker would take up now: never looked at, overdue, or nudged in vain."""
    for found in scene.of(kind).values():
        away = found.spec.suspend or found.metadata.deletion_timestamp is not None
        if away or holding(kind, found) is not None:
            continue
        due = next_attempt(kind, found)
        asked = found.metadata.annotations.get(REQUESTED, "")
        if (
            condition(found.status.conditions, "Ready") is None
            or (due is not None and scene.passed(due))
            or (asked and asked != found.status.last_handled_reconcile_at)
        ):
            yield subject_of(kind, found.metadata)


def _finding(
    scene: Scene, kind: str, name: str, held: list[Held], waiting: tuple[str, ...]
) -> Finding:
    work = deployment_of(scene, name)
    key = f"{DEFAULT_NAMESPACE}/{name}" if work is None else key_of(work.metadata)
    names = ", ".join(sorted(key_of(found.metadata) for found, _ in held))
    starts = [at for _, said in held if (at := instant(said)) is not None]
    return Finding(
        subject=codes.subject("deployment", key),
        cause="starved",
        message=f"all {workers_of(scene, name)} workers of {name} are busy with {names}; "
        f"{len(waiting)} more {kind}s wait for one",
        blocks=waiting,
        clears_itself=UNKNOWN,
        rule="K16",
        uid="" if work is None else work.metadata.uid,
        since=max(starts, default=None),
        evidence=tuple(_evidence(scene, kind, found, said) for found, said in held),
        clears_when="one of the attempts that hold a worker ends",
        remedies=(
            look(f"what they wait for: {names}"),
            reversible(
                f"restart {key}: all state is in the API; do it after what they wait for is mended"
            ),
            never("nudge what waits: it only queues behind itself"),
        ),
    )


def _evidence(scene: Scene, kind: str, found: Flux, said: Condition) -> str:
    path = path_of(kind, found.metadata, "status.conditions[Reconciling]")
    ends = attempt_ends(scene, found, said) if kind == "Kustomization" else None
    return path if ends is None else f"{path} ends by {utc(ends)}"


RULES = (
    Rule(
        "K16",
        "all workers of a controller are busy",
        Proof.CONTROLLER,
        "kustomize-controller 1.9.4 main.go --concurrent; kustomization_controller.go checkHealth",
        _starved,
    ),
)
