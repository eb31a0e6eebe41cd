"""
The scenario of a lost quorum: said, copied, approved, recovered; and each way in which it must not be.

Mutants, killed here: no snapshot before the recovery; an empty bootstrap in its place; a yes that is not bound to the
machine; a recovery while a survivor holds its data; another cluster of the same ids taken for this one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from engine.replay import replay
from engine.runner import Ended
from journal import entries as e
from phases.ledger import ledger_of
from phases.lives import RESET
from phases.recipe import recipe
from rekindle.rehearsal import load
from rekindle.simulator import doers as simulated
from rekindle.simulator.calls import DONE
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.scenario import OperatorRule, find_scenario, load_scenario
from tests.properties.clusters import NOBODY, TALOS_ONLY, YES, story
from tests.properties.harness import Death, Story

RECOVERY_ONLY = (OperatorRule("recover etcd", answer=True, think=20.0),)
ETCD_VERBS = ("etcd.bootstrap", "etcd.recover", "etcd.snapshot")
RECOVERS = {"verbs": {"etcd.recover": {"enabled": True}}}


def begin(
    machine: dict[str, Any] | None = None, operator: tuple[OperatorRule, ...] | None = None
) -> tuple[Story, SimCluster]:
    """The package's scenario; what its plan says of the machine is laid beside it."""
    found = load_scenario(find_scenario("quorum-lost"))
    plan = {key: value for key, value in found.plan.items() if key != "machine"}
    return story(
        "quorum-lost",
        found=replace(found, plan=plan),
        seed=found.seed,
        operator=found.operator if operator is None else operator,
        machine=RECOVERS if machine is None else machine,
    )


def of(run: Story, kind: type[e.AnyEntry]) -> list[Any]:
    return [entry for entry in run.book.entries() if isinstance(entry, kind)]


def began(run: Story) -> list[str]:
    """Verbs about etcd, in the order in which they were intended."""
    return [x.verb for x in of(run, e.ActionIntended) if x.verb.startswith("etcd.")]


def said(run: Story) -> list[dict[str, Any]]:
    return [x.answers["etcd"] for x in of(run, e.Decided) if "etcd" in x.answers]


def test_the_packages_plan_enables_the_recovery() -> None:
    _, _, plan = load("quorum-lost")

    assert plan.verbs["etcd.recover"].enabled
    assert plan.verbs["etcd.recover"].typed_approval


@cache
def recovered() -> tuple[Story, SimCluster, Ended | None]:
    """The scenario as it is, run once; looked at, and not gone on with."""
    run, cluster = begin()
    return run, cluster, run.session()


def test_a_lost_quorum_is_recovered_from_what_was_left() -> None:
    run, cluster, ended = recovered()

    assert ended is not None
    assert ended.outcome == "done"
    assert began(run) == ["etcd.snapshot", "etcd.recover"]
    counters = cluster.counters()
    assert (counters["bootstraps"], counters["recoveries"], counters["clusters_made"]) == (0, 1, 1)
    assert ended.memory.facts["pods"].detail == {"ready": 104, "expected": 104}


def test_the_ledger_knows_that_the_night_waited_for_people() -> None:
    """Of its 16 minutes 0.7 % are unknown; mutant: a control plane that stands waits for nothing (81 %)."""
    run, _, _ = recovered()

    seen = ledger_of(run.plan, lambda: iter(run.book.entries()))

    assert seen.classes["unknown"] <= 0.02 * seen.total
    assert seen.classes["DW18"] > 0.5 * seen.total


def test_each_step_is_said_with_its_way_out() -> None:
    run, _, _ = recovered()

    told = said(run)
    lost = [body for body in told if "has lost its quorum" in str(body)]
    stuck = [body for body in lost if body["answer"] == "stuck"]
    (asked,) = [x for x in of(run, e.ApprovalAsked) if x.subject == "etcd"]
    taken = next(x for x in of(run, e.ActionSettled) if x.verb == "etcd.snapshot")

    assert lost[0]["answer"] == "wait"  # while it may be passing
    assert [body["reference"] for body in stuck] == ["etcd-quorum-lost"]
    assert taken.evidence["path"] in stuck[0]["hint"]
    assert "empty the EPHEMERAL partition of k8s-1" in stuck[0]["hint"]
    assert asked.evidence["sha256"] == taken.evidence["sha256"]
    assert asked.evidence["machine_uuid"]
    assert asked.typed == f"k8s-1 {taken.evidence['sha256'][:8]}"
    assert "what was written to etcd after 2025-07-02" in asked.consequence


