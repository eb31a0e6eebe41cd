"""
What needs what: the extended dependency graph of a recovery, as far as the inventory knows it.

``dependsOn`` is only a part of it. A Kustomization also needs its source, what applies it, its namespace, and the CRD
of what it brings: Flux dry-runs the whole set before it applies any of it. What else an object needs (who makes a
Secret that it reads, who brings the source of its chart) its item in the inventory says. An edge that the inventory
does not know (which registry a pod pulls from, which address a gateway waits for) is not there: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.answer import Subject
from journal.entries import Fact
from phases import codes
from phases.beforehand import add_seedable, installed, installed_owners
from phases.kinds import EXTERNAL_SECRETS_CRD
from phases.outline import Outline
from phases.vertices import GONE, Needs, Vertex, applied, gone

if TYPE_CHECKING:
    from engine.recipe import Facts
    from phases.outline import HelmReleaseItem, KustomizationItem

NOT_THERE = {codes.ABSENT, codes.TERMINATING}
STORES_CRD = "clustersecretstores.external-secrets.io"
WELL = {"node": codes.RUNNING, codes.ETCD: codes.HEALTHY, codes.API: codes.UP}
# Stages of Talos in which a machine is busy with itself; in the others it waits for us.
AT_WORK = {
    "node": {"booting", "installing", "rebooting", "upgrading"},
    codes.ETCD: {codes.FORMING},
    codes.API: {codes.PARTIAL},
}
BUSY = {codes.PROGRESSING}  # of everything else
AT_WORK_AT_ALL = BUSY.union(*AT_WORK.values())
# What is said of objects that are looked at again some time, and that nobody is known to have taken up.
QUEUED = ("not reconciled yet", "not synced since")


@lru_cache(maxsize=8192)  # the ledger asks at every entry
def subject_of(vertex: Vertex) -> Subject:
    """Name the object that a vertex is about."""
    return vertex.partition("#")[0]


def family_of(vertex: Vertex) -> str:
    """Return a vertex's family, with its suffix: what its usual duration goes by."""
    subject, mark, part = vertex.partition("#")
    return f"{subject.partition('/')[0]}{mark}{part}"


def needs_of(section: Outline, *, certain: bool = False) -> Needs:
    """
    Return what each vertex needs; a vertex that needs nothing has an empty tuple.

    What is named and is nobody's (a dependency that no inventory has) is left out: diagnosis names it. *certain*: so is
    what somebody may have put there beforehand, for whoever concludes that something cannot come.
    """
    edges: dict[Vertex, dict[Vertex, None]] = {}
    for vertex, needed in _edges(section, certain=certain):
        edges.setdefault(vertex, {})
        if needed:
            edges[vertex][needed] = None
    if not certain:
        add_seedable(section, edges)
    return {
        vertex: tuple(needed for needed in found if needed in edges and needed != vertex)
        for vertex, found in edges.items()
    }


def _edges(section: Outline, *, certain: bool) -> Iterator[tuple[Vertex, Vertex]]:
    """Yield (vertex, what it needs); an empty need only says that the vertex exists."""
    yield from _machines(section)
    yield from _roots(section)
    yield from _namespaces(section)
    yield from _kustomizations(section)
    yield from _releases(section)
    yield from _crds(section)
    yield from _secrets(section, certain=certain)
    yield from _workloads(section)


def _machines(section: Outline) -> Iterator[tuple[Vertex, Vertex]]:
    """Nodes, etcd, API and network come before everything."""
    cni = section.network or codes.API
    yield codes.API, ""
    for name in section.node_names:
        yield codes.k8s_node(name), cni
    if not section.talos.nodes:
        return
    yield codes.ETCD, ""
    yield codes.API, codes.ETCD
    for name in section.talos.nodes:
        yield codes.node(name), ""
        yield codes.k8s_node(name), codes.node(name)
    for name in section.talos.control_planes:
        yield codes.ETCD, codes.node(name)


def _roots(section: Outline) -> Iterator[tuple[Vertex, Vertex]]:
    """Roots are applied by running controllers, once no namespace is on its way out (``flux_synced``)."""
    for key in section.flux.controllers:
        yield codes.ROOT, codes.subject("Deployment", key)
    for name in section.inventory.namespaces:
        yield codes.ROOT, gone(name)
    yield section.source, codes.ROOT


