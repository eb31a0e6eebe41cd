"""
What single entries come to: when a look counts, how a node began, what happened to it, what hands did.

Mutants, each killed here: take a fact that was not seen for one that was absent; let the first look count before every
kind was listed; take the run's own reboot for an accident; divide no StatefulSet by its pods; take a node out of sight
for one that was off.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from journal import entries as e
from journal.entries import AnyEntry, Fact, Outcome
from phases import codes
from phases.snapshot import KINDS
from rekindle.simulator.cluster import CONTROLLERS, SimCluster
from rekindle.simulator.recorded import recording_of
from rekindle.simulator.scenario import EventSpec
from rekindle.simulator.witnessed import witness_of
from tests.simulator.recordings import (
    NODES,
    START,
    by_hand,
    made,
    night,
    node,
    opened_of,
    recorded,
    seen,
    whole,
)


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


@pytest.mark.parametrize(("controllers", "before"), [(codes.READY, 0.0), (codes.ABSENT, 600.0)])
def test_what_flux_would_have_healed_was_lost_just_now(controllers: str, before: float) -> None:
    """The world runs alone between the accident and the start, and its controllers work in that time."""
    flux = {f"deployment__{name}": Fact(controllers) for name in CONTROLLERS}

    found = night(whole(namespace__storage=Fact(codes.ABSENT), **flux))

    assert found.scenario.initial.before == before
    assert any("when the accident was is not recorded" in s for s in found.remarks.assumed)


@pytest.mark.parametrize(
    ("kind", "pods", "start"),
    [
        ("Deployment", 2, 40.0),  # from the first sight of it
        ("StatefulSet", 2, 10.0),  # from its own node's readiness at 30 s; one pod after the other
        ("DaemonSet", 3, 66.7),  # the same, and every node had the image: three tenths of a pull
    ],
)
def test_a_pod_takes_what_was_seen_less_what_it_waited_for(
    kind: str, pods: int, start: float
) -> None:
    opened = opened_of(recorded("june"))
    section = opened.plan["section"]
    item = {"kind": kind, "key": "apps/db", "pods": pods, "owner": "kustomization/apps/web"}
    inventory = {**section["inventory"], "workloads": [item]}
    plan = {**opened.plan, "section": {**section, "inventory": inventory}}
    subject = codes.subject(kind, "apps/db")
    entries = [
        whole(**{"k8s-node__n1": Fact(codes.READY)}),
        seen(10, {subject: Fact(codes.PROGRESSING)}),
        seen(30, {codes.k8s_node("n2"): Fact(codes.READY)}),
        seen(50, {subject: Fact(codes.READY)}),
    ]

    found = made([replace(opened, at=START, plan=plan), *entries])

    (made_item,) = (one for one in found.tree.items() if one.id == "apps/db")
    assert made_item.start == start


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


@pytest.mark.parametrize("asked", [True, False])
def test_what_held_a_namespace_that_went_during_the_run_holds_again(asked: bool) -> None:  # noqa: FBT001
    """It is listed only then; mutant: look for holders at the first look alone, or take those nobody asked about."""
    detail = {
        "uid": "u9",
        "group": "ceph.rook.io",
        "version": "v1",
        "resource": "cephblockpools",
        "kind": "CephBlockPool",
        "namespace": "storage",
        "name": "late",
        "finalizers": ["cephblockpool.ceph.rook.io"],
    }
    question = e.ApprovalAsked(
        at=START + 90, approval="p1", digest="d1", subject="holder/u9", question="?", consequence=""
    )
    found = night(
        whole(),
        seen(80, {"namespace/storage": Fact(codes.TERMINATING)}),
        seen(81, {"holder/u9": Fact("Holding", "held", START - 10, detail)}),
        *([question] if asked else []),
    )

    assert ("storage/late" in {item.id for item in found.tree.beside}) is asked


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


def test_a_network_comes_first_whatever_was_seen_first() -> None:
    """What waits for its pods before there is a network waits for ever; and what one look tells has no order."""
    flux = (f"deployment/flux-system/{name}-controller" for name in ("source", "kustomize", "helm"))
    workloads = ("deployment/kube-system/coredns", "daemonset/kube-system/cilium", *flux)
    found = night(
        whole(**{name.replace("/", "__", 1): Fact(codes.ABSENT) for name in workloads}),
        *(seen(20 + at, {name: Fact(codes.PROGRESSING)}) for at, name in enumerate(workloads)),
        by_hand(60, "command.run", "command/cni"),
    )

    brought = found.scenario.commands["cni"].helmreleases
    assert brought[:2] == ("kube-system/cilium", "kube-system/coredns")


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
    assert any("did not end well once" in line for line in found.remarks.inexpressible)


def test_what_a_root_takes_with_it_goes_by_its_own_controller() -> None:
    """
    The root was Terminating when the run began, and Flux was not there to finish it until the run brought it back.

    Mutants: namespaces that go meanwhile are deleted by the hour as well; the roots are not left; what stays has no
    inventory any more, so that nothing is pruned.
    """
    root = opened_of(recorded("june")).plan["section"]["inventory"]["roots"][0]
    subject = codes.subject("kustomization", root)
    flux = {f"deployment__{name}": Fact(codes.ABSENT) for name in CONTROLLERS}
    going = {subject.replace("/", "__", 1): Fact(codes.TERMINATING, since=START - 5.0)}

    found = night(
        whole(**flux, **going),
        seen(30, {subject: Fact(codes.ABSENT), "namespace/storage": Fact(codes.TERMINATING)}),
        seen(60, {"namespace/storage": Fact(codes.ABSENT)}),
    )

    assert found.scenario.initial.left is not None
    assert f"Kustomization/{root}" in found.scenario.initial.left.objects
    assert [event for event in found.scenario.events if event.do == "delete"] == [
        EventSpec(-5.0, "delete", kind="Kustomization", key=root)
    ]
    cluster = SimCluster(found.scenario, tree=found.tree)
    assert cluster.api.get("Kustomization", root).metadata.deletion_timestamp is not None
    assert cluster.kustomizations.inventories[root], "it will prune what it had applied"
