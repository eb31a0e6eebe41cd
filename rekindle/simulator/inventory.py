"""What a tree would bring, as the inventory of a recovery plan: so that a rehearsal needs no other file."""

from __future__ import annotations

from typing import Any

from phases.inventory import SCHEMA
from phases.kinds import WORKLOADS
from rekindle.simulator.kinds import FLUX_CRDS
from rekindle.simulator.scenario import TREES, Scenario
from rekindle.simulator.tree import Item, Tree, load_tree

Json = dict[str, Any]


def section_of(scenario: Scenario, tree: Tree | None = None) -> Json:
    """
    Return the scenario's section of a plan as a loaded plan has it: with its inventory, and the CRDs at hand.

    Those are all that its tree knows, unless the scenario names them. *tree*: where it is in no file yet.
    """
    tree = tree or load_tree(TREES / scenario.tree)
    found = dict(scenario.plan)
    source = str(found.get("flux", {}).get("source", "flux-system/flux-system"))
    found["inventory"] = inventory_of(tree, tuple(scenario.nodes), source)
    found["crds"] = {"available": sorted(tree.crds()), **found.get("crds", {})}
    return found


def inventory_of(tree: Tree, nodes: tuple[str, ...], source: str) -> Json:
    """Return everything that should exist once a tree is applied to a cluster of these nodes."""
    brought = sorted(_brought(tree), key=lambda pair: (pair[1].id, pair[1].kind))
    parents = {
        (item.kind, item.id): owner.partition("/")[2]
        for owner, item in brought
        if owner.startswith("kustomization/")
    }
    crds = frozenset(item.id for _, item in brought if item.kind == "CustomResourceDefinition")
    namespace, _, name = source.partition("/")
    classes = {item.id: (owner, item) for owner, item in brought if item.kind == "StorageClass"}
    workloads = [
        _workload(owner, item, nodes, classes) for owner, item in brought if item.kind in WORKLOADS
    ]
    return {
        "schema": SCHEMA,
        "nodes": list(nodes),
        "source": {"kind": "GitRepository", "namespace": namespace, "name": name},
        "roots": list(tree.roots),
        "namespaces": _names(brought, "Namespace"),
        "kustomizations": _kustomizations(tree, parents, crds),
        "helmreleases": _releases(tree, parents),
        "externalsecrets": [
            {"key": item.id, "parent": owner.partition("/")[2], "store": item.store}
            for owner, item in brought
            if item.kind == "ExternalSecret"
        ],
        "stores": [
            {"name": name, "parent": parents.get(("ClusterSecretStore", name))}
            for name in _names(brought, "ClusterSecretStore")
        ],
        "crds": [
            {"name": item.id, "provider": owner}
            for owner, item in brought
            if item.kind == "CustomResourceDefinition"
        ],
        "workloads": workloads,
        "pods": sum(found["pods"] for found in workloads),
    }


def _brought(tree: Tree) -> list[tuple[str, Item]]:
    found = [
        (f"kustomization/{key}", item)
        for key, spec in tree.kustomizations.items()
        for item in spec.objects
    ]
    return found + [
        (f"helmrelease/{key}", item)
        for key, spec in tree.helmreleases.items()
        for item in spec.installs
    ]


def _names(brought: list[tuple[str, Item]], kind: str) -> list[str]:
    return sorted({item.id for _, item in brought if item.kind == kind})


def _workload(
    owner: str, item: Item, nodes: tuple[str, ...], classes: dict[str, tuple[str, Item]]
) -> Json:
    pods = len(nodes) if item.kind == "DaemonSet" else item.replicas
    needs: list[str] = []
    if item.claims and item.storage in classes:
        provider, found = classes[item.storage]
        needs = [provider] if provider != owner else []
        needs += [f"deployment/{found.backend}"] if found.backend else []
    return {"kind": item.kind, "key": item.id, "pods": pods, "owner": owner, "needs": needs}


def _kustomizations(
    tree: Tree, parents: dict[tuple[str, str], str], listed: frozenset[str]
) -> list[Json]:
    return [
        {
            "key": key,
            "parent": parents.get(("Kustomization", key)),
            "depends_on": list(spec.depends_on),
            "wait": spec.wait,
            "suspended": spec.suspend,
            "needs": _held(spec.objects, listed),
        }
        for key, spec in sorted(tree.kustomizations.items())
    ]


def _held(objects: tuple[Item, ...], listed: frozenset[str]) -> list[str]:
    """Name the CRDs of what a Kustomization holds, of those that the tree brings."""
    names = {item.crd or item.where.crd for item in objects} & listed
    return [f"crd/{name}" for name in sorted(names) if name not in FLUX_CRDS]


def _releases(tree: Tree, parents: dict[tuple[str, str], str]) -> list[Json]:
    return [
        {
            "key": key,
            "parent": parents[("HelmRelease", key)],
            "depends_on": list(spec.depends_on),
            "suspended": spec.suspend,
        }
        for key, spec in sorted(tree.helmreleases.items())
        if ("HelmRelease", key) in parents
    ]
