"""
The circle: a healthy cluster is asked to be wiped, becomes a cold start, and comes back whole.

One approval a node, one bootstrap; refused or not allowed, nothing is wiped at all.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from engine.memory import Memory
from engine.replay import replay
from journal import entries as e
from phases.lives import RESET
from phases.recipe import recipe
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import OperatorRule, find_scenario, load_scenario
from tests.properties.clusters import story
from tests.properties.harness import Death, Story, prefixes

YES = OperatorRule("*", answer=True, think=20.0)


def wiping(
    *operator: OperatorRule,
    nodes: tuple[str, ...] = (),
    **more: Any,  # noqa: ANN401  faults
) -> tuple[Story, SimCluster]:
    found = load_scenario(find_scenario("wipe"))
    if nodes:
        found = replace(found, request={RESET: {"nodes": list(nodes)}})
    return story("wipe", found=found, seed=found.seed, operator=operator or (YES,), **more)


def actions(run: Story, verb: str) -> list[e.ActionIntended]:
    return [x for x in run.book.entries() if isinstance(x, e.ActionIntended) and x.verb == verb]


def ended_in(run: Story) -> Memory:
    return run.book.folded()


def test_one_approval_a_node_and_one_bootstrap() -> None:
    run, cluster = wiping()

    assert run.to_the_end(resumes=0) == "done"
    begun = actions(run, RESET)
    assert [x.target for x in begun] == ["node/k8s-1", "node/k8s-2", "node/k8s-3"]
    assert len({x.arguments["approval"] for x in begun}) == len(begun)
    asked = [x for x in run.book.entries() if isinstance(x, e.ApprovalAsked)]
    assert {x.approval for x in asked} == {x.arguments["approval"] for x in begun}
    assert len(actions(run, "etcd.bootstrap")) == 1
    assert not any(isinstance(x, e.ByHand) for x in run.book.entries()), "it was our own doing"
    assert cluster.counters()["wipes"] == len(begun)


def test_the_machine_waits_for_all_of_them_before_anything_is_configured() -> None:
    """Mutant: ``resets.owed`` owes nothing; the first node is configured while the old etcd lives on the others."""
    run, _ = wiping()
    run.to_the_end(resumes=0)

    order = [x.verb for x in run.book.entries() if isinstance(x, e.ActionIntended)]
    assert order[0] == "etcd.snapshot", "nothing is wiped without one, while etcd answers"
    rest = [verb for verb in order if verb != "etcd.snapshot"]
    assert rest[:6] == [RESET] * 3 + ["talos.apply"] * 3


def test_the_next_control_plane_goes_when_the_one_before_was_seen_in_maintenance() -> None:
    run, _ = wiping()
    run.to_the_end(resumes=0)

    for memory, entry in prefixes(run.book.entries()):
        if isinstance(entry, e.ActionIntended) and entry.verb == RESET:
            others = [memory.facts[f"node/k8s-{n}"].code for n in range(1, int(entry.target[-1]))]
            assert set(others) <= {"maintenance"}, entry.target


def test_a_refusal_wipes_nothing_and_ends_stuck() -> None:
    run, cluster = wiping(OperatorRule("reset *", answer=False, think=5.0))

    assert run.to_the_end(resumes=0) == "stuck"
    assert cluster.counters()["wipes"] == 0
    said = {body.get("reference") for body in ended_in(run).answers.values()}
    assert said == {"approval-refused"}


def test_without_anybody_to_ask_nothing_is_wiped() -> None:
    run, cluster = wiping(OperatorRule("nothing", answer=True))

    assert run.to_the_end(resumes=0) == "waiting"
    assert cluster.counters()["wipes"] == 0


def test_one_node_of_a_living_cluster_leaves_etcd_and_joins_again() -> None:
    """Nobody is bootstrapped: the cluster lives on; mutant: reset it without grace."""
    run, cluster = wiping(nodes=("k8s-2",))

    assert run.to_the_end(resumes=0) == "done"
    (begun,) = actions(run, RESET)
    assert begun.arguments["graceful"] is True
    assert cluster.counters()["bootstraps"] == 0
    assert cluster.counters()["clusters_made"] == 0
    assert cluster.counters()["wipes"] == 1
    (etcd,) = cluster.machines.clusters
    assert sorted(etcd.members) == ["k8s-1", "k8s-2", "k8s-3"]


def test_one_node_is_not_wiped_where_the_others_have_no_quorum_without_it() -> None:
    run, cluster = wiping(nodes=("k8s-2",), faults=Faults(off=(("k8s-3", -60.0, 90_000.0),)))

    assert run.to_the_end(resumes=0) in {"stuck", "waiting"}
    assert cluster.counters()["wipes"] == 0


def test_a_changed_plan_does_not_take_the_request_back() -> None:
    """The request is in the run's first entry: `rekindle run` without ``--reset`` goes on with it."""
    run, cluster = wiping()
    run.session(Death("after-start", 1, RESET))
    run.book.resume()
    run.book.append(
        [
            e.PlanChanged(
                at=ended_in(run).now,
                plan=run.plan.compiled(),
                plan_digest="another",
                previous_digest=run.plan.digest(),
                verdict="compatible",
            )
        ]
    )

    assert run.to_the_end() == "done"
    assert cluster.counters()["wipes"] == 3


def test_half_of_the_nodes_out_of_sight_hold_everything_until_they_are_back() -> None:
    """A switch is off for five minutes while all is to be wiped; mutant: take ``half_gone.held`` off the recipe."""
    gone = (("k8s-2", 30.0, 330.0), ("k8s-3", 31.0, 330.0))
    run, cluster = wiping(YES, faults=Faults(unseen=gone))

    assert run.to_the_end(resumes=0) == "done"
    stuck = [
        x.at - run.book.entries()[0].at
        for x in run.book.entries()
        if isinstance(x, e.Decided) and x.answers.get("nodes", {}).get("reference") == "half-gone"
    ]
    assert stuck
    (first, *_) = [x.at - run.book.entries()[0].at for x in actions(run, RESET)]
    assert 330.0 <= first or first <= 30.0
    assert all(
        not 41.0 < x.at - run.book.entries()[0].at < 330.0
        for x in run.book.entries()
        if isinstance(x, e.ActionIntended)
    )
    assert cluster.counters()["wipes"] == 3


def test_its_journal_replays_to_its_own_decisions() -> None:
    run, _ = wiping()
    run.to_the_end([(Death("after-start", 2, RESET), 10.0)])

    compared, differences = replay(recipe(), run.book.entries())

    assert compared > 20
    assert differences == ()
