"""
What the graph of needs asks of a section, read from a journal: for whoever tells of a run and acts on nothing.

A plan comes in by one way, ``phases.section``; only what came in by it is in a journal, and there it lies as data that
was checked. To build those models again costs three times as much as everything else that ``status`` does. The types
here bear the names, the fields and the defaults of theirs, and check nothing more; ``tests/phases/test_journaled.py``
holds them equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from journal.learned import convert
from phases.outline import Outline


class TalosNode(msgspec.Struct, frozen=True):
    """See ``phases.section``, also of those that follow."""

    role: str = "controlplane"


class Talos(msgspec.Struct, frozen=True):
    """Machines."""

    nodes: dict[str, TalosNode]

    @property
    def control_planes(self) -> tuple[str, ...]:
        """Names of the planned control planes, in the plan's order."""
        return tuple(name for name, node in self.nodes.items() if node.role == "controlplane")


class Cni(msgspec.Struct, frozen=True):
    """The network."""

    daemonset: str
    deployments: tuple[str, ...] = ()


class Flux(msgspec.Struct, frozen=True):
    """Source and controllers."""

    source: str = "flux-system/flux-system"
    controllers: tuple[str, ...] = (
        "flux-system/source-controller",
        "flux-system/kustomize-controller",
        "flux-system/helm-controller",
    )


class Crds(msgspec.Struct, frozen=True):
    """What may be applied out of band."""

    preapply: str = "when-blocked"
    available: tuple[str, ...] = ()


class KustomizationItem(msgspec.Struct, frozen=True):
    """See ``phases.inventory``, also of those that follow."""

    key: str
    parent: str | None = None
    depends_on: tuple[str, ...] = ()
    wait: bool = False
    suspended: bool = False
    needs: tuple[str, ...] = ()


class HelmReleaseItem(msgspec.Struct, frozen=True):
    """A HelmRelease."""

    key: str
    parent: str | None = None
    depends_on: tuple[str, ...] = ()
    suspended: bool = False
    needs: tuple[str, ...] = ()


class ExternalSecretItem(msgspec.Struct, frozen=True):
    """An ExternalSecret."""

    key: str
    parent: str | None = None
    store: str = ""
    needs: tuple[str, ...] = ()


class StoreItem(msgspec.Struct, frozen=True):
    """A ClusterSecretStore."""

    name: str
    parent: str | None = None


class CrdItem(msgspec.Struct, frozen=True):
    """A CustomResourceDefinition."""

    name: str
    provider: str = ""


class WorkloadItem(msgspec.Struct, frozen=True):
    """A workload."""

    kind: str
    key: str
    pods: int
    owner: str = ""
    needs: tuple[str, ...] = ()


class Inventory(msgspec.Struct, frozen=True):
    """What should exist."""

    nodes: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    kustomizations: tuple[KustomizationItem, ...] = ()
    helmreleases: tuple[HelmReleaseItem, ...] = ()
    externalsecrets: tuple[ExternalSecretItem, ...] = ()
    stores: tuple[str | StoreItem, ...] = ()
    crds: tuple[CrdItem, ...] = ()
    workloads: tuple[WorkloadItem, ...] = ()
    unknown: tuple[str, ...] = ()


class Section(Outline, msgspec.Struct, frozen=True, dict=True):
    """The domain's part of a plan, as far as the graph of needs asks about it."""

    talos: Talos
    cni: Cni
    flux: Flux
    inventory: Inventory
    crds: Crds = Crds()


def outline_of(section: Mapping[str, Any]) -> Outline:
    """
    Return the outline of a compiled plan's section.

    What is written in another way than these types read (a number as text, which the models take) goes the long way.
    """
    try:
        return convert(section, Section)
    except msgspec.ValidationError:
        from phases.section import Section as Checked

        return Checked.model_validate(section)
