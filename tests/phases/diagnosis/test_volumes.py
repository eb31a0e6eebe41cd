"""Volumes on lost nodes, and claims that wait for a restore."""

from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.scenes import AT, failed, found_by, made, pod, said, scene, stamp

FILLED = {"kind": "ReplicationDestination", "name": "data"}


def claim(phase: str = "Pending", at: float = AT - 700, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    metadata = {"creationTimestamp": stamp(at)}
    return made(
        "PersistentVolumeClaim", "x/data", spec=spec, status={"phase": phase}, metadata=metadata
    )


def user(*conditions: Any, on: str = "b", phase: str = "Pending") -> dict[str, Any]:  # noqa: ANN401
    volumes = [{"persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"volumes": volumes, "nodeName": on}
    return pod("x/p", *conditions, owner=("StatefulSet", "db"), spec=spec, status={"phase": phase})


def unplaced(at: float = AT - 700) -> dict[str, Any]:
    message = "pod has unbound immediate PersistentVolumeClaims"
    return user(said("PodScheduled", "False", "Unschedulable", message, at), on="")


TIMED_OUT = failed(
    "Kustomization",
    "flux-system/apps",
    "timeout waiting for: [PersistentVolumeClaim/x/data status: 'InProgress']",
)


@pytest.mark.parametrize(
    ("given", "waits", "count"),
    [
        (claim(dataSourceRef=FILLED), unplaced(), 1),
        (claim("Bound", dataSourceRef=FILLED), unplaced(), 0),
        (claim(dataSourceRef=FILLED), unplaced(AT - 599), 0),
        (claim(dataSourceRef={"kind": "VolumeSnapshot", "name": "s"}), unplaced(), 0),
        (claim(), unplaced(), 0),
        (claim(at=AT - 86_400, dataSourceRef=FILLED), user(on=""), 0),
        (claim(at=AT - 86_400, dataSourceRef=FILLED), user(said("PodScheduled", "True")), 0),
    ],
    ids=[
        *("waits", "restored", "just begun", "a snapshot", "nothing to restore"),
        *("nobody knows since when", "its pod has a node"),
    ],
)
def test_a_claim_that_waits_for_its_data(
    given: dict[str, Any], waits: dict[str, Any], count: int
) -> None:
    found = found_by("L10", scene(given, waits))

    assert [f.blocks for f in found] == [("statefulset/x/db",)] * count
    assert all("from ReplicationDestination x/data" in f.message for f in found)
    assert [f.since for f in found] == [AT - 700] * count


@pytest.mark.parametrize(("now", "count"), [(AT, 0), (AT + 300, 1)])
def test_a_health_check_that_named_the_claim_has_waited_for_it(now: float, count: int) -> None:
    found = found_by("L10", scene(claim(dataSourceRef=FILLED), TIMED_OUT, at=now))

    assert [(f.since, f.blocks) for f in found] == [
        (AT - 300, ("kustomization/flux-system/apps",))
    ] * count


def test_a_claim_on_its_way_out_waits_for_nothing() -> None:
    given = claim(dataSourceRef=FILLED)
    given["metadata"]["deletionTimestamp"] = stamp(AT - 5)

    assert found_by("L10", scene(given, unplaced())) == []


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
        ([node(), attachment(), BOUND, user(on="a")], []),
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
    """Mutant: the UID is that of the attachment."""
    found = found_by("L13", scene(*objects, made("PersistentVolume", "pv")))

    assert [f.clears_itself for f in found] == clears
    assert all(f.subject == "persistentvolume/pv" for f in found)
    assert all(f.blocks == ("statefulset/x/db",) for f in found)


def test_nodes_that_could_not_be_listed_are_not_lost() -> None:
    assert found_by("L13", scene(attachment(), BOUND, user(), unlisted=("Node",))) == []