def _namespaces(section: Outline) -> Iterator[tuple[Vertex, Vertex]]:
    for name in section.inventory.namespaces:
        subject = codes.subject("namespace", name)
        yield gone(name), codes.API
        yield subject, gone(name)
        yield subject, section.source


def _parent(item: KustomizationItem | HelmReleaseItem) -> Vertex:
    return applied(codes.subject("kustomization", item.parent)) if item.parent else codes.ROOT


def _namespace_of(key: str) -> Vertex:
    return codes.subject("namespace", key.partition("/")[0])


def _kustomizations(section: Outline) -> Iterator[tuple[Vertex, Vertex]]:
    waits = {item.key for item in section.inventory.kustomizations if item.wait}
    for subject, item in section.kustomizations:
        yield subject, applied(subject)
        yield applied(subject), section.source
        yield applied(subject), _parent(item)
        if item.parent:
            yield applied(subject), _namespace_of(item.key)
        for needed in section.dependencies[subject]:
            yield applied(subject), needed
    for parent, child in _children(section):
        if parent in waits:
            yield codes.subject("kustomization", parent), child


def _children(section: Outline) -> Iterator[tuple[str, Subject]]:
    """Yield the key of a parent and what it brings."""
    inventory = section.inventory
    for family, items in (
        ("kustomization", inventory.kustomizations),
        ("helmrelease", inventory.helmreleases),
        ("externalsecret", inventory.externalsecrets),
    ):
        for item in items:
            if item.parent:
                yield item.parent, codes.subject(family, item.key)
    for store, parent in section.stores:
        if parent:
            yield parent, store
    for work in inventory.workloads:
        family, _, key = work.owner.partition("/")
        if family == "kustomization":
            yield key, codes.subject(work.kind, work.key)


def _releases(section: Outline) -> Iterator[tuple[Vertex, Vertex]]:
    for subject, item in section.releases:
        yield subject, applied(subject)
        yield applied(subject), _parent(item)
        yield applied(subject), _namespace_of(item.key)
        for needed in section.dependencies[subject]:
            yield applied(subject), needed


def _crds(section: Outline) -> Iterator[tuple[Vertex, Vertex]]:
    """A CRD comes from what brings it, unless it is applied out of band as soon as something asks for it."""
    early = section.crds.available if section.crds.preapply == "when-blocked" else ()
    first = installed_owners(section)
    for item in section.inventory.crds:
        subject = codes.subject("crd", item.name)
        by_owner = item.provider and item.provider not in first and item.name not in early
        yield subject, section.source
        yield subject, applied(item.provider) if by_owner else ""


def _secrets(section: Outline, *, certain: bool) -> Iterator[tuple[Vertex, Vertex]]:
    """
    Store → ExternalSecret; a store is served by what brings its CRD.

    Usually by a release that is Ready. *certain*: what it installed may run, whatever became of the release since.
    """
    providers = {item.name: item.provider for item in section.inventory.crds}
    crd = codes.subject("crd", EXTERNAL_SECRETS_CRD)
    for store, owner in section.stores:
        yield store, codes.subject("crd", STORES_CRD)
        yield store, section.source
        provider = providers.get(STORES_CRD, "")
        # A Kustomization that brings both has applied the one before the other, and may itself wait for the store.
        early = certain or provider.startswith("kustomization/")
        yield store, applied(provider) if provider and early else provider
        if owner:
            yield store, applied(codes.subject("kustomization", owner))
    for item in section.inventory.externalsecrets:
        subject = codes.subject("externalsecret", item.key)
        yield subject, crd
        yield subject, _namespace_of(item.key)
        yield subject, codes.subject("store", item.store) if item.store else ""
        if item.parent:
            parent = codes.subject("kustomization", item.parent)
            yield subject, applied(parent)
            if providers.get(EXTERNAL_SECRETS_CRD) != parent:
                yield applied(parent), crd  # a set with an unknown kind in it is not applied at all


def _workloads(section: Outline) -> Iterator[tuple[Vertex, Vertex]]:
    """Owner → workload → its release, which waits for it; the network before all but itself."""
    cni = section.network or codes.API
    owners = {
        codes.subject(item.kind, item.key): item.owner for item in section.inventory.workloads
    }
    first = installed(section)
    for _, _, subject, _ in section.workloads:
        yield subject, codes.API if subject == cni else cni
        owner = owners.get(subject, "")
        if (
            owner and subject not in first
        ):  # those the CNI's command installs, before any owner is there
            yield subject, applied(owner)
        if owner.startswith("helmrelease/"):
            yield owner, subject


