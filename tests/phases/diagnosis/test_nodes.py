"""Nodes: leftovers, no network yet, and all at once."""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.diagnosis.scene import Scene
from phases.snapshot import NodeLook, Seen
from tests.phases.diagnosis.scenes import (
    AT,
    dangers,
    found_by,
    made,
    pod,
    recorded,
    said,
    scene,
)

KWOK = recorded("node-kwok")
NO_CNI = "container runtime network not ready: NetworkReady=false cni plugin not initialized"
UNTOLERATED = "1 node(s) had untolerated taint {node.kubernetes.io/unschedulable: }."
LEAVING = {"deletionTimestamp": "2027-01-15T07:50:00Z"}
RULES = ("T15", "T16", "T17")


def node(
    name: str, status: str = "True", message: str = "", at: float = AT - 300, boot: str = ""
) -> dict[str, Any]:
    ready = said("Ready", status, "KubeletReady", message, at)
    return made("Node", name, ready, status={"nodeInfo": {"bootID": boot}})


def look(**more: Any) -> NodeLook:
    return NodeLook(**{"stage": "running", "boot_id": "new", **more})


@pytest.mark.parametrize(
    ("found", "talos", "says"),
    [
        (node("a", "Unknown", boot="old"), look(), "before its machine started anew"),
        (node("a", "False", boot="old"), look(stage="booting"), "before its machine started anew"),
        (node("a", "Unknown", boot="old"), look(stage="maintenance", boot_id=""), "was wiped"),
        # an ordinary reboot: the kubelet is back, and writes the boot id in a moment
        (node("a", "True", boot="old"), look(), ""),
        (node("a", "Unknown", boot="new"), look(), ""),
        (node("a", "Unknown", boot=""), look(), ""),
        (node("a", "Unknown", boot="old"), look(boot_id=""), ""),
        (node("a", "Unknown", boot="old"), look(stage="rebooting"), ""),
        (node("a", "Unknown", boot="old"), None, ""),
        (node("b", "Unknown", boot="old"), look(), ""),
        (node("a", "True", NO_CNI, boot="old"), look(), ""),
    ],
)
def test_a_leftover_is_told_from_a_reboot(
    found: dict[str, Any], talos: NodeLook | None, says: str
) -> None:
    findings = found_by("T15", scene(found, nodes={"a": talos}))

    assert [says in finding.message for finding in findings] == ([True] if says else [])
    for finding in findings:
        assert (finding.subject, finding.since) == ("k8s-node/a", AT - 300)
        assert dangers(finding) == {"look", "reversible"}


def test_an_old_look_at_a_machine_says_nothing_about_its_node() -> None:
    looked_at = scene(node("a", "Unknown", boot="old"), nodes={"a": look()})
    old = msgspec.structs.replace(looked_at.snapshot, nodes={"a": Seen(look(), AT - 11)})

    assert len(found_by("T15", looked_at)) == 1
    assert found_by("T15", Scene(old)) == []


def test_pods_that_hang_on_a_leftover_are_behind_it() -> None:
    hangs = pod("x/p", metadata=LEAVING, spec={"nodeName": "a"})

    (found,) = found_by("T15", scene(node("a", "Unknown", boot="old"), hangs, nodes={"a": look()}))

    assert found.blocks == ("pods-on/a",)


def unplaced(taint: str) -> dict[str, Any]:
    message = f"0/2 nodes are available: 2 node(s) had untolerated taint {{{taint}: }}."
    return pod(
        "x/p", said("PodScheduled", "False", "Unschedulable", message), owner=("Deployment", "d")
    )