def test_nothing_is_recovered_while_a_survivor_holds_its_data() -> None:
    found = load_scenario(find_scenario("quorum-lost"))
    plan = {key: value for key, value in found.plan.items() if key != "machine"}
    kept = replace(found, plan=plan, events=found.events[:2])  # nobody empties it
    run, cluster = story("q", found=kept, operator=found.operator, machine=RECOVERS)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "stuck"
    assert ended.memory.answers["etcd"]["reference"] == "etcd-quorum-lost"
    assert began(run) == ["etcd.snapshot"]
    assert cluster.counters()["clusters_made"] == 0


@pytest.mark.parametrize("asked", [(), ("k8s-1", "k8s-2", "k8s-3")])
def test_where_the_plan_allows_it_the_run_empties_the_survivor_itself(
    asked: tuple[str, ...],
) -> None:
    """Offered where it is stuck; or asked for from the start, as the hint says. Mutant: no copy before it."""
    found = load_scenario(find_scenario("quorum-lost"))
    plan = {key: value for key, value in found.plan.items() if key != "machine"}
    request = {RESET: {"nodes": list(asked), "scope": ["EPHEMERAL"]}} if asked else {}
    alone = replace(found, plan=plan, events=found.events[:2], request=request)
    # As far as etcd goes: what the API has after that is another test's.
    machine = {**TALOS_ONLY, "verbs": {**RECOVERS["verbs"], RESET: {"enabled": True}}}
    run, cluster = story("q", found=alone, operator=found.operator, machine=machine)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    verbs = [x.verb for x in of(run, e.ActionIntended) if x.verb in {RESET, *ETCD_VERBS}]
    # The other two are in maintenance: there is nothing to wipe.
    assert verbs == ["etcd.snapshot", RESET, "etcd.recover"]
    (wiped,) = [x for x in of(run, e.ActionIntended) if x.verb == RESET]
    assert wiped.arguments["scope"] == ["EPHEMERAL"]
    assert wiped.arguments["snapshot"]["path"]
    counters = cluster.counters()
    assert (counters["bootstraps"], counters["recoveries"], counters["clusters_made"]) == (0, 1, 1)
    assert replay(recipe(), run.book.entries())[1] == ()


def test_with_nobody_to_say_yes_nothing_is_recovered() -> None:
    run, cluster = begin(operator=NOBODY)

    outcome = run.to_the_end(resumes=1)

    assert outcome in {"waiting", "stuck"}
    assert began(run) == ["etcd.snapshot"]
    assert cluster.counters()["clusters_made"] == 0


def test_without_the_plans_leave_an_empty_etcd_takes_a_persons_word() -> None:
    run, cluster = begin({}, operator=NOBODY)

    outcome = run.to_the_end(resumes=1)

    assert outcome in {"waiting", "stuck"}
    assert began(run) == ["etcd.snapshot"]
    assert cluster.counters()["clusters_made"] == 0
    assert "an empty etcd" in str(said(run)[-1])


