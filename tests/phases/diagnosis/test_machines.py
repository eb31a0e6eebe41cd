"""
Machines as Talos shows them: what holds them up, said once for all that have it, and never of an old look.

Mutants, each killed here: a stage or a condition that is not asked for; T11 for services in a boot, or where etcd is
why; a Node object that is Ready is held up; an old look at the API counts.
"""

# ruff: noqa: ANN401  looks are made of whatever fields they have
from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking
from phases.snapshot import ApiLook, NodeLook, Seen, Snapshot, Unseen
from tests.phases.diagnosis.scenes import AT, dangers, found_by, made, said, scene

VIP = "https://192.0.2.1:6443"


def look(stage: str = "running", **more: Any) -> NodeLook:
    return NodeLook(**{"stage": stage, "ready": True, **more})


BOTH = ("booting", "running")
WELL = look(etcd="Running", etcd_healthy=True, members=("a",))
CASES: list[tuple[str, NodeLook, str, str]] = [
    ("T1", look("maintenance"), "machine a is in maintenance", "unknown"),
    ("T3", look("foreign"), "machine a is configured with other secrets", "no"),
    ("T5", look("booting", unmet=("time",)), "the clock of machine a is not in sync", "unknown"),
    ("T5", look(unmet=("time",)), "the clock of machine a is not in sync", "unknown"),
    ("T11", look("booting", unmet=("network", "services")), "a lacks network", "unknown"),
    ("T11", look(unmet=("services",)), "a lacks services", "unknown"),
    ("T12", look("resetting"), "machine a is being reset", "unknown"),
]


@pytest.mark.parametrize(("rule", "found", "words", "clears"), CASES)
def test_a_machine_that_does_not_get_on_is_named_with_its_cause(
    rule: str, found: NodeLook, words: str, clears: str
) -> None:
    (told,) = found_by(rule, scene(nodes={"a": found, "b": WELL}))

    assert words in told.message
    assert "b" not in told.message.split()
    assert (told.clears_itself, told.blocks, told.since) == (clears, ("node/a",), None)
    assert all("nodes[a]" in path for path in told.evidence)
    assert {"look"} < dangers(told)


@pytest.mark.parametrize(("rule", "unmet"), [("T5", "time"), ("T11", "network")])
@pytest.mark.parametrize(("stages", "may"), [(("booting",), 1), (("running",), 0), (BOTH, 1)])
def test_what_every_boot_goes_through_is_said_to_be_one_perhaps(
    rule: str, unmet: str, stages: tuple[str, ...], may: int
) -> None:
    """Mutants: nobody boots; everybody does; all of them have to."""
    nodes = {name: look(stage, unmet=(unmet,)) for name, stage in zip("ab", stages, strict=False)}

    (told,) = found_by(rule, scene(nodes=dict(nodes)))

    assert told.message.count("way up, or ") == may


@pytest.mark.parametrize("rule", ["T1", "T3", "T5", "T11", "T12"])
@pytest.mark.parametrize(
    "found",
    [
        WELL,
        look("booting", unmet=("services", "staticPods", "nodeReady"), etcd="Preparing"),
        look("booting", unmet=("services", "nodeReady")),
        look("rebooting"),
        look("upgrading", unmet=("network", "time")),
        look(unmet=("nodeReady",)),
        look(unmet=("services",), etcd="Running"),
        look(unmet=("services",), etcd=None),
        None,
    ],
    ids=[
        "well",
        "boots",
        "a worker boots",
        "reboots",
        "upgrades",
        "no CNI yet",
        "etcd is ill",
        "untold",
        "unseen",
    ],
)
def test_what_is_on_its_way_or_explained_elsewhere_is_no_cause(
    rule: str, found: NodeLook | None
) -> None:
    assert found_by(rule, scene(nodes={"a": found})) == []


@pytest.mark.parametrize(("rule", "found"), [case[:2] for case in CASES])
def test_an_old_look_says_nothing(rule: str, found: NodeLook) -> None:
    looked_at = scene(nodes={"a": found})
    old = replace(looked_at.snapshot, nodes={"a": Seen(found, AT - 11)})

    assert found_by(rule, Scene(old)) == []


def test_all_machines_with_one_cause_are_one_finding_and_hold_up_their_nodes() -> None:
    lost, fine = (made("Node", name, said("Ready", status)) for name, status in NODES)

    (told,) = found_by("T1", scene(lost, fine, nodes=dict.fromkeys("cab", look("maintenance"))))

    assert "3 machines (a, b, c) are in maintenance" in told.message
    assert told.blocks == ("node/a", "k8s-node/a", "node/b", "node/c")


NODES = (("a", "Unknown"), ("b", "True"))


def test_a_leftover_of_a_machine_in_maintenance_is_behind_it() -> None:
    looked_at = scene(
        made("Node", "a", said("Ready", "Unknown")), nodes={"a": look("maintenance"), "b": WELL}
    )

    assert len(found_by("T15", looked_at)) == 1
    assert [root.id for root in roots_of(diagnose(looked_at), blocking(looked_at))] == [
        "T1:unconfigured-machines"
    ]


@pytest.mark.parametrize(("code", "count"), [("denied", 1), ("silent", 0), ("refused", 0)])
def test_a_machine_that_does_not_let_us_in_is_not_one_that_is_away(code: str, count: int) -> None:
    looked_at = scene(nodes={"a": None})
    unseen = replace(looked_at.snapshot, nodes={"a": Unseen(AT - 60, code), "b": Seen(WELL, AT)})

    found = found_by("T2", Scene(unseen))

    assert [(f.blocks, f.clears_itself) for f in found] == [(("node/a",), "unknown")] * count
    assert all("never" in dangers(f) for f in found)


def api(at: float = AT, **more: Any) -> Scene:
    return Scene(Snapshot(at=AT, api=Seen(ApiLook(serving=True, **more), at)))


def test_a_server_that_is_silent_while_control_planes_answer_is_named() -> None:
    (told,) = found_by("T18", api(readyz={"b": True, "a": True, "c": False}, silent=VIP))

    assert f"nothing answers at {VIP}, where the kubeconfig points" in told.message
    assert "2 nodes (a, b) itself" in told.message
    assert (told.subject, told.clears_itself) == ("kubeconfig", "unknown")
    assert dangers(told) == {"look", "reversible", "never"}


def test_the_server_is_named_where_no_node_says_that_it_is_ready() -> None:
    (told,) = found_by("T18", api(silent=VIP))

    assert "the API answers on a node itself" in told.message


@pytest.mark.parametrize(
    "looked_at",
    [api(readyz={"a": True}), api(AT - 11, silent=VIP), Scene(Snapshot(at=AT))],
    ids=["it answers", "an old look", "nobody looked"],
)
def test_a_server_that_is_not_known_to_be_silent_is_not_named(looked_at: Scene) -> None:
    assert found_by("T18", looked_at) == []
