"""Pods: scheduled where a node is ready, started by the kubelet there, and held where the kubelet is gone."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from phases.more_objects import Claim
from phases.objects import (
    Condition,
    ContainerState,
    ContainerStatus,
    Node,
    Owner,
    Pod,
    PodSpec,
    PodStatus,
    PodVolume,
    Waiting,
    condition,
    key_of,
)
from phases.templates import ClaimName
from rekindle.simulator.api import Api, terminating
from rekindle.simulator.claims import CLAIM
from rekindle.simulator.events import Loop
from rekindle.simulator.nodes import is_ready
from rekindle.simulator.shapes import meta_of, stamp
from rekindle.simulator.talos import Machines

HASH = "pod-template-hash"
EVICT_SECONDS = 300.0
GRACE_SECONDS = 3.0
CACHED_IMAGE = 0.3  # a pod starts in so much of the time where its image was pulled before


@dataclass
class Running:
    """What the kubelet and the scheduler know of a pod."""

    owner: tuple[str, str]
    start: float
    tolerates: bool
    daemon: bool
    pin: str = ""  # a DaemonSet's node
    node: str = ""
    boot_id: str = ""  # the boot in which its containers were started
    restarts: int = 0
    ready: bool = False
    claims: tuple[str, ...] = ()


def owner_of(pod: Pod) -> tuple[str, str]:
    """Return kind and key of the workload that a pod belongs to."""
    owner, space = pod.metadata.owner_references[0], pod.metadata.namespace
    if owner.kind == "ReplicaSet":
        return "Deployment", f"{space}/{owner.name.removesuffix(f'-{pod.metadata.labels[HASH]}')}"
    return owner.kind, f"{space}/{owner.name}"


class Pods:
    """The scheduler and all kubelets, as far as pods are concerned."""

    def __init__(self, loop: Loop, api: Api, machines: Machines, slowness: float) -> None:
        self._loop = loop
        self._api = api
        self._machines = machines
        self._slowness = slowness
        self._pulled: set[tuple[tuple[str, str], str]] = set()
        self._load: Counter[str] = Counter()
        self.records: dict[str, Running] = {}
        self.by_owner: dict[tuple[str, str], dict[str, Running]] = {}
        self._pending: dict[str, None] = {}
        self.instant = False
        api.watch("Pod", self._pod_changed)
        api.watch("Node", self._node_changed)
        api.watch(CLAIM, self._claim_changed)

    # --- creating and scheduling -----------------------------------------------------------------

    def create(self, key: str, owner_uid: str, record: Running) -> None:
        """Create a pod. Refused as any create is."""
        kind, name = record.owner[0], record.owner[1].rpartition("/")[2]
        labels = {"app.kubernetes.io/name": name, "k8s-app": name}
        if kind == "Deployment":  # by way of its ReplicaSet, which the label tells apart
            labels[HASH] = owner_uid[:8]
            kind, name = "ReplicaSet", f"{name}-{owner_uid[:8]}"
        meta = meta_of(key, labels=labels, owner_references=(Owner(kind, name, owner_uid),))
        self.records[key] = record
        self.by_owner.setdefault(record.owner, {})[key] = record
        try:
            self._api.create("Pod", Pod(meta, _spec(record), PodStatus("Pending")))
        except Exception:
            self._drop(key)
            raise
        self._schedule(key)

    def _schedule(self, key: str) -> None:
        record = self.records[key]
        names = [
            name
            for name, node in self._api.all("Node").items()
            if (record.tolerates or is_ready(node))
            and record.pin in ("", name)
            and (record.daemon or not node.spec.unschedulable)
        ]
        if not names or self._unbound(key):
            self._pending[key] = None
            self._write(key)
            return
        self._pending.pop(key, None)
        beside = Counter(other.node for other in self.by_owner[record.owner].values())
        record.node = min(names, key=lambda name: (beside[name], self._load[name], name))
        self._load[record.node] += 1
        self._write(key)
        self._start(key)

    def _unbound(self, key: str) -> str:
        """Say what the scheduler says of claims that are not there or not bound; empty: nothing."""
        namespace = key.partition("/")[0]
        for name in self.records[key].claims:
            found: Claim | None = self._api.get(CLAIM, f"{namespace}/{name}")
            if found is None:
                return f'persistentvolumeclaim "{name}" not found'
            if found.status.phase != "Bound":
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _claim_changed(self, _key: str, _old: Claim | None, new: Claim | None) -> None:
        if new is not None:
            for key in [key for key in self._pending if self.records[key].claims]:
                self._schedule(key)

    def retry(self) -> None:
        """Look again for a node for what has none: one may be there now."""
        for key in list(self._pending):
            self._schedule(key)

    def on(self, node: str) -> list[str]:
        """Name the pods on a node that a drain asks to go: all but a DaemonSet's."""
        return [
            key for key, record in self.records.items() if record.node == node and not record.daemon
        ]

    # --- the kubelet -----------------------------------------------------------------------------

    def _start(self, key: str) -> None:
        record = self.records[key]
        machine = self._machines.by_name.get(record.node)
        if machine is None or not machine.kubelet or record.boot_id == machine.boot_id:
            return
        if not record.tolerates and not is_ready(self._api.get("Node", record.node)):
            return
        record.boot_id = boot = machine.boot_id
        image = (record.owner, record.node)
        seconds = record.start * self._slowness * (CACHED_IMAGE if image in self._pulled else 1.0)
        delay = 0.0 if self.instant else self._loop.around(seconds)
        self._api.later(delay, lambda: self._started(key, record, boot))

    def _started(self, key: str, record: Running, boot: str) -> None:
        machine = self._machines.by_name[record.node]
        if self.records.get(key) is record and machine.kubelet and machine.boot_id == boot:
            self._pulled.add((record.owner, record.node))
            record.ready = True
            self._write(key)

    def forget_images(self, node: str) -> None:
        """Have a node pull anew: what it had pulled was on the disk that is gone."""
        self._pulled = {(owner, name) for owner, name in self._pulled if name != node}

    def _node_changed(self, name: str, old: Node | None, new: Node | None) -> None:
        ready, was = is_ready(new), is_ready(old)
        machine = self._machines.by_name.get(name)
        here = [key for key, record in self.records.items() if record.node == name]
        for key in here:
            record = self.records[key]
            if (
                machine is not None
                and machine.kubelet
                and record.boot_id not in ("", machine.boot_id)
            ):
                record.ready = False  # the node has rebooted: its containers start again
                record.boot_id = ""
                record.restarts += 1
                self._write(key)
            if terminating(self._api.get("Pod", key)):
                self._finish(key)
            else:
                self._start(key)
        if was and not ready:
            for key in here:
                self._write(key)
            self._api.later(EVICT_SECONDS, lambda: self._evict(name))
        elif ready and not was:
            for key in here:
                self._write(key)
            for key in list(self._pending):
                self._schedule(key)

    def _evict(self, name: str) -> None:
        if is_ready(self._api.get("Node", name)):
            return
        for key, record in list(self.records.items()):
            if record.node == name and not record.daemon and not record.tolerates:
                self._api.delete("Pod", key)

    # --- going away ------------------------------------------------------------------------------

    def _pod_changed(self, key: str, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            self._drop(key)
        elif terminating(new) and not terminating(old):
            self._finish(key)

    def _finish(self, key: str) -> None:
        record = self.records.get(key)
        machine = self._machines.by_name.get(record.node) if record is not None else None
        if record is None or not record.node:
            self._api.later(0.1, lambda: self._gone(key))
        elif machine is None or machine.kubelet:
            grace = 0.0 if self.instant else self._loop.around(GRACE_SECONDS)
            self._api.later(grace, lambda: self._gone(key))

    def _gone(self, key: str) -> None:
        found = self._api.get("Pod", key)
        if found is not None and terminating(found) and not found.metadata.finalizers:
            self._api.remove("Pod", key)

    def _drop(self, key: str) -> None:
        record = self.records.pop(key, None)
        self._pending.pop(key, None)
        if record is not None:
            self.by_owner[record.owner].pop(key, None)
            if record.node:
                self._load[record.node] -= 1

    # --- what the API shows ----------------------------------------------------------------------

    def is_ready(self, key: str) -> bool:
        """Say whether a pod counts as ready: its containers are, and its node still reports."""
        record = self.records[key]
        if not record.ready:
            return False
        node: Node | None = self._api.get("Node", record.node)
        found = condition(node.status.conditions, "Ready") if node is not None else None
        if found is None or found.status == "Unknown":
            return False
        return record.tolerates or found.status == "True"

    def _write(self, key: str) -> None:
        record, pod = self.records[key], self._api.get("Pod", key)
        if pod is not None:
            ready = self.is_ready(key)
            status = self._status(record, ready=ready, pod=pod)
            self._api.update("Pod", key, spec=_spec(record), status=status)

    def _status(self, record: Running, *, ready: bool, pod: Pod) -> PodStatus:
        if not record.node:
            return PodStatus("Pending", (self._unschedulable(key_of(pod.metadata), pod),))
        old = {found.type: found for found in pod.status.conditions}

        def state(kind: str, *, good: bool) -> Condition:
            status = "True" if good else "False"
            same = kind in old and old[kind].status == status
            when: Any = old[kind].last_transition_time if same else stamp(self._loop.now)
            reason = "" if good else "ContainersNotReady"
            message = "" if good else "containers with unready status: [app]"
            return Condition(kind, status, reason, message, when)

        waiting = None if record.ready else Waiting("ContainerCreating")
        running = record.ready or record.restarts > 0
        return PodStatus(
            "Running" if running else "Pending",
            (
                state("Initialized", good=True),
                state("Ready", good=ready),
                state("ContainersReady", good=record.ready),
                state("PodScheduled", good=True),
            ),
            (ContainerStatus("app", record.ready, record.restarts, ContainerState(waiting)),),
            pod_ip=_address(pod) if running else "",
        )

    def _unschedulable(self, key: str, pod: Pod) -> Condition:
        nodes = self._api.all("Node")
        taint = f"{len(nodes)} node(s) had untolerated taint {{node.kubernetes.io/not-ready: }}"
        message = f"0/{len(nodes)} nodes are available: {self._unbound(key) or taint}."
        for found in pod.status.conditions:
            if found.message == message:
                return found
        return Condition("PodScheduled", "False", "Unschedulable", message, stamp(self._loop.now))


def _spec(record: Running) -> PodSpec:
    volumes = tuple(PodVolume(ClaimName(name)) for name in record.claims)
    return PodSpec(record.node, volumes=volumes)


def _address(pod: Pod) -> str:
    """Give a pod an address of its own, the same whenever it is asked."""
    number = zlib.crc32(pod.metadata.uid.encode())
    return f"10.244.{number >> 8 & 255}.{number & 255}"
