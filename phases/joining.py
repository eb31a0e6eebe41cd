"""
Git's inventory and the cluster's, made one: Git says which Flux objects there are, the cluster what they brought.

What Git no longer has is left out, with all that it brought; what has no owner in Flux is taken, for operators make
such workloads. What follows a source that this tree is not is taken as the cluster has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from phases import codes
from phases.charts import Charts
from phases.hooks import Hooks
from phases.inventory import (
    CrdItem,
    ExternalSecretItem,
    HelmReleaseItem,
    Inventory,
    KustomizationItem,
    StoreItem,
    WorkloadItem,
)
from phases.kinds import Held, crds_of, resources_of

NONE = Hooks()
NO_CHARTS = Charts()
Keyed = TypeVar("Keyed", KustomizationItem, HelmReleaseItem, ExternalSecretItem)


@dataclass(frozen=True, slots=True)
class Joined:
    """
    *absent*: subjects that Git has and the cluster has not. *left_out*: subjects that only the cluster has.

    Git's own of what is absent stays in the inventory: it is expected.
    """

    inventory: Inventory
    absent: tuple[str, ...]
    left_out: tuple[str, ...]


def joined(
    git: Inventory,
    cluster: Inventory,
    held: Mapping[str, Held] | None = None,
    hooks: Hooks = NONE,
    charts: Charts = NO_CHARTS,
) -> Joined:
    """
    Join; pods are the cluster's where it has the workload, else Git's.

    *held*: what each of Git's Kustomizations brings, whose CRDs a chart may bring. *hooks*: the cluster's webhooks.
    *charts*: what else charts bring, and who of Git's names it.
    """
    adopted = _adopted(git, cluster)
    parents = {*git.unknown, *(item.key for item in adopted)}
    releases = [item for item in cluster.helmreleases if item.parent in parents]
    kustomizations = (*git.kustomizations, *adopted)
    helmreleases = tuple(_by_key((*releases, *git.helmreleases)))
    running = {codes.subject("HelmRelease", i.key) for i in helmreleases if not i.suspended}
    owners = {codes.subject("Kustomization", i.key) for i in kustomizations if not i.suspended}
    owners |= running
    secrets = [
        item
        for item in cluster.externalsecrets
        if item.parent in parents or charts.brought.get(("ExternalSecret", item.key)) in running
    ]
    workloads = _workloads(git, cluster, owners)
    crds = _crds(git, cluster, owners)
    externalsecrets = tuple(_by_key((*secrets, *git.externalsecrets)))
    keys = [*(item.key for item in workloads), *(item.key for item in releases)]
    spaces = {*git.namespaces, *(key.partition("/")[0] for key in keys)}
    adopted_keys = {item.key for item in adopted}
    inventory = Inventory(
        schema=git.schema_,
        nodes=git.nodes or cluster.nodes,
        source=git.source,
        roots=git.roots,
        namespaces=tuple(sorted(spaces)),
        kustomizations=_charted(
            "Kustomization",
            _by_key(_with_needs(_seen(kustomizations, git, cluster), crds, held or {}, hooks)),
            charts,
            running,
        ),
        helmreleases=_charted("HelmRelease", helmreleases, charts, running),
        externalsecrets=_charted("ExternalSecret", externalsecrets, charts, running),
        stores=_stores(git, cluster, {i.store for i in externalsecrets}, owners),
        crds=crds,
        workloads=workloads,
        pods=sum(item.pods for item in workloads),
        unknown=tuple(sorted({*git.unknown, *(adopted_keys & {*cluster.unknown})})),
    )
    there, wanted = set(_subjects(cluster)), set(_subjects(inventory))
    absent = tuple(subject for subject in _subjects(inventory) if subject not in there)
    flux = ("kustomization/", "helmrelease/")
    left = (s for s in _subjects(cluster) if s.startswith(flux) and s not in wanted)
    return Joined(inventory, absent, tuple(left))


def _stores(
    git: Inventory, cluster: Inventory, read: set[str], owners: set[str]
) -> tuple[StoreItem, ...]:
    """Take Git's, and of the cluster's those that somebody of ours reads; who applies one has to be ours as well."""
    found = {item.name: item for item in git.stores}
    for item in cluster.stores:
        if item.name in read and item.name not in found:
            ours = codes.subject("Kustomization", item.parent or "") in owners
            found[item.name] = item if ours else StoreItem(name=item.name)
    return tuple(found[name] for name in sorted(found))


def _adopted(git: Inventory, cluster: Inventory) -> list[KustomizationItem]:
    """Return the Kustomizations that come, also through others, from a source that Git's tree is not."""
    known = {item.key for item in git.kustomizations}
    parents = set(git.unknown)
    found: dict[str, KustomizationItem] = {}
    while True:
        more = [
            item
            for item in cluster.kustomizations
            if item.parent in parents and item.key not in found and item.key not in known
        ]
        if not more:
            return list(found.values())
        found.update((item.key, item) for item in more)
        parents.update(item.key for item in more)


