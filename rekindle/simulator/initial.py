"""
The state in which a scenario begins.

A cluster that has lived is built whole and healthy at the time of its birth, loses at the accident what the
scenario says it lost, and then runs by the same rules as ever until the start: so every time stamp, condition and
pending pod in it is one that the rules produced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from phases.objects import Condition
from rekindle.simulator.api import PRIORITY
from rekindle.simulator.controlplane import FIRST_NAMESPACES
from rekindle.simulator.etcd import EtcdCluster
from rekindle.simulator.happenings import plan_events
from rekindle.simulator.labels import brought
from rekindle.simulator.secrets import SECRET, STORE
from rekindle.simulator.tree import Item

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster
    from rekindle.simulator.scenario import Left

SETTLE_LIMIT = 100_000
KEPT = ("Node", "Pod", "Namespace")
ALONG = (
    "Service",
    "EndpointSlice",
    "PersistentVolumeClaim",
    "PersistentVolume",
)  # with what they belong to


def build(cluster: SimCluster) -> None:
    """Bring a cluster to the start of its scenario."""
    for name, spec in cluster.scenario.nodes.items():
        stage = "maintenance" if spec.state == "booting" else spec.state
        machine = cluster.machines.add(name, spec.address, spec.role, stage)
        if spec.state in ("running", "off", "booting"):
            machine.config = "initial"
    initial = cluster.scenario.initial
    if initial.cluster:
        _long_healthy(cluster)
        _run_to(cluster, cluster.start - initial.before, quiet=True)
        if initial.left is not None:
            _accident(cluster, initial.left)
        cluster.registrations.register(initial.apis, initial.webhooks)
    else:
        cluster.loop.now = cluster.start - initial.before
        for name, spec in cluster.scenario.nodes.items():
            if spec.state == "booting":
                cluster.machines.reboot(cluster.machines.by_name[name], 1.0)
    plan_events(cluster)
    _run_to(cluster, cluster.start, quiet=False)
    cluster.actions.clusters_before = 1 if initial.cluster else 0


def _run_to(cluster: SimCluster, when: float, *, quiet: bool) -> None:
    """Let time pass; *quiet*: nothing is worth doing on the way, what was due is done late."""
    loop = cluster.loop
    if quiet:
        loop.now = when
    while (due := loop.due()) is not None and due <= when:
        loop.step()
    loop.now = max(loop.now, when)


def _settle(cluster: SimCluster) -> None:
    for _ in range(SETTLE_LIMIT):
        due = cluster.loop.due()
        if due is None or due > cluster.loop.now:
            return
        cluster.loop.step()


def _instant(cluster: SimCluster, *, on: bool) -> None:
    for part in (cluster.nodes, cluster.pods, cluster.workloads, cluster.crds, cluster.claims):
        part.instant = on


def _long_healthy(cluster: SimCluster) -> None:
    _instant(cluster, on=True)
    planes = [
        m for m in cluster.machines.by_name.values() if m.control_plane and m.stage == "running"
    ]
    etcd = EtcdCluster(1, [m.name for m in planes[:1]], peers={m.name: m.address for m in planes})
    cluster.machines.clusters.append(etcd)
    for machine in planes:
        if machine.name not in etcd.ids:
            etcd.admit(machine.name)  # it joined later, and its id is of that instant
        etcd.running.add(machine.name)
        machine.etcd_data, machine.etcd = etcd, "Running"
    cluster.control.force()
    cluster.api_came_up()
    _settle(cluster)
    items = sorted(brought(cluster.tree), key=lambda pair: _rank(pair[0]))
    # The network first, for pods go where nodes are ready.
    _make(cluster, [pair for pair in items if pair[0].tolerates])
    _settle(cluster)
    _make(cluster, items)
    roots = [Item("Kustomization", key=key) for key in cluster.tree.roots]
    first = [Item("GitRepository", key=cluster.maker.source), *roots]
    _make(cluster, [(item, {}) for item in first])
    _settle(cluster)
    _statuses(cluster)
    _instant(cluster, on=False)


def _make(cluster: SimCluster, items: list[tuple[Item, dict[str, str]]]) -> None:
    for item, labels in items:
        if "/" in item.id:
            cluster.namespaces.apply(item.id.partition("/")[0])
        cluster.maker.apply(item, labels)


def _rank(item: Item) -> tuple[int, str]:
    custom = 3 if item.where.crd or item.crd else 2
    return PRIORITY.get(item.kind, custom), item.id


def _statuses(cluster: SimCluster) -> None:
    api = cluster.api
    cluster.sources.succeed(cluster.maker.source)
    for key, found in list(api.all("HelmRelease").items()):
        api.hold("HelmRelease", key, "finalizers.fluxcd.io")
        cluster.releases.assume(key, found.metadata.generation)
    for key in cluster.tree.helmreleases:
        cluster.helm.revisions.setdefault(key, 1)
    for name in list(api.all(STORE)):
        cluster.secrets.set(STORE, name, Condition("Ready", "True", "Valid", "store validated"))
    for key in list(api.all(SECRET)):
        cluster.secrets.synced(key)
    for key, found in list(api.all("Kustomization").items()):
        api.hold("Kustomization", key, "finalizers.fluxcd.io")
        cluster.kustomizations.inventories[key] = cluster.tree.kustomizations[key].objects
        cluster.kustomizations.succeed(key, found.metadata.generation)


def _forget(cluster: SimCluster, left: Left, keep: set[str]) -> None:
    """Of what is gone, its controller knows nothing any more."""
    for key in list(cluster.helm.revisions):
        if key not in left.releases:
            del cluster.helm.revisions[key]
    for key in list(cluster.kustomizations.inventories):
        if f"Kustomization/{key}" not in keep:
            del cluster.kustomizations.inventories[key]


def _accident(cluster: SimCluster, left: Left) -> None:
    """Take away what the accident took. It was the controllers' own doing: they are not asked again."""
    api = cluster.api
    keep = set(left.objects) | {f"CustomResourceDefinition/{name}" for name in left.crds}
    for key in left.releases:
        keep |= {f"{item.kind}/{item.id}" for item in cluster.tree.helmreleases[key].installs}
    named = {f"{item.kind}/{item.id}" for item in cluster.tree.items()}
    for kind in sorted(api.objects, key=lambda kind: kind == "CustomResourceDefinition"):
        if kind in KEPT:
            continue
        for key in list(api.all(kind)):
            ref = f"{kind}/{key}"
            if ref not in keep and (ref in named or kind not in ALONG):
                api.remove(kind, key)
    _forget(cluster, left, keep)
    stay = {*left.namespaces, *left.terminating, *FIRST_NAMESPACES}
    for name in list(api.all("Namespace")):
        if name not in stay:
            for kind, key, _ in api.within(name):
                api.remove(kind, key)
            api.remove("Namespace", name)
    for name in left.terminating:
        api.delete("Namespace", name)
