"""
Secrets and ConfigMaps that are asked for and not there, each once, with all that ask for it (catalogue K8, K9, H5, E7).

Neither is ever listed, so what is missing is read from those who miss it: Flux's controllers
(``phases.readiness.lacking``), and the kubelet (pkg/kubelet/kubelet_pods.go). One missing Secret has stopped forty
Kustomizations: it is one cause, and the first rule that sees it speaks for all who ask. Where sources alone do, each
says it itself (S1, S3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Final

from engine.answer import Subject
from journal.entries import Finding, Instant, Remedy
from phases import codes
from phases.diagnosis.attempts import failing
from phases.diagnosis.flux_findings import finding
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.diagnosis.structure import FLUX_KINDS, SOURCES
from phases.diagnosis.to_come import is_unread, may_come
from phases.objects import Meta, Pod, condition, key_of
from phases.readiness.lacking import (
    TO_DECRYPT,
    TO_FETCH,
    TO_READ,
    TO_SUBSTITUTE,
    VALUES,
    asked,
)

_KIND = {
    "secret": "Secret",
    "secrets": "Secret",
    "configmap": "ConfigMap",
    "configmaps": "ConfigMap",
}
NOT_FOUND = re.compile(r'\b(secrets?|configmaps?) "([^"]+)" not found', re.IGNORECASE)
KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (\S+)")
FETCHES: Final = "S"  # sources: their own rules speak for them
RULE_FOR: Final = {TO_DECRYPT: "K8", TO_SUBSTITUTE: "K9", TO_READ: "H5", TO_FETCH: FETCHES}
READY: Final = "status.conditions[Ready]"
PART_OF: Final = "app.kubernetes.io/part-of"
ORDER: Final = ("K8", "K9", "H5", "E7")  # whose finding speaks for all who miss the same


@dataclass
class Missing:
    """Who misses it, by the rule that saw it, since when, and where that stands."""

    kind: str
    key: str
    keys: set[str] = field(default_factory=set)
    by: dict[str, list[Subject]] = field(default_factory=dict)
    since: list[Instant] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)

    @property
    def rule(self) -> str:
        """The rule that speaks; empty: none does."""
        return next((rule for rule in ORDER if rule in self.by), "")

    @property
    def askers(self) -> tuple[Subject, ...]:
        """All who ask, each once."""
        by = (self.by.get(rule, ()) for rule in (*ORDER, FETCHES))
        return tuple(dict.fromkeys(asker for found in by for asker in found))

    @property
    def blocks(self) -> tuple[Subject, ...]:
        """What is blocked by who should make it: who asks, where nobody speaks for the Secret itself."""
        return (self.subject,) if self.rule else self.askers

    @property
    def subject(self) -> Subject:
        """Name it as others do."""
        return codes.subject(self.kind, self.key)


def missing(scene: Scene) -> dict[Subject, Missing]:
    """Collect everything that is missed; kept for the rules that ask for it."""

    def collect() -> dict[Subject, Missing]:
        made: dict[Subject, Missing] = {}
        for each in (_of_flux(scene), _of_pods(scene)):
            for rule, kind, key, part, asker, since, path in each:
                subject = codes.subject(kind, key)
                found = made.setdefault(subject, Missing(kind, key))
                found.by.setdefault(rule, []).append(asker)
                found.evidence.append(path)
                if part:
                    found.keys.add(part)
                if since is not None:
                    found.since.append(since)
        return made

    return scene.once("missing-objects", collect)


Miss = tuple[str, str, str, str, Subject, Instant | None, str]


def _of_flux(scene: Scene) -> Iterator[Miss]:
    for kind in (*FLUX_KINDS, *SOURCES):
        for found, ready in failing(scene, kind):
            said = asked(ready, found.metadata.namespace)
            if said is not None:
                asker, path = subject_of(kind, found.metadata), path_of(kind, found.metadata, READY)
                rule = RULE_FOR[said.purpose]
                yield rule, said.kind, said.key, said.part, asker, instant(ready), path


def _unreadable(scene: Scene) -> Iterator[Finding]:
    """Values that are there and no values; what was said of them may quote the Secret, so it is not repeated."""
    for found, ready in failing(scene, "HelmRelease"):
        if ready.reason != "ValuesError" or asked(ready, found.metadata.namespace) is not None:
            continue
        said = VALUES.search(ready.message)
        where = f"{said[1]} {said[2]}, key {said[3] or '?'}," if said else "what it refers to"
        yield finding(
            scene,
            "HelmRelease",
            found,
            "H5",
            ready,
            cause="values-unreadable",
            message=f"HelmRelease {key_of(found.metadata)} cannot read its values: {where} is not YAML that fits",
            clears_itself=NO,
            clears_when="its values can be read",
            remedies=(look("the values, where they are made"),),
        )


def _of_pods(scene: Scene) -> Iterator[Miss]:
    for pod in scene.of("Pod").values():
        for text in _refusals(pod):
            space = pod.metadata.namespace
            mine = subject_of("Pod", pod.metadata)
            path = path_of("Pod", pod.metadata, "status.containerStatuses")
            if said := NOT_FOUND.search(text):
                kind = _KIND[said[1].lower()]
                yield "E7", kind, f"{space}/{said[2]}", "", mine, _since(pod), path
            elif said := KEY.search(text):
                yield "E7", said[2], said[3], said[1], mine, _since(pod), path


def _refusals(pod: Pod) -> Iterator[str]:
    for status in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        waiting = status.state.waiting
        if waiting is not None and waiting.reason == "CreateContainerConfigError":
            yield waiting.message


def _since(pod: Pod) -> Instant | None:
    """A waiting container has no instant of its own; not being ready has."""
    return instant(condition(pod.status.conditions, "ContainersReady"))


def found_by(scene: Scene, rule: str) -> Iterator[Finding]:
    """Make the findings for what *rule* speaks for."""
    for found in missing(scene).values():
        if found.rule == rule:
            yield _finding(scene, found)


def _finding(scene: Scene, found: Missing) -> Finding:
    askers = found.askers
    maker = maker_of(scene, found.key) if found.kind == "Secret" else ""
    what = f"has no key {', '.join(sorted(found.keys))}" if found.keys else "does not exist"
    return Finding(
        subject=found.subject,
        cause="key-missing" if found.keys else "missing",
        message=f"{found.kind} {found.key} {what}: {len(askers)} wait for it{_whence(scene, found, maker)}",
        blocks=askers,
        clears_itself=NO if _is_nobodys(scene, found, maker) else UNKNOWN,
        rule=found.rule,
        since=min(found.since, default=None),
        evidence=tuple(found.evidence),
        clears_when=f"{found.kind} {found.key} exists, with the keys that are asked for",
        remedies=_remedies(found, maker),
    )


def _is_nobodys(scene: Scene, found: Missing, maker: str) -> bool:
    """
    Say whether nobody is left who could make it.

    A key to decrypt with is the operator's alone. What is substituted, and ConfigMaps with values, come from Git; other
    Secrets are made by controllers as well, at any time.
    """
    if maker or found.rule == "E7":
        return False
    if found.rule == "K8":
        return True
    from_git = found.kind == "ConfigMap" or (found.rule == "K9" and scene.seen("ExternalSecret"))
    asked_at = max(found.since, default=None)
    if not from_git or found.keys or (found.kind == "Secret" and any_begins(scene, asked_at)):
        return False
    return not may_come(scene, found.askers, (found.kind, found.key), asked_at)


def any_begins(scene: Scene, asked_at: Instant | None, pause: float = inf) -> bool:
    """
    Say whether a controller may still make a Secret, or has meanwhile: any not at work when it was asked.

    Flux's own make none, so that it says nothing when they came; who is not at work now may be what all waits for.
    """
    if not scene.seen("Deployment"):
        return True
    for work in scene.of("Deployment").values():
        said = condition(work.status.conditions, "Available")
        if said is None or said.status != "True":
            return True
        if work.metadata.labels.get(PART_OF) != "flux" and is_unread(scene, said, asked_at, pause):
            return True
    return False


def _whence(scene: Scene, found: Missing, maker: str) -> str:
    if found.kind != "Secret":
        return ""
    if maker:
        return f"; {maker} would make it"
    if found.rule == "K8":
        return ""
    return "; no ExternalSecret makes it" if scene.seen("ExternalSecret") else ""


def _remedies(found: Missing, maker: str) -> tuple[Remedy, ...]:
    if found.rule == "K8":
        return (
            *((look(f"why {maker} has not made it"),) if maker else ()),
            reversible(
                f"apply {found.key} with the age key of the recipient in .sops.yaml, then nudge who waits for it"
            ),
            never("commit a Secret in the clear to get past this"),
        )
    source = (
        f"why {maker} has not made it" if maker else "what should bring it, and apply that first"
    )
    return (look(source), never("make it by hand and leave it: it hides what is broken"))


def maker_of(scene: Scene, key: str) -> Subject:
    """Name the ExternalSecret that writes a Secret; one that is still to come is known by its name alone."""
    for made in scene.of("ExternalSecret").values():
        if target_of(made.metadata, made.spec.target.name) == key:
            return subject_of("ExternalSecret", made.metadata)
    expected = scene.inventory.externalsecrets if scene.inventory is not None else ()
    to_come = any(item.key == key and scene.get("ExternalSecret", key) is None for item in expected)
    return codes.subject("ExternalSecret", key) if to_come else ""


def target_of(metadata: Meta, name: str) -> str:
    """Return the key of the Secret that an ExternalSecret writes."""
    return f"{metadata.namespace}/{name or metadata.name}"


def _values(scene: Scene) -> Iterable[Finding]:
    """H5: the values of a release are not there."""
    yield from found_by(scene, "H5")
    yield from _unreadable(scene)


def _pods(scene: Scene) -> Iterable[Finding]:
    """E7: containers cannot be made, since what they read is not there; there is nothing to do to the pod."""
    return found_by(scene, "E7")


RULES = (
    Rule(
        "E7",
        "pods ask for what is not there",
        Proof.SOURCE,
        "kubernetes v1.36 pkg/kubelet/kubelet_pods.go",
        _pods,
    ),
    Rule(
        "H5",
        "the values of a release are not there",
        Proof.CONTROLLER,
        "fluxcd/pkg chartutil/values.go at helm-controller 1.6.3",
        _values,
    ),
)
