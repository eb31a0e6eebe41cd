"""Machines answer as Talos does."""

from __future__ import annotations

import pytest

from phases.snapshot import Seen, Unseen
from rekindle.simulator.faults import Faults
from tests.simulator.driver import Driver, everything
from tests.simulator.worlds import SMALL_PODS, do, node, run_for, small


def test_apply_in_maintenance_installs_reboots_unseen_and_boots_with_another_boot_id() -> None:
    world = small("cold")
    uuid = node(world, "n1").machine_uuid

    assert do(world, "a", "talos.apply", "n1", node="n1", insecure=True).outcome == "done"
    seen = [node(world, "n1").stage]
    while seen[-1] != "Preparing":
        world.next(None)
        look = world.look().nodes["n1"]
        now = look.code if isinstance(look, Unseen) else look.value.etcd or look.value.stage
        if seen[-1] != now:
            seen.append(now)

    assert seen == ["installing", "refused", "booting", "Waiting", "Preparing"]
    assert node(world, "n1").machine_uuid == uuid
    assert node(world, "n1").boot_id


@pytest.mark.parametrize(
    ("verb", "insecure", "outcome", "code"),
    [
        ("talos.apply", True, "failed", "denied"),
        ("talos.apply", False, "done", ""),
        ("etcd.bootstrap", False, "failed", "already-exists"),
        ("kubeconfig.fetch", False, "done", ""),
    ],
)
def test_calls_to_a_configured_node(verb: str, insecure: bool, outcome: str, code: str) -> None:  # noqa: FBT001
    world = small("healthy")

    settlement = do(world, "a", verb, "n1", node="n1", insecure=insecure)

    assert (settlement.outcome, settlement.code) == (outcome, code)


@pytest.mark.parametrize("verb", ["etcd.bootstrap", "kubeconfig.fetch", "talos.apply"])
def test_a_call_with_our_certificate_is_denied_in_maintenance(verb: str) -> None:
    settlement = do(small("cold"), "a", verb, "n1", node="n1", insecure=False)

    assert (settlement.outcome, settlement.code) == ("failed", "denied")


def test_bootstrap_is_refused_until_the_node_is_ready_for_it() -> None:
    world = small("cold")
    do(world, "a", "talos.apply", "n1", node="n1", insecure=True)
    codes = []
    for number in range(200):
        codes.append(do(world, f"b{number}", "etcd.bootstrap", "n1", node="n1").code)
        if not codes[-1]:
            break

    assert list(dict.fromkeys(codes)) == ["denied", "transient", "precondition", ""]


def test_etcd_shows_itself_only_after_its_delay_and_then_the_others_join() -> None:
    world = small("cold", faults=Faults(etcd_delay=240.0))
    driver = Driver(world)

    def bootstrapped(_: object) -> bool:
        return bool(world.summary()["bootstraps"])

    driver.run(bootstrapped, hours=1)
    began = world.now()
    assert node(world, "n1").members is None
    sizes: list[int] = []
    while 3 not in sizes:
        world.next(None)
        looks = [seen.value for seen in world.look().nodes.values() if isinstance(seen, Seen)]
        sizes += [len(look.members) for look in looks if look.members is not None]

    assert world.now() - began > 240
    assert sorted(set(sizes)) == [1, 2, 3]


def test_a_cluster_without_quorum_answers_no_members_and_has_no_api() -> None:
    world = small("healthy", faults=Faults(off=(("n2", 10.0, 9e9), ("n3", 10.0, 9e9))))

    run_for(world, 60)

    look = node(world, "n1")
    assert (look.etcd, look.etcd_healthy, look.members) == ("Running", False, None)
    assert isinstance(world.look().objects["Pod"], Unseen)


def test_two_of_three_control_planes_keep_the_api_up() -> None:
    world = small("healthy", faults=Faults(off=(("n2", 10.0, 9e9),)))

    run_for(world, 600)

    api = world.look().api
    assert isinstance(api, Seen)
    assert api.value.readyz == {"n1": True, "n2": False, "n3": True}
    assert api.value.serving


def test_a_window_hides_a_node_but_leaves_it_alone() -> None:
    world = small("healthy", faults=Faults(unseen=(("n1", 10.0, 40.0),)))
    boot_id = node(world, "n1").boot_id

    run_for(world, 20)
    hidden = world.look().nodes["n1"]
    refused = do(world, "a", "kubeconfig.fetch", "n1", node="n1")
    run_for(world, 30)

    assert isinstance(hidden, Unseen)
    assert hidden.code == "silent"
    assert (refused.outcome, refused.code) == ("failed", "transient")
    assert node(world, "n1").boot_id == boot_id


def test_a_rebooted_node_comes_back_with_another_boot_id_and_its_pods() -> None:
    world = small("healthy", faults=Faults(reboots=(("n2", 30.0),)))
    before = node(world, "n2").boot_id

    run_for(world, 60)
    assert isinstance(world.look().nodes["n2"], Unseen)

    run_for(world, 120)
    assert Driver(world).run(everything(SMALL_PODS), hours=1)
    assert node(world, "n2").boot_id != before
