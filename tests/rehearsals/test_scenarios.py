"""
The package's own scenarios, inside the test: each is recovered whole, by no more than what it needs.

And the other half of that claim: without its decisive verb, none of them is ever called done. A verb is taken away
twice, in two ways: the plan does not allow it, or its doer does nothing and says that it did.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec.structs import replace

from engine.folding import fold_all
from engine.memory import Memory
from engine.replay import replay
from engine.runner import Ended
from journal import entries as e
from journal.entries import Json
from phases.ledger import ledger_of
from phases.recipe import recipe
from rekindle.simulator import doers as simulated
from rekindle.simulator.calls import DONE
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.scenario import Scenario, find_scenario, load_scenario
from rekindle.simulator.tree import load_tree
from tests.properties.clusters import YES, scenario, story
from tests.properties.harness import Death, Story

PODS = {"ready": 104, "expected": 104}
NAMES = ("cold-start", "dead-webhook", "june-12", "node-lost", "reboot-mid-sync", "wipe")
COUNTS = {  # bootstraps, runs of the CNI command
    "cold-start": (1, 1),
    "dead-webhook": (0, 0),
    "june-12": (0, 1),
    "healthy": (0, 0),
    "node-lost": (0, 0),
    "reboot-mid-sync": (1, 1),
    "wipe": (1, 1),
}
# Of the ledger's time, at most; measured: 3.9, 0.3, 4.4, 0, 0, 7.6 and 2.1.
UNKNOWN_PERCENT = {
    "cold-start": 5.0,
    "dead-webhook": 1.0,
    "june-12": 5.0,
    "healthy": 1.0,
    "node-lost": 1.0,
    "reboot-mid-sync": 8.0,
    "wipe": 3.0,
}
WIPES = {"wipe": 3}  # nowhere else is anything wiped


def begin(name: str, machine: dict[str, Any] | None = None) -> tuple[Story, SimCluster]:
    """A story on one of the package's scenarios, with its own operator."""
    found: Scenario = load_scenario(find_scenario(name))
    return story(name, found=found, seed=found.seed, operator=found.operator, machine=machine)


def unknown_share(run: Story) -> float:
    """How much of a run's time its ledger has no class for, in percent."""
    seen = ledger_of(run.plan, lambda: iter(run.book.entries()))
    return 100.0 * seen.classes.get("unknown", 0.0) / seen.total


def closing(run: Story) -> dict[str, Json]:
    """The figures in the closing entry."""
    closed = [entry for entry in run.book.entries() if isinstance(entry, e.RunClosed)]
    assert len(closed) == 1
    return closed[0].summary


@cache
def recovered(name: str) -> tuple[Story, SimCluster, Ended | None]:
    """A scenario that nobody disturbs, run once; looked at, and not gone on with."""
    run, cluster = begin(name)
    return run, cluster, run.session()


@pytest.mark.parametrize("name", ["healthy", *NAMES])
def test_a_scenario_is_recovered_whole_by_no_more_than_it_needs(name: str) -> None:
    run, cluster, ended = recovered(name)

    assert ended is not None
    assert ended.outcome == "done"
    summary = closing(run)
    assert summary["pods"] == PODS
    assert (summary["bootstraps"], summary["commands_run"]) == COUNTS[name]
    assert summary["clusters_made"] == COUNTS[name][0]
    assert summary["wipes"] == WIPES.get(name, 0)
    assert summary["commands_at_once"] <= 1
    assert cluster.counters()["wipes"] == WIPES.get(name, 0)


@pytest.mark.parametrize("name", ["healthy", *NAMES])
def test_the_ledger_knows_what_nearly_all_of_a_scenarios_time_went_to(name: str) -> None:
    """
    What is left: a controller's queue between two of its objects, and what came before a loss.

    Mutants: a machine out of sight is unknown; so is one that waits for etcd; a namespace is brought by nobody.
    """
    run, _, _ = recovered(name)

    assert unknown_share(run) <= UNKNOWN_PERCENT[name]


