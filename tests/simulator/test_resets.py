"""A simulated machine that is reset: what goes with which label, what refuses it, and what a cluster loses with it."""

from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Fact, Outcome
from phases.codes import READY
from phases.readiness.nodes import k8s_node, talos_node
from phases.snapshot import Seen
from rekindle.simulator.calls import Answer
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.doers import DOERS
from rekindle.simulator.scenario import find_scenario, load_scenario
from rekindle.simulator.world import SimWorld

MINUTES = 60.0


@pytest.fixture
def cluster() -> SimCluster:
    return SimCluster(load_scenario(find_scenario("healthy")))


def reset(cluster: SimCluster, name: str, *scope: str, **more: Any) -> Answer:  # noqa: ANN401
    machine = cluster.machines.by_name[name]
    meant = {"node": name, "machine_uuid": machine.uuid, "boot_id": machine.boot_id}
    return DOERS["node.reset"](cluster, {**meant, "scope": list(scope), **more})


def wait(cluster: SimCluster, seconds: float = 10 * MINUTES) -> None:
    end = cluster.loop.now + seconds
    while (due := cluster.loop.due()) is not None and due <= end:
        cluster.loop.step()
    cluster.loop.now = end


def test_state_and_ephemeral_leave_a_machine_in_maintenance_and_empty(cluster: SimCluster) -> None:
    answer = reset(cluster, "k8s-1", "STATE", "EPHEMERAL")
    machine = cluster.machines.by_name["k8s-1"]
    boot = machine.boot_id

    assert (answer.outcome, answer.code) == (Outcome.UNSETTLED, "accepted")
    assert machine.stage == "resetting"
    wait(cluster)
    assert (machine.stage, machine.config, machine.etcd_data) == ("maintenance", "", None)
    assert machine.boot_id != boot


def said_of(cluster: SimCluster, name: str) -> Fact:
    """Judge a Node object as a run would."""
    seen = SimWorld(cluster).look()
    listed = seen.objects["Node"]
    assert isinstance(listed, Seen)
    return k8s_node(listed.value[name], talos_node(seen.nodes[name], "controlplane", seen.at))


def configure(cluster: SimCluster, name: str) -> None:
    address = cluster.machines.by_name[name].address
    meant = {"node": name, "address": address, "config": name, "insecure": True}
    answer = DOERS["talos.apply"](cluster, meant)
    assert answer.outcome is Outcome.DONE, answer
    wait(cluster)


def test_a_wiped_machine_is_ready_again_under_the_same_uuid(cluster: SimCluster) -> None:
    uuid = cluster.machines.by_name["k8s-1"].uuid
    reset(cluster, "k8s-1", "STATE", "EPHEMERAL", graceful=True)
    wait(cluster)
    assert said_of(cluster, "k8s-1").code != READY
    configure(cluster, "k8s-1")

    assert cluster.machines.by_name["k8s-1"].uuid == uuid
    assert said_of(cluster, "k8s-1") == Fact(READY)


def test_the_node_object_of_a_replaced_machine_is_another_s_until_its_kubelet_registers(
    cluster: SimCluster,
) -> None:
    reset(cluster, "k8s-1", "STATE", "EPHEMERAL", graceful=True)
    wait(cluster)
    cluster.machines.replace(cluster.machines.by_name["k8s-1"])
    wait(cluster)
    found = said_of(cluster, "k8s-1")
    assert found.code != READY
    assert "of another machine (systemUUID" in found.reason
    configure(cluster, "k8s-1")

    assert said_of(cluster, "k8s-1") == Fact(READY)


def test_ephemeral_alone_leaves_the_configuration(cluster: SimCluster) -> None:
    reset(cluster, "k8s-1", "EPHEMERAL")
    wait(cluster)
    machine = cluster.machines.by_name["k8s-1"]

    assert machine.config
    assert machine.stage == "running", "it has joined the living etcd again"


def test_state_alone_leaves_etcds_data(cluster: SimCluster) -> None:
    """A bootstrap of it would be refused: its directory is not empty."""
    reset(cluster, "k8s-1", "STATE")
    wait(cluster)
    machine = cluster.machines.by_name["k8s-1"]

    assert machine.stage == "maintenance"
    assert machine.etcd_data is not None


def test_a_graceful_one_without_a_quorum_never_ends(cluster: SimCluster) -> None:
    cluster.machines.power_off(cluster.machines.by_name["k8s-2"])
    cluster.machines.power_off(cluster.machines.by_name["k8s-3"])
    reset(cluster, "k8s-1", "STATE", "EPHEMERAL", graceful=True)
    wait(cluster, 60 * MINUTES)

    assert cluster.machines.by_name["k8s-1"].stage == "resetting"
    assert cluster.counters()["wipes"] == 0


def test_a_graceful_one_leaves_etcd(cluster: SimCluster) -> None:
    reset(cluster, "k8s-1", "STATE", "EPHEMERAL", graceful=True)
    wait(cluster)

    assert sorted(cluster.machines.clusters[0].members) == ["k8s-2", "k8s-3"]
    assert cluster.api.up


@pytest.mark.parametrize(
    ("scope", "more", "code"),
    [
        ((), {}, "invalid"),
        (("BOOT",), {}, "invalid"),
        (("STATE",), {"machine_uuid": "another"}, "conflict"),
        (("STATE",), {"boot_id": "another"}, "conflict"),
        (("STATE",), {"node": "k8s-9"}, "invalid"),
    ],
)
def test_what_is_not_exactly_meant_is_refused(
    cluster: SimCluster, scope: tuple[str, ...], more: dict[str, Any], code: str
) -> None:
    answer = reset(cluster, "k8s-1", *scope, **more)

    assert (answer.outcome, answer.code) == (Outcome.FAILED, code)
    wait(cluster)
    assert cluster.counters()["wipes"] == 0


def test_one_in_maintenance_refuses(cluster: SimCluster) -> None:
    reset(cluster, "k8s-1", "STATE", "EPHEMERAL")
    wait(cluster)

    assert reset(cluster, "k8s-1", "STATE", "EPHEMERAL").code == "denied"
    assert cluster.counters()["wipes"] == 1


def test_a_cluster_is_lost_with_the_last_disk_that_had_it_and_not_before(
    cluster: SimCluster,
) -> None:
    for name in ("k8s-1", "k8s-2"):
        reset(cluster, name, "STATE", "EPHEMERAL")
    wait(cluster)
    assert cluster.api.all("Deployment"), "the third disk has all of it, whoever can read it"
    reset(cluster, "k8s-3", "STATE", "EPHEMERAL")
    wait(cluster)

    left = {kind: list(found) for kind, found in cluster.api.objects.items() if found}
    assert left == {}
    assert cluster.pods.records == {}
    assert not cluster.kustomizations.controller.running
