"""The port: time, wake-ups, crashes of the client, faults, and the scenario's operator."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.world import Question, Reply
from phases.snapshot import Seen
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import EventSpec, load_scenario
from rekindle.simulator.world import SimWorld
from tests.simulator.driver import Driver, everything
from tests.simulator.worlds import (
    DATA,
    SMALL_PODS,
    do,
    intent,
    objects,
    run_for,
    settled,
    small,
)


def test_the_same_seed_and_commands_make_the_same_world_however_time_is_cut() -> None:
    digests = set()
    for piece in (0.7, 60.0, 3600.0):
        world = small("healthy", faults=Faults(reboots=(("n2", 100.0),)))
        end = world.now() + 3600
        while world.now() < end:
            world.next(min(world.now() + piece, end))
        digests.add(world.cluster.digest())

    assert len(digests) == 1


def test_another_seed_makes_another_world() -> None:
    first, second = small("cold", seed=1), small("cold", seed=2)
    for world in (first, second):
        Driver(world).run(everything(SMALL_PODS), hours=2)

    assert first.now() != second.now()


def test_next_returns_at_the_instant_and_never_later() -> None:
    world = small("cold")
    until = world.now() + 5.0

    woke = world.next(until)

    assert world.now() == until
    assert not woke.changed


def test_next_without_an_end_returns_at_once_where_nothing_can_ever_happen() -> None:
    world = small("cold")
    before = world.now()

    woke = world.next(None)

    assert (world.now(), woke.changed) == (before, False)


def test_changes_within_a_quarter_of_a_second_are_one_wakeup() -> None:
    world = small("cold")
    for name in ("n1", "n2", "n3"):
        world.start(intent(world, name, "talos.apply", name, node=name, insecure=True))
    before = world.now()

    woke = world.next(None)

    assert woke.changed
    assert world.now() == pytest.approx(before + 1.25)


def test_a_kind_that_did_not_change_keeps_its_mapping() -> None:
    world = small("healthy")
    first = world.look()
    world.cluster.api.delete("Pod", next(iter(objects(world, "Pod"))))
    run_for(world, 1)
    second = world.look()

    assert first.objects["Namespace"].value is second.objects["Namespace"].value  # type: ignore[union-attr]
    assert first.objects["Pod"].value is not second.objects["Pod"].value  # type: ignore[union-attr]


def test_an_interrupt_makes_next_return() -> None:
    world = small("cold")
    before = world.now()
    world.interrupt()

    world.next(before + 3600)

    assert world.now() < before + 1


# --- crashes of the client -----------------------------------------------------------------------


def test_a_command_goes_on_without_its_client_and_settles_once_when_it_has_ended() -> None:
    world = small("june")
    begun = intent(world, "a", "command.run", "command/cni", command="cni")
    world.start(begun)
    run_for(world, 5)

    after = SimWorld(world.cluster)
    after.adopt(begun)
    settlement = settled(after, "a")

    assert (settlement.outcome, settlement.evidence["exit_code"]) == ("unsettled", None)
    assert after.summary()["commands_run"] == 1
    assert "kube-system/cilium" in objects(after, "DaemonSet")


def test_a_call_that_ended_before_its_client_died_is_in_doubt() -> None:
    world = small("cold")
    begun = intent(world, "a", "talos.apply", "n1", node="n1", insecure=True)
    world.start(begun)
    world.cluster.loop.step()

    after = SimWorld(world.cluster)
    after.adopt(begun)

    assert settled(after, "a").outcome == "unsettled"
    assert after.summary()["verb:talos.apply"] == 1


def test_an_action_that_was_never_started_is_in_doubt_too_and_is_not_started() -> None:
    world = small("cold")

    world.adopt(intent(world, "a", "talos.apply", "n1", node="n1", insecure=True))

    assert settled(world, "a").outcome == "unsettled"
    assert "verb:talos.apply" not in world.summary()


def test_two_commands_beside_each_other_are_counted() -> None:
    world = small("june")
    for action in ("a", "b"):
        world.start(intent(world, action, "command.run", "command/cni", command="cni"))
    run_for(world, 600)

    assert world.summary()["commands_at_once"] == 2


def _kubeconfig(world: SimWorld) -> str:
    seen = world.look().kubeconfig
    assert isinstance(seen, Seen)
    return seen.value.state


# --- faults --------------------------------------------------------------------------------------


def test_a_lost_answer_was_done() -> None:
    world = small("healthy", faults=Faults(lost_answers=("kubeconfig.fetch#1",)))
    world.cluster.kubeconfig = "absent"

    settlement = do(world, "a", "kubeconfig.fetch", "n1", node="n1")

    assert (settlement.outcome, settlement.code) == ("unsettled", "no-answer")
    assert _kubeconfig(world) == "ours"


def test_a_lost_request_and_a_refusal_were_not_done() -> None:
    faults = Faults(lost_requests=("kubeconfig.fetch#1",), refusals=("kubeconfig.fetch#2",))
    world = small("healthy", faults=faults)
    world.cluster.kubeconfig = "absent"

    lost = do(world, "a", "kubeconfig.fetch", "n1", node="n1")
    refused = do(world, "b", "kubeconfig.fetch", "n1", node="n1")

    assert (lost.outcome, lost.code) == ("unsettled", "no-answer")
    assert (refused.outcome, refused.code) == ("failed", "transient")
    assert _kubeconfig(world) == "absent"


def test_a_command_fails_as_often_as_it_is_told_and_brings_nothing() -> None:
    world = small("june", faults=Faults(command_failures=(("cni", 1),)))

    first = do(world, "a", "command.run", "command/cni", command="cni")
    brought = dict(objects(world, "DaemonSet"))
    second = do(world, "b", "command.run", "command/cni", command="cni")

    assert (first.outcome, first.code, brought) == ("failed", "exit-1", {})
    assert (second.outcome, second.code) == ("done", "exit-0")


def test_a_command_that_outlives_its_deadline_is_ended_and_in_doubt() -> None:
    world = small("june")

    settlement = do(world, "a", "command.run", "command/cni", deadline=10.0, command="cni")

    assert (settlement.outcome, settlement.code) == ("unsettled", "timeout")
    assert world.cluster.commands.running == []


def test_a_world_expects_what_its_scenario_has_not_done_yet() -> None:
    world = small("cold")
    assert not world.expects()

    event = EventSpec(100.0, "reboot", "n1")
    world = SimWorld(replace(load_scenario(DATA / "small-cold.yaml"), events=(event,)))
    assert world.expects()
    run_for(world, 101)
    assert not world.expects()


# --- the operator --------------------------------------------------------------------------------


def test_the_scenarios_operator_thinks_and_answers_once() -> None:
    world = small("june")
    question = Question("p1", "d1", "holder/x", "take the finalizer off?")
    asked = world.now()

    assert world.ask(question)
    assert world.ask(question)
    replies: list[Reply] = []
    while not replies:
        replies += world.next(asked + 60).replies

    assert [(reply.approval, reply.yes, reply.actor) for reply in replies] == [
        ("p1", True, "scenario")
    ]
    assert world.now() >= asked + 20


def test_an_answer_that_a_dead_client_got_is_given_again() -> None:
    world = small("june")
    question = Question("p1", "d1", "holder/x", "take the finalizer off?")
    world.ask(question)
    run_for(world, 30)

    after = SimWorld(world.cluster)

    assert after.ask(question)
    assert [reply.approval for reply in after.next(None).replies] == ["p1"]
