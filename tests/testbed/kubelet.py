"""
Plays the kubelets: makes the Node objects follow the stand-in's nodes.

A node registers once its kubelet runs and the API answers, is not ready until the CNI's pod on it
is, renews its lease, and after a reboot has its containers restarted. What a node is told about
itself goes back to the stand-in, which derives Talos' nodeReady from it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.testbed.api import STRATEGIC

if TYPE_CHECKING:
    from tests.testbed.api import Api
    from tests.testbed.talos import NodeView, Talos

HEARTBEAT_SECONDS = 8.0
LEASE_SECONDS = 40
NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
CNI_PODS = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dcilium"
NO_CNI = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:Network plugin returns error: cni plugin not initialized"
)
CAPACITY = {"cpu": "32", "memory": "128Gi", "pods": "250", "ephemeral-storage": "500Gi"}


class Kubelets:
    """
    The kubelets of all nodes.
    """

    def __init__(self, talos: Talos) -> None:
        self._talos = talos
        self._beaten: dict[str, float] = {}
        self._told: dict[str, tuple[str, str]] = {}

    def step(self, api: Api, views: list[NodeView]) -> None:
        """
        Bring every node whose kubelet runs up to date.
        """
        known = {node["metadata"]["name"]: node for node in api.items(NODES)}
        networked = {pod["spec"].get("nodeName") for pod in api.items(CNI_PODS) if is_ready(pod)}
        for view in views:
            if view.kubelet:
                node = known.get(view.hostname)
                self._play(api, view, node, networked=view.hostname in networked)

    def _play(
        self, api: Api, view: NodeView, node: dict[str, Any] | None, *, networked: bool
    ) -> None:
        if node is None:
            node = api.call("POST", NODES, _node(view))
        boot_id = node["status"].get("nodeInfo", {}).get("bootID")
        if boot_id and boot_id != view.boot_id:
            _restart_containers(api, view.hostname)
            networked = False
        due = time.monotonic() - self._beaten.get(view.name, 0.0) > HEARTBEAT_SECONDS
        if due or is_ready(node) != networked or boot_id != view.boot_id:
            patch = {"status": _status(view, node, networked=networked)}
            api.merge(f"{NODES}/{view.hostname}/status", patch, STRATEGIC)
            _renew_lease(api, view.hostname, node["metadata"]["uid"])
            self._beaten[view.name] = time.monotonic()
        self._tell(view, "ready" if networked else "not-ready")

    def _tell(self, view: NodeView, verb: str) -> None:
        if self._told.get(view.name) != (view.boot_id, verb):
            self._talos.control(view.name, verb)
            self._told[view.name] = (view.boot_id, verb)


def is_ready(thing: dict[str, Any]) -> bool:
    """
    Whether a pod or a node has the condition Ready.
    """
    conditions = thing.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _node(view: NodeView) -> dict[str, Any]:
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": view.hostname,
        "kubernetes.io/os": "linux",
    }
    if view.control_plane:
        labels["node-role.kubernetes.io/control-plane"] = ""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": view.hostname, "labels": labels},
        "spec": {"providerID": f"talos://{view.uuid}"},
        "status": {"capacity": CAPACITY, "allocatable": CAPACITY},
    }


def _status(view: NodeView, node: dict[str, Any], *, networked: bool) -> dict[str, Any]:
    return {
        "addresses": [
            {"type": "InternalIP", "address": view.address},
            {"type": "Hostname", "address": view.hostname},
        ],
        "capacity": CAPACITY,
        "allocatable": CAPACITY,
        "conditions": _conditions(node, networked=networked),
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": view.boot_id,
            "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.12.48-talos",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.36.3",
            "machineID": view.uuid.replace("-", ""),
            "operatingSystem": "linux",
            "osImage": "Talos (v1.12.0)",
            "systemUUID": view.uuid,
        },
    }


def _conditions(node: dict[str, Any], *, networked: bool) -> list[dict[str, str]]:
    wanted = [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID"),
    ]
    if networked:
        wanted.append(("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
        wanted.append(
            ("NetworkUnavailable", "False", "CiliumIsUp", "Cilium is running on this node")
        )
    else:
        wanted.append(("Ready", "False", "KubeletNotReady", NO_CNI))
    old = {c["type"]: c for c in node.get("status", {}).get("conditions") or []}
    conditions = []
    for kind, status, reason, message in wanted:
        before = old.get(kind, {})
        same = before.get("status") == status
        conditions.append(
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": _now(),
                "lastTransitionTime": before["lastTransitionTime"] if same else _now(),
            }
        )
    return conditions


def _restart_containers(api: Api, node: str) -> None:
    """
    Show what a kubelet shows after a reboot; kwok then starts the containers again.
    """
    for pod in api.items(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node}"):
        status = pod["status"]
        if pod["metadata"].get("deletionTimestamp") or status.get("phase") != "Running":
            continue
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        containers = [
            c | {"ready": False, "restartCount": c["restartCount"] + 1, "state": waiting}
            for c in status.get("containerStatuses") or []
        ]
        down = {"status": "False", "reason": "ContainersNotReady", "lastTransitionTime": _now()}
        conditions = [{"type": kind} | down for kind in ("Ready", "ContainersReady")]
        others = [c for c in status["conditions"] if c["type"] not in ("Ready", "ContainersReady")]
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        patch = {"conditions": others + conditions, "containerStatuses": containers}
        api.merge(f"{path}/status", {"status": patch})


def _renew_lease(api: Api, node: str, uid: str) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": node, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now}
    if api.get(f"{LEASES}/{node}"):
        api.merge(f"{LEASES}/{node}", {"spec": spec})
        return
    owner = {"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid}
    api.call("POST", LEASES, {"metadata": {"name": node, "ownerReferences": [owner]}, "spec": spec})


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
