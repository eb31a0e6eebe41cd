"""
A run's entries become the scenario that it was: what it met, how long things took, who answered, what happened.

Mutants, each killed here: take a fact that was not seen for one that was absent; let the first look count before
every kind was listed; take the run's own reboot for an accident; divide no StatefulSet by its pods; forget the refusal;
drop ``beside`` from the tree's items; take a node out of sight for one that was off.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from journal import entries as e
from journal.entries import AnyEntry, Fact, Outcome
from phases import codes
from phases.inventory import Inventory
from phases.snapshot import KINDS
from rekindle.recordings import keep, otherwise
from rekindle.simulator.faults import Faults
from rekindle.simulator.inventory import inventory_of
from rekindle.simulator.planted import Wanted, tree_of
from rekindle.simulator.recorded import Recording, recording_of
from rekindle.simulator.scenario import EventSpec, OperatorRule, load_scenario
from rekindle.simulator.tree import Item, load_tree
from rekindle.simulator.witnessed import witness_of
from tests.properties.clusters import scenario, story

ANTON = Path(__file__).parents[2] / "examples" / "anton" / "inventory.yaml"
START = 1_749_715_200.0
NODES = ("n1", "n2", "n3")


def inventory(**fields: object) -> Inventory:
    return Inventory.model_validate({"schema": "rekindle.inventory/1", **fields})


# --- inventory → tree --------------------------------------------------------------------------


def test_what_a_tree_of_an_inventory_brings_is_that_inventory() -> None:
    wanted = inventory(
        **{k: v for k, v in yaml.safe_load(ANTON.read_text()).items() if k != "schema"}
    )

    tree, notes = tree_of(wanted, Wanted(nodes=len(wanted.nodes)))

    again = Inventory.model_validate(inventory_of(tree, wanted.nodes, "flux-system/flux-system"))
    assert again == wanted
    assert any("store onepassword" in note and "external-secrets-stores" in note for note in notes)


def test_what_has_no_owner_is_brought_by_the_root_above_it_and_said() -> None:
    found = inventory(
        roots=["flux-system/apps"],
        namespaces=["web"],
        kustomizations=[
            {"key": "flux-system/apps"},
            {"key": "web/shop", "parent": "flux-system/apps"},
            {"key": "web/alone"},
        ],
        helmreleases=[{"key": "web/cart"}],
        workloads=[
            {"kind": "Deployment", "key": "web/front", "pods": 2},
            {"kind": "DaemonSet", "key": "web/agent", "pods": 1, "owner": "helmrelease/web/cart"},
        ],
        crds=[{"name": "carts.shop.example"}],
    )
    network = ("DaemonSet", "kube-system/cilium", 3)

    tree, notes = tree_of(found, Wanted(nodes=3, machinery=(network,)))

    assert tree.roots == ("flux-system/apps", "web/alone")
    brought = {(item.kind, item.id) for item in tree.kustomizations["flux-system/apps"].objects}
    assert {
        ("Deployment", "web/front"),
        ("HelmRelease", "web/cart"),
        ("Namespace", "web"),
    } <= brought
    assert ("CustomResourceDefinition", "carts.shop.example") in brought
    assert [item.id for item in tree.helmreleases["kube-system/cilium"].installs] == [network[1]]
    said = " / ".join(notes)
    for part in ("web/alone", "Deployment web/front", "HelmRelease web/cart", "carts.shop.example"):
        assert part in said
    assert "web/agent had 1 pods; here it has one on each node" in said
    assert "DaemonSet kube-system/cilium is not recorded: a release kube-system/cilium" in said


def test_an_inventory_of_nothing_but_workloads_has_a_root_of_its_own() -> None:
    found = inventory(workloads=[{"kind": "Deployment", "key": "web/front", "pods": 1}])

    tree, _ = tree_of(found, Wanted(nodes=1))

    assert [item.id for item in tree.kustomizations[tree.roots[0]].objects] == ["web/front"]


# --- whole runs --------------------------------------------------------------------------------


@cache
def recorded(name: str) -> tuple[AnyEntry, ...]:
    """The entries of a rehearsal of a small scenario."""
    run, _ = story(name, operator=(OperatorRule("*", answer=True, think=30.0),))
    ended = run.session()
    assert ended is not None
    assert ended.outcome == "done"
    return tuple(run.book.entries())


def opened_of(entries: Iterable[AnyEntry]) -> e.RunOpened:
    return next(entry for entry in entries if isinstance(entry, e.RunOpened))


def made(entries: Iterable[AnyEntry | None]) -> Recording:
    kept = list(entries)
    opened = opened_of(entry for entry in kept if entry is not None)
    found = recording_of(opened, kept, opened.plan["machine"])
    assert found is not None
    return found


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


# --- single entries ----------------------------------------------------------------------------


def node(code: str, boot: str = "b1", *, members: Iterable[str] = NODES, reason: str = "") -> Fact:
    detail = {"role": "controlplane", "boot_id": boot, "members": list(members) or None}
    return Fact(code, reason, detail=detail)


def seen(at: float, changed: dict[str, Fact]) -> e.Observed:
    return e.Observed(at=START + at, changed=changed)


def whole(**other: Fact) -> e.Observed:
    """A look at a cluster of which nothing is missing."""
    opened = opened_of(recorded("june"))
    facts = {codes.node(name): node(codes.RUNNING) for name in NODES}
    facts |= {codes.kind(name): Fact(codes.SEEN) for name in KINDS}
    facts |= {codes.API: Fact(codes.UP), codes.KUBECONFIG: Fact("ours")}
    facts |= {
        f"namespace/{name}": Fact(codes.READY)
        for name in opened.plan["section"]["inventory"]["namespaces"]
    }
    return seen(0.0, facts | {name.replace("__", "/"): fact for name, fact in other.items()})


def night(*entries: AnyEntry) -> Recording:
    opened = replace(opened_of(recorded("june")), at=START)
    return made([opened, *entries])


def test_a_look_counts_once_every_node_was_asked_and_every_kind_listed() -> None:
    """The real adapters begin with nothing, and learn the rest in seconds, in any order."""
    blind = {codes.kind(name): Fact(codes.UNOBSERVABLE, "not-asked") for name in KINDS}
    first = {codes.node(name): Fact(codes.UNSEEN, "not-asked") for name in NODES}
    first |= {**blind, codes.API: Fact(codes.UNOBSERVABLE, "not-asked")}
    later = {codes.kind(name): Fact(codes.SEEN) for name in KINDS if name != "Node"}
    opened = replace(opened_of(recorded("june")), at=START)
    nodes = {codes.node(name): node(codes.RUNNING) for name in NODES}
    entries = [
        seen(0, first),
        seen(1, {**nodes, codes.API: Fact(codes.UP)}),
        seen(2, {**later, "namespace/storage": Fact(codes.ABSENT)}),
        seen(3, {codes.kind("Node"): Fact(codes.SEEN)}),
        seen(9, {"namespace/storage": Fact(codes.READY)}),
    ]

    witness = witness_of(opened, entries)

    assert witness.looked_at == START + 3
    assert witness.look["namespace/storage"].code == codes.ABSENT
    assert witness.lived
    assert witness.saw_anything


def test_a_run_that_saw_nothing_is_no_scenario() -> None:
    opened = opened_of(recorded("june"))
    blind = seen(0, {codes.node(name): Fact(codes.UNSEEN, "not-asked") for name in NODES})

    assert recording_of(opened, [opened], {}) is None
    assert recording_of(opened, [opened, blind], {}) is None


def test_an_api_that_was_never_seen_is_assumed_and_not_invented() -> None:
    found = night(seen(0, {codes.node(name): node(codes.RUNNING) for name in NODES}))

    assert found.scenario.initial.cluster
    assert found.scenario.initial.left is None
    assert any("nothing of the API was ever seen" in line for line in found.remarks.assumed)


def test_a_kind_that_may_not_be_listed_is_assumed_to_be_there() -> None:
    found = night(
        whole(
            kind__ExternalSecret=Fact(codes.UNOBSERVABLE, "denied"),
            namespace__storage=Fact(codes.ABSENT),
        )
    )

    assert found.scenario.initial.left is not None
    assert any(ref.startswith("ExternalSecret/") for ref in found.scenario.initial.left.objects)
    assert any("ExternalSecrets could not be listed" in line for line in found.remarks.assumed)


NODE = codes.node("n2")
AWAY = {NODE: Fact(codes.UNSEEN, "refused")}


@pytest.mark.parametrize(
    ("changes", "events", "said"),
    [
        ([(100, AWAY), (160, {NODE: node("booting", "b2")})], [("reboot", 100.0)], ""),
        ([(100, {NODE: node(codes.RUNNING, "b2")})], [("reboot", 100.0)], ""),
        ([(100, AWAY), (160, {NODE: node(codes.RUNNING)})], [], "had not rebooted"),
        ([(100, AWAY)], [("power-off", 100.0)], ""),
        (
            [(100, AWAY), (500, {NODE: node("booting", "b2")})],
            [("power-off", 100.0), ("power-on", 455.0)],
            "",
        ),
        ([(100, {NODE: node(codes.MAINTENANCE, "", members=())})], [("wipe", 100.0)], ""),
    ],
)
def test_what_happened_to_a_node_happens_again(
    changes: list[tuple[float, dict[str, Fact]]], events: list[tuple[str, float]], said: str
) -> None:
    found = night(whole(), *(seen(at, changed) for at, changed in changes))

    assert [(event.do, event.at) for event in found.scenario.events] == events
    assert {event.node for event in found.scenario.events} <= {"n2"}
    assert (said in " ".join(found.remarks.inexpressible)) is True


def test_what_the_run_itself_did_to_a_node_is_no_accident() -> None:
    applied = e.ActionIntended(
        at=START + 90,
        action="a1",
        verb="talos.apply",
        target=NODE,
        attempt=1,
        epoch=1,
        deadline_seconds=60.0,
    )

    found = night(whole(), applied, seen(100, AWAY), seen(160, {NODE: node("booting", "b2")}))

    assert found.scenario.events == ()


@pytest.mark.parametrize(
    ("fact", "state", "events"),
    [
        (Fact(codes.UNSEEN, "silent", START - 300), "running", [("power-off", -300.0)]),
        (Fact(codes.UNSEEN, "silent"), "running", [("power-off", -600.0)]),
        (node(codes.MAINTENANCE, "", members=()), "running", [("wipe", -600.0)]),
        (node(codes.FOREIGN, "", members=()), "foreign", []),
        (node("booting"), "running", [("reboot", 0.0)]),
    ],
)
def test_a_node_begins_as_it_was_met(
    fact: Fact, state: str, events: list[tuple[str, float]]
) -> None:
    found = night(whole(node__n2=fact))

    assert found.scenario.nodes["n2"].state == state
    assert [(event.do, event.at) for event in found.scenario.events] == events


def test_a_machine_in_maintenance_that_no_member_list_has_is_a_new_one() -> None:
    others = {f"node__{name}": node(codes.RUNNING, members=("n1", "n3")) for name in ("n1", "n3")}

    found = night(whole(node__n2=node(codes.MAINTENANCE, "", members=()), **others))

    assert found.scenario.nodes["n2"].state == "maintenance"
    assert found.scenario.events == ()


def by_hand(at: float, verb: str, target: str) -> e.ByHand:
    return e.ByHand(at=START + at, verb=verb, target=target)


def test_what_was_deleted_by_hand_is_deleted_again_and_the_rest_is_said() -> None:
    storage = {"namespace/storage": Fact(codes.TERMINATING)}
    found = night(
        whole(),
        by_hand(50, "flux.delete", "kustomization/flux-system/apps"),
        by_hand(60, "flux.suspend", "kustomization/flux-system/apps"),
        by_hand(70, "root.apply", "root"),
        seen(80, storage),
        e.GoalMoved(at=START + 10, revision="main@sha1:1"),
        e.GoalMoved(at=START + 90, revision="main@sha1:2", previous="main@sha1:1"),
    )

    assert found.scenario.events == (
        EventSpec(50.0, "delete", kind="Kustomization", key="flux-system/apps"),
        EventSpec(90.0, "push", revision="main@sha1:2"),
    )
    assert found.tree.revision == "main@sha1:1"
    assert any("flux.suspend" in line for line in found.remarks.inexpressible)
    assert any("root.apply" in line for line in found.remarks.assumed)


def test_a_namespace_that_goes_by_itself_is_deleted() -> None:
    found = night(whole(), seen(80, {"namespace/storage": Fact(codes.TERMINATING)}))

    assert found.scenario.events == (EventSpec(80.0, "delete", kind="Namespace", key="storage"),)


def test_what_somebody_installed_by_hand_is_what_the_command_brings() -> None:
    """A watch has no intents: what came before the source was there came from the hands."""
    missing = {
        "daemonset__kube-system/cilium": Fact(codes.ABSENT, detail={"ready": 0, "expected": 3})
    }
    found = night(
        whole(**missing, namespace__storage=Fact(codes.ABSENT)),
        seen(20, {"daemonset/kube-system/cilium": Fact(codes.PROGRESSING)}),
        by_hand(60, "command.run", "command/cni"),
    )

    command = found.scenario.commands["cni"]
    assert command.helmreleases[0] == "kube-system/cilium"
    assert command.duration == 40.0
    assert not any("what command cni brings was not seen" in line for line in found.remarks.assumed)


def test_a_command_that_failed_is_said_and_one_that_worked_counts() -> None:
    def attempt(number: int, begin: float, end: float, outcome: Outcome) -> list[AnyEntry]:
        action = f"a{number}"
        return [
            e.ActionIntended(
                at=START + begin,
                action=action,
                verb="command.run",
                target="command/cni",
                attempt=number,
                epoch=1,
                deadline_seconds=900.0,
            ),
            e.ActionSettled(
                at=START + end,
                action=action,
                verb="command.run",
                target="command/cni",
                outcome=outcome,
            ),
        ]

    found = night(whole(), *attempt(1, 10, 15, Outcome.FAILED), *attempt(2, 30, 100, Outcome.DONE))

    assert found.scenario.commands["cni"].duration == 70.0
    assert any("did not end well 1 times" in line for line in found.remarks.inexpressible)


def test_a_machine_of_the_plan_s_own_goes_with_it() -> None:
    opened = opened_of(recorded("june"))
    other = {**opened.plan["machine"], "initial": "cni-up"}

    usual = recording_of(opened, recorded("june"), opened.plan["machine"])
    own = recording_of(opened, recorded("june"), other)

    assert usual is not None
    assert own is not None
    assert "machine" not in usual.scenario.plan
    assert own.scenario.plan["machine"] == opened.plan["machine"]
