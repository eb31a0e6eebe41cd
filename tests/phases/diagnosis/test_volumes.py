"""Volumes on lost nodes, and claims that wait for a restore."""

from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.scenes import AT, found_by, made, pod, said, scene, stamp

FILLED = {"kind": "ReplicationDestination", "name": "data"}


def claim(phase: str = "Pending", at: float = AT - 700, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    metadata = {"creationTimestamp": stamp(at)}
    return made(
        "PersistentVolumeClaim", "x/data", spec=spec, status={"phase": phase}, metadata=metadata
    )


def user(on: str = "b", phase: str = "Pending") -> dict[str, Any]:
    volumes = [{"persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"volumes": volumes, "nodeName": on}
    return pod("x/p", owner=("StatefulSet", "db"), spec=spec, status={"phase": phase})


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (claim(dataSourceRef=FILLED), 1),
        (claim("Bound", dataSourceRef=FILLED), 0),
        (claim(at=AT - 599, dataSourceRef=FILLED), 0),
        (claim(dataSourceRef={"kind": "VolumeSnapshot", "name": "s"}), 0),
        (claim(), 0),
    ],
    ids=["waits", "restored", "just begun", "a snapshot", "nothing to restore"],
)
def test_a_claim_that_waits_for_its_data(given: dict[str, Any], count: int) -> None:
    found = found_by("L10", scene(given, user("")))

    assert [f.blocks for f in found] == [("statefulset/x/db",)] * count
    assert all("from ReplicationDestination x/data" in f.message for f in found)


def test_a_claim_on_its_way_out_waits_for_nothing() -> None:
    given = claim(dataSourceRef=FILLED)
    given["metadata"]["deletionTimestamp"] = stamp(AT - 5)

    assert found_by("L10", scene(given)) == []


def attachment(attached: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002
    spec = {"nodeName": "a", "source": {"persistentVolumeName": "pv"}}
    return made("VolumeAttachment", "csi-1", spec=spec, status={"attached": attached})


def node(status: str = "Unknown", at: float = AT - 300) -> dict[str, Any]:
    return made("Node", "a", said("Ready", status, at=at))


BOUND = claim("Bound", volumeName="pv")


@pytest.mark.parametrize(
    ("objects", "clears"),
    [
        ([node(), attachment(), BOUND, user()], ["yes"]),
        ([node(at=AT - 361), attachment(), BOUND, user()], ["unknown"]),
        ([attachment(), BOUND, user()], ["unknown"]),
        ([node("True"), attachment(), BOUND, user()], []),
        ([node(), attachment(attached=False), BOUND, user()], []),
        ([node(), attachment(), BOUND, user("a")], []),
        ([node(), attachment(), BOUND, user(phase="Running")], []),
        ([node(), attachment(), user()], []),
        ([node(), BOUND, user()], []),
    ],
    ids=[
        *("lost", "for long", "gone", "ready", "detached", "same node", "runs"),
        *("another's claim", "not attached"),
    ],
)
def test_a_volume_on_a_lost_node(objects: list[dict[str, Any]], clears: list[str]) -> None:
    found = found_by("L13", scene(*objects))

    assert [f.clears_itself for f in found] == clears
    assert all(f.subject == "persistentvolume/pv" for f in found)
    assert all(f.blocks == ("statefulset/x/db",) for f in found)


def test_nodes_that_could_not_be_listed_are_not_lost() -> None:
    assert found_by("L13", scene(attachment(), BOUND, user(), unlisted=("Node",))) == []
