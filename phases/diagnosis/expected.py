"""
Everything that should exist, one by one and counted: an inventory, as a look at a cluster is held against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.answer import Subject
from phases import codes
from phases.diagnosis.controllers import SERVES
from phases.diagnosis.scene import Scene
from phases.kinds import WORKLOADS
from phases.readiness.workloads import ready_pods

if TYPE_CHECKING:
    from phases.inventory import Inventory  # its checks cost as much as all the rules

PODS: Final = "pods"


class Expected(NamedTuple):
    """
    Something of the inventory. *maker*: who brings it; empty: nobody does, or the inventory does not know.

    *first*: nothing in the cluster brings it: nodes, Flux itself, its source and roots.
    """

    kind: str
    key: str
    maker: Subject = ""
    first: bool = False

    @property
    def subject(self) -> Subject:
        """Its name in facts and findings."""
        return (
            codes.k8s_node(self.key) if self.kind == "Node" else codes.subject(self.kind, self.key)
        )


def expected(inventory: Inventory) -> Iterator[Expected]:
    """Name everything that should exist, with who brings it."""
    roots = set(inventory.roots)
    yield from (Expected("Node", name, first=True) for name in inventory.nodes)
    if inventory.source is not None:
        key = f"{inventory.source.namespace}/{inventory.source.name}"
        yield Expected(inventory.source.kind, key, first=True)
    for item in inventory.kustomizations:
        first = item.key in roots or item.parent in {None, item.key}
        yield Expected("Kustomization", item.key, "" if first else _applied(item.parent), first)
    for release in inventory.helmreleases:
        yield Expected("HelmRelease", release.key, _applied(release.parent))
    for secret in inventory.externalsecrets:
        yield Expected("ExternalSecret", secret.key, _applied(secret.parent))
    for store in inventory.stores:
        yield Expected("ClusterSecretStore", store.name, _applied(store.parent))
    for crd in inventory.crds:
        yield Expected("CustomResourceDefinition", crd.name, crd.provider)
    yield from (Expected("Namespace", name) for name in inventory.namespaces)
    for work in inventory.workloads:
        first = not work.owner and work.key.partition("/")[2] in SERVES
        yield Expected(work.kind, work.key, work.owner, first)


def _applied(parent: str | None) -> Subject:
    return codes.subject("Kustomization", parent) if parent else ""


def is_gone(scene: Scene, one: Expected) -> bool:
    """Say whether it is known not to be there: what cannot be listed is not known."""
    return scene.seen(one.kind) and one.key not in scene.of(one.kind)


def count(scene: Scene) -> dict[str, tuple[int, int]]:
    """
    Return how many of each kind that should exist do, and of how many; pods: how many are ready.

    A kind that could not be listed is left out, and pods with any of the three kinds that have them.
    """
    if scene.inventory is None:
        return {}
    found: dict[str, tuple[int, int]] = {}
    for one in expected(scene.inventory):
        if scene.seen(one.kind):
            there, wanted = found.get(one.kind, (0, 0))
            found[one.kind] = (there + (not is_gone(scene, one)), wanted + 1)
    if scene.inventory.workloads and all(map(scene.seen, WORKLOADS)):
        works = [(item, scene.of(item.kind).get(item.key)) for item in scene.inventory.workloads]
        ready = (
            min(ready_pods(item.kind, work), item.pods) for item, work in works if work is not None
        )
        found[PODS] = (sum(ready), scene.inventory.pods)
    return found
