"""Nothing heals here that would not heal in reality: take a verb away, and the recovery never ends."""

from __future__ import annotations

import pytest

from phases.snapshot import NodeLook, Seen, Snapshot
from rekindle.simulator.world import SimWorld
from tests.simulator.driver import Driver, everything
from tests.simulator.worlds import (
    ANTON_PODS,
    SMALL_PODS,
    do,
    messages,
    node,
    objects,
    packaged,
    run_for,
    small,
)


def test_without_finalizer_release_the_namespace_is_terminating_for_ten_hours() -> None:
    world = packaged("june-12")

    assert not Driver(world, without=("finalizer.release",)).run(everything(ANTON_PODS), hours=10)

    storage = objects(world, "Namespace")["storage"]
    assert storage.status.phase == "Terminating"
    assert len(objects(world, "Pod")) < ANTON_PODS


def test_without_the_crd_the_root_never_gets_further() -> None:
    world = packaged("cold-start")

    assert not Driver(world, without=("crd.preapply",)).run(everything(ANTON_PODS), hours=10)

    status, reason, message = messages(world, "Kustomization", "flux-system/cluster-apps")["Ready"]
    assert (status, reason) == ("False", "ReconciliationFailed")
    assert 'no matches for kind "ExternalSecret" in version "external-secrets.io/v1"' in message
    assert set(objects(world, "Kustomization")) == {
        "flux-system/cluster-apps",
        "flux-system/cluster-meta",
    }


def test_without_the_cni_command_no_node_gets_ready() -> None:
    world = small("june")

    assert not Driver(world, without=("command.run",)).run(everything(SMALL_PODS), hours=10)

    for name in ("n1", "n2", "n3"):
        assert node(world, name).unmet == ("nodeReady",)


@pytest.mark.parametrize(
    "verb", ["talos.apply", "etcd.bootstrap", "kubeconfig.fetch", "root.apply"]
)
def test_no_other_verb_can_be_spared_in_a_cold_start(verb: str) -> None:
    world = small("cold")

    assert not Driver(world, without=(verb,)).run(everything(SMALL_PODS), hours=10)


def test_a_failed_root_is_not_tried_again_before_its_hour_unless_it_is_nudged() -> None:
    world = small("cold")

    assert Driver(world, without=("flux.nudge",)).run(everything(SMALL_PODS), hours=2)
    assert world.now() - world.cluster.start > 3600


def _unbootstrapped() -> SimWorld:
    world = small("cold")

    def waiting(snapshot: Snapshot) -> bool:
        looks = [seen.value for seen in snapshot.nodes.values() if isinstance(seen, Seen)]
        return [look.etcd for look in looks] == ["Preparing"] * 3

    assert Driver(world, without=("etcd.bootstrap",)).run(waiting, hours=1)
    return world


def test_control_planes_that_nobody_bootstraps_wait_for_ever() -> None:
    world = _unbootstrapped()

    run_for(world, 36000)

    look: NodeLook = node(world, "n1")
    assert (look.stage, look.etcd, look.members) == ("booting", "Preparing", None)


def test_a_second_bootstrap_on_another_empty_node_makes_a_second_cluster() -> None:
    world = _unbootstrapped()

    first = do(world, "a", "etcd.bootstrap", "n1", node="n1")
    second = do(world, "b", "etcd.bootstrap", "n2", node="n2")

    assert (first.outcome, second.outcome) == ("done", "done")
    assert world.summary()["bootstraps"] == 2
    assert world.summary()["clusters_made"] == 2


def test_a_second_bootstrap_on_the_same_node_already_exists() -> None:
    world = _unbootstrapped()

    do(world, "a", "etcd.bootstrap", "n1", node="n1")
    again = do(world, "b", "etcd.bootstrap", "n1", node="n1")

    assert (again.outcome, again.code) == ("failed", "already-exists")
    assert world.summary()["clusters_made"] == 1
