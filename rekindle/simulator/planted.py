"""
A tree that brings what an inventory lists: the inverse of ``inventory``.

An inventory says less than Git does. What has to be guessed here (who brings a namespace or a store, how long a
controller tries) is said in ``notes``, so that whoever reads the tree knows what was recorded and what was not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from phases.inventory import Inventory
from rekindle.simulator.kinds import FLUX_CRDS, kind_of_crd
from rekindle.simulator.tree import SCHEMA, Item, KustomizationSpec, ReleaseSpec, Tree

DAEMONSET = "DaemonSet"
CRD = "CustomResourceDefinition"
KEPT_NAMESPACES = ("default", "flux-system", "kube-system")
RETRY_SECONDS, TIMEOUT_SECONDS, RETRIES = 120.0, 300.0, 3
FALLBACK_ROOT = "flux-system/recorded"
REVISION = "main@sha1:0000000000000000000000000000000000000000"
Ref = tuple[str, str]  # kind, key


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What an inventory does not say, and a tree needs.

    *starts* are the seconds that a pod of a workload takes; *machinery* are the workloads (network, controllers) that
    have to come from somewhere, also where the inventory leaves them out; *beside* is nobody's.
    """

    nodes: int
    starts: Mapping[Ref, float] = field(default_factory=dict)
    start: float = Item("").start
    machinery: tuple[tuple[str, str, int], ...] = ()
    beside: tuple[Item, ...] = ()
    revision: str = REVISION


def tree_of(inventory: Inventory, wanted: Wanted) -> tuple[Tree, tuple[str, ...]]:
    """Return a tree that brings exactly what is listed, and what was assumed to make it."""
    planting = _Planting(inventory, wanted)
    return planting.tree(), tuple(planting.notes)


