"""Node objects: what kubelets report, and what the control plane says of those that stopped reporting."""

from __future__ import annotations

from collections.abc import Callable

from journal.entries import Instant
from phases.objects import Condition, Node, NodeInfo, NodeSpec, NodeStatus, Taint, condition
from rekindle.simulator.api import Api
from rekindle.simulator.events import Loop
from rekindle.simulator.shapes import meta_of, with_condition
from rekindle.simulator.talos import Machine, Machines

REGISTER_SECONDS = 8.0
REPORT_SECONDS = 1.5
LEASE_SECONDS = 40.0
NO_CNI = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
    " message:Network plugin returns error: cni plugin not initialized"
)
_READY = (
    Condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    Condition("NetworkUnavailable", "False", "CiliumIsUp", "Cilium is running on this node"),
)
_NOT_READY = (Condition("Ready", "False", "KubeletNotReady", NO_CNI),)
_LOST = (
    Condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
)


def _taints(key: str) -> tuple[Taint, ...]:
    return tuple(
        Taint(f"node.kubernetes.io/{key}", effect) for effect in ("NoSchedule", "NoExecute")
    )


def is_ready(node: Node | None) -> bool:
    """Say whether a Node object says Ready."""
    found = condition(node.status.conditions, "Ready") if node is not None else None
    return found is not None and found.status == "True"


class Nodes:
    """Keeps Node objects. *cni* says whether the network's pod runs on a node."""

    def __init__(
        self, loop: Loop, api: Api, machines: Machines, cni: Callable[[str], bool]
    ) -> None:
        self._loop = loop
        self._api = api
        self._machines = machines
        self._cni = cni
        self._registering: set[str] = set()
        self._reporting: set[str] = set()
        self.instant = False

    def refresh(self, machine: Machine) -> None:
        """Look at a machine again: register it, report it, or give it up after its lease."""
        name = machine.name
        if not machine.kubelet:
            if self._api.get("Node", name) is not None and not machine.up:
                since = machine.down_since
                self._api.later(LEASE_SECONDS, lambda: self._lost(machine, since))
        elif self._api.get("Node", name) is None:
            if name not in self._registering:
                self._registering.add(name)
                self._api.later(self._delay(REGISTER_SECONDS), lambda: self._register(machine))
        elif name not in self._reporting:
            self._reporting.add(name)
            self._api.later(self._delay(REPORT_SECONDS), lambda: self._report(machine))

    def _delay(self, seconds: float) -> float:
        return 0.0 if self.instant else self._loop.around(seconds)

    def _register(self, machine: Machine) -> None:
        self._registering.discard(machine.name)
        if machine.kubelet and self._api.get("Node", machine.name) is None:
            status = NodeStatus(
                with_condition((), _NOT_READY[0], self._loop.now), self._info(machine)
            )
            node = Node(meta_of(machine.name), NodeSpec(taints=_taints("not-ready")), status)
            self._api.create("Node", node)
            self.refresh(machine)

    def _info(self, machine: Machine) -> NodeInfo:
        return NodeInfo(system_uuid=machine.uuid, boot_id=machine.boot_id)

    def _report(self, machine: Machine) -> None:
        self._reporting.discard(machine.name)
        node = self._api.get("Node", machine.name)
        if not machine.kubelet or node is None:
            return
        ready = self._cni(machine.name)
        taints = () if ready else _taints("not-ready")
        self._write(node, _READY if ready else _NOT_READY, taints, self._info(machine))

    def _lost(self, machine: Machine, since: Instant) -> None:
        node = self._api.get("Node", machine.name)
        if machine.up or machine.down_since != since or node is None:
            return
        self._write(node, _LOST, _taints("unreachable"), node.status.node_info)

    def _write(
        self,
        node: Node,
        conditions: tuple[Condition, ...],
        taints: tuple[Taint, ...],
        info: NodeInfo,
    ) -> None:
        updated = node.status.conditions
        for new in conditions:
            updated = with_condition(updated, new, self._loop.now)
        self._api.update(
            "Node",
            node.metadata.name,
            spec=NodeSpec(node.spec.unschedulable, taints),
            status=NodeStatus(updated, info),
        )

    def api_came_up(self) -> None:
        """Let every kubelet try again."""
        for machine in self._machines.by_name.values():
            self.refresh(machine)
