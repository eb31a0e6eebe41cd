"""What is done to etcd: a snapshot, a recovery, the removal of a member; and what refuses each at its target."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from engine.world import (
    ALREADY_EXISTS,
    CONFLICT,
    INVALID,
    NOT_FOUND,
    PRECONDITION,
    TRANSIENT,
)
from journal.entries import Outcome
from phases.readiness.nodes import WAITING_STATES
from rekindle.simulator.calls import DONE, Answer, Arguments, authentic, machine_of, no
from rekindle.simulator.etcd import Kept

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster
    from rekindle.simulator.talos import Machine

RUNS = "Running"


def _called(cluster: SimCluster, arguments: Arguments) -> Machine | Answer:
    machine = machine_of(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    return authentic(machine) or machine


def snapshot(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl etcd snapshot``: from a member that runs, with a leader or without one."""
    machine = _called(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    if machine.etcd != RUNS or machine.etcd_data is None:
        return no(TRANSIENT, "dial tcp 127.0.0.1:2379: connect: connection refused")
    name = str(arguments["file"])
    content = {kind: dict(found) for kind, found in cluster.api.objects.items()}
    body = msgspec.json.encode([name, machine.uuid, content], order="sorted")
    kept = Kept(f"simulated/{name}", hashlib.sha256(body).hexdigest(), len(body), content)
    cluster.snapshots[kept.sha256] = kept
    return Answer(Outcome.DONE, "", {"path": kept.path, "sha256": kept.sha256, "bytes": kept.size})


def recover(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl bootstrap --recover-from``: refused as a bootstrap is, and as our own guard does beside others."""
    kept = cluster.snapshots.get(str(arguments.get("sha256")))
    if kept is None or kept.path != arguments.get("snapshot"):
        return no(INVALID, "no such snapshot")
    for name in arguments.get("others", ()):
        other = _called(cluster, {"node": name})
        if isinstance(other, Answer):
            return no(TRANSIENT, f"{name} could not be asked for its etcd")
        if other.etcd not in WAITING_STATES:
            return no(CONFLICT, f"the etcd of {name} is {other.etcd}")
    machine = _called(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    if machine.uuid != arguments.get("machine_uuid") or machine.boot_id != arguments["boot_id"]:
        return no(CONFLICT, "another machine, or another boot")
    if not machine.control_plane:
        return no(PRECONDITION, "bootstrap can only be performed on a control plane node")
    if machine.etcd_data is not None:
        return no(ALREADY_EXISTS, "etcd data directory is not empty")
    if machine.etcd != "Preparing":
        return no(PRECONDITION, "etcd service is not ready for recovery yet")
    cluster.machines.recover(machine)
    cluster.restore(kept.content)
    return DONE


def remove_member(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl etcd remove-member``: only where somebody can be elected, and what is left can still elect."""
    machine = _called(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    data = machine.etcd_data
    if machine.etcd != RUNS or data is None or not data.healthy():
        return no(TRANSIENT, "etcdserver: no leader")
    name = next((n for n, found in data.ids.items() if found == arguments["member"]), None)
    if name is None:
        return no(NOT_FOUND, "etcdserver: member not found")
    if name != arguments["name"]:
        return no(CONFLICT, f"member {arguments['member']} is {name}")
    rest = [voter for voter in data.voters() if voter != name]
    if 2 * len([voter for voter in rest if voter in data.running]) <= len(rest):
        why = "etcdserver: re-configuration failed due to not enough started members"
        return no(PRECONDITION, why)
    data.expel(name)
    cluster.machines.touch(machine)
    return DONE