@dataclass
class _Planting:
    """Objects by what brings them: ``kustomization/KEY`` or ``helmrelease/KEY``."""

    inventory: Inventory
    wanted: Wanted
    notes: list[str] = field(default_factory=list)
    objects: dict[str, list[Item]] = field(default_factory=dict)
    installs: dict[str, list[Item]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parents = {item.key: item.parent for item in self.inventory.kustomizations}
        self.objects = {item.key: [] for item in self.inventory.kustomizations}
        self.installs = {item.key: [] for item in self.inventory.helmreleases}
        orphans = [key for key, parent in self.parents.items() if parent is None]
        self.roots = tuple(dict.fromkeys((*self.inventory.roots, *orphans)))
        if set(self.roots) - set(self.inventory.roots):
            names = ", ".join(sorted(set(self.roots) - set(self.inventory.roots)))
            self.notes.append(f"nobody brings {names}: taken as roots")
        for key in self.roots or (FALLBACK_ROOT,):
            self.objects.setdefault(key, [])
        self.roots = self.roots or (FALLBACK_ROOT,)

    def tree(self) -> Tree:
        """Put everything where it belongs."""
        self._flux()
        self._workloads()
        self._crds()
        self._secrets()
        self._namespaces()
        self._customs()
        self.notes.append(
            "intervals, timeouts, retries and health checks are no part of an inventory: 1 h, 5 m, 2 m and 3 attempts "
            "a release are assumed, and no health checks"
        )
        self.notes.append(
            "of custom objects an inventory has the kinds alone: the tree brings one of each; "
            "it brings no ConfigMaps and the like, and nothing in it reads a Secret"
        )
        return Tree(
            schema=SCHEMA,
            revision=self.wanted.revision,
            roots=self.roots,
            kustomizations=self._kustomizations(),
            helmreleases=self._releases(),
            beside=self.wanted.beside,
        )

    # --- where things belong ---------------------------------------------------------------------

    def _root_of(self, key: str) -> str:
        passed: set[str] = set()
        while (parent := self.parents.get(key)) is not None and key not in passed:
            passed.add(key)
            key = parent
        return key

    def _home(self, namespace: str) -> str:
        """Name the root below which most of a namespace's Kustomizations are, else the one that has most below it."""
        below = Counter(
            self._root_of(key) for key in self.parents if key.startswith(f"{namespace}/")
        )
        below = below or Counter(map(self._root_of, self.parents))
        ranked = sorted(self.roots, key=lambda root: (-below[root], self.roots.index(root)))
        return ranked[0]

    def _put(self, owner: str, item: Item) -> None:
        """Let an owner (``kind/KEY``) bring an object; whose owner is nobody's is the namespace's root's."""
        family, _, key = owner.partition("/")
        if family == "helmrelease" and key:
            if key not in self.installs:
                self.notes.append(f"release {key} is in no inventory: only a command can bring it")
            self.installs.setdefault(key, []).append(item)
        elif family == "kustomization" and key in self.objects:
            self.objects[key].append(item)
        else:
            home = self._home(item.id.partition("/")[0])
            self.notes.append(f"who brings {item.kind} {item.id} is not recorded: {home} does")
            self.objects[home].append(item)

    # --- what there is ---------------------------------------------------------------------------

    def _flux(self) -> None:
        for kustomization in self.inventory.kustomizations:
            if kustomization.parent is not None:
                owner = f"kustomization/{kustomization.parent}"
                self._put(owner, Item("Kustomization", key=kustomization.key))
        for release in self.inventory.helmreleases:
            owner = f"kustomization/{release.parent}"
            self._put(owner, Item("HelmRelease", key=release.key))

    def _workload(self, kind: str, key: str, pods: int) -> Item:
        if kind == DAEMONSET and pods != self.wanted.nodes:
            self.notes.append(f"{kind} {key} had {pods} pods; here it has one on each node")
        start = self.wanted.starts.get((kind, key), self.wanted.start)
        return Item(kind, key=key, replicas=pods, start=start)

    def _workloads(self) -> None:
        owners: dict[Ref, str] = {
            (item.kind, item.key): item.owner for item in self.inventory.workloads
        }
        machinery = {(kind, key): pods for kind, key, pods in self.wanted.machinery}
        for item in self.inventory.workloads:
            if item.owner or (item.kind, item.key) not in machinery:
                self._put(item.owner, self._workload(item.kind, item.key, item.pods))
        for (kind, key), pods in machinery.items():
            if not owners.get((kind, key)):  # a command has to be able to bring it
                self.notes.append(f"who brings {kind} {key} is not recorded: a release {key} does")
                self.installs.setdefault(key, []).append(self._workload(kind, key, pods))

    def _crds(self) -> None:
        for item in self.inventory.crds:
            keep = item.provider.startswith("helmrelease/")
            definition = Item(CRD, name=item.name, keep=keep)
            if item.provider:
                self._put(item.provider, definition)
                continue
            home = self._home("")
            self.notes.append(f"who brings CRD {item.name} is not recorded: {home} does")
            self.objects[home].append(definition)

    def _secrets(self) -> None:
        asked: dict[str, Counter[str]] = {}
        for secret in self.inventory.externalsecrets:
            item = Item("ExternalSecret", key=secret.key, store=secret.store)
            parent = secret.parent or ""
            of_release = parent in self.installs and parent not in self.objects
            self._put(f"{'helmrelease' if of_release else 'kustomization'}/{parent}", item)
            needs = next(
                (k.depends_on for k in self.inventory.kustomizations if k.key == parent), ()
            )
            asked.setdefault(secret.store, Counter()).update(needs)
        for store in self.inventory.stores:
            item = Item("ClusterSecretStore", name=store.name)
            if store.parent in self.objects:
                self.objects[store.parent].append(item)
                continue
            owner = self._store_owner(asked.get(store.name, Counter()))
            self.notes.append(
                f"who brings store {store.name} is not recorded: {owner}, on which its secrets depend"
            )
            self.objects[owner].append(item)

    def _store_owner(self, asked: Counter[str]) -> str:
        """Name what those depend on who bring a store's secrets: best of all something that brings nothing else."""
        known = {key: count for key, count in asked.items() if key in self.objects}
        ranked = sorted(known, key=lambda key: (-known[key], bool(self.objects[key]), key))
        return ranked[0] if ranked else self._home("")

    def _namespaces(self) -> None:
        for name in self.inventory.namespaces:
            item = Item("Namespace", name=name, prune=name not in KEPT_NAMESPACES)
            self.objects[self._home(name)].append(item)
        if self.inventory.namespaces:
            self.notes.append("who brings a namespace is not recorded: the root above it does")

    def _customs(self) -> None:
        """One object of each kind that a Kustomization is known to hold, and of which it holds none yet."""
        for kustomization in self.inventory.kustomizations:
            held = self.objects[kustomization.key]
            there = {item.where.crd for item in held}
            for need in kustomization.needs:
                crd = need.removeprefix("crd/")
                if crd not in {need, *there}:
                    held.append(Item(kind_of_crd(crd), key=kustomization.key, crd=crd))

    # --- sections --------------------------------------------------------------------------------

    def _kustomizations(self) -> dict[str, KustomizationSpec]:
        listed = {item.key: item for item in self.inventory.kustomizations}
        found = {}
        for key, items in self.objects.items():
            if (item := listed.get(key)) is None:
                found[key] = KustomizationSpec(objects=tuple(items))
                continue
            root = key in self.roots  # a root that waits for all below it needs the time of all
            found[key] = KustomizationSpec(
                retry=0.0 if root else RETRY_SECONDS,
                timeout=0.0 if root else TIMEOUT_SECONDS,
                wait=item.wait,
                suspend=item.suspended,
                depends_on=item.depends_on,
                objects=tuple(items),
            )
        return found

    def _releases(self) -> dict[str, ReleaseSpec]:
        listed = {item.key: item for item in self.inventory.helmreleases}
        found = {}
        for key, items in self.installs.items():
            item = listed.get(key)
            found[key] = ReleaseSpec(
                timeout=TIMEOUT_SECONDS,
                retries=RETRIES,
                suspend=item.suspended if item is not None else False,
                depends_on=item.depends_on if item is not None else (),
                installs=tuple(items),
            )
        return found


def flux_definitions(have: Iterable[str]) -> tuple[Item, ...]:
    """Return Flux's own definitions, which no inventory lists, as something that nobody brings."""
    known = set(have)
    return tuple(Item(CRD, name=name, keep=True) for name in FLUX_CRDS if name not in known)
