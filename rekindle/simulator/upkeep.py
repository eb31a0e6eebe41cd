"""
What a plan's own commands do to nodes, and what its probes see of it: cordon, drain, upgrade, uncordon; and marks.

A mark stands for an effect that the simulator has no model of: a command leaves it, a probe sees it, nothing else
touches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from phases.objects import Node
from phases.snapshot import Seen, Unseen
from rekindle.simulator.api import terminating
from rekindle.simulator.events import Steps
from rekindle.simulator.scenario import CommandSpec, ProbeSpec

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster

POLL_SECONDS = 2.0
REFUSED_SECONDS = 3.0


def _marked(name: str, node: str) -> str:
    return f"{name}/{node}" if node else name


class Upkeep:
    """*most_cordoned*: how many nodes were ever cordoned at once, since the scenario began."""

    def __init__(self, cluster: SimCluster) -> None:
        self._cluster = cluster
        self._silent_since: dict[str, float] = {}
        self.marks: set[str] = set()
        self.most_cordoned = 0
        cluster.api.watch("Node", self._node_changed)

    def _node_changed(self, key: str, old: Node | None, new: Node | None) -> None:
        del key, old, new
        nodes = self._cluster.api.all("Node").values()
        cordoned = sum(node.spec.unschedulable for node in nodes)
        self.most_cordoned = max(self.most_cordoned, cordoned)

    # --- what commands do ------------------------------------------------------------------------

    def work(self, spec: CommandSpec, node: str) -> Steps:
        """Do to a node what a command does; the process returns its exit code."""
        if spec.does and node not in self._cluster.machines.by_name:
            yield REFUSED_SECONDS
            return 1
        match spec.does:
            case "cordon" | "uncordon":
                return (yield from self._cordon(spec, node, on=spec.does == "cordon"))
            case "drain":
                return (yield from self._drain(spec, node))
            case "upgrade":
                return (yield from self._upgrade(spec, node))
            case _:
                yield spec.duration
                return self._left(spec, node)

    def _left(self, spec: CommandSpec, node: str) -> int:
        if spec.exit == 0 and spec.marks:
            self.marks.add(_marked(spec.marks, node))
            self._cluster.extra += 1
        return spec.exit

    def _object(self, node: str) -> Node | None:
        """Return the Node object, as a kubectl with our kubeconfig would get it."""
        cluster = self._cluster
        if not cluster.api.up or "api" in cluster.unseen or cluster.kubeconfig != "ours":
            return None
        found: Node | None = cluster.api.get("Node", node)
        return found

    def _cordon(self, spec: CommandSpec, name: str, *, on: bool) -> Steps:
        yield spec.duration
        node = self._object(name)
        if node is None:
            return 1
        spec_of_node = replace(node.spec, unschedulable=on)
        self._cluster.api.update("Node", name, spec=spec_of_node, status=node.status)
        if not on:
            self._cluster.pods.retry()
        return self._left(spec, name)

    def _drain(self, spec: CommandSpec, name: str) -> Steps:
        """Ask every pod to go that no DaemonSet keeps there, and wait until they have gone."""
        yield spec.duration / 2
        while True:
            if self._object(name) is None:
                return 1
            staying = self._cluster.pods.on(name)
            for key in staying:
                if not terminating(self._cluster.api.get("Pod", key)):
                    self._cluster.api.delete("Pod", key)
            if not staying:
                break
            yield POLL_SECONDS
        yield spec.duration / 2
        return self._left(spec, name)

    def _upgrade(self, spec: CommandSpec, name: str) -> Steps:
        """Install another version of Talos: the machine reboots into it."""
        yield spec.duration / 2
        machine = self._cluster.machines.by_name[name]
        if name in self._cluster.unseen or machine.stage != "running":
            return 1
        machine.version = spec.version
        self._cluster.machines.reboot(machine)
        yield spec.duration / 2
        return self._left(spec, name)

    # --- what probes see -------------------------------------------------------------------------

    def looks(self) -> dict[str, Seen[int] | Unseen]:
        """Ask every probe of the scenario, for no node and for each."""
        cluster = self._cluster
        plans = cluster.scenario.plan.get("probes", {})
        found: dict[str, Seen[int] | Unseen] = {}
        for name, spec in cluster.scenario.probes.items():
            no = int(plans.get(name, {}).get("not_yet", 1))
            for node in ("", *cluster.machines.by_name):
                key = _marked(name, node)
                said = self._sees(spec, node)
                if said is None:
                    since = self._silent_since.setdefault(key, cluster.loop.now)
                    found[key] = Unseen(since, "odd", "no answer")
                else:
                    self._silent_since.pop(key, None)
                    found[key] = Seen(0 if said else no, cluster.loop.now)
        return found

    def _sees(self, spec: ProbeSpec, node: str) -> bool | None:
        """Say what a probe sees; None: it cannot tell."""
        if spec.sees == "mark":
            return _marked(spec.mark, node) in self.marks
        machine = self._cluster.machines.by_name.get(node)
        if machine is None:
            return None
        if spec.sees == "version":
            reached = machine.configured and node not in self._cluster.unseen
            return machine.version == spec.version if reached else None
        found = self._object(node)
        if found is None:
            return None
        if spec.sees == "drained":
            return not self._cluster.pods.on(node)
        return found.spec.unschedulable is (spec.sees == "cordoned")
