"""
Machines for a run that asked none: what a watch without a plan saw of its Nodes, as a plan and as looks at machines.

Pure, and in front of everything else that reads a recorded run. What the Nodes do not tell is invented so that the
simulated cluster can be rehearsed (addresses, one command that brings the network and Flux), and said in ``notes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from msgspec.structs import replace

from engine.models import DONE
from journal import entries as e
from journal.entries import Fact
from phases import codes
from phases.recipe import default_machine

COMMAND = "network"  # what is run where the network or Flux is gone
FIRST_ADDRESS = ip_address("198.18.0.1")  # RFC 2544: of a network that is nobody's
SILENT = (
    "Kubelet stopped posting node status"  # kube-controller-manager, of a Node that went silent
)
NODE = codes.k8s_node("")
CONTROL_PLANE, WORKER = "controlplane", "worker"


@dataclass
class Inferred:
    """A run as one that had a plan would have it, and what was invented for that."""

    opened: e.RunOpened
    entries: list[e.AnyEntry | None]
    notes: tuple[str, ...]


def inferred(opened: e.RunOpened, entries: Iterable[e.AnyEntry | None]) -> Inferred | None:
    """Give an unplanned run the machines of its Nodes, or of the plan that took it over; None: it expected no Node."""
    kept = list(entries)
    at, plan = _taken_over(kept)
    section: dict[str, Any] = opened.plan["section"]
    if plan is not None:
        roles = {name: node["role"] for name, node in plan["section"]["talos"]["nodes"].items()}
        said = (
            "it watched without a plan, and was taken over with one: until then a machine is taken to run while its "
            "Node says anything, and whether it rebooted is not known"
        )
        notes = [said]
    elif section["inventory"]["nodes"]:
        notes = []
        roles = _roles(section["inventory"]["nodes"], kept, notes)
        plan = _planned(opened.plan, roles, notes)
    else:
        return None
    looks = _Machines(roles, counts_boots=at == len(kept))
    return Inferred(
        replace(opened, plan=plan),
        [*map(looks.beside, kept[:at]), *kept[at:]],
        tuple(notes),
    )


def _taken_over(entries: list[e.AnyEntry | None]) -> tuple[int, dict[str, Any] | None]:
    """Return where the run got a plan, and that plan; without one: its end."""
    for at, entry in enumerate(entries):
        if isinstance(entry, e.PlanChanged) and entry.plan["section"]["talos"]["nodes"]:
            return at, entry.plan
    return len(entries), None


def _planned(plan: Mapping[str, Any], roles: Mapping[str, str], notes: list[str]) -> dict[str, Any]:
    """Return the plan of a run that has machines, and say what of it is invented."""
    section = plan["section"]
    notes.append(
        f"it watched without a plan: the addresses of its machines, {FIRST_ADDRESS} and following, and their "
        "configurations are invented; a machine is taken to run while its Node says anything, and to be off while not"
    )
    notes.append(
        f"command {COMMAND} is invented: it brings the network and Flux, where they are gone"
    )
    if not section["cni"]["daemonset"]:
        notes.append("no network was recognised: here nodes are Ready without one")
    machine = {} if section["inventory"]["source"] else _without_flux(notes)
    return {**plan, "section": {**section, **_invented(section, roles)}, "machine": machine}


def _roles(
    names: Iterable[str], entries: Iterable[e.AnyEntry | None], notes: list[str]
) -> dict[str, str]:
    """Say what each Node is, by its own label; where none is a control plane, the first one has to be it."""
    told = {
        subject.removeprefix(NODE): str(fact.detail["role"])
        for entry in entries
        if isinstance(entry, e.Observed)
        for subject, fact in entry.changed.items()
        if subject.startswith(NODE) and "role" in fact.detail
    }
    roles = {name: told.get(name, WORKER) for name in names}
    untold = [name for name in roles if name not in told]
    if untold:
        notes.append(f"what {', '.join(untold)} is was never seen: taken as workers")
    if CONTROL_PLANE not in roles.values():
        first = next(iter(roles))
        roles[first] = CONTROL_PLANE
        notes.append(f"no Node says that it is a control plane: {first} is taken as the only one")
    return roles


def _invented(section: Mapping[str, Any], roles: Mapping[str, str]) -> dict[str, Any]:
    """Return the parts of a plan that a watch without one does not have."""
    nodes = {
        name: {"address": str(FIRST_ADDRESS + index), "role": role, "config": f"{name}.yaml"}
        for index, (name, role) in enumerate(roles.items())
    }
    return {
        "talos": {"talosconfig": "talosconfig", "nodes": nodes},
        "kubernetes": {"kubeconfig": "kubeconfig"},
        "cni": {**section["cni"], "command": COMMAND},
        "flux": {**section["flux"], "roots": "roots"},
        "commands": {COMMAND: {"argv": [COMMAND]}},
    }


def _without_flux(notes: list[str]) -> dict[str, Any]:
    """The package's own machine without the state that asks for Flux."""
    notes.append(
        "there was no Flux: nobody brings back what is lost, also what was brought back by hand"
    )
    states: dict[str, Any] = default_machine()["states"]
    names = [name for name in states if name != "flux-synced"]
    following = zip(names, [*names[1:], DONE], strict=True)
    whole = {
        name: {"phase": name, "guard": name, **states[name], "next": after}
        for name, after in following
    }
    return {"initial": names[0], "states": whole}


@dataclass
class _Machines:
    """
    What machines would have shown, had they been asked.

    *counts_boots*: who was silent comes back from a boot. Not where the machines were asked later: their own ids of
    a boot would be others, and say that each rebooted.
    """

    roles: Mapping[str, str]
    counts_boots: bool
    boots: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    def beside(self, entry: e.AnyEntry | None) -> e.AnyEntry | None:
        """Put what is known of the machines beside what is said of their Nodes."""
        if not isinstance(entry, e.Observed):
            return entry
        found = dict(self._found(entry.changed))
        return replace(entry, changed={**found, **entry.changed}) if found else entry

    def _found(self, changed: Mapping[str, Fact]) -> Iterator[tuple[str, Fact]]:
        for subject, fact in changed.items():
            name = subject.removeprefix(NODE)
            if subject.startswith(NODE) and name in self.roles:
                yield codes.node(name), self._machine(name, fact)

    def _machine(self, name: str, fact: Fact) -> Fact:
        if fact.code == codes.ABSENT or fact.reason.startswith(SILENT):
            self.silent.add(name)
            return Fact(codes.UNSEEN, fact.reason, fact.since, {"role": self.roles[name]})
        if name in self.silent:
            self.silent.discard(name)
            self.boots[name] = self.boots.get(name, 0) + 1
        planes = [found for found, role in self.roles.items() if role == CONTROL_PLANE]
        detail = {
            "role": self.roles[name],
            "boot_id": f"{name}/{self.boots.get(name, 0)}" if self.counts_boots else "",
            "members": planes if self.roles[name] == CONTROL_PLANE else None,
        }
        return Fact(codes.RUNNING, detail=detail)