class Standing:
    """
    Which vertices are done, by facts; a mapping that grows old with its facts.

    What a Kustomization brings counts as applied as soon as the first of it is there: it is applied in one go.
    """

    def __init__(self, section: Outline, needs: Needs) -> None:
        """Find what each subject's fact tells about which vertices."""
        self.section = section
        self.needs = needs
        self.parent: dict[Subject, Subject] = {}
        self.brought: dict[Subject, list[Subject]] = {}
        self.first = installed(section)
        self._touched: dict[Subject, tuple[Vertex, ...]] = {}
        for subject, parent in self._parents():
            if subject not in self.first:
                self.parent[subject] = parent
                self.brought.setdefault(parent, []).append(subject)
        self.roots = (section.source, *section.roots)

    def _parents(self) -> Iterator[tuple[Subject, Subject]]:
        for key, child in _children(self.section):
            yield child, codes.subject("kustomization", key)
        for work in self.section.inventory.workloads:
            if work.owner.startswith("helmrelease/"):
                yield codes.subject(work.kind, work.key), work.owner

    def touched(self, subject: Subject) -> tuple[Vertex, ...]:
        """Return the vertices that a changed fact of *subject* may have made done, or undone."""
        found = self._touched.get(subject)
        if found is None:
            found = self._touched[subject] = tuple(self._touched_by(subject))
        return found

    def _touched_by(self, subject: Subject) -> Iterator[Vertex]:
        parent = self.parent.get(subject, "")
        found = (subject, applied(subject), subject + GONE, applied(parent))
        yield from (vertex for vertex in found if vertex in self.needs)
        if subject in self.roots:
            yield codes.ROOT

    def is_done(self, vertex: Vertex, facts: Facts) -> bool:
        """Say whether a vertex is done; what is not known is not."""
        subject, part, well = _parts(vertex)
        if subject == codes.ROOT:
            return all(_is_there(item, facts) for item in self.roots)
        found = facts.get(subject)
        if part == "gone":
            return found is not None and found.code != codes.TERMINATING
        if found is not None and found.code == well:
            return True
        if part != "applied":
            return False
        return any(_is_there(child, facts) for child in self.brought.get(subject, ()))


@lru_cache(maxsize=8192)  # a recovery asks of the same vertices at every change
def _parts(vertex: Vertex) -> tuple[Subject, str, str]:
    """Take a vertex apart: its object, its suffix, and the code that the object has when it is well."""
    subject, _, part = vertex.partition("#")
    return subject, part, _well(subject)


@lru_cache(maxsize=8192)
def _well(subject: Subject) -> str:
    return WELL.get(subject.partition("/")[0], codes.READY)


def is_well(subject: Subject, facts: Facts) -> bool:
    """Say whether a subject is known to be as it should be."""
    found = facts.get(subject)
    return found is not None and found.code == _well(subject)


@lru_cache(maxsize=16384)  # objects by codes: of these there are few, of facts there are many
def is_same_footing(subject: Subject, before: str, now: str) -> bool:
    """Say whether two codes of a subject are one to all that ``Standing`` asks; of most changes they are."""
    return before == now or _footing(subject, before) == _footing(subject, now)


def _footing(subject: Subject, code: str) -> str:
    """Say of a subject all that is asked: well, there, or by which code it is not."""
    if code == _well(subject):
        return "well"
    return code if code in NOT_THERE else "there"


def is_at_work(subject: Subject, fact: Fact) -> bool:
    """Say whether somebody is known to work on a subject: what only waits in a queue is not worked on."""
    if fact.code not in AT_WORK_AT_ALL:
        return False
    busy = AT_WORK.get(subject.partition("/")[0], BUSY)
    return fact.code in busy and not is_queued(fact)


def is_queued(fact: Fact) -> bool:
    """Say whether an object is looked at again some time, and nobody is known to have taken it up."""
    return fact.reason.startswith(QUEUED)


def _is_there(subject: Subject, facts: Facts) -> bool:
    found = facts.get(subject)
    return found is not None and found.code not in NOT_THERE