@pytest.mark.parametrize(
    ("objects", "unlisted", "clears", "says"),
    [
        ((), (), "no", "no CNI is installed"),
        ((), ("DaemonSet",), "unknown", "its CNI plugin is not initialized"),
        (
            (made("DaemonSet", "kube-system/cilium", status={"numberReady": 1}),),
            (),
            "unknown",
            "cilium has 1 pods ready",
        ),
        ((made("DaemonSet", "kube-system/other"),), (), "no", "no CNI is installed"),
        ((made("DaemonSet", "kube-system/cilium-envoy"),), (), "no", "no CNI is installed"),
        ((made("DaemonSet", "x/kube-ovn-cni"),), (), "unknown", "kube-ovn-cni has 0 pods ready"),
        ((made("DaemonSet", "x/ovnkube-node"),), (), "unknown", "ovnkube-node has 0 pods ready"),
        ((made("DaemonSet", "x/weave-net"),), (), "unknown", "weave-net has 0 pods ready"),
    ],
)
def test_nodes_without_a_network_are_one_cause(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...], clears: str, says: str
) -> None:
    timeless = {"type": "Ready", "status": "False", "message": NO_CNI}
    other = pod("x/q", said("PodScheduled", "False", "Unschedulable", "5 Insufficient cpu"))
    looked_at = scene(
        other,
        node("d", "True", NO_CNI),
        made("Node", "e"),
        made("Node", "b", timeless),
        node("a", "False", NO_CNI, AT - 90),
        node("c"),
        unplaced("node.kubernetes.io/not-ready"),
        *objects,
        unlisted=unlisted,
    )

    (found,) = found_by("T16", looked_at)

    assert (found.subject, found.clears_itself, found.since) == ("cni", clears, AT - 90)
    assert "2 nodes (a, b)" in found.message
    assert says in found.message
    assert found.blocks == ("k8s-node/a", "k8s-node/b", "deployment/x/d")
    assert found_by("T17", looked_at) == []


@pytest.mark.parametrize(
    ("nodes", "lost"),
    [
        ((node("a", "Unknown"), node("b", "Unknown", at=AT - 20), node("c")), "2 of 3 nodes"),
        ((node("a", "Unknown"), node("b", "False"), node("c"), node("d")), "2 of 4 nodes"),
        ((node("a", "Unknown"), node("b"), node("c")), ""),
        ((node("a", "Unknown"), node("b")), ""),  # one of two is one node: half-gone.md
        ((node("a", "Unknown"),), ""),
        ((node("a", "Unknown"), node("b", "Unknown", at=AT - 700)), ""),
        ((node("a", "Unknown"), node("b", "False", NO_CNI)), ""),
        ((), ""),
    ],
)
def test_many_nodes_lost_at_once_share_something(
    nodes: tuple[dict[str, Any], ...], lost: str
) -> None:
    found = found_by("T17", scene(*nodes))

    assert [lost in finding.message for finding in found] == ([True] if lost else [])
    for finding in found:
        assert finding.subject == "k8s-nodes"
        assert finding.blocks == ("k8s-node/a", "k8s-node/b")
        assert dangers(finding) == {"look", "never"}
        assert finding.since == AT - 300


def test_a_node_without_a_condition_is_not_ready() -> None:
    mute = made("Node", "a", status={"nodeInfo": {"bootID": "old"}})

    assert [f.since for f in found_by("T15", scene(mute, nodes={"a": look()}))] == [None]


@pytest.mark.parametrize("rule", RULES)
def test_a_node_that_is_ready_has_no_finding(rule: str) -> None:
    assert found_by(rule, scene(KWOK, nodes={"node-0": look(boot_id="")})) == []


def test_a_cordoned_node_is_named_with_the_pods_that_only_it_could_take() -> None:
    """Who cordoned it takes it back. Mutants: of a node that is being deleted; of every node."""
    cordoned = made("Node", "a", said("Ready", "True"), spec={"unschedulable": True})
    waits = pod(
        "apps/web-1",
        said("PodScheduled", "False", "Unschedulable", f"0/1 nodes are available: {UNTOLERATED}"),
        owner=("StatefulSet", "web"),
        status={"phase": "Pending"},
    )
    (found,) = found_by("X3", scene(cordoned, node("b"), waits))

    assert (found.subject, found.cause, found.clears_itself) == (
        "k8s-node/a",
        "cordoned",
        "unknown",
    )
    assert found.blocks == ("statefulset/apps/web",)
    assert dangers(found) == {"look", "reversible"}
    leaving = made("Node", "a", spec={"unschedulable": True}, metadata=LEAVING)
    assert found_by("X3", scene(leaving, node("b"))) == []
