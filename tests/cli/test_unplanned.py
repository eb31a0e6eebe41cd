"""
What a watch without a plan is made of: no machine is asked, and nothing is said of what nobody asks.

Mutants: judge a Node as unseen where no machine is asked; say that no control plane is ready where none is known; keep
etcd on the path; take any DaemonSet for the network; allow a plan file without nodes, or one without a network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.answer import Act, Wait
from engine.errors import PlanInvalid
from engine.memory import Memory
from engine.recipe import Verdict
from journal.entries import Fact
from phases import clearing, cni_up, codes, flux_synced
from phases.beforehand import installed
from phases.deeds import deeds
from phases.facts import reduce
from phases.inventory import SCHEMA, Inventory
from phases.needs import needs_of
from phases.section import Section
from phases.snapshot import ApiLook, Seen, Snapshot
from rekindle.unplanned import NETWORKS, Named, plan_of
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import scene
from tests.phases.test_section import PLAN, refused

NAMED = Named(Path("/home/me/kubeconfig"), "c")


def inventory(*workloads: dict[str, Any], **more: Any) -> Inventory:  # noqa: ANN401
    pods = sum(item["pods"] for item in workloads)
    return Inventory.model_validate(
        {"schema": SCHEMA, "workloads": workloads, "pods": pods, **more}
    )


def daemonset(key: str) -> dict[str, Any]:
    return {"kind": "DaemonSet", "key": key, "pods": 1}


def deployment(key: str) -> dict[str, Any]:
    return {"kind": "Deployment", "key": key, "pods": 1}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_network_is_recognised_by_its_name(name: str) -> None:
    agents = (daemonset("monitoring/agent"), daemonset(f"net/{name}"))

    found = plan_of(NAMED, inventory(*agents, deployment("kube-system/coredns")))

    assert found.target.cni.daemonset == f"net/{name}"
    assert found.target.cni.deployments == ("kube-system/coredns",)


def test_a_network_of_another_name_is_named_by_hand() -> None:
    named = plan_of(Named(NAMED.kubeconfig, "c", "net/own"), inventory(daemonset("net/own")))

    assert named.target.cni.daemonset == "net/own"
    assert named.target.network == "daemonset/net/own"


UNKNOWN = inventory(daemonset("net/own"), deployment("kube-system/coredns"), nodes=["n1"])


def test_a_network_that_nobody_knows_is_judged_by_the_nodes() -> None:
    """Mutants: refuse; count a DaemonSet without a name; say that a network is up."""
    plan = plan_of(NAMED, UNKNOWN)
    dns = made.deployment("kube-system/coredns")
    well, ill = (
        reduce(plan, Snapshot(at=100.0, objects=scene(node, dns).snapshot.objects))
        for node in (made.node("n1"), {**made.node("n1"), "status": {}})
    )

    assert plan.states == ("cni-up", "pods-healthy")
    assert plan.target.networking == ("deployment/kube-system/coredns",)
    assert [key for _, key, _, _ in plan.target.workloads] == ["net/own", "kube-system/coredns"]
    held, broken = cni_up.guard(plan, well), cni_up.guard(plan, ill)
    assert (held.verdict, held.why, held.expected) == (Verdict.HOLDS, "every node is Ready", 2)
    assert (broken.verdict, broken.why.split()[0]) == (Verdict.BROKEN, codes.k8s_node("n1"))
    memory = Memory(run_id="r", purpose="watch", opened_at=90.0, now=100.0)
    assert set(cni_up.decide(plan, ill, {}, memory)) == {codes.k8s_node("n1")}


def test_without_a_known_network_everything_comes_after_the_api() -> None:
    """Mutants: let it all need a DaemonSet without a name; take no network for one that has been up for ever."""
    section = plan_of(NAMED, inventory(daemonset("net/own"), nodes=["n1"])).target

    needs = needs_of(section)

    assert needs[codes.k8s_node("n1")] == (codes.API,)
    assert needs["daemonset/net/own"] == (codes.API,)
    assert "daemonset/" not in needs
    assert "daemonset/" not in installed(section)
    source = {section.source: Fact(codes.FAILED, since=50.0, detail={"unreached": True})}
    assert not is_cleared(section, source)


def is_cleared(section: Section, facts: dict[str, Fact]) -> bool:
    return clearing._reason(clearing.Asked(section, section.source, "", facts))


def test_the_machine_begins_where_the_api_answers() -> None:
    network = daemonset("kube-system/cilium")
    source = {"namespace": "flux", "name": "home"}
    flux = plan_of(NAMED, inventory(network, deployment("flux/source-controller"), source=source))

    assert plan_of(NAMED, inventory(network)).states == ("cni-up", "pods-healthy")
    assert flux.states == ("cni-up", "flux-synced", "pods-healthy")
    assert flux.target.flux.source == "flux/home"
    assert flux.target.flux.controllers == ("flux/source-controller",)


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises((PlanInvalid, ValueError), match="namespace/name"):
        plan_of(Named(NAMED.kubeconfig, "c", "own"), inventory())


def seen(**more: Any) -> Snapshot:  # noqa: ANN401
    return Snapshot(at=100.0, objects=scene(made.node("n1")).snapshot.objects, **more)


def test_a_node_is_taken_at_its_word_and_nothing_is_said_of_machines() -> None:
    plan = plan_of(NAMED, inventory(daemonset("kube-system/cilium"), nodes=["n1"]))

    facts = reduce(plan, seen())

    assert facts[codes.k8s_node("n1")].code == codes.READY
    assert codes.ETCD not in facts
    assert not [subject for subject in facts if subject.startswith("node/")]


def test_credentials_that_are_refused_are_no_api_that_is_down() -> None:
    plan = plan_of(NAMED, inventory(daemonset("kube-system/cilium"), nodes=["n1"]))
    denied = ApiLook({}, serving=False, ca_matches=None, why="forbidden", silent="")

    assert reduce(plan, seen(api=Seen(denied, 99.0)))[codes.API].code == codes.PARTIAL


def test_the_path_begins_with_the_api() -> None:
    plan = plan_of(NAMED, inventory(daemonset("kube-system/cilium"), nodes=["n1"]))

    needs = needs_of(plan.target)

    assert needs[codes.API] == ()
    assert needs[codes.k8s_node("n1")] == ("daemonset/kube-system/cilium",)
    assert codes.ETCD not in needs


def test_a_network_that_is_put_back_by_hand_is_somebodys_deed() -> None:
    """Nobody wished it, since nobody told the watch what installs it. Mutant: leave ``_unplanned`` out of ``deeds``."""
    plan = plan_of(Named(NAMED.kubeconfig, "c", "kube-system/cilium"), inventory(nodes=["n1"]))
    looks = (
        scene(made.node("n1"), *found).snapshot.objects
        for found in ([], [made.daemonset("kube-system/cilium", 1)])
    )
    before, after = (
        Memory(
            run_id="r", purpose="watch", facts=dict(reduce(plan, Snapshot(at=at, objects=seen_)))
        )
        for at, seen_ in enumerate(looks)
    )

    (deed,) = deeds(plan, before, after, ())

    assert (deed.verb, deed.target) == ("network.install", "daemonset/kube-system/cilium")
    assert (deed.old, deed.new) == (codes.ABSENT, codes.READY)


def test_a_plan_file_still_has_machines() -> None:
    nodes = PLAN[PLAN.index("  nodes:") : PLAN.index("kubernetes:")]

    assert refused(PLAN.replace(nodes, "  nodes: {}\n")) == [
        "p.yaml:4:3: talos.nodes: no node has the role controlplane"
    ]


def test_a_plan_file_still_names_the_network() -> None:
    assert refused(PLAN.replace("daemonset: kube-system/cilium", 'daemonset: ""')) == [
        "p.yaml:8:7: cni.daemonset: no DaemonSet is named"
    ]


def test_roots_that_are_gone_are_waited_for_and_nothing_would_be_applied() -> None:
    names = [f"flux-system/{name}-controller" for name in ("source", "kustomize", "helm")]
    known = inventory(
        daemonset("kube-system/cilium"),
        *(deployment(name) for name in names),
        kustomizations=[{"key": "flux-system/cluster"}],
        roots=["flux-system/cluster"],
    )
    plan = plan_of(NAMED, known)
    there = scene(made.node("n1"), *(made.deployment(name) for name in names)).snapshot
    memory = Memory(run_id="r", purpose="watch", opened_at=90.0, now=100.0)

    answers = flux_synced.decide(plan, reduce(plan, there), {}, memory)

    assert not [answer for answer in answers.values() if isinstance(answer, Act)]
    said = answers[codes.ROOT]
    assert isinstance(said, Wait)
    assert said.reason.endswith("without a plan nobody knows what brings them")
