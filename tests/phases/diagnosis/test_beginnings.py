"""
How etcd begins or cannot: only where every planned control plane was asked, and told.

Mutants, each killed here: any of the questions of ``_planes`` and ``_has_begun`` left out; a booting machine without
the service counts for T6; a finished etcd does not count for T7, or does in a boot; a wipe is offered for what has only
failed; one in maintenance makes T8 silent.
"""

# ruff: noqa: ANN401  looks are made of whatever fields they have
from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.scene import Scene
from phases.snapshot import NodeLook
from tests.phases.diagnosis.scenes import dangers, found_by, scene


def look(etcd: str | None, stage: str = "booting", **more: Any) -> NodeLook:
    return NodeLook(**{"stage": stage, "etcd": etcd, **more})


WAITS, PREPARES = look("Waiting"), look("Preparing")
FAILED, FINISHED = look("Failed"), look("Finished", "running")
RUNS = look("Running", "running", etcd_healthy=True, members=("a",))
STARTS = look("Running")
EMPTY = look("", "maintenance")


def planned(*looks: NodeLook | None, planes: str = "abc") -> Scene:
    given = scene(nodes=dict(zip("abc", looks, strict=False)))
    return Scene(given.snapshot, control_planes=tuple(planes[: len(looks)]))


@pytest.mark.parametrize(
    ("looks", "says"),
    [
        ((WAITS, PREPARES, PREPARES), "3 control planes (a, b, c) are waiting"),
        ((PREPARES, EMPTY), "control plane a is waiting"),
        ((PREPARES,), "control plane a is waiting"),
        ((EMPTY, EMPTY), ""),
        ((PREPARES, RUNS), ""),
        ((PREPARES, STARTS), ""),
        ((PREPARES, look("Preparing", members=("a",))), ""),
        ((PREPARES, look("", "running")), ""),
        ((PREPARES, look(None)), ""),
        ((PREPARES, look("", "foreign")), ""),
        ((PREPARES, None), ""),
        ((PREPARES, FAILED), ""),
        ((), ""),
    ],
)
def test_an_etcd_that_nobody_has_begun(looks: tuple[NodeLook | None, ...], says: str) -> None:
    found = found_by("T8", planned(*looks))

    assert [says in f.message for f in found] == ([True] if says else [])
    for told in found:
        assert (told.subject, told.clears_itself) == ("etcd", "unknown")
        assert told.blocks[:2] == ("api", "node/a")
        assert dangers(told) == {"look", "destructive", "never"}


@pytest.mark.parametrize(
    ("looks", "says", "cause"),
    [
        ((FAILED, PREPARES), "(a is failed)", "failed"),
        ((FAILED, FINISHED), "(a is failed, b is finished)", "begun-before"),
        ((FAILED, EMPTY), "(a is failed)", "failed"),
        ((FINISHED, EMPTY), "was begun before (a is finished)", "begun-before"),
        # a bootstrap of ours, under way on another
        ((FAILED, look("Finished")), "(a is failed)", "failed"),
        ((look("Finished"), PREPARES), "", ""),
        ((look("Finished", "rebooting"), PREPARES), "", ""),
        ((look("Failed", "resetting"), PREPARES), "", ""),
        ((FAILED, RUNS), "", ""),
        ((FAILED, STARTS), "", ""),
        ((FAILED, look("Preparing", members=("a",))), "", ""),
        ((FAILED, None), "", ""),
        ((FAILED, look(None)), "", ""),
        ((FAILED, look("", "foreign")), "", ""),
        ((PREPARES, PREPARES), "", ""),
    ],
)
def test_an_etcd_that_was_begun_before(
    looks: tuple[NodeLook | None, ...], says: str, cause: str
) -> None:
    found = found_by("T7", planned(*looks))

    assert [says in f.message for f in found] == ([True] if says else [])
    for told in found:
        assert (told.subject, told.clears_itself, told.cause) == ("etcd", "unknown", cause)
        # What only failed may never have begun: whether there is anything to wipe takes a look.
        wipe = {"destructive"} if cause == "begun-before" else set()
        assert dangers(told) == {"look", "never"} | wipe


@pytest.mark.parametrize(
    ("looks", "count"),
    [
        ((look("", "running"), RUNS), 1),
        ((look("", "running"), None), 1),
        ((look("", "booting"), RUNS), 0),
        ((look(None, "running"), RUNS), 0),
        ((EMPTY, RUNS), 0),
        ((RUNS, RUNS), 0),
        ((None, None), 0),
    ],
    ids=["a worker's", "whatever others say", "boots", "untold", "empty", "well", "unseen"],
)
def test_a_control_plane_with_the_configuration_of_a_worker(
    looks: tuple[NodeLook | None, ...], count: int
) -> None:
    found = found_by("T6", planned(*looks))

    assert [(f.blocks, f.clears_itself) for f in found] == [(("node/a",), "no")] * count


def test_a_worker_has_no_etcd_and_needs_none() -> None:
    assert found_by("T6", planned(RUNS, look("", "running"), planes="a")) == []
