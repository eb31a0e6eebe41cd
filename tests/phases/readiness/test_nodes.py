"""
Talos nodes, etcd as a whole, Node objects.

Mutants, killed here: a lease that ran out not asked; a planned cordon held against a node; alarms not
asked.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from journal.entries import Fact
from phases.more_objects import Lease
from phases.objects import Node
from phases.readiness.nodes import FRESH_SECONDS, LEASE_SECONDS, etcd, k8s_node, talos_node
from phases.snapshot import NodeLook, Seen, Unseen
from tests.phases.readiness.given import DELETED, GONE_AT, MOVED, MOVED_AT, made

NOW = 1000.0


def judged(look: NodeLook, role: str = "controlplane", age: float = 0.0) -> Fact:
    return talos_node(Seen(look, NOW - age), role, NOW)


@pytest.mark.parametrize(
    ("look", "role", "code"),
    [
        (NodeLook("maintenance"), "controlplane", "maintenance"),
        # Outside booting and running, ready is vacuous.
        (NodeLook("maintenance", ready=True), "worker", "maintenance"),
        (NodeLook("rebooting", ready=True), "worker", "rebooting"),
        (NodeLook("foreign"), "controlplane", "foreign"),
        (NodeLook("running", ready=True), "worker", "running"),
        # Without a CNI nodeReady is the one permitted unmet condition.
        (NodeLook("running", unmet=("nodeReady",)), "worker", "running"),
        (NodeLook("running", unmet=("nodeReady", "time")), "worker", "unhealthy"),
        (NodeLook("running", unmet=("staticPods",)), "controlplane", "unhealthy"),
        # A control plane sits at booting because it waits for the bootstrap.
        (NodeLook("booting", etcd="Preparing"), "controlplane", "waits-for-etcd"),
        (NodeLook("booting", etcd="Waiting"), "controlplane", "waits-for-etcd"),
        (NodeLook("booting", etcd="Waiting", members=()), "controlplane", "waits-for-etcd"),
        (NodeLook("booting", etcd="Waiting", members=("cp-1",)), "controlplane", "booting"),
        (NodeLook("booting", etcd="Running"), "controlplane", "booting"),
        (NodeLook("booting", etcd=""), "controlplane", "booting"),
        (NodeLook("booting", etcd="Waiting"), "worker", "booting"),
        (NodeLook("running", etcd="Preparing"), "controlplane", "running"),
    ],
)
def test_stages(look: NodeLook, role: str, code: str) -> None:
    assert code == judged(look, role).code


def test_a_look_of_more_than_ten_seconds_ago_is_unseen() -> None:
    waiting = NodeLook("booting", etcd="Preparing")

    fresh, stale = judged(waiting, age=FRESH_SECONDS), judged(waiting, age=FRESH_SECONDS + 0.1)

    assert ("waits-for-etcd", "unseen") == (fresh.code, stale.code)
    assert NOW - FRESH_SECONDS - 0.1 == stale.since


@pytest.mark.parametrize(
    ("unseen", "since", "reason"),
    [
        (Unseen(0.0, "not-asked"), None, "not-asked"),
        (Unseen(70.0, "refused", "no route"), 70.0, "refused: no route"),
    ],
)
def test_an_unseen_node_says_since_when_and_why(
    unseen: Unseen, since: float | None, reason: str
) -> None:
    fact = talos_node(unseen, "worker", NOW)

    assert ("unseen", since, reason) == (fact.code, fact.since, fact.reason)


ALL = ("cp-1", "cp-2", "cp-3")


def planes(*members: tuple[str, ...] | None, **changed: NodeLook | Unseen) -> Fact:
    looks: dict[str, Any] = {
        name: NodeLook("running", etcd="Running", members=told, etcd_healthy=told is not None)
        for name, told in zip(ALL, members, strict=True)
    }
    looks |= {name.replace("_", "-"): look for name, look in changed.items()}
    return etcd(
        {
            name: talos_node(
                look if isinstance(look, Unseen) else Seen(look, NOW), "controlplane", NOW
            )
            for name, look in looks.items()
        }
    )


@pytest.mark.parametrize(
    ("fact", "code", "reason"),
    [
        (planes(ALL, ALL, ALL), "healthy", ""),
        (planes(ALL, ALL, tuple(reversed(ALL))), "healthy", ""),  # order is nothing
        (planes(None, None, None), "none", "no control plane has"),
        (planes((), (), ()), "none", "no control plane has"),
        (planes(ALL, ALL, None), "forming", "not healthy on cp-3"),
        (planes(("cp-1",), ("cp-1",), ("cp-1",)), "forming", "members: cp-1 of"),
        (planes(ALL, ALL, ("cp-3",)), "forming", "members: cp-1, cp-2, cp-3"),  # split
        (planes((*ALL, "old"), ALL, ALL), "forming", "members: cp-1"),
        (planes(ALL, ALL, ALL, cp_2=Unseen(1.0, "silent")), "unknown", "not seen: cp-2"),
        (planes(None, None, None, cp_2=Unseen(1.0, "silent")), "unknown", "not seen: cp-2"),
        (
            planes(ALL, ALL, ALL, cp_1=NodeLook("running", etcd="Running", members=ALL)),
            "forming",
            "not healthy on cp-1",
        ),
        (
            planes(
                ALL,
                ALL,
                ALL,
                cp_1=NodeLook(
                    "running", etcd="Running", members=ALL, etcd_healthy=True, learners=("cp-3",)
                ),
            ),
            "forming",
            "still learning: cp-3",
        ),
        # A question that got no answer is no evidence against anything.
        (
            planes(ALL, ALL, ALL, cp_1=NodeLook("running", etcd="Running", etcd_healthy=True)),
            "unknown",
            "not told by cp-1",
        ),
        (
            planes(ALL, ALL, ALL, cp_1=NodeLook("running", etcd=None)),
            "unknown",
            "not told by cp-1",
        ),
        # Healthy in all but this: it takes no more writes.
        (
            planes(
                ALL,
                ALL,
                ALL,
                cp_2=NodeLook(
                    "running", etcd="Running", members=ALL, etcd_healthy=True, alarms=("NOSPACE",)
                ),
            ),
            "forming",
            "alarm: NOSPACE",
        ),
        # A service that stops may call itself healthy to the end.
        (
            planes(
                ALL,
                ALL,
                ALL,
                cp_1=NodeLook("running", etcd="Stopping", members=ALL, etcd_healthy=True),
            ),
            "forming",
            "not healthy on cp-1",
        ),
    ],
)
def test_etcd_is_what_every_control_plane_shows(fact: Fact, code: str, reason: str) -> None:
    assert (code, reason) == (fact.code, fact.reason[: len(reason)])


def node(status: str = "True", *taints: str, boot_id: str = "b1", **spec: Any) -> Node:  # noqa: ANN401
    body = {
        "metadata": {"name": "cp-1"},
        "spec": {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints], **spec},
        "status": {
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": status, "message": "why not"},
            ],
            "nodeInfo": {"bootID": boot_id},
        },
    }
    return msgspec.convert(body, Node)


CNI = "container runtime network not ready: NetworkPluginNotReady cni plugin not initialized"


@pytest.mark.parametrize(
    ("found", "code", "reason"),
    [
        (None, "Absent", "the kubelet has not registered"),
        (node(), "Ready", ""),
        (node("False"), "Progressing", "why not"),
        (node("Unknown"), "Progressing", "why not"),
        (msgspec.convert({"metadata": {"name": "x"}}, Node), "Progressing", "the Node object"),
        (node("True", "node.kubernetes.io/not-ready"), "Progressing", "taint"),
        (node("True", "node.kubernetes.io/unreachable"), "Progressing", "taint"),
        (node("True", "node.kubernetes.io/network-unavailable"), "Progressing", "taint"),
        (node("True", "node-role.kubernetes.io/control-plane"), "Ready", ""),
        (node(unschedulable=True), "Progressing", "cordoned"),
        # A leftover of the wiped machine looks Ready until the controller manager notices.
        (node(boot_id="b0"), "Progressing", "the Node object is of an earlier boot"),
        (node(boot_id=""), "Progressing", "the Node object is of an earlier boot"),
    ],
)
def test_node_objects(found: Node | None, code: str, reason: str) -> None:
    fact = k8s_node(found, Fact("running", detail={"boot_id": "b1"}))

    assert (code, reason) == (fact.code, fact.reason[: len(reason)])


@pytest.mark.parametrize("talos", [None, Fact("unseen")])
def test_while_the_machine_is_not_seen_its_node_object_proves_nothing(talos: Fact | None) -> None:
    assert "Unobservable" == k8s_node(node(), talos).code
    assert "Progressing" == k8s_node(node("False"), talos).code


def test_without_the_machines_boot_id_its_node_object_proves_nothing() -> None:
    talos = Fact("running", detail={"boot_id": ""})

    assert "Unobservable" == k8s_node(node(boot_id="b0"), talos).code
    assert "Progressing" == k8s_node(node("False"), talos).code


HERE = "6ef8cb20-ef75-4a3b-9d4a-1d9b3c5a7e11"
SWAPPED = (
    "20CBF86E-75EF-3B4A-9D4A-1D9B3C5A7E11"  # the same as firmware from before SMBIOS 2.6 writes it
)
ELSEWHERE = "bb4a16ed-3b7f-4a86-8a0a-2a5b3d4c9f22"
ANOTHER = "the Node object is of another machine (systemUUID bb4a16ed"


def named(system_uuid: str, boot_id: str = "b1", machine_id: str = "") -> Node:
    info = {"systemUUID": system_uuid, "bootID": boot_id, "machineID": machine_id}
    body = {
        "metadata": {"name": "cp-1"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": info},
    }
    return msgspec.convert(body, Node)


@pytest.mark.parametrize(
    ("found", "boot_id", "code", "reason"),
    [
        # A machine in maintenance, in the place of one that is gone: nobody tells its boot id.
        (named(ELSEWHERE), "", "Progressing", ANOTHER),
        (named(ELSEWHERE.upper()), "", "Progressing", ANOTHER.replace("bb4a16ed", "BB4A16ED")),
        (named(ELSEWHERE, boot_id="b0"), "b1", "Progressing", ANOTHER),
        # A Talos whose META has a UUID of its own shows another one than its kubelet, in one and the same boot.
        (named(ELSEWHERE), "b1", "Ready", ""),
        (named(HERE), "b1", "Ready", ""),
        (named(HERE, boot_id="b0"), "b1", "Progressing", "the Node object is of an earlier boot"),
        *(
            (named(unsure), "", "Unobservable", "its machine's boot id cannot be read")
            for unsure in (HERE, HERE.upper(), SWAPPED, "", "not a UUID", "0" * 32, "F" * 32)
        ),
        (
            named(ELSEWHERE, machine_id=ELSEWHERE.replace("-", "")),
            "",
            "Unobservable",
            "its machine's boot id cannot be read",
        ),
    ],
)
def test_trap_the_object_of_the_machine_that_was_here_before_looks_ready(
    found: Node, boot_id: str, code: str, reason: str
) -> None:
    """
    Mutants: compare as text; leave the swapped order out; let a UUID outweigh one boot id; compare what is no UUID.
    """
    fact = k8s_node(found, Fact("running", detail={"boot_id": boot_id, "uuid": HERE}))

    assert (code, reason) == (fact.code, fact.reason[: len(reason)])
    if reason.startswith(ANOTHER[:30]):
        assert "registers anew, or delete the object" in fact.reason


@pytest.mark.parametrize("uuid", [None, "", "00000000-0000-0000-0000-000000000000"])
def test_what_talos_does_not_show_is_compared_with_nothing(uuid: str | None) -> None:
    fact = k8s_node(named(ELSEWHERE), Fact("running", detail={"boot_id": "", "uuid": uuid}))

    assert "Unobservable" == fact.code


def test_before_the_cni_a_node_that_is_not_ready_waits_for_it() -> None:
    body = {
        "metadata": {"name": "x"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "message": CNI}]},
    }

    assert "waits for the CNI" == k8s_node(msgspec.convert(body, Node), None).reason


RENEWED: Lease = made(Lease, spec={"renewTime": MOVED}, namespace="kube-node-lease", name="cp-1")
MACHINE = Fact("running", detail={"boot_id": "b1"})


@pytest.mark.parametrize(
    ("lease", "now", "code", "since"),
    [
        (RENEWED, MOVED_AT + LEASE_SECONDS, "Ready", None),
        # The controller manager calls such a Node Ready for a while.
        (RENEWED, MOVED_AT + LEASE_SECONDS + 0.1, "Progressing", MOVED_AT),
        (RENEWED, None, "Ready", None),
        (made(Lease), MOVED_AT, "Ready", None),
        (None, MOVED_AT, "Ready", None),
    ],
)
def test_trap_ready_is_the_word_of_a_kubelet_that_has_died(
    lease: Lease | None, now: float | None, code: str, since: float | None
) -> None:
    fact = k8s_node(node(), MACHINE, lease=lease, now=now)

    assert (code, since) == (fact.code, fact.since)


def test_a_node_that_is_being_deleted_is_not_ready() -> None:
    going = msgspec.structs.replace(node(), metadata=made(Node, **DELETED).metadata)

    assert ("Terminating", GONE_AT) == (
        k8s_node(going, MACHINE).code,
        k8s_node(going, MACHINE).since,
    )


def test_a_planned_cordon_is_no_fault() -> None:
    assert "Ready" == k8s_node(node(unschedulable=True), MACHINE, cordoned=True).code
