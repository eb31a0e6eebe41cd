"""The labels with which Flux's controllers mark what they bring: the only thing that tells whose an object is."""

from __future__ import annotations

from rekindle.simulator.tree import Item, Tree

SERVICE_NAME = "kubernetes.io/service-name"  # on a slice: whose endpoints these are


def of_kustomization(key: str) -> dict[str, str]:
    """Return what kustomize-controller sets on everything that it applies."""
    return _labels("kustomize.toolkit.fluxcd.io", key)


def of_release(key: str) -> dict[str, str]:
    """Return what helm-controller sets on everything that it installs, CRDs included."""
    return {"app.kubernetes.io/managed-by": "Helm", **_labels("helm.toolkit.fluxcd.io", key)}


def brought(tree: Tree) -> list[tuple[Item, dict[str, str]]]:
    """Return every object of a tree with the labels of what brings it; nobody's come last, and have none."""
    found = [
        (item, of_kustomization(key))
        for key, spec in tree.kustomizations.items()
        for item in spec.objects
    ]
    found += [
        (item, of_release(key)) for key, spec in tree.helmreleases.items() for item in spec.installs
    ]
    return [*found, *((item, {}) for item in tree.beside)]


def _labels(group: str, key: str) -> dict[str, str]:
    namespace, _, name = key.rpartition("/")
    return {f"{group}/name": name, f"{group}/namespace": namespace}
