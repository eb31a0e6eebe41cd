"""A look from outside: only what talosctl and the API would show, at the price of what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from phases.snapshot import (
    ALL_KINDS,
    UNWATCHED_KINDS,
    ApiLook,
    Holder,
    KubeconfigLook,
    NodeLook,
    Seen,
    Snapshot,
    Unseen,
)
from rekindle.simulator.nodes import is_ready
from rekindle.simulator.talos import PLAIN, Machine

if TYPE_CHECKING:
    from phases.followed import Objects
    from rekindle.simulator.cluster import SimCluster


class Looker:
    """Builds snapshots. A kind's mapping is the same object as long as nothing of that kind changed."""

    def __init__(self, cluster: SimCluster) -> None:
        self._cluster = cluster
        self._versions: dict[str, int] = {}
        self._copies: dict[str, dict[str, Any]] = {}
        self._holders: dict[str, tuple[Holder, ...]] = {}
        self._held_at = -1
        self._served: float = 0.0

    def look(self) -> Snapshot:
        """Return a snapshot of this instant."""
        cluster = self._cluster
        now = cluster.loop.now
        serving = cluster.api.up and cluster.kubeconfig == "ours" and "api" not in cluster.unseen
        if serving:
            self._served = now
        return Snapshot(
            at=now,
            nodes={name: self._node(machine) for name, machine in cluster.machines.by_name.items()},
            api=self._api(serving=serving),
            kubeconfig=Seen(KubeconfigLook(cluster.kubeconfig), now),
            objects=self._objects(serving=serving),
            holders=(
                {name: Seen(held, now) for name, held in self._held().items()} if serving else {}
            ),
            revision=cluster.sources.revision,
            probes=cluster.upkeep.looks() if cluster.scenario.probes else {},
        )

    def listed(self) -> Snapshot:
        """Return a snapshot of this instant as an inventory asks for it: with the kinds that nobody watches."""
        look, api = self.look(), self._cluster.api
        nodes = look.objects["Node"]  # all kinds are seen, or none is
        if isinstance(nodes, Unseen):
            more: dict[str, Seen[Objects] | Unseen] = dict.fromkeys(UNWATCHED_KINDS, nodes)
        else:
            more = {kind: Seen(dict(api.all(kind)), look.at) for kind in UNWATCHED_KINDS}
        return replace(look, objects={**look.objects, **more})

    # --- Talos -----------------------------------------------------------------------------------

    def _node(self, machine: Machine) -> Seen[NodeLook] | Unseen:
        cluster = self._cluster
        if machine.name in cluster.unseen:
            return Unseen(cluster.unseen[machine.name], "silent", "i/o timeout")
        if not machine.up:
            why = f"dial tcp {machine.address}:50000: connect: connection refused"
            return Unseen(machine.down_since, "refused", why)
        return Seen(self._talos(machine), cluster.loop.now)

    def _talos(self, machine: Machine) -> NodeLook:
        if machine.stage == "foreign":
            return NodeLook("foreign")
        if machine.stage in PLAIN:
            return NodeLook(
                machine.stage, ready=True, machine_uuid=machine.uuid, version=machine.version
            )
        data = machine.etcd_data
        healthy = machine.etcd == "Running" and data is not None and data.healthy()
        unmet = self._unmet(machine, healthy=healthy)
        members = tuple(data.members) if healthy and data is not None else None
        return NodeLook(
            stage=machine.stage,
            ready=machine.stage == "running" and not unmet,
            unmet=unmet,
            boot_id=machine.boot_id,
            machine_uuid=machine.uuid,
            etcd=machine.etcd,
            etcd_healthy=healthy,
            members=members,
            learners=tuple(sorted(data.learners))
            if members is not None and data is not None
            else (),
            version=machine.version,
            **self._member(machine, healthy=healthy),
        )

    @staticmethod
    def _member(machine: Machine, *, healthy: bool) -> dict[str, Any]:
        """Say what only a member that runs says of itself; without a leader nobody tells members or alarms."""
        data = machine.etcd_data
        if data is None or machine.etcd != "Running" or machine.name not in data.ids:
            return {"alarms": ()}
        return {
            "alarms": data.alarms if healthy else None,
            "member_ids": tuple(data.ids[name] for name in data.members) if healthy else (),
            "etcd_failing": not healthy,
            "member_id": data.ids[machine.name],
            "leader": data.leader(),
            "raft_term": 2 + data.ident,
            "db_size": "21 MB",
        }

    def _unmet(self, machine: Machine, *, healthy: bool) -> tuple[str, ...]:
        unmet = []
        if machine.stage == "booting" or (machine.control_plane and not healthy):
            unmet.append("services")
        if machine.control_plane and not machine.apiserver:
            unmet.append("staticPods")
        node = self._cluster.api.get("Node", machine.name)
        current = node is not None and node.status.node_info.boot_id == machine.boot_id
        if not (self._cluster.api.up and current and is_ready(node)):
            unmet.append("nodeReady")
        return tuple(unmet)

    # --- Kubernetes ------------------------------------------------------------------------------

    def _api(self, *, serving: bool) -> Seen[ApiLook] | Unseen:
        cluster = self._cluster
        if "api" in cluster.unseen:
            return Unseen(cluster.unseen["api"], "silent", "i/o timeout")
        readyz = {
            machine.name: machine.apiserver and machine.name not in cluster.unseen
            for machine in cluster.machines.by_name.values()
            if machine.control_plane
        }
        known = cluster.kubeconfig != "absent" and cluster.api.up
        matches = cluster.kubeconfig == "ours" if known else None
        return Seen(ApiLook(readyz, serving, matches), cluster.loop.now)

    def _objects(self, *, serving: bool) -> dict[str, Seen[Objects] | Unseen]:
        cluster = self._cluster
        if not serving:
            asked = cluster.kubeconfig == "ours"
            why = "connection refused" if asked else "no kubeconfig of this cluster"
            unseen = Unseen(self._served, "refused" if asked else "not-asked", why)
            return dict.fromkeys(ALL_KINDS, unseen)
        now = cluster.loop.now
        api = cluster.api
        for kind in ALL_KINDS:
            if self._versions.get(kind) != api.versions[kind]:
                self._versions[kind] = api.versions[kind]
                self._copies[kind] = dict(api.objects[kind])
        return {kind: Seen(self._copies[kind], now) for kind in ALL_KINDS}

    def _held(self) -> dict[str, tuple[Holder, ...]]:
        if self._held_at != self._cluster.api.count:
            self._held_at = self._cluster.api.count
            self._holders = self._cluster.operators.holders()
        return self._holders