def _workloads(git: Inventory, cluster: Inventory, owners: set[str]) -> tuple[WorkloadItem, ...]:
    found = {(item.kind, item.key): item for item in git.workloads}
    found.update(
        ((item.kind, item.key), item)
        for item in cluster.workloads
        if not item.owner or item.owner in owners
    )
    return tuple(sorted(found.values(), key=lambda item: (item.key, item.kind)))


def _crds(git: Inventory, cluster: Inventory, owners: set[str]) -> tuple[CrdItem, ...]:
    found = {item.name: item for item in git.crds}
    found.update(
        (item.name, item) for item in cluster.crds if not item.provider or item.provider in owners
    )
    return tuple(found[name] for name in sorted(found))


def _seen(
    items: Iterable[KustomizationItem], git: Inventory, cluster: Inventory
) -> Iterable[KustomizationItem]:
    """Add what those of a foreign source need: what they hold is in the cluster's status and in no tree of ours."""
    known = {item.key: item.needs for item in cluster.kustomizations if item.key in git.unknown}
    for item in items:
        needs = (*item.needs, *known.get(item.key, ()))
        yield item.model_copy(update={"needs": tuple(dict.fromkeys(needs))})


def _with_needs(
    items: Iterable[KustomizationItem],
    crds: Iterable[CrdItem],
    held: Mapping[str, Held],
    hooks: Hooks,
) -> Iterable[KustomizationItem]:
    """Add what only the cluster knows of what Git's Kustomizations need: the CRDs and the webhooks of charts."""
    listed = {item.name for item in crds}
    for item in items:
        holds = held.get(item.key, {})
        names = crds_of(holds, listed, {})
        resources = resources_of(holds, listed, {})
        asked = hooks.needs(codes.subject("Kustomization", item.key), resources)
        needs = (*item.needs, *(codes.subject("crd", name) for name in names), *asked)
        yield item.model_copy(update={"needs": tuple(dict.fromkeys(needs))})


def _charted(
    kind: str, items: Iterable[Keyed], charts: Charts, releases: set[str]
) -> tuple[Keyed, ...]:
    """Add what only the cluster knows of what Git's objects name: that a chart brings it."""

    def needs(key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*known, *charts.needs(codes.subject(kind, key), releases))))

    return tuple(item.model_copy(update={"needs": needs(item.key, item.needs)}) for item in items)


def _by_key(items: Iterable[Keyed]) -> list[Keyed]:
    """Return one item a key, the last given, in the order of their keys."""
    found = {item.key: item for item in items}
    return [found[key] for key in sorted(found)]


def _subjects(inventory: Inventory) -> list[str]:
    """Name everything that an inventory has."""
    return [
        *(codes.k8s_node(name) for name in inventory.nodes),
        *(codes.subject("Namespace", name) for name in inventory.namespaces),
        *(codes.subject("CustomResourceDefinition", item.name) for item in inventory.crds),
        *(codes.subject("Kustomization", item.key) for item in inventory.kustomizations),
        *(codes.subject("HelmRelease", item.key) for item in inventory.helmreleases),
        *(codes.subject("ClusterSecretStore", item.name) for item in inventory.stores),
        *(codes.subject("ExternalSecret", item.key) for item in inventory.externalsecrets),
        *(codes.subject(item.kind, item.key) for item in inventory.workloads),
    ]
