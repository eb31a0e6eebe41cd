"""
Who says that it is blocked, and by what: the other half of every rule.

Objects complain in the messages of their conditions. A message is overwritten by the next attempt ("Reconciliation in
progress"), so an object that an attempt holds just now is found by the labels that Flux puts on what it applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.answer import Subject
from journal.entries import Instant
from phases import codes
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.objects import Condition, Flux, Meta, condition

# Conditions that say what is wrong, and the status in which they do.
COMPLAINING: Final = {
    "Kustomization": (("Ready", "False"),),
    "HelmRelease": (("Ready", "False"), ("Released", "False")),
    "GitRepository": (("Ready", "False"),),
    "OCIRepository": (("Ready", "False"),),
    "HelmRepository": (("Ready", "False"),),
    "HelmChart": (("Ready", "False"),),
    "ExternalSecret": (("Ready", "False"),),
    "SecretStore": (("Ready", "False"),),
    "ClusterSecretStore": (("Ready", "False"),),
    "Namespace": (
        ("NamespaceDeletionDiscoveryFailure", "True"),
        ("NamespaceDeletionContentFailure", "True"),
    ),
    "Deployment": (("ReplicaFailure", "True"),),
}
OWNER_LABELS: Final = {
    "Kustomization": "kustomize.toolkit.fluxcd.io",
    "HelmRelease": "helm.toolkit.fluxcd.io",
}
APPLYING: Final = ("Detecting drift",)
# A name before its status; the end of a longer one is another's.
STATUS: Final = re.compile(r"(?:^|[\[ \t\n])([^\s\[]+) status: ")
WAITING: Final = ("Running health checks", "Running 'install'", "Running 'upgrade'")


@dataclass(frozen=True, slots=True)
class Complaint:
    """An object that is not well, and what it says."""

    subject: Subject
    message: str
    since: Instant | None
    evidence: str
    uid: str = ""


def complaints(scene: Scene) -> tuple[Complaint, ...]:
    """Everything that says what is wrong with it."""
    return scene.once("complaints", lambda: tuple(_complaints(scene)))


def _complaints(scene: Scene) -> Iterator[Complaint]:
    for kind, wanted in COMPLAINING.items():
        for item in scene.of(kind).values():
            if _is_ready(item.status.conditions) or is_suspended(item):
                continue
            for name, status in wanted:
                said = condition(item.status.conditions, name)
                if said is not None and said.status == status and said.message:
                    yield Complaint(
                        subject_of(kind, item.metadata),
                        said.message,
                        instant(said),
                        path_of(kind, item.metadata, f"status.conditions[{name}]"),
                        item.metadata.uid,
                    )


def is_suspended(found: Any) -> bool:  # noqa: ANN401  any kind of Flux has it, and others have not
    """Say whether nobody tries it: what its last attempt said is history, and nothing but its resumption is awaited."""
    return bool(getattr(getattr(found, "spec", None), "suspend", False))


def _is_ready(conditions: tuple[Condition, ...]) -> bool:
    """A Ready object's older conditions are history: HelmReleases keep Released=False between attempts."""
    ready = condition(conditions, "Ready")
    return ready is not None and ready.status == "True"


def saying(scene: Scene, pattern: str) -> tuple[Complaint, ...]:
    """Return the complaints in which *pattern* (a regular expression) is found."""
    wanted = re.compile(pattern)
    return tuple(found for found in complaints(scene) if wanted.search(found.message))


def subjects(found: Iterable[Complaint]) -> tuple[Subject, ...]:
    """Return who complains, each once."""
    return tuple(dict.fromkeys(complaint.subject for complaint in found))


def waited_for(scene: Scene, kind: str, metadata: Meta, steps: tuple[str, ...]) -> list[Subject]:
    """Return what waits for an object: who names it with its status, and its owner that is at one of *steps*."""
    key = f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name
    naming: Mapping[str, list[Subject]] = scene.once("naming", lambda: _naming(scene))
    found = [*naming.get(f"{kind}/{key}", ()), *_busy_owners(scene, metadata, steps)]
    return list(dict.fromkeys(found))


