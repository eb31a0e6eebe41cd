"""
What of a cluster is not ready, so that no inventory is taken from it: 23 of 23 would be green again.

Two things are looked for: objects that are there and not ready, by the verdicts of a recovery, and gaps: what
something that is there names as its owner, its parent or its own, and that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from journal.entries import Fact
from phases import codes
from phases.belonging import APPLIED, INSTALLED, labelled
from phases.diagnosis.scene import Scene
from phases.diagnosis.words import listed
from phases.existing import NEEDED, followed, pods_of, source_of
from phases.kinds import WORKLOADS
from phases.objects import Flux, Meta
from phases.readiness.verdict import Context, verdict
from phases.snapshot import Seen, Unseen

_OWNERS: Final = ((APPLIED, "Kustomization"), (INSTALLED, "HelmRelease"))
_ID_PARTS: Final = 4
_CRD: Final = "CustomResourceDefinition"
_KEPT: Final = (
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ("helm.sh/resource-policy", "keep"),
)


def unready(scene: Scene) -> tuple[str, ...]:
    """Return a line for each thing that is not as a healthy cluster has it (``SUBJECT: why``), in a stable order."""
    unseen = tuple(_unseen(scene))
    if len(unseen) == len(NEEDED):
        return unseen
    lines = [*unseen, *_absent_flux(scene), *_owners(scene), *_applied(scene)]
    lines += [
        f"{subject}: {fact.reason or fact.code}"
        for subject, fact in _facts(scene)
        if not _is_good(subject, fact)
    ]
    return tuple(dict.fromkeys(lines))


def _is_good(subject: str, fact: Fact) -> bool:
    """A Node object without a look at its machine is as good as it gets here."""
    unasked = fact.code == codes.UNOBSERVABLE and subject.startswith(codes.k8s_node(""))
    return fact.code == codes.READY or unasked


def _unseen(scene: Scene) -> Iterator[str]:
    for kind in NEEDED:
        look = scene.snapshot.objects.get(kind, Unseen(0.0, "not-asked"))
        if not isinstance(look, Seen):
            yield f"{kind}: cannot be listed: {look.why or look.code}"


def _absent_flux(scene: Scene) -> Iterator[str]:
    """A cluster without Kustomizations has lost its roots: nothing that it still has says what is missing."""
    if scene.seen("Kustomization") and not scene.of("Kustomization"):
        yield "kustomization: there is none: what Flux follows is gone"
    elif scene.seen("GitRepository") and scene.of("Kustomization"):
        kind, key = source_of(scene)
        if kind and scene.get(kind, key) is None:
            yield f"{codes.subject(kind, key)}: is not there, and Kustomizations follow it"


def _owners(scene: Scene) -> Iterator[str]:
    """What is left of an owner that is gone: in the night that this program comes from all 23 pods were."""
    left: dict[str, list[str]] = {}
    for kind in NEEDED:
        for key, found in sorted(scene.of(kind).items()):
            for group, owner in _OWNERS:
                named = labelled(found.metadata, group)
                if named is None or not scene.seen(owner) or named in scene.of(owner):
                    continue
                if not _is_kept(kind, group, found.metadata):
                    orphans = left.setdefault(codes.subject(owner, named), [])
                    orphans.append(codes.subject(kind, key))
    for owner, orphans in sorted(left.items()):
        yield f"{owner}: is not there, and this is left of it: {listed(orphans)}"


def _is_kept(kind: str, group: str, metadata: Meta) -> bool:
    """What is meant to outlive its owner proves nothing; Helm never removes the CRDs that it has installed."""
    marks = {**metadata.labels, **metadata.annotations}
    kept = any(marks.get(name) == value for name, value in _KEPT)
    return kept or (kind == _CRD and group == INSTALLED)


def _applied(scene: Scene) -> Iterator[str]:
    """What a Kustomization says that it applied (``namespace_name_group_Kind``), and is not there."""
    for key, found in sorted(scene.of("Kustomization").items()):
        inventory = found.status.inventory
        for entry in inventory.entries if inventory is not None else ():
            parts = entry.id.split("_")
            if len(parts) != _ID_PARTS or parts[3] not in NEEDED or not scene.seen(parts[3]):
                continue
            namespace, name, group, kind = parts
            if _is_other(kind, group):
                continue
            named = f"{namespace}/{name}" if namespace else name
            if scene.get(kind, named) is None:
                owner = codes.subject("Kustomization", key)
                yield f"{codes.subject(kind, named)}: was applied by {owner} and is not there"


def _is_other(kind: str, group: str) -> bool:
    """Kinds of the same name in another group are not what was listed."""
    groups = {"Kustomization": APPLIED, "HelmRelease": INSTALLED, "Node": "", "Namespace": ""}
    return kind in groups and groups[kind] != group


def _facts(scene: Scene) -> Iterator[tuple[str, Fact]]:
    """Judge everything that an inventory counts, each object by the rules of a recovery."""
    ours = source_of(scene)
    for kind in NEEDED:
        for key, found in scene.of(kind).items():
            if kind == "GitRepository" and (kind, key) != ours:
                continue
            subject = codes.k8s_node(key) if kind == "Node" else codes.subject(kind, key)
            yield subject, verdict(kind, found, _context(scene, kind, found))


def _context(scene: Scene, kind: str, found: Any) -> Context:  # noqa: ANN401  any of KINDS
    if kind == "Kustomization":
        return Context(goal=_served(scene, found), suspended=found.spec.suspend)
    if kind == "HelmRelease":
        return Context(suspended=found.spec.suspend)
    return Context(expected=pods_of(kind, found) if kind in WORKLOADS else None)


def _served(scene: Scene, found: Flux) -> str:
    """Return the revision that a Kustomization's own source serves; empty where it is not known."""
    source = scene.get(*followed(found))
    artifact = source.status.artifact if source is not None else None
    return "" if artifact is None else str(artifact.revision)
