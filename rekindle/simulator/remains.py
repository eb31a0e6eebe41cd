"""What a run found of a cluster that had lived, as a scenario's beginning: what is left, and what is Terminating."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from journal.entries import Fact
from phases import codes
from phases.kinds import WORKLOADS
from phases.section import Section
from rekindle.simulator.kinds import BUILT_IN, FLUX_CRDS, KUSTOMIZE_FINALIZER, kind_of_crd
from rekindle.simulator.planted import CRD, flux_definitions
from rekindle.simulator.scenario import EventSpec, Left
from rekindle.simulator.tree import Item, Tree
from rekindle.simulator.witnessed import GONE, Remarks, Witness

BEFORE_SECONDS = 600.0  # since the accident, where nothing tells when it was
HELD = "holder/"
# Kinds of which a look has every expected object.
LISTED = ("Kustomization", "HelmRelease", "ExternalSecret", "ClusterSecretStore", *WORKLOADS)


@dataclass
class Remains:
    """What is ``beside_of`` has to be in the tree before ``left_of`` can name it."""

    seen: Witness
    section: Section
    remarks: Remarks

    # --- what nobody in Git brings ---------------------------------------------------------------

    def beside_of(self, known: frozenset[str]) -> tuple[Item, ...]:
        """Return what was there without being in the inventory; *known* are the CRDs that the tree brings."""
        found: dict[str, Item] = {}
        for fact in self._held():
            item = self._holder(fact)
            if item is not None:
                found.setdefault(f"{item.kind}/{item.id}", item)
        flux = any(self._is_there(k) for k in ("Kustomization", "HelmRelease", "GitRepository"))
        definitions = flux_definitions(known) if flux else ()
        wanted = {item.crd for item in found.values() if item.crd} - known
        own = tuple(Item(CRD, name=name, keep=True) for name in sorted(wanted))
        source: tuple[Item, ...] = ()
        if self._present(self.section.source):
            source = (Item("GitRepository", key=self.section.flux.source),)
        return (*definitions, *own, *source, *(found[name] for name in sorted(found)))

    def undefined_of(self, tree: Tree) -> tuple[Item, ...]:
        """Return the definitions of what the tree has, where nothing in it brings them: no object is without one."""
        brought = {i.id for spec in tree.helmreleases.values() for i in spec.installs}
        flux = brought.isdisjoint(self.section.flux.controllers)  # else they come with these
        needed = {item.crd or item.where.crd for item in tree.items()} | set(FLUX_CRDS)
        missing = needed - {"", *tree.crds(), *(() if flux else FLUX_CRDS)}
        for name in sorted(missing - set(FLUX_CRDS)):
            self.remarks.assumed.append(f"who brings CRD {name} is not recorded: nobody does")
        return tuple(Item(CRD, name=name, keep=True) for name in sorted(missing))

    def _held(self) -> Iterator[Fact]:
        """
        Yield what held something at the first look, and what people were asked about later.

        What holds a namespace is listed only once that goes, which may be during the run. What nobody had to be asked
        about was taken off by its own controller, and is left out: here it would hold for ever.
        """
        found = {name: fact for name, fact in self.seen.look.items() if name.startswith(HELD)}
        for name in self.seen.about:
            changes = self.seen.history.get(name, ()) if name.startswith(HELD) else ()
            if changes:
                found.setdefault(name, changes[0][1])
        yield from (fact for _, fact in sorted(found.items()))

    def _holder(self, fact: Fact) -> Item | None:
        """Return a held object that no inventory lists; who brings it is not recorded."""
        detail = fact.detail
        kind, namespace, name = (str(detail[part]) for part in ("kind", "namespace", "name"))
        key = f"{namespace}/{name}" if namespace else name
        finalizers = [str(one) for one in detail.get("finalizers", ())]
        if kind in LISTED:
            if finalizers != [KUSTOMIZE_FINALIZER]:
                self.remarks.inexpressible.append(
                    f"{kind} {key} was held by {', '.join(finalizers)}"
                )
            return None
        if len(finalizers) > 1:
            self.remarks.inexpressible.append(
                f"{kind} {key} had further finalizers: {finalizers[1:]}"
            )
        group = str(detail.get("group", ""))
        crd = f"{detail['resource']}.{group}" if "." in group and kind not in BUILT_IN else ""
        finalizer, version = next(iter(finalizers), ""), str(detail.get("version", ""))
        self.remarks.assumed.append(
            f"{kind} {key} was there with a finalizer; who brought it is not recorded, so nobody does"
        )
        return Item(kind, key=key, crd=crd, version=version, finalizer=finalizer)

    # --- what is left ----------------------------------------------------------------------------

    def left_of(self, tree: Tree) -> Left | None:
        """Return what is left; None: nothing of what is expected was missing."""
        if not self.seen.look:
            self.remarks.assumed.append(
                "nothing of the API was ever seen: the cluster is assumed to have been whole"
            )
            return None
        if not any(self._lost(subject) for subject in self._subjects()):
            return None
        whole = {key for key, spec in tree.helmreleases.items() if self._is_whole(spec.installs)}
        bare = {f"{i.kind}/{i.id}" for key in whole for i in tree.helmreleases[key].installs}
        there = [
            i for i in tree.items() if i.kind not in ("Namespace", CRD) and self._item_present(i)
        ]
        roots = [Item("Kustomization", key=key) for key in tree.roots]  # nobody in Git brings them
        there += [item for item in roots if self._item_present(item)]
        definitions = [name for name in tree.crds() if self._definition_present(name)]
        return Left(
            namespaces=(
                *self._namespaces({codes.READY, codes.PROGRESSING}),
                *self._unlisted_namespaces(there),
            ),
            terminating=tuple(self._namespaces({codes.TERMINATING})),
            crds=tuple(sorted(n for n in definitions if f"{CRD}/{n}" not in bare)),
            releases=tuple(sorted(whole)),
            objects=tuple(sorted({f"{i.kind}/{i.id}" for i in there} - bare)),
        )

    def before(self, left: Left | None) -> float:
        """Return how long before the run the accident was: as the oldest thing that is still going on tells."""
        start = self.seen.opened.at
        going = [
            fact.since
            for name, fact in self.seen.look.items()
            if fact.since is not None
            and fact.since < start
            and (fact.code in {codes.TERMINATING, codes.UNSEEN} or name.startswith(HELD))
        ]
        if going:
            return start - min(going)
        unseen = any(fact.code == codes.UNSEEN for fact in self.seen.look.values())
        if left is None and not unseen:
            return BEFORE_SECONDS  # nothing had happened: any quiet time will do
        if not unseen and self._flux_works():
            self.remarks.assumed.append(
                "when the accident was is not recorded: at the start, for Flux was at work, and would have healed it"
            )
            return 0.0
        self.remarks.assumed.append(
            f"when the accident was is not recorded: {BEFORE_SECONDS:g} s before the run"
        )
        return BEFORE_SECONDS

    def deletions(self, before: float) -> list[EventSpec]:
        """Return what was Terminating besides namespaces, each deleted when its own stamp says."""
        found = []
        for family, kind in (
            ("crd", CRD),
            ("kustomization", "Kustomization"),
            ("helmrelease", "HelmRelease"),
        ):
            for name, fact in sorted(self.seen.look.items()):
                if name.startswith(f"{family}/") and fact.code == codes.TERMINATING:
                    at = (fact.since or self.seen.opened.at) - self.seen.opened.at
                    key = name.partition("/")[2]
                    found.append(
                        EventSpec(min(0.0, max(at, -before)), "delete", kind=kind, key=key)
                    )
                elif name.startswith(f"{family}/") and fact.code == codes.SUSPENDED:
                    self.remarks.inexpressible.append(f"{name} was suspended in the cluster")
        return found

    def _flux_works(self) -> bool:
        """Say whether all of Flux's controllers were there: a world that runs alone is healed by them."""
        found = [
            self.seen.look.get(codes.subject("Deployment", k))
            for k in self.section.flux.controllers
        ]
        return bool(found) and all(fact is not None and fact.code == codes.READY for fact in found)

    # --- single facts ----------------------------------------------------------------------------

    def _subjects(self) -> Iterator[str]:
        yield from self.section.expected
        yield from (subject for _, _, subject, _ in self.section.workloads)

    def _lost(self, subject: str) -> bool:
        fact = self.seen.look.get(subject)
        return fact is not None and fact.code in {codes.ABSENT, codes.TERMINATING}

    def _present(self, subject: str) -> bool:
        fact = self.seen.look.get(subject)
        return fact is not None and fact.code not in GONE

    def _is_there(self, kind: str) -> bool:
        family = f"{kind.lower()}/"
        return any(name.startswith(family) and self._present(name) for name in self.seen.look)

    def _item_present(self, item: Item) -> bool:
        if item.kind in LISTED:
            subject = codes.subject(item.kind, item.id)
            return self._present(subject) or (
                subject not in self.seen.look and self._unlisted(item.kind)
            )
        held = {(str(f.detail["kind"]), str(f.detail["name"])) for f in self._held()}
        short = item.id.rpartition("/")[2]
        return (item.kind, short) in held or item.kind == "GitRepository"

    def _unlisted(self, kind: str) -> bool:
        """Say whether a kind could not be listed at all: what of it was there is not known, and assumed."""
        fact = self.seen.look.get(codes.kind(kind))
        unlisted = fact is None or fact.code != codes.SEEN
        note = f"{kind}s could not be listed: all of them are assumed to have been there"
        if unlisted and note not in self.remarks.assumed:
            self.remarks.assumed.append(note)
        return unlisted

    def _definition_present(self, name: str) -> bool:
        subject = codes.subject(CRD, name)
        if subject in self.seen.look:
            return self._present(subject)
        kind = self.seen.look.get(codes.kind(kind_of_crd(name)))  # what is listed is defined
        served = kind is not None and kind.code == codes.SEEN
        return (
            served
            or name in FLUX_CRDS
            or any(f"{f.detail['resource']}.{f.detail['group']}" == name for f in self._held())
        )

    def _is_whole(self, installs: tuple[Item, ...]) -> bool:
        found = [
            self._definition_present(i.id) if i.kind == CRD else self._item_present(i)
            for i in installs
        ]
        return bool(found) and all(found)

    def _unlisted_namespaces(self, there: list[Item]) -> list[str]:
        """Name the namespaces of what is there, where no inventory has them: nothing is in one that is not."""
        names = {item.id.partition("/")[0] for item in there if "/" in item.id}
        return sorted(names - set(self.section.inventory.namespaces))

    def _namespaces(self, wanted: set[str]) -> Iterator[str]:
        for name in self.section.inventory.namespaces:
            fact = self.seen.look.get(codes.subject("namespace", name))
            if fact is not None and fact.code in wanted:
                yield name
