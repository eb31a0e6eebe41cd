"""
A plan for whoever has none: what a kubeconfig shows, for ``watch``, which only looks.

No machine is asked and no command is known, so the machine begins where the API answers: with the network, as far as
one is recognised; else the nodes alone are judged. What should exist is an inventory's, or what is there now; what was
lost before is then not missed, and that is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.plan import DONE, Plan, of_parts
from phases.inventory import Inventory
from phases.recipe import default_machine, recipe
from phases.section import Flux

# DaemonSets that are the network of a cluster, by their own manifests and charts.
NETWORKS = (
    "cilium",
    "calico-node",
    "canal",
    "kube-flannel",
    "kube-flannel-ds",
    "antrea-agent",
    "kube-router",
    "kube-ovn-cni",
    "kindnet",
    "weave-net",
    "aws-node",
    "anetd",
    "rke2-canal",
    "ovnkube-node",
)
# What has to run beside it before anything is resolved or routed.
BESIDE = ("cilium-operator", "calico-kube-controllers", "coredns")
NOT_ASKED = ("node-maintenance", "talos-ready")
NO_COMMAND = "unknown"  # no command has this name: no plan says what installs the network


@dataclass(frozen=True, slots=True)
class Named:
    """What only an operator can say; *network*: the DaemonSet of the network (None: it is recognised by its name)."""

    kubeconfig: Path
    cluster: str
    network: str | None = None


def plan_of(named: Named, inventory: Inventory) -> Plan:
    """
    Return the plan of a watch that has none.

    :raises PlanInvalid: when the inventory is of another schema.
    """
    daemonsets = _keys(inventory, "DaemonSet")
    deployments = _keys(inventory, "Deployment")
    network = named.network or _first(daemonsets, NETWORKS) or ""
    defaults: tuple[str, ...] = Flux.model_fields["controllers"].default
    controllers: Sequence[str] = _named(deployments, [key.partition("/")[2] for key in defaults])
    if not controllers and _has_flux(inventory):
        controllers = defaults
    section = {
        "talos": {"talosconfig": "", "nodes": {}},
        "kubernetes": {"kubeconfig": str(named.kubeconfig.absolute())},
        "cni": {
            "daemonset": network,
            "deployments": _named(deployments, BESIDE),
            "command": NO_COMMAND,
        },
        "flux": {"roots": "", "source": _source(inventory), "controllers": controllers},
        "inventory": inventory.model_dump(mode="json", by_alias=True),
        "repository": "",
    }
    return of_parts(named.cluster, _machine(follows_git=_has_flux(inventory)), section, recipe())


def _machine(*, follows_git: bool) -> dict[str, Any]:
    """The package's own machine without the states that ask machines; where there is no Flux, without that one too."""
    default = default_machine()
    left_out = {*NOT_ASKED, *(() if follows_git else ("flux-synced",))}
    names = [name for name in default["states"] if name not in left_out]
    following = [*names[1:], DONE]
    states = {
        name: {"phase": name, "guard": name, **default["states"][name], "next": after}
        for name, after in zip(names, following, strict=True)
    }
    return {"initial": names[0], "states": states}


def _has_flux(inventory: Inventory) -> bool:
    return bool(inventory.source or inventory.kustomizations or inventory.helmreleases)


def _source(inventory: Inventory) -> str:
    """The source that all follow; where none is known, Flux' own default."""
    found = inventory.source
    return f"{found.namespace}/{found.name}" if found else str(Flux.model_fields["source"].default)


def _keys(inventory: Inventory, kind: str) -> list[str]:
    return [item.key for item in inventory.workloads if item.kind == kind]


def _named(keys: Iterable[str], names: Collection[str]) -> list[str]:
    return [key for key in keys if key.partition("/")[2] in names]


def _first(keys: Collection[str], names: Iterable[str]) -> str | None:
    """The first of the names that is there; of a name in two namespaces, the first key."""
    found = (key for name in names for key in _named(keys, [name]))
    return next(found, None)