@pytest.mark.parametrize("verb", ["etcd.snapshot", "etcd.recover"])
def test_a_verb_that_only_says_it_worked_is_not_believed(
    verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(simulated.DOERS, verb, lambda _cluster, _arguments: DONE)
    run, cluster = begin(operator=RECOVERY_ONLY)

    outcome = run.to_the_end(resumes=1)

    assert outcome in {"stuck", "waiting"}
    assert run.book.folded().state != "done"
    assert cluster.counters()["clusters_made"] == 0


def test_a_snapshot_that_the_plan_forbids_leaves_it_stuck() -> None:
    machine = {"verbs": {**RECOVERS["verbs"], "etcd.snapshot": {"enabled": False}}}
    run, cluster = begin(machine, operator=RECOVERY_ONLY)

    outcome = run.to_the_end(resumes=1)

    assert outcome in {"stuck", "waiting"}
    assert "verb-disabled" in str(said(run))
    assert cluster.actions.counts["etcd.snapshot"] == 0
    assert cluster.counters()["clusters_made"] == 0
    assert "although one lived in this run" in str(said(run)[-1])


@pytest.mark.parametrize("verb", ["etcd.snapshot", "etcd.recover"])
@pytest.mark.parametrize("point", ["before-start", "after-start", "after-next"])
def test_dying_beside_it_costs_no_second_beginning(verb: str, point: str) -> None:
    run, cluster = begin()

    outcome = run.to_the_end([(Death(point, 1, verb), 1.0)])

    assert run.endings.count("died") == 1
    assert outcome == "done"
    assert cluster.counters()["clusters_made"] == 1
    assert cluster.counters()["bootstraps"] == 0


def test_its_journal_replays() -> None:
    run, _ = begin()
    run.to_the_end([(Death("after-commit", 20), 10.0)])

    compared, differences = replay(recipe(), run.book.entries())

    assert compared > 10
    assert differences == ()


def test_a_member_that_nobody_planned_goes_only_by_the_plans_leave_and_a_persons() -> None:
    """Of four members one is nobody's. Mutants: without the plan's leave; without a typed yes."""
    found = load_scenario(find_scenario("healthy"))
    outcomes = {}
    for enabled in (False, True):
        machine = {"verbs": {"etcd.remove-member": {"enabled": enabled}}}
        run, cluster = story("m", found=found, operator=found.operator, machine=machine)
        cluster.machines.clusters[0].admit("old")
        ended = run.session()
        assert ended is not None
        outcomes[enabled] = (ended.outcome, cluster.machines.clusters[0].members)
        typed = [x.typed for x in of(run, e.ApprovalAsked) if x.subject == "etcd"]
        member = "0000000100000004"
        assert typed == ([f"old {member}"] if enabled else [])

    assert outcomes[False] == ("stuck", ["k8s-1", "k8s-2", "k8s-3", "old"])
    assert outcomes[True] == ("done", ["k8s-1", "k8s-2", "k8s-3"])


# --- one was wiped and bootstrapped again beside the living two ----------------------------------


def beside(*nodes: str) -> tuple[Story, SimCluster]:
    """Somebody bootstrapped k8s-1 anew, ten minutes ago; *nodes* are to be reset."""
    found = replace(
        load_scenario(find_scenario("healthy")),
        request={RESET: {"nodes": list(nodes), "scope": ["STATE", "EPHEMERAL"]}},
    )
    machine = {**TALOS_ONLY, "verbs": {RESET: {"enabled": True}}}
    run, cluster = story("anew", found=found, operator=YES, machine=machine)
    machines = cluster.machines
    machines.empty(machines.by_name["k8s-1"])
    machines.bootstrap(machines.by_name["k8s-1"])
    run.pass_time(600.0)
    return run, cluster


@pytest.mark.parametrize("node", ["k8s-1", "k8s-2"])
def test_beside_a_cluster_of_the_same_ids_nothing_is_reset_and_it_is_said(node: str) -> None:
    """
    Its one member has the id that the living two count.

    Mutants: members in common are one cluster; what is parted never becomes foreign.
    """
    run, cluster = beside(node)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "stuck"
    facts = ended.memory.facts
    assert (facts["etcd"].code, facts["etcd"].detail["quorum"]) == ("parted", "parted")
    assert facts["node/k8s-1"].detail["ids"].items() < facts["node/k8s-2"].detail["ids"].items()
    assert ended.memory.answers[f"node/{node}"]["reference"] == "etcd-foreign"
    assert ended.memory.now - run.book.entries()[0].at >= 60
    assert of(run, e.ActionIntended) == []
    assert cluster.counters()["wipes"] == 0


def test_all_of_two_clusters_are_given_up_with_a_copy_of_the_one_that_most_are_in() -> None:
    """Mutant: the snapshot is of the first that is healthy, which has nothing."""
    run, _ = beside("k8s-1", "k8s-2", "k8s-3")

    run.session()

    taken = [x.target for x in of(run, e.ActionIntended) if x.verb == "etcd.snapshot"]
    assert taken
    assert "node/k8s-1" not in taken