def _naming(scene: Scene) -> Mapping[str, list[Subject]]:
    """Return who names an object with its status, by ``Kind/namespace/name``: thousands are asked for by theirs."""
    found: dict[str, list[Subject]] = {}
    for complaint in complaints(scene):
        for name in STATUS.findall(complaint.message):
            found.setdefault(name, []).append(complaint.subject)
    return found


def _busy_owners(scene: Scene, metadata: Meta, steps: tuple[str, ...]) -> Iterator[Subject]:
    for kind, prefix in OWNER_LABELS.items():
        name = metadata.labels.get(f"{prefix}/name")
        namespace = metadata.labels.get(f"{prefix}/namespace")
        owner = scene.get(kind, f"{namespace}/{name}")
        if owner is not None and step_of(owner).startswith(steps):
            yield subject_of(kind, owner.metadata)


def step_of(found: Flux) -> str:
    """Return the step that a worker is at with it just now; empty: no worker holds it."""
    reconciling = condition(found.status.conditions, "Reconciling")
    if reconciling is None or reconciling.status != "True" or reconciling.reason != "Progressing":
        return ""
    return reconciling.message


def behind_namespace(scene: Scene, metadata: Meta) -> tuple[Subject, ...]:
    """Return what a Terminating namespace blocks: who waits for it, and all that should be in it."""
    name = re.escape(metadata.name)
    refused = saying(scene, rf"in namespace {name} because it is being terminated")
    found = [
        *waited_for(scene, "Namespace", metadata, APPLYING),
        *subjects(refused),
        *(codes.subject(kind, key) for kind, key, _ in _within(scene, metadata.name)),
        *(who for who in _makers(scene, metadata) if _is_to_come(scene, who)),
    ]
    return tuple(dict.fromkeys(found))


def _makers(scene: Scene, metadata: Meta) -> Iterator[Subject]:
    """
    Return who has to make a namespace anew, or something in it: neither is possible before its deletion is over.

    The first waits for it in its first stage, the second is refused (N10, N11). A set is applied as a whole, so that
    all else in it waits as well.
    """
    prefix = OWNER_LABELS["Kustomization"]
    name, space = (metadata.labels.get(f"{prefix}/{part}") for part in ("name", "namespace"))
    if name and space:
        yield codes.subject("Kustomization", f"{space}/{name}")
    for kind, key, parent in _within(scene, metadata.name):
        if parent and scene.seen(kind) and is_gone(scene, kind, key):
            yield codes.subject("Kustomization", parent)


def is_gone(scene: Scene, kind: str, key: str) -> bool:
    """What is on its way out counts as gone: it has to be made again."""
    found = scene.get(kind, key)
    return found is None or found.metadata.deletion_timestamp is not None


def _is_to_come(scene: Scene, subject: Subject) -> bool:
    """Say whether a Kustomization is expected and gone; one that is there to stay says itself what holds it."""
    key = subject.partition("/")[2]
    listed = scene.inventory.kustomizations if scene.inventory is not None else ()
    absent = scene.seen("Kustomization") and is_gone(scene, "Kustomization", key)
    return absent and any(item.key == key for item in listed)


def _within(scene: Scene, namespace: str) -> Iterator[tuple[str, str, str]]:
    """Return the kind, the key, and the Kustomization that makes it (if any), of what is expected in a namespace."""
    if scene.inventory is None:
        return
    for kind, items in (
        ("Kustomization", scene.inventory.kustomizations),
        ("HelmRelease", scene.inventory.helmreleases),
        ("ExternalSecret", scene.inventory.externalsecrets),
    ):
        for item in items:
            if item.key.partition("/")[0] == namespace:
                yield kind, item.key, item.parent or ""
    for workload in scene.inventory.workloads:
        if workload.key.partition("/")[0] == namespace:
            yield workload.kind, workload.key, ""
