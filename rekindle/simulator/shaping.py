"""What a tree leaves unsaid: which pods run without a network, and which release brings Flux's own definitions."""

from __future__ import annotations

from msgspec.structs import replace

from phases.kinds import WORKLOADS
from rekindle.simulator.kinds import FLUX_CRDS
from rekindle.simulator.tree import Item, ReleaseSpec, Tree


def shape(tree: Tree, cni: str, controllers: tuple[str, ...]) -> Tree:
    """
    Complete a tree.

    The CNI's release runs on nodes that are not ready, for it makes them so. The release that brings the
    Flux controllers brings their definitions, which an uninstall keeps.
    """
    releases = {key: _release(spec, cni, controllers) for key, spec in tree.helmreleases.items()}
    return replace(tree, helmreleases=releases)


def _release(spec: ReleaseSpec, cni: str, controllers: tuple[str, ...]) -> ReleaseSpec:
    installs = spec.installs
    if any(item.kind == "DaemonSet" and item.id == cni for item in installs):
        installs = tuple(
            replace(item, tolerates=True) if item.kind in WORKLOADS else item for item in installs
        )
    if any(item.kind == "Deployment" and item.id in controllers for item in installs):
        have = {item.id for item in installs}
        crds = tuple(
            Item("CustomResourceDefinition", name=name, keep=True)
            for name in FLUX_CRDS
            if name not in have
        )
        installs = (*crds, *installs)
    return replace(spec, installs=installs)


def crd_kinds(tree: Tree) -> dict[str, str]:
    """Map definitions to the kinds that the tree uses of them."""
    return {item.crd: item.kind for item in tree.items() if item.crd}
