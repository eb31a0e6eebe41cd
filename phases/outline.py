"""
How what should exist hangs together, by what a section lists: what the graph of needs is drawn from.

A plan's section (``phases.section``) is such an outline, and so is what ``phases.journaled`` reads of one in a journal.
It imports neither: to read how a run stands takes no models of what may stand in a plan.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from engine.answer import Subject
from phases import codes

if TYPE_CHECKING:
    from phases import inventory as checked
    from phases import journaled, section

    KustomizationItem = checked.KustomizationItem | journaled.KustomizationItem
    HelmReleaseItem = checked.HelmReleaseItem | journaled.HelmReleaseItem


class Outline:
    """What follows from a section's lists; whoever inherits it brings these."""

    if TYPE_CHECKING:
        talos: section.Talos | journaled.Talos
        cni: section.Cni | journaled.Cni
        flux: section.Flux | journaled.Flux
        crds: section.Crds | journaled.Crds
        inventory: checked.Inventory | journaled.Inventory

    @cached_property
    def node_names(self) -> tuple[str, ...]:
        """Nodes that should be there: the planned machines, or the inventory's where no machine is asked."""
        return tuple(self.talos.nodes) or self.inventory.nodes

    @cached_property
    def source(self) -> Subject:
        """The GitRepository that all follow."""
        return codes.subject("gitrepository", self.flux.source)

    @cached_property
    def roots(self) -> tuple[Subject, ...]:
        """The Kustomizations that nothing of the tree applies."""
        return tuple(codes.subject("kustomization", key) for key in self.inventory.roots)

    @cached_property
    def kustomizations(self) -> tuple[tuple[Subject, KustomizationItem], ...]:
        """The inventory's Kustomizations with their subjects."""
        found = self.inventory.kustomizations
        return tuple((codes.subject("kustomization", item.key), item) for item in found)

    @cached_property
    def releases(self) -> tuple[tuple[Subject, HelmReleaseItem], ...]:
        """The inventory's HelmReleases with their subjects."""
        found = self.inventory.helmreleases
        return tuple((codes.subject("helmrelease", item.key), item) for item in found)

    @cached_property
    def stores(self) -> tuple[tuple[Subject, str | None], ...]:
        """The inventory's stores, each with the key of the Kustomization that applies it; None: it is not known."""
        return tuple(
            (codes.subject("store", item), None)
            if isinstance(item, str)
            else (codes.subject("store", item.name), item.parent)
            for item in self.inventory.stores
        )

    @cached_property
    def dependencies(self) -> dict[Subject, tuple[Subject, ...]]:
        """What each Kustomization and HelmRelease depends on, by its own dependsOn."""
        found: dict[Subject, tuple[Subject, ...]] = {}
        for subject, kustomization in self.kustomizations:
            names = (codes.subject("kustomization", key) for key in kustomization.depends_on)
            found[subject] = tuple(names)
        for subject, release in self.releases:
            names = (codes.subject("helmrelease", key) for key in release.depends_on)
            found[subject] = tuple(names)
        return found

    @cached_property
    def network(self) -> Subject:
        """The network's DaemonSet; empty: nobody knows it."""
        return codes.subject("daemonset", self.cni.daemonset) if self.cni.daemonset else ""

    @cached_property
    def networking(self) -> tuple[Subject, ...]:
        """All of the network's workloads, as far as they are known."""
        beside = (codes.subject("deployment", key) for key in self.cni.deployments)
        return (*filter(None, [self.network]), *beside)

    @cached_property
    def workloads(self) -> tuple[tuple[str, str, Subject, int], ...]:
        """Kind, key, subject and pods of each workload that should be there; a known network is always among them."""
        wanted: dict[tuple[str, str], int] = {
            (item.kind, item.key): item.pods for item in self.inventory.workloads
        }
        if self.cni.daemonset:
            wanted.setdefault(("DaemonSet", self.cni.daemonset), len(self.node_names))
        for key in (*self.cni.deployments, *self.flux.controllers):
            wanted.setdefault(("Deployment", key), 1)
        return tuple(
            (kind, key, codes.subject(kind, key), pods) for (kind, key), pods in wanted.items()
        )
