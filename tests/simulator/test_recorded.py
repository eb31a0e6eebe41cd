"""
A run's entries become the scenario that it was: what it met, how long things took, who answered.

Mutants, each killed here: forget the refusal; drop ``beside`` from the tree's items; let a remark begin a line of its
own.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from journal import entries as e
from journal.entries import AnyEntry, Fact
from phases import codes
from rekindle.recordings import keep, otherwise
from rekindle.simulator.faults import Faults
from rekindle.simulator.recorded import recording_of
from rekindle.simulator.scenario import OperatorRule, load_scenario
from rekindle.simulator.tree import Item, load_tree
from tests.properties.clusters import scenario, story
from tests.simulator.recordings import made, opened_of, recorded


def test_what_was_left_is_what_the_first_look_showed() -> None:
    found = made(recorded("june"))

    initial, original = found.scenario.initial, scenario("june").initial
    assert (initial.cluster, initial.kubeconfig) == (True, "ours")
    assert initial.before == original.before
    assert initial.left is not None
    assert original.left is not None
    assert initial.left.terminating == original.left.terminating
    assert set(original.left.crds) <= set(initial.left.crds)
    assert set(original.left.objects) <= set(initial.left.objects)
    assert Item("CephBlockPool", key="storage/fast").id in {item.id for item in found.tree.beside}
    assert {node.state for node in found.scenario.nodes.values()} == {"running"}
    assert otherwise(found) == []


def test_machines_without_a_cluster_are_a_cold_start() -> None:
    found = made(recorded("cold"))

    assert not found.scenario.initial.cluster
    assert found.scenario.initial.kubeconfig == "absent"
    assert found.scenario.initial.left is None
    assert {node.state for node in found.scenario.nodes.values()} == {"maintenance"}
    assert found.scenario.events == ()
    assert otherwise(found) == []


@pytest.mark.parametrize("name", ["june", "cold"])
def test_a_recorded_command_brings_what_it_brought_and_is_not_slower(name: str) -> None:
    command = made(recorded(name)).scenario.commands["cni"]

    original = scenario(name).commands["cni"]
    assert set(command.helmreleases) == set(original.helmreleases)
    assert command.helmreleases[0] == "kube-system/cilium"
    assert original.duration * 0.5 <= command.duration <= original.duration * 2


def ending(release: str, **then: str) -> list[AnyEntry]:
    """The night of the command, and how its release went away afterwards; *then*: what became of its workloads."""
    entries = list(recorded("june"))
    last, subject = entries[-1].at, codes.subject("HelmRelease", release)
    told = {name.replace("__", "/"): Fact(code) for name, code in then.items()}
    going = [{subject: Fact(codes.TERMINATING)}, {subject: Fact(codes.ABSENT)}, told]
    looks = [e.Observed(at=last + at, changed=changed) for at, changed in enumerate(going, 1)]
    return [*entries, *looks]


def test_what_outlived_its_release_was_brought_as_plain_objects() -> None:
    """
    Helm's uninstall takes what bears the release's name: a command that brought it otherwise says so by what stays.

    Mutants: ask for no end; ask not whether the release was there; take one workload that is gone for none.
    """
    original = made(recorded("june")).scenario.commands["cni"]
    release = original.helmreleases[-1]
    installs = made(recorded("june")).tree.helmreleases[release].installs
    owned = [item for item in installs if item.kind == "Deployment"]

    stayed = made(ending(release)).scenario.commands["cni"]
    name = f"deployment__{owned[0].id.replace('/', '__')}"
    went = made(ending(release, **{name: codes.ABSENT})).scenario.commands["cni"]

    assert original.objects == ()
    assert (stayed.helmreleases, stayed.objects) == (original.helmreleases[:-1], installs)
    assert (went.helmreleases, went.objects) == (original.helmreleases, ())


def test_pods_take_as_long_as_they_were_seen_to_take() -> None:
    found = made(recorded("cold"))
    original = {(i.kind, i.id): i.start for i in load_tree(Path(scenario("cold").tree)).items()}

    for item in found.tree.items():
        if item.kind in ("Deployment", "StatefulSet"):
            usual = original[item.kind, item.id]
            assert usual * 0.6 <= item.start <= usual * 1.6 + 3, item


def test_answers_are_given_as_they_were_given() -> None:
    rules = made(recorded("june")).scenario.operator

    assert (
        rules[0].matches(
            "take cephblockpool.ceph.rook.io off CephBlockPool storage/fast, which", ""
        )
        is False
    )
    assert "storage/fast" in rules[0].question
    assert (rules[0].answer, round(rules[0].think)) == (True, 30)
    assert rules[-1] == OperatorRule("*", answer=True, think=45.0)


def test_a_refusal_stays_one_and_a_question_without_an_answer_is_said() -> None:
    def turned(entry: AnyEntry) -> AnyEntry:
        if not isinstance(entry, e.ApprovalGiven):
            return entry
        return e.ApprovalRefused(
            at=entry.at, approval=entry.approval, digest=entry.digest, actor=entry.actor
        )

    refused = made(map(turned, recorded("june")))
    silent = made(entry for entry in recorded("june") if not isinstance(entry, e.ApprovalGiven))

    assert refused.scenario.operator[0].answer is False
    assert [rule.question for rule in silent.scenario.operator] == ["*"]
    assert any("nobody answered" in line for line in silent.remarks.assumed)


def test_a_node_that_rebooted_reboots_again_and_one_that_was_off_is_off() -> None:
    faults = Faults(reboots=(("n2", 60.0),), off=(("n3", 150.0, 400.0),))
    run, _ = story("june", faults=faults)
    assert run.session() is not None

    events = made(run.book.entries()).scenario.events

    assert [(event.do, event.node) for event in events] == [
        ("reboot", "n2"),
        ("power-off", "n3"),
        ("power-on", "n3"),
    ]
    for event, at in zip(events, (60.0, 150.0, 400.0), strict=True):
        assert abs(event.at - at) < 60, event


def test_what_is_withdrawn_is_not_read_and_is_said() -> None:
    entries: list[AnyEntry | None] = [*recorded("june"), None]

    assert any("withdrawn" in line for line in made(entries).remarks.inexpressible)


def test_a_written_scenario_reads_back_as_what_was_made(tmp_path: Path) -> None:
    found = made(recorded("june"))
    path = tmp_path / "night.yaml"

    keep(found, path)

    tree = tmp_path / "night.tree.yaml"
    assert load_tree(tree) == found.tree
    assert load_scenario(path) == replace(found.scenario, tree=str(tree))
    text = path.read_text("utf-8")
    for said in ("# Recorded:", "# Assumed, for the journal does not say it:"):
        assert said in text


def test_nothing_that_a_cluster_says_begins_a_line_of_its_own(tmp_path: Path) -> None:
    found = made(recorded("june"))
    found.remarks.assumed.append("a\nseed: 1\u2028b\x85c")
    path = tmp_path / "night.yaml"

    keep(found, path)

    assert load_scenario(path).seed == found.scenario.seed
    assert "# - a seed: 1 b c" in path.read_text("utf-8")


def test_a_machine_of_the_plan_s_own_goes_with_it() -> None:
    opened = opened_of(recorded("june"))
    other = {**opened.plan["machine"], "initial": "cni-up"}

    usual = recording_of(opened, recorded("june"), opened.plan["machine"])
    own = recording_of(opened, recorded("june"), other)

    assert usual is not None
    assert own is not None
    assert "machine" not in usual.scenario.plan
    assert own.scenario.plan["machine"] == opened.plan["machine"]
