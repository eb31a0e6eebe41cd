"""
Etcd in the simulator: what a member tells without a leader, and what neither a wish nor a wrong call brings back.

Mutants, killed here: a recovery beside a living etcd; one on a machine with data; one that brings back what there is in
place of what the snapshot has; a removal that costs the rest its quorum; a new machine that brings the old one's vote.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.world import Settlement
from journal.entries import Outcome
from phases.snapshot import Seen
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.etcd import EtcdCluster
from rekindle.simulator.world import SimWorld
from tests.simulator.worlds import intent, node, small

NODES = ("n1", "n2", "n3")


def later(world: SimWorld, seconds: float) -> None:
    end = world.now() + seconds
    while world.now() < end:
        world.next(end)


def did(
    world: SimWorld,
    number: int,
    verb: str,
    target: str,
    **arguments: Any,  # noqa: ANN401
) -> Settlement:
    world.start(intent(world, f"a{number}", verb, target, **arguments))
    for _ in range(200):
        for settled in world.next(world.now() + 60).settlements:
            if settled.action == f"a{number}":
                return settled
    raise AssertionError(verb)


def snapshot(world: SimWorld, number: int, name: str = "n1") -> Settlement:
    return did(world, number, "etcd.snapshot", f"node/{name}", node=name, file=f"{number}.snapshot")


def recovery(world: SimWorld, number: int, taken: Settlement, name: str = "n1") -> Settlement:
    seen = node(world, name)
    arguments = {
        "node": name,
        "machine_uuid": seen.machine_uuid,
        "boot_id": seen.boot_id,
        "snapshot": taken.evidence.get("path"),
        "sha256": taken.evidence.get("sha256"),
        "others": [other for other in NODES if other != name],
    }
    return did(world, number, "etcd.recover", f"node/{name}", **arguments)


def configure(world: SimWorld, *names: str) -> None:
    """What ``talos.apply`` does, without the plan."""
    for name in names:
        cluster_of(world).machines.apply(cluster_of(world).machines.by_name[name], "config")


def cluster_of(world: SimWorld) -> SimCluster:
    return world.cluster


def lose_two(world: SimWorld) -> None:
    machines = cluster_of(world).machines
    for name in ("n2", "n3"):
        machines.replace(machines.by_name[name])
    later(world, 200)
    configure(world, "n2", "n3")
    later(world, 400)


def empty(world: SimWorld, name: str) -> None:
    machines = cluster_of(world).machines
    machines.empty(machines.by_name[name])
    later(world, 300)


@pytest.fixture
def world() -> SimWorld:
    return small("healthy")


@pytest.fixture
def lost(world: SimWorld) -> SimWorld:
    lose_two(world)
    return world


def test_a_healthy_member_tells_who_it_is_and_whom_it_follows(world: SimWorld) -> None:
    looks = [node(world, name) for name in NODES]

    assert {look.leader for look in looks} == {looks[0].member_id}
    assert all(look.member_ids == tuple(other.member_id for other in looks) for look in looks)
    assert all(look.alarms == () and not look.etcd_failing for look in looks)


def test_two_new_machines_bring_no_quorum_however_long_one_waits(lost: SimWorld) -> None:
    later(lost, 7200)
    left, new = node(lost, "n1"), node(lost, "n2")

    assert (left.etcd, left.etcd_failing, left.leader) == ("Running", True, "")
    assert (left.members, left.alarms) == (None, None)
    assert (new.stage, new.etcd, new.members) == ("booting", "Preparing", None)
    assert not cluster_of(lost).api.up


def test_a_new_machine_is_another_one(world: SimWorld) -> None:
    before = node(world, "n2")

    lose_two(world)

    assert node(world, "n2").machine_uuid != before.machine_uuid


def test_a_member_gives_a_snapshot_without_a_leader_and_an_empty_one_none(lost: SimWorld) -> None:
    taken, refused = snapshot(lost, 1), snapshot(lost, 2, "n2")

    assert taken.outcome is Outcome.DONE
    assert {"path", "sha256", "bytes"} == set(taken.evidence)
    assert (refused.outcome, refused.code) == (Outcome.FAILED, "transient")


def test_a_recovery_is_refused_where_there_is_data(lost: SimWorld) -> None:
    assert recovery(lost, 2, snapshot(lost, 1)).code == "already-exists"


def test_a_recovery_beside_a_living_etcd_is_refused(world: SimWorld) -> None:
    machines = cluster_of(world).machines
    taken = snapshot(world, 1)
    machines.etcd_delay = 1e9
    world.cluster.machines.clusters[0].members.remove("n1")  # so that it does not join by itself
    machines.by_name["n1"].etcd_data = None
    machines.by_name["n1"].etcd = "Preparing"

    assert recovery(world, 2, taken).code == "conflict"


def test_a_recovery_beside_a_member_without_a_quorum_is_refused(lost: SimWorld) -> None:
    """As the doer does: its disk may hold what is to be recovered. Mutant: refuse only a healthy one."""
    assert recovery(lost, 2, snapshot(lost, 1), "n2").code == "conflict"


@pytest.mark.parametrize(
    ("state", "code"),
    [("Waiting", ""), ("Preparing", ""), ("Failed", "conflict"), ("Finished", "conflict")],
)
def test_a_recovery_is_begun_only_where_all_others_wait_for_it(
    state: str, code: str, lost: SimWorld
) -> None:
    """What has ended may have data. Mutants: refuse only what runs; take one state of those that wait for a doubt."""
    taken = snapshot(lost, 1)
    empty(lost, "n1")
    cluster_of(lost).machines.by_name["n2"].etcd = state

    assert recovery(lost, 2, taken).code == code


def test_a_recovery_brings_what_the_snapshot_has(lost: SimWorld) -> None:
    cluster = cluster_of(lost)
    taken = snapshot(lost, 1)
    before = dict(cluster.api.objects["Deployment"])
    gone = next(iter(before))
    cluster.api.remove("Deployment", gone)
    empty(lost, "n1")

    settled = recovery(lost, 2, taken)

    assert settled.outcome is Outcome.DONE
    assert set(cluster.api.objects["Deployment"]) == set(before)
    later(lost, 300)
    assert sorted(node(lost, "n3").members or ()) == list(NODES)
    assert cluster.counters()["recoveries"] == 1
    assert cluster.counters()["bootstraps"] == 0


def test_a_bootstrap_in_its_place_has_nothing(lost: SimWorld) -> None:
    empty(lost, "n1")

    assert did(lost, 1, "etcd.bootstrap", "node/n1", node="n1").outcome is Outcome.DONE
    assert cluster_of(lost).api.objects["Deployment"] == {}


@pytest.mark.parametrize("what", ["sha256", "snapshot", "machine_uuid"])
def test_a_recovery_of_something_else_is_refused(what: str, lost: SimWorld) -> None:
    taken = snapshot(lost, 1)
    empty(lost, "n1")
    seen = node(lost, "n1")
    arguments = {
        "node": "n1",
        "machine_uuid": seen.machine_uuid,
        "boot_id": seen.boot_id,
        **taken.evidence,
        "snapshot": taken.evidence["path"],
        "others": [],
        what: "another",
    }

    settled = did(lost, 2, "etcd.recover", "node/n1", **arguments)

    assert settled.outcome is Outcome.FAILED
    assert cluster_of(lost).counters().get("recoveries", 0) == 0


def removed(world: SimWorld, number: int, name: str, called: str = "") -> Settlement:
    member = cluster_of(world).machines.clusters[0].ids.get(name, "f" * 16)
    arguments = {"node": "n1", "member": member, "name": called or name}
    return did(world, number, "etcd.remove-member", f"etcd-member/{member}", **arguments)


def test_a_member_goes_by_its_id_and_its_name(world: SimWorld) -> None:
    cluster_of(world).machines.clusters[0].admit("old")

    assert removed(world, 1, "old", called="n2").code == "conflict"
    assert removed(world, 2, "nobody").code == "not-found"
    assert removed(world, 3, "old").outcome is Outcome.DONE
    assert node(world, "n2").members == NODES


def test_no_member_goes_that_the_rest_needs(world: SimWorld) -> None:
    machines = cluster_of(world).machines
    machines.power_off(machines.by_name["n3"])

    assert removed(world, 1, "n2").code == "precondition"


def test_without_a_leader_nobody_goes(lost: SimWorld) -> None:
    assert removed(lost, 1, "n2").code == "transient"


def test_an_alarm_is_of_the_whole_cluster(world: SimWorld) -> None:
    cluster_of(world).machines.clusters[0].alarms = ("NOSPACE",)

    seen = world.look().nodes["n3"]

    assert isinstance(seen, Seen)
    assert seen.value.alarms == ("NOSPACE",)


def test_one_who_joins_again_is_another_member() -> None:
    etcd = EtcdCluster(1, ["a", "b"])
    first = dict(etcd.ids)

    etcd.admit("b")

    assert etcd.ids["a"] == first["a"]
    assert etcd.ids["b"] != first["b"]
    assert etcd.members == ["a", "b"]


def test_who_begins_anew_has_its_old_id_and_no_other_has(world: SimWorld) -> None:
    """As in etcd: a first member's id is made of its address. Mutant: each cluster makes its own."""
    machines = cluster_of(world).machines
    before = node(world, "n1").member_ids
    machines.empty(machines.by_name["n1"])
    machines.bootstrap(machines.by_name["n1"])
    later(world, 600)
    anew, lives = node(world, "n1"), node(world, "n2")

    assert anew.member_ids == (anew.member_id,) == before[:1]
    assert lives.member_ids == before
    assert anew.leader == anew.member_id
    assert lives.leader in before[1:]
    assert len(set(before)) == len(before)
