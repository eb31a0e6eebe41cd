"""Every scenario can be won, by the verbs that rekindle has, and faster than the wall clock."""

from __future__ import annotations

import time

import pytest

from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import names
from tests.simulator.driver import Driver, everything
from tests.simulator.worlds import ANTON_PODS, SMALL_PODS, packaged, small


@pytest.mark.parametrize("name", names())
def test_a_scenario_of_the_package_can_be_recovered(name: str) -> None:
    world = packaged(name)

    assert Driver(world).run(everything(ANTON_PODS), hours=2)

    assert world.summary()["clusters_made"] <= 1
    assert world.summary()["commands_at_once"] <= 1
    assert world.summary()["wipes"] == 0


@pytest.mark.parametrize("name", ["cold", "june", "healthy"])
def test_a_small_world_can_be_recovered(name: str) -> None:
    world = small(name)

    assert Driver(world).run(everything(SMALL_PODS), hours=2)


@pytest.mark.parametrize("seed", range(12))
def test_reboots_lost_answers_and_failing_commands_only_delay(seed: int) -> None:
    faults = Faults(
        reboots=(("n2", 150.0 + 40 * seed), ("n3", 300.0 + 25 * seed)),
        lost_answer_rate=0.1,
        refusal_rate=0.1,
        command_failures=(("cni", seed % 3),),
        etcd_delay=20.0 * seed,
    )
    world = small("cold", seed=seed, faults=faults)

    assert Driver(world).run(everything(SMALL_PODS), hours=4)


def test_a_cold_start_of_a_hundred_pods_runs_much_faster_than_the_wall_clock() -> None:
    world = packaged("cold-start")
    start, began = world.now(), time.process_time()

    Driver(world).run(everything(ANTON_PODS), hours=2)

    assert (world.now() - start) / (time.process_time() - began) > 600
