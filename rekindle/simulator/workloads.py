"""Deployments, StatefulSets and DaemonSets: the pods they want, and the numbers they show."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from journal.entries import Instant
from phases.objects import Condition, Node, Pod, Workload, WorkloadStatus
from rekindle.simulator.api import Api, Refused, terminating
from rekindle.simulator.claims import CLAIM, claim_of
from rekindle.simulator.events import Loop
from rekindle.simulator.nodes import is_ready
from rekindle.simulator.pods import Pods, Running, owner_of
from rekindle.simulator.shapes import with_condition
from rekindle.simulator.tree import Item

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
SYNC_SECONDS = 0.2
REFUSED_RETRY_SECONDS = 15.0
PROGRESS_SECONDS = 600.0
Ref = tuple[str, str]


@dataclass
class Plan:
    """What a workload was asked to be, and how far it once got."""

    item: Item
    progressed: Instant
    complete: bool = False
    serial: int = 0


class Workloads:
    """The workload controllers. ``declare`` says what a workload's pods are like, before it is created."""

    def __init__(self, loop: Loop, api: Api, pods: Pods) -> None:
        self._loop = loop
        self._api = api
        self._pods = pods
        self._plans: dict[Ref, Plan] = {}
        self._dirty: dict[Ref, None] = {}
        self.instant = False
        for kind in KINDS:
            api.watch(kind, partial(self._changed, kind))
        api.watch("Pod", self._pod_changed)
        api.watch("Node", self._node_changed)

    def declare(self, item: Item) -> None:
        """Say what the pods of a workload that is about to be created are like."""
        self._plans[item.kind, item.id] = Plan(item, self._loop.now)

    def ready_pods(self, kind: str, key: str) -> int:
        """Count the ready pods of a workload."""
        pods = self._pods.by_owner.get((kind, key), {})
        return len([name for name in pods if self._pods.is_ready(name)])

    def on_node(self, kind: str, key: str, node: str) -> bool:
        """Say whether a ready pod of a workload is on that node."""
        pods = self._pods.by_owner.get((kind, key), {})
        return any(
            record.node == node and self._pods.is_ready(name) for name, record in pods.items()
        )

    # --- when to look again ----------------------------------------------------------------------

    def _changed(self, kind: str, key: str, old: Workload | None, new: Workload | None) -> None:
        ref = (kind, key)
        if new is None:
            self._plans.pop(ref, None)
            for name in list(self._pods.by_owner.get(ref, {})):
                self._api.delete("Pod", name)
        elif old is None:
            self._soon(ref)
            self._api.later(PROGRESS_SECONDS + 1, lambda: self._soon(ref))

    def _pod_changed(self, key: str, old: Pod | None, new: Pod | None) -> None:
        del new
        record = self._pods.records.get(key)
        if record is not None:
            self._soon(record.owner)
        elif old is not None:
            self._soon(owner_of(old))

    def _node_changed(self, _name: str, old: Node | None, new: Node | None) -> None:
        if old is None or new is None or is_ready(old) != is_ready(new):
            for ref in self._plans:
                self._soon(ref)

    def _soon(self, ref: Ref) -> None:
        if ref in self._plans:
            if not self._dirty:
                self._api.later(0.0 if self.instant else SYNC_SECONDS, self._flush)
            self._dirty[ref] = None

    def _flush(self) -> None:
        dirty, self._dirty = list(self._dirty), {}
        for ref in dirty:
            found = self._api.get(*ref)
            if found is not None and ref in self._plans:
                self._sync(ref, found)

    # --- pods ------------------------------------------------------------------------------------

    def _sync(self, ref: Ref, workload: Workload) -> None:
        plan = self._plans[ref]
        if not terminating(workload):
            try:
                if ref[0] == "DaemonSet":
                    self._sync_daemon(ref, plan, workload)
                else:
                    self._sync_replicas(ref, plan, workload)
            except Refused:
                self._api.later(REFUSED_RETRY_SECONDS, lambda: self._soon(ref))
        self._status(ref, plan, workload)

    def _sync_replicas(self, ref: Ref, plan: Plan, workload: Workload) -> None:
        mine = self._pods.by_owner.get(ref, {})
        living = [key for key in mine if not terminating(self._api.get("Pod", key))]
        wanted = plan.item.replicas
        for key in living[wanted:]:
            self._api.delete("Pod", key)
        if ref[0] == "StatefulSet":
            names = [f"{ref[1]}-{index}" for index in range(wanted)]
            for name in names:
                if name not in mine:
                    self._create(ref, plan, workload, name)
                if not self._pods.is_ready(name) and not self.instant:
                    return
            return
        for _ in range(wanted - len(living)):
            plan.serial += 1
            suffix = f"{self._loop.random.getrandbits(20):05x}"
            self._create(ref, plan, workload, f"{ref[1]}-{workload.metadata.uid[:8]}-{suffix}")

    def _sync_daemon(self, ref: Ref, plan: Plan, workload: Workload) -> None:
        mine = self._pods.by_owner.get(ref, {})
        covered = {record.node for record in mine.values()}
        for name in self._eligible(plan):
            if name not in covered:
                suffix = f"{self._loop.random.getrandbits(20):05x}"
                self._create(ref, plan, workload, f"{ref[1]}-{suffix}", pin=name)

    def _eligible(self, plan: Plan) -> list[str]:
        return [
            name
            for name, node in self._api.all("Node").items()
            if plan.item.tolerates or is_ready(node)
        ]

    def _create(self, ref: Ref, plan: Plan, workload: Workload, name: str, pin: str = "") -> None:
        item = plan.item
        claims = item.claims
        if ref[0] == "StatefulSet":
            claims = tuple(f"{claim}-{name.rpartition('/')[2]}" for claim in claims)
            self._claim(ref[1].partition("/")[0], claims, workload.metadata.labels, item.storage)
        daemon = ref[0] == "DaemonSet"
        record = Running(ref, item.start, item.tolerates, daemon, pin, claims=claims)
        self._pods.create(name, workload.metadata.uid, record)

    def _claim(
        self, namespace: str, claims: tuple[str, ...], labels: dict[str, str], storage: str
    ) -> None:
        """Make the claims of a StatefulSet's pod, unless they are there from before."""
        for key in (f"{namespace}/{claim}" for claim in claims):
            if self._api.get(CLAIM, key) is None:
                self._api.create(CLAIM, claim_of(key, labels, storage))

    # --- numbers ---------------------------------------------------------------------------------

    def _status(self, ref: Ref, plan: Plan, workload: Workload) -> None:
        mine = self._pods.by_owner.get(ref, {})
        living = [key for key in mine if not terminating(self._api.get("Pod", key))]
        ready = len([key for key in living if self._pods.is_ready(key)])
        generation = workload.metadata.generation
        if ref[0] == "DaemonSet":
            nodes = set(self._eligible(plan)) | {mine[key].node for key in living}
            status = WorkloadStatus(
                observed_generation=generation,
                desired_number_scheduled=len(nodes),
                current_number_scheduled=len(living),
                updated_number_scheduled=len(living),
                number_available=ready,
                number_ready=ready,
            )
        else:
            revision = f"{ref[1].rpartition('/')[2]}-{workload.metadata.uid[:8]}"
            stateful = ref[0] == "StatefulSet"
            status = WorkloadStatus(
                observed_generation=generation,
                replicas=len(living),
                ready_replicas=ready,
                updated_replicas=len(living),
                available_replicas=ready,
                current_revision=revision if stateful else "",
                update_revision=revision if stateful else "",
                conditions=() if stateful else self._conditions(plan, workload, len(living), ready),
            )
        if ready > max(workload.status.ready_replicas, workload.status.number_ready):
            plan.progressed = self._loop.now
        self._api.update(*ref, status=status)

    def _conditions(
        self, plan: Plan, workload: Workload, living: int, ready: int
    ) -> tuple[Condition, ...]:
        wanted = plan.item.replicas
        enough = ready >= wanted - wanted // 4
        plan.complete = plan.complete or (ready >= wanted and living == wanted)
        late = self._loop.now - plan.progressed >= PROGRESS_SECONDS
        name = f"{workload.metadata.name}-{workload.metadata.uid[:8]}"
        available = (
            Condition(
                "Available",
                "True",
                "MinimumReplicasAvailable",
                "Deployment has minimum availability.",
            )
            if enough
            else Condition(
                "Available",
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
            )
        )
        if plan.complete:
            text = f'ReplicaSet "{name}" has successfully progressed.'
            progressing = Condition("Progressing", "True", "NewReplicaSetAvailable", text)
        elif late:
            text = f'ReplicaSet "{name}" has timed out progressing.'
            progressing = Condition("Progressing", "False", "ProgressDeadlineExceeded", text)
        else:
            text = f'ReplicaSet "{name}" is progressing.'
            progressing = Condition("Progressing", "True", "ReplicaSetUpdated", text)
        found = with_condition(workload.status.conditions, available, self._loop.now)
        return with_condition(found, progressing, self._loop.now)
