"""
Consumers that wait for an artifact which no source offers (catalogue K5, H4).

Where the source itself failed, the source says why, and this is only an edge. What remains: a source that does not
exist, one that nobody has fetched yet, and one that says Ready while its artifact is gone (source-controller came back
with an empty volume). (kustomize-controller 1.9.4, kustomization_controller.go; helm-controller 1.6.3,
helmrelease_controller.go.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.attempts import failing
from phases.diagnosis.quoting import meant
from phases.diagnosis.rule import NO, UNKNOWN, YES, Proof, Rule, look, nudge
from phases.diagnosis.scene import Scene, path_of, subject_of
from phases.diagnosis.sources import WAITS_FOR_SOURCE, chart_of
from phases.diagnosis.to_come import may_come
from phases.objects import Condition, Flux, condition

NO_ARTIFACT = re.compile(r"artifact not found", re.IGNORECASE)
# Of a source that does not exist the controller says no more than what the API said.
NO_SOURCE = re.compile(
    r"unable to get source|could not get Source object"
    r'|\w+\.source\.toolkit\.fluxcd\.io "[^"]+" not found',
    re.IGNORECASE,
)
# The source named an artifact, and its server does not have it.
LOST = re.compile(r"not ready[,:] artifact not found", re.IGNORECASE)
Wanted = dict[tuple[str, str], list[tuple[Subject, Condition]]]


def _kustomizations(scene: Scene) -> Iterable[Finding]:
    """K5: Kustomizations find no artifact."""
    return _findings(scene, "K5", _wanted_by_kustomizations(scene))


def _wanted_by_kustomizations(scene: Scene) -> Wanted:
    wanted: Wanted = {}
    for found, ready in failing(scene, "Kustomization"):
        ref = found.spec.source_ref
        if ref is not None and ready.reason == "ArtifactFailed" and _is_empty(ready):
            key = f"{ref.namespace or found.metadata.namespace}/{ref.name}"
            mine = subject_of("Kustomization", found.metadata)
            wanted.setdefault((ref.kind, key), []).append((mine, ready))
    return wanted


def _releases(scene: Scene) -> Iterable[Finding]:
    """H4: HelmReleases find no chart."""
    return _findings(scene, "H4", _wanted_by_releases(scene))


def _wanted_by_releases(scene: Scene) -> Wanted:
    wanted: Wanted = {}
    for found, ready in failing(scene, "HelmRelease"):
        if ready.reason in {"SourceNotReady", "ArtifactFailed"}:
            kind, _, key = _chart(found).partition("/")
            mine = subject_of("HelmRelease", found.metadata)
            wanted.setdefault((kind, key), []).append((mine, ready))
    return wanted


def _is_empty(ready: Condition) -> bool:
    return bool(NO_ARTIFACT.search(ready.message) or NO_SOURCE.search(ready.message))


def _chart(found: Flux) -> str:
    """Without a word in its status the chart is called like helm-controller calls it."""
    named = chart_of(found)
    return (
        named
        or f"HelmChart/{found.metadata.namespace}/{found.metadata.namespace}-{found.metadata.name}"
    )


def _findings(scene: Scene, rule: str, wanted: Wanted) -> Iterator[Finding]:
    for (kind, key), blocked in wanted.items():
        if not scene.seen(kind):
            continue
        told = _state(scene, kind, key, lost=any(LOST.search(said.message) for _, said in blocked))
        if told is None:
            continue
        cause, text, clears = told
        source = scene.get(kind, key)
        yield Finding(
            subject=codes.subject(kind, key),
            cause=cause,
            message=f"{kind} {key} {text}: {len(blocked)} wait for it",
            blocks=tuple(subject for subject, _ in blocked),
            clears_itself=clears,
            rule=rule,
            uid="" if source is None else source.metadata.uid,
            evidence=(
                f"{kind}/{key} is not listed"
                if source is None
                else path_of(kind, source.metadata, "status.artifact"),
            ),
            clears_when=f"the {kind} is Ready and has an artifact",
            remedies=(
                look(f"the {kind}, and whether source-controller runs"),
                nudge(f"annotate {kind} {key} with reconcile.fluxcd.io/requestedAt"),
            ),
        )


def _state(scene: Scene, kind: str, key: str, *, lost: bool) -> tuple[str, str, str] | None:
    """
    Return cause, words and whether it clears.

    None where the source itself says what is wrong, and where it is Ready by now: consumers look again by themselves.
    """
    source: Any = scene.get(kind, key)
    if source is None:
        soon = f"{kind}/{key}" == _expected(scene)
        near = meant(key, scene.of(kind))
        return (
            "source-absent",
            f"does not exist{near}",
            UNKNOWN if soon else _absent(scene, kind, key),
        )
    ready = condition(source.status.conditions, "Ready")
    if ready is not None and ready.status == "False":
        return _waits(scene, source, ready)
    if ready is None or ready.status == "Unknown":
        return "source-unfetched", "has not been fetched yet", UNKNOWN
    return (
        ("artifact-lost", "is Ready, but its server has lost the artifact", YES) if lost else None
    )


def _waits(scene: Scene, chart: Any, ready: Condition) -> tuple[str, str, str] | None:  # noqa: ANN401
    """A chart that waits for a source which does not exist has nobody else to say so."""
    key = _lacked(scene, chart, ready)
    if not key:
        return None
    kind = chart.spec.source_ref.kind
    near = meant(key, scene.of(kind))
    text = f"is made from {kind} {key}, which does not exist{near}"
    return "source-absent", text, _absent(scene, kind, key)


def _lacked(scene: Scene, chart: Any, ready: Condition) -> str:  # noqa: ANN401
    """Return the key of the source that a chart waits for, if that does not exist."""
    if ready.reason not in WAITS_FOR_SOURCE:
        return ""
    ref = chart.spec.source_ref
    key = f"{chart.metadata.namespace}/{ref.name}"
    return key if scene.seen(ref.kind) and scene.get(ref.kind, key) is None else ""


def _absent(scene: Scene, kind: str, key: str) -> str:
    """Say whether a source that does not exist may come: nobody who waits for such a one brings another's."""

    def starved() -> frozenset[Subject]:
        wanted = (*_wanted_by_kustomizations(scene).items(), *_wanted_by_releases(scene).items())
        return frozenset(s for what, by in wanted if _is_absent(scene, *what) for s, _ in by)

    return UNKNOWN if may_come(scene, scene.once("starved", starved), (kind, key)) else NO


def _is_absent(scene: Scene, kind: str, key: str) -> bool:
    source: Any = scene.get(kind, key)
    if source is None:
        return scene.seen(kind)
    ready = condition(source.status.conditions, "Ready")
    return ready is not None and ready.status == "False" and bool(_lacked(scene, source, ready))


def _expected(scene: Scene) -> str:
    source = scene.inventory.source if scene.inventory is not None else None
    return "" if source is None else f"{source.kind}/{source.namespace}/{source.name}"


RULES = (
    Rule(
        "K5",
        "a source offers no artifact",
        Proof.CONTROLLER,
        "kustomize-controller 1.9.4 internal/controller/kustomization_controller.go",
        _kustomizations,
    ),
    Rule(
        "H4",
        "a release has no chart",
        Proof.CONTROLLER,
        "helm-controller 1.6.3 internal/controller/helmrelease_controller.go",
        _releases,
    ),
)
