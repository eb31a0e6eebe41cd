"""
What exists, as an inventory: the snapshot of a healthy cluster knows what Helm renders, and Git does not.

Whose an object is, Flux's own labels say. What nobody in the cluster misses is not missed here either: who takes an
inventory asks first what is not ready, and reviews what was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from engine.answer import Subject
from phases import codes
from phases.autoscalers import Fewest, fewest_of
from phases.belonging import APPLIED, is_left_over, labelled, owner_of
from phases.charts import needs_of_secret
from phases.diagnosis.scene import Scene, subject_of
from phases.existing_storage import stored_in
from phases.hooks import CONFIGURATIONS, Hooks, hooks_of
from phases.inventory import SCHEMA
from phases.kinds import WORKLOADS, Where, crds_of, resources_of
from phases.objects import (
    CustomResourceDefinition,
    ExternalSecret,
    Flux,
    Meta,
    Reference,
    Workload,
    key_of,
)
from phases.wants import SOURCES, Brought, named_by

Json = dict[str, Any]
# Without these an inventory would be shorter than the cluster.
NEEDED: Final = (
    "Node",
    "Namespace",
    "CustomResourceDefinition",
    *WORKLOADS,
    "Kustomization",
    "HelmRelease",
    "GitRepository",
    "ExternalSecret",
    "ClusterSecretStore",
)
_ID_PARTS = 4
# The API server makes these itself, and nothing of anybody's runs in them.
_ITS_OWN: Final = {"kube-public", "kube-node-lease"}


def inventory_of(scene: Scene, classes: Mapping[str, str] | None = None) -> Json:
    """
    Return everything that is there in the schema of ``phases.inventory.Inventory``; kinds that were not seen are empty.

    *classes*: who brings each StorageClass, as a Git tree tells it.

    Pods of a Deployment or StatefulSet are those that its spec asks for, or the fewest that its autoscaler leaves it;
    of a DaemonSet the nodes that it is for.
    """
    kustomizations = scene.of("Kustomization")
    source = source_of(scene)
    crds = {
        name: found
        for name, found in sorted(scene.of("CustomResourceDefinition").items())
        if not is_left_over(scene, found.metadata)
    }
    brought = _brought(scene, source)
    brought.stored.classes.update(classes or {})
    fewest = fewest_of(scene)
    workloads = [
        _workload(scene, brought, kind, found, fewest)
        for kind in WORKLOADS
        for found in scene.of(kind).values()
    ]
    hooks = hooks_in(scene, workloads)
    return {
        "schema": SCHEMA,
        "nodes": sorted(scene.of("Node")),
        "source": _source(source),
        "roots": sorted(key for key in kustomizations if parent_of(scene, key) is None),
        "namespaces": sorted(set(scene.of("Namespace")) - _ITS_OWN),
        "kustomizations": [
            {
                "key": key,
                "parent": parent_of(scene, key),
                "depends_on": _depends_on(found),
                "wait": found.spec.wait,
                "suspended": found.spec.suspend,
                "needs": [
                    *_held(key, found, crds, hooks),
                    *_needs(scene, brought, "Kustomization", found),
                ],
            }
            for key, found in sorted(kustomizations.items())
        ],
        "helmreleases": [
            {
                "key": key,
                "parent": labelled(found.metadata, APPLIED),
                "depends_on": _depends_on(found),
                "suspended": found.spec.suspend,
                "needs": _needs(scene, brought, "HelmRelease", found),
            }
            for key, found in sorted(scene.of("HelmRelease").items())
        ],
        "externalsecrets": [
            _secret(scene, key, found) for key, found in sorted(scene.of("ExternalSecret").items())
        ],
        "stores": [
            {"name": name, "parent": labelled(found.metadata, APPLIED)}
            for name, found in sorted(scene.of("ClusterSecretStore").items())
        ],
        "crds": [
            {"name": name, "provider": owner_of(scene, found.metadata)}
            for name, found in crds.items()
        ],
        "workloads": sorted(workloads, key=lambda item: (item["key"], item["kind"])),
        "pods": sum(item["pods"] for item in workloads),
        "unknown": sorted(
            key for key, found in kustomizations.items() if followed(found) != source
        ),
    }


def hooks_in(scene: Scene, workloads: list[Json]) -> Hooks:
    """Find the webhooks of a cluster, with the workloads behind them."""
    configurations = [
        (found, owner_of(scene, found.metadata))
        for kind in CONFIGURATIONS
        for found in scene.of(kind).values()
    ]
    labels = {name: found.metadata.labels for name, found in scene.of("Namespace").items()}
    return hooks_of(configurations, workloads, labels)


def _held(
    key: str, found: Flux, crds: dict[str, CustomResourceDefinition], hooks: Hooks
) -> list[str]:
    """Name what the objects need that a Kustomization says it applied (``namespace_name_group_Kind``)."""
    known = {(crd.spec.group, crd.spec.names.kind): name for name, crd in crds.items()}
    inventory = found.status.inventory
    held: dict[tuple[str, str], set[Where]] = {}
    for entry in inventory.entries if inventory is not None else ():
        parts = entry.id.split("_")
        if len(parts) == _ID_PARTS:
            held.setdefault((parts[2], parts[3]), set()).add(parts[0])
    names = crds_of(held, crds, known)
    asked = hooks.needs(codes.subject("Kustomization", key), resources_of(held, crds, known))
    return [*(codes.subject("crd", name) for name in names), *asked]


def _brought(scene: Scene, ours: tuple[str, str]) -> Brought:
    """Find who brings what others name; nobody waits for our own source, which is there before everything."""
    found = Brought()
    for kind in SOURCES:
        for key, source in scene.of(kind).items():
            owner = owner_of(scene, source.metadata)
            if owner and (kind, key) != ours:
                found.sources[kind, key] = owner
    for key, chart in scene.of("HelmChart").items():
        if chart.spec.source_ref is not None:
            found.charts[key] = named_by(chart.spec.source_ref, chart.metadata.namespace)
    for key, secret in scene.of("ExternalSecret").items():
        found.add_secret(key, secret.spec)
    found.stored = stored_in(scene)
    return found


def _needs(scene: Scene, brought: Brought, kind: str, found: Flux) -> list[str]:
    known = (codes.subject(kind, key_of(found.metadata)), owner_of(scene, found.metadata))
    return brought.needs_of_flux(found.spec, found.metadata.namespace, known)


def source_of(scene: Scene) -> tuple[str, str]:
    """Return kind and key of the GitRepository that most Kustomizations follow; two empty texts if there is none."""
    found = Counter(map(followed, scene.of("Kustomization").values()))
    ours = [source for source in found if source[0] == "GitRepository"]
    return min(ours, key=lambda source: (-found[source], source), default=("", ""))


def followed(found: Flux) -> tuple[str, str]:
    """Return kind and key of the source that a Kustomization follows."""
    reference = found.spec.source_ref
    return ("", "") if reference is None else (reference.kind, _key(reference, found.metadata))


def parent_of(scene: Scene, key: str) -> str | None:
    """Return the Kustomization that applied another; a root is applied by nobody, by itself, or by one that is gone."""
    parent = labelled(scene.get("Kustomization", key).metadata, APPLIED)
    return None if parent == key or scene.get("Kustomization", parent or "") is None else parent


def _workload(scene: Scene, brought: Brought, kind: str, found: Workload, fewest: Fewest) -> Json:
    owner = owner_of(scene, found.metadata)
    return {
        "kind": kind,
        "key": key_of(found.metadata),
        "pods": _pods_left(kind, found, fewest),
        "owner": owner,
        "needs": brought.needs_of_pods(found.spec, subject_of(kind, found.metadata), owner),
    }


def pods_of(kind: str, found: Workload) -> int:
    """Return how many pods a workload asks for."""
    if kind == "DaemonSet":
        return found.status.desired_number_scheduled or 0
    return 1 if found.spec.replicas is None else found.spec.replicas


def autoscaled(scene: Scene) -> dict[Subject, int]:
    """Return the workloads that are autoscaled, each with the pods that it asks for now."""
    there = ((kind, scene.get(kind, key)) for kind, key in sorted(fewest_of(scene)))
    return {
        subject_of(kind, found.metadata): pods_of(kind, found)
        for kind, found in there
        if found is not None
    }


def _pods_left(kind: str, found: Workload, fewest: Fewest) -> int:
    """Return how many pods a workload has whatever its autoscaler does; none of them scales what asks for none."""
    asked = pods_of(kind, found)
    return asked and fewest.get((kind, key_of(found.metadata)), asked)


def _secret(scene: Scene, key: str, found: ExternalSecret) -> Json:
    store = found.spec.secret_store_ref
    return {
        "key": key,
        "parent": labelled(found.metadata, APPLIED),
        "store": "" if store is None else store.name,
        "needs": needs_of_secret(scene, found),
    }


def _source(source: tuple[str, str]) -> Json | None:
    kind, key = source
    namespace, _, name = key.partition("/")
    return {"kind": kind, "namespace": namespace, "name": name} if kind else None


def _depends_on(found: Flux) -> list[str]:
    return [_key(reference, found.metadata) for reference in found.spec.depends_on]


def _key(reference: Reference, metadata: Meta) -> str:
    return f"{reference.namespace or metadata.namespace}/{reference.name}"
