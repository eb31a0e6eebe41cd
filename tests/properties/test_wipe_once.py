"""
Promise: what was asked to be wiped is wiped at most once for that request, and one bootstrap follows, whatever happens.

Method: all three nodes of a living cluster are to be reset. Processes die at any point, requests and answers of
resets, configurations and bootstraps are lost, nodes reboot and go out of sight. The cluster counts wipes and etcd
clusters, by node. Only the three questions of the request are answered; a repetition after a doubt asks anew, and
nobody says yes to that.

Mutants, killed here: the phase takes an unsettled reset for none (``wiping.is_under_way``), and the backstop is off;
``lives.bootstrap_undone`` is always true; what is owed does not hold ``node-maintenance`` (an etcd survives).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from journal import entries as e
from journal.entries import AnyEntry, Outcome
from phases.lives import RESET
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import OperatorRule
from tests.properties.clusters import (
    NODES,
    SEEDS,
    TALOS_ONLY,
    examples,
    faults,
    lives,
    scenario,
    story,
)
from tests.properties.harness import Death, Story

Life = list[tuple[Death, float]]
VERBS = (RESET, RESET, "talos.apply", "etcd.bootstrap")
ASKED: dict[str, Any] = {RESET: {"nodes": list(NODES), "scope": ["STATE", "EPHEMERAL"]}}
ALLOWED: dict[str, Any] = {**TALOS_ONLY, "verbs": {RESET: {"enabled": True}}}
# Yes to what was asked for at the opening, and to nothing that comes up later.
REQUESTED = (OperatorRule("reset n*: wipe STATE and EPHEMERAL?", answer=True, think=20.0),)

# A bootstrap that a kill left in doubt is a person's to repeat.
AGAIN = OperatorRule("*repeat it on the same machine?*", answer=True, think=20.0)


def wiping(
    seed: int, trouble: Faults, operator: tuple[OperatorRule, ...] = REQUESTED
) -> tuple[Story, SimCluster]:
    found = replace(scenario("healthy"), request=ASKED)
    return story(
        "healthy", seed=seed, faults=trouble, operator=operator, machine=ALLOWED, found=found
    )


def wipes_by_node(cluster: SimCluster) -> Counter[str]:
    """Whatever settled: resets that the cluster accepted."""
    return Counter(
        target
        for _, verb, target, what in cluster.actions.log
        if (verb, what) == (RESET, "accepted")
    )


def intents_of(entries: list[AnyEntry]) -> Counter[str]:
    """Resets that were begun and not proven to be none."""
    none = {
        entry.action
        for entry in entries
        if isinstance(entry, e.ActionSettled) and entry.outcome is Outcome.FAILED
    }
    return Counter(
        entry.target
        for entry in entries
        if isinstance(entry, e.ActionIntended) and entry.verb == RESET and entry.action not in none
    )


@given(
    seed=SEEDS,
    trouble=faults(VERBS),
    life=lives(4, VERBS),
    pause=st.sampled_from([0.0, 60.0, 900.0]),
)
@settings(max_examples=examples(0.3))
def test_each_node_is_wiped_at_most_once_and_etcd_begun_at_most_once(
    seed: int, trouble: Faults, life: Life, pause: float
) -> None:
    run, cluster = wiping(seed, trouble)

    outcome = run.to_the_end(life, resumes=3, pause=pause)

    assert all(count == 1 for count in wipes_by_node(cluster).values()), cluster.actions.log
    assert all(count == 1 for count in intents_of(run.book.entries()).values())
    assert cluster.counters()["wipes"] <= len(NODES)
    assert cluster.counters()["bootstraps"] <= 1
    if outcome == "done":
        assert cluster.counters()["wipes"] == len(NODES)
        assert cluster.counters()["bootstraps"] == 1


@given(seed=SEEDS, life=lives(4, VERBS))
@settings(max_examples=examples(0.2))
def test_killed_at_any_moments_it_arrives(seed: int, life: Life) -> None:
    run, cluster = wiping(seed, Faults(), (*REQUESTED, AGAIN))

    assert run.to_the_end(life, resumes=3, pause=60.0) == "done"
    assert cluster.counters()["wipes"] == len(NODES)
    assert cluster.counters()["bootstraps"] == 1
