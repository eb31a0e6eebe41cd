"""Whose an object of a cluster is: Flux's labels say it, and what a bootstrap installed Helm annotates."""

from __future__ import annotations

from typing import Final

from engine.answer import Subject
from phases import codes
from phases.diagnosis.scene import Scene
from phases.objects import Meta

APPLIED: Final = "kustomize.toolkit.fluxcd.io"
INSTALLED: Final = "helm.toolkit.fluxcd.io"
_HELM: Final = "meta.helm.sh/release"


def owner_of(scene: Scene, metadata: Meta) -> Subject:
    """Return the subject that brought an object (``helmrelease/NS/NAME``, ``kustomization/NS/NAME``), or nothing."""
    release = labelled(metadata, INSTALLED) or _of_helm(scene, metadata)
    if release is not None:
        return codes.subject("HelmRelease", release)
    applied = labelled(metadata, APPLIED)
    return "" if applied is None else codes.subject("Kustomization", applied)


def is_left_over(scene: Scene, metadata: Meta) -> bool:
    """Say whether what brought an object is gone: an uninstall keeps CRDs, and no recovery brings those again."""
    family, _, key = owner_of(scene, metadata).partition("/")
    kind = {"helmrelease": "HelmRelease", "kustomization": "Kustomization"}.get(family, "")
    return scene.seen(kind) and scene.get(kind, key) is None


def labelled(metadata: Meta, group: str) -> str | None:
    """Return the key that Flux's labels of a group name."""
    name, namespace = (metadata.labels.get(f"{group}/{part}") for part in ("name", "namespace"))
    return f"{namespace}/{name}" if name and namespace else None


def _of_helm(scene: Scene, metadata: Meta) -> str | None:
    """Return the release of that name, if Flux has one: what a bootstrap installed is only annotated by Helm."""
    name, namespace = (
        metadata.annotations.get(f"{_HELM}-{part}") for part in ("name", "namespace")
    )
    key = f"{namespace}/{name}"
    return key if scene.get("HelmRelease", key) is not None else None
