"""
Etcd's strangers and alarms, and its quorum, said once and with its way out.

Mutants, killed here: T19 without a plan's control planes, LOST without never.
"""

# ruff: noqa: ANN401  a look has fields of many types
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phases.diagnosis.scene import Scene
from phases.snapshot import NodeLook
from tests.phases.diagnosis.scenes import dangers, found_by, scene

PLANES = ("a", "b", "c")


def planned(*looks: NodeLook | None, planes: tuple[str, ...] = PLANES) -> Scene:
    return replace(scene(nodes=dict(zip("abcw", looks, strict=False))), control_planes=planes)


def well(**more: Any) -> NodeLook:
    body = {"members": PLANES, "member_ids": ("1", "2", "3"), **more}
    return NodeLook("running", etcd="Running", etcd_healthy=True, leader="1", **body)


ALONE = NodeLook("running", etcd="Running", etcd_failing=True, leader="")
IDLE = NodeLook("booting", etcd="Preparing")
ANEW = NodeLook(
    "running", etcd="Running", etcd_healthy=True, leader="2", members=("a",), member_ids=("1",)
)
ELSEWHERE = well(member_ids=("7", "8", "9"))


@pytest.mark.parametrize(
    ("looks", "cause", "clears", "danger"),
    [
        ((ALONE, IDLE, IDLE), "quorum-lost", "no", {"look", "reversible", "destructive", "never"}),
        ((ALONE, IDLE, None), "quorum-hidden", "unknown", {"look", "never"}),
        ((well(), well(), None), "quorum-in-danger", "unknown", {"look", "never"}),
        ((well(), well(), ELSEWHERE), "foreign-cluster", "no", {"look", "never"}),
        # of the same ids: it may be a moment of an election
        ((ANEW, well(), well()), "foreign-cluster", "unknown", {"look", "never"}),
        # a worker has no vote, and neither has its silence
        (
            (ALONE, IDLE, IDLE, None),
            "quorum-lost",
            "no",
            {"look", "reversible", "destructive", "never"},
        ),
    ],
)
def test_what_is_said_of_the_quorum(
    looks: tuple[NodeLook | None, ...], cause: str, clears: str, danger: set[str]
) -> None:
    (found,) = found_by("T19", planned(*looks))

    assert (found.cause, found.clears_itself) == (cause, clears)
    assert dangers(found) == danger


@pytest.mark.parametrize(
    "looks",
    [
        (well(), well(), well()),
        (IDLE, IDLE, IDLE),
        (IDLE, IDLE, None),
        (ALONE, NodeLook("booting"), NodeLook("booting")),
        (ALONE, IDLE),  # of one control plane there is no look at all
    ],
)
def test_what_has_no_evidence_is_not_said(looks: tuple[NodeLook | None, ...]) -> None:
    assert found_by("T19", planned(*looks)) == []


def test_without_a_plan_nobody_knows_who_should_vote() -> None:
    assert found_by("T19", planned(ALONE, IDLE, IDLE, planes=())) == []


def test_what_may_be_two_clusters_has_the_remedies_of_two() -> None:
    """Mutant: those of a quorum in danger, of which nothing is to be removed."""
    (parted,) = found_by("T19", planned(ANEW, well(), well()))
    (foreign,) = found_by("T19", planned(well(), well(), ELSEWHERE))

    assert parted.remedies == foreign.remedies


def looked(**more: Any) -> NodeLook:
    return NodeLook(**{"stage": "running", **more})


def member(*names: str, healthy: bool = True, **more: Any) -> NodeLook:
    return looked(etcd="Running", etcd_healthy=healthy, members=names, **more)


@pytest.mark.parametrize(
    ("looks", "cause", "danger"),
    [
        ({"a": member("a", "b"), "b": member("a", "b")}, "", set()),
        (
            {"a": member("a", "b", "old"), "b": member("a", "b", "old")},
            "stale-member",
            {"look", "reversible", "never"},
        ),
        # one healthy member of two is no quorum: nothing is offered that changes the members
        (
            {"a": member("a", "b", "old"), "b": looked(etcd="Preparing")},
            "stale-member",
            {"look", "never"},
        ),
        # what a member tells that is not healthy is old
        ({"a": member("a", "old", healthy=False)}, "", set()),
        # a planned node that is not seen is no stranger
        ({"a": member("a", "b"), "b": None}, "", set()),
        # in two clusters: that is T19's to say
        ({"a": member("a"), "b": member("b")}, "", set()),
        # while a member joins, the others tell it a moment later
        ({"a": member("a"), "b": member("a", "b")}, "", set()),
        ({"a": looked(), "b": looked(etcd=None)}, "", set()),
        ({"a": member("a", "b"), "b": looked(etcd="Running", etcd_healthy=True)}, "", set()),
        # a worker has no say
        (
            {"a": member("a", "old"), "w": looked()},
            "stale-member",
            {"look", "reversible", "never"},
        ),
        ({}, "", set()),
    ],
)
def test_etcd_counts_no_strangers(
    looks: dict[str, NodeLook | None], cause: str, danger: set[str]
) -> None:
    found = found_by("T14", scene(nodes=looks))

    assert [finding.cause for finding in found] == ([cause] if cause else [])
    assert [dangers(finding) for finding in found] == ([danger] if cause else [])
    assert all(finding.subject == "etcd" and finding.clears_itself == "no" for finding in found)


@pytest.mark.parametrize(
    ("alarms", "dangers_"),
    [
        (("NOSPACE",), {"look", "reversible", "never"}),
        (("CORRUPT",), {"look", "never"}),
        ((), None),
    ],
)
def test_an_alarm_of_etcd_stops_all_writes(
    alarms: tuple[str, ...], dangers_: set[str] | None
) -> None:
    found = found_by("T14", scene(nodes={"a": member("a", alarms=alarms)}))

    assert [f.cause for f in found] == ["alarm"] * bool(alarms)
    assert [dangers(f) for f in found] == ([] if dangers_ is None else [dangers_])


@pytest.mark.parametrize(
    ("leaders", "count"),
    [(("1", "2"), 0), (("2", "2"), 1), (("", "2"), 0), ((None, "2"), 0)],
)
def test_nobody_is_removed_where_control_planes_may_be_apart(
    leaders: tuple[str | None, str], count: int
) -> None:
    """One that was bootstrapped again has no say in whom the others count. Mutant: it is not asked for."""
    anew, lives = leaders
    looks = {"a": member("a", leader=anew), "b": member("a", "b", "old", leader=lives)}

    assert [f.cause for f in found_by("T14", scene(nodes=looks))] == ["stale-member"] * count


def test_control_planes_that_may_be_apart_are_said_where_nobody_tells_whom_he_follows() -> None:
    """T14 leaves them to it. Mutants: only where one has no leader; as if the API were behind it."""
    looks = (member("a", "x"), member("b", "x", leader="2"))

    (found,) = found_by("T19", planned(*looks, planes=("a", "b")))

    assert (found.cause, found.clears_itself, found.blocks) == ("quorum-hidden", "unknown", ())
    assert "tell different members" in found.message


def test_an_alarm_comes_before_a_stranger() -> None:
    """Both are about etcd, and no removal ends the alarm. Mutant: whichever is told last."""
    looked_at = scene(nodes={"a": member("a", "old", alarms=("NOSPACE",))})

    assert [found.cause for found in found_by("T14", looked_at)] == ["alarm"]