def test_the_journal_of_a_rehearsal_replays_to_its_own_decisions() -> None:
    run, _ = begin("june-12")
    run.to_the_end([(Death("after-commit", 40), 10.0)])

    compared, differences = replay(recipe(), run.book.entries())

    assert compared > 20
    assert differences == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_rehearsal_is_resumed_and_comes_to_the_same_end(name: str) -> None:
    run, cluster = begin(name)
    lives = [(Death("after-commit", 9 + 17 * n), 4.0 * n) for n in range(6)]
    lives += [(Death("before-start", 1), 0.0), (Death("after-start", 1), 30.0)]

    outcome = run.to_the_end(lives)

    assert outcome == "done"
    assert run.endings.count("died") >= 1
    assert closing(run)["pods"] == PODS
    assert cluster.counters()["bootstraps"] == COUNTS[name][0]
    assert cluster.counters()["clusters_made"] == COUNTS[name][0]
    assert cluster.counters()["wipes"] == WIPES.get(name, 0)
    assert fold_all(Memory(), run.book.entries()) == run.book.folded()


STARTED = [
    ("cold-start", "talos.apply"),
    ("cold-start", "kubeconfig.fetch"),
    ("cold-start", "command.run"),
    ("june-12", "command.run"),
    ("june-12", "finalizer.release"),
    ("june-12", "root.apply"),
    ("june-12", "crd.preapply"),
    ("june-12", "flux.nudge"),
    ("dead-webhook", "apiservice.remove"),
    ("dead-webhook", "webhook.remove"),
    ("wipe", "node.reset"),
]
LIMIT_SECONDS = 45 * 60.0  # an undisturbed recovery takes 8 or 16 minutes


@pytest.mark.parametrize("point", ["before-start", "after-start"])
@pytest.mark.parametrize(("name", "verb"), STARTED)
def test_dying_around_the_start_of_any_verb_costs_minutes_and_not_the_recovery(
    name: str, verb: str, point: str
) -> None:
    """A doubt is settled by looking; mutant: take the probe off flux.nudge, and june-12 waits for its deadline."""
    run, cluster = begin(name)
    begun = cluster.loop.now

    outcome = run.to_the_end([(Death(point, 1, verb), 1.0)])

    assert run.endings.count("died") == 1
    assert outcome == "done"
    assert cluster.loop.now - begun < LIMIT_SECONDS
    assert closing(run)["pods"] == PODS
    assert closing(run)["wipes"] == WIPES.get(name, 0)
    assert cluster.counters()["clusters_made"] == COUNTS[name][0]


WITHOUT = [
    ("dead-webhook", "apiservice.remove"),
    ("dead-webhook", "webhook.remove"),
    ("june-12", "finalizer.release"),
    ("june-12", "crd.preapply"),
    ("june-12", "command.run"),
    ("june-12", "root.apply"),
    ("cold-start", "talos.apply"),
    ("cold-start", "etcd.bootstrap"),
    ("cold-start", "kubeconfig.fetch"),
    ("cold-start", "crd.preapply"),
    ("cold-start", "command.run"),
    ("cold-start", "root.apply"),
    ("wipe", "node.reset"),
]


@pytest.mark.parametrize(("name", "verb"), WITHOUT)
def test_a_verb_that_the_plan_forbids_leaves_it_stuck(name: str, verb: str) -> None:
    run, cluster = begin(name, {"verbs": {verb: {"enabled": False}}})

    ended = run.session()

    assert ended is not None
    assert ended.outcome in {"stuck", "waiting"}
    assert cluster.actions.counts[verb] == 0
    assert any(
        body.get("reference") in {"verb-disabled", "state-deadline-passed"}
        for body in ended.memory.answers.values()
    )


@pytest.mark.parametrize(("name", "verb"), [pair for pair in WITHOUT if pair[1] != "command.run"])
def test_a_verb_that_only_says_it_worked_is_not_believed(
    name: str, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(simulated.DOERS, verb, lambda _cluster, _arguments: DONE)
    run, _ = begin(name)

    outcome = run.to_the_end(resumes=1)

    assert outcome in {"stuck", "waiting"}
    assert run.book.folded().state != "done"


def test_a_command_that_only_says_it_worked_is_not_believed() -> None:
    found = load_scenario(find_scenario("june-12"))
    commands = {name: replace(spec, helmreleases=()) for name, spec in found.commands.items()}
    run, _ = story("june-12", found=replace(found, commands=commands), operator=YES)

    outcome = run.to_the_end(resumes=1)

    assert outcome in {"stuck", "waiting"}
    assert run.book.folded().state == "cni-up"


def test_what_can_never_succeed_ends_the_wait_long_before_its_deadline(tmp_path: Path) -> None:
    """A dependency that nobody has is a slip in Git: the rest is recovered, and the slip is named with its way out."""
    found: Scenario = load_scenario(find_scenario("cold-start"))
    tree = load_tree(Path(found.tree))
    echo = tree.kustomizations["default/echo"]
    slipped = {"default/echo": replace(echo, depends_on=("flux-system/nothing",))}
    wrong = replace(tree, kustomizations={**tree.kustomizations, **slipped})
    file = tmp_path / "slip.yaml"
    file.write_text(yaml.safe_dump(msgspec.to_builtins(wrong)))
    run, cluster = story(
        "cold-start",
        found=replace(found, tree=str(file)),
        seed=found.seed,
        operator=found.operator,
    )

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "stuck"
    stuck = [body for body in ended.memory.answers.values() if body["answer"] == "stuck"]
    assert [body["reference"] for body in stuck] == ["cause-cannot-clear"]
    assert "default/echo depends on what does not exist: flux-system/nothing" in str(stuck[0])
    assert "in Git" in str(stuck[0]["hint"])
    assert ended.memory.sentence is not None
    assert ended.memory.now - ended.memory.opened_at < 1800
    pods = ended.memory.facts["pods"].detail
    assert (pods["ready"], pods["expected"]) == (102, 104)
    assert cluster.counters()["wipes"] == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("storage/rook", "storage/pools"),
        ("external-secrets/external-secrets", "external-secrets/stores"),
        ("apps/web", "storage/pools"),
    ],
)
def test_a_circle_of_dependencies_is_said_within_a_minute_of_the_rest(
    one: str, other: str, tmp_path: Path
) -> None:
    """
    What is behind it is waited for no longer, said or not: stores that nobody brings, secrets that nobody syncs.

    Mutants: K4 back among what the recovery clears itself; ``order.behind`` left out; what is absent keeps its hope.
    """
    found = scenario("cold")
    tree = load_tree(Path(found.tree))
    known = tree.kustomizations
    tied = {
        mine: replace(known[mine], depends_on=(*known[mine].depends_on, theirs))
        for mine, theirs in ((one, other), (other, one))
    }
    file = tmp_path / "circle.yaml"
    file.write_text(
        yaml.safe_dump(msgspec.to_builtins(replace(tree, kustomizations={**known, **tied})))
    )
    run, _ = story("cold", found=replace(found, tree=str(file)), operator=found.operator)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "stuck"
    stuck = [body for body in ended.memory.answers.values() if body["answer"] == "stuck"]
    assert [body["reference"] for body in stuck] == ["cause-cannot-clear"]
    assert "these wait for one another for ever" in str(stuck[0]["message"])
    assert str(stuck[0]["hint"]).startswith("break the circle in Git")
    rest = max(f.since or 0.0 for f in ended.memory.facts.values() if f.code == "Ready")
    named = ended.memory.found_at[next(n for n in ended.memory.findings if n.startswith("K4:"))]
    assert ended.memory.now - max(rest, named) < 60
    assert ended.memory.now - ended.memory.opened_at < 300
