"""An autoscaler's count of the moment is not what must exist: the fewest that it leaves are."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases import codes
from phases.autoscalers import not_told
from phases.diagnosis.scene import Scene
from phases.existing import autoscaled, inventory_of
from phases.objects import Workload
from phases.readiness.workloads import verdict
from phases.snapshot import Seen, Snapshot, Unseen
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import scene

Json = dict[str, Any]
WEB = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
DENIED = "horizontalpodautoscalers.autoscaling is forbidden"


def hpa(key: str = "apps/web", target: Json = WEB, owner: str = "", **spec: Any) -> Json:  # noqa: ANN401
    owners = [{"kind": owner, "name": "web", "uid": "u"}] if owner else []
    metadata = made.meta(key, ownerReferences=owners)
    body = {"scaleTargetRef": target, "maxReplicas": 9, **spec}
    return {"kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": body}


def scaled_object(key: str = "apps/web", **spec: Any) -> Json:  # noqa: ANN401
    body = {"scaleTargetRef": {"name": "web"}, **spec}
    return {"kind": "ScaledObject", "metadata": made.meta(key), "spec": body}


def workload(kind: str = "Deployment", replicas: int = 5) -> Json:
    return {**made.deployment("apps/web", replicas=replicas), "kind": kind}


def pods(*objects: Json) -> int:
    found = inventory_of(scene(*objects))
    assert found["pods"] == sum(item["pods"] for item in found["workloads"])
    return int(found["workloads"][0]["pods"])


@pytest.mark.parametrize(
    ("autoscalers", "left"),
    [
        ([], 5),
        ([hpa(minReplicas=2)], 2),
        ([hpa()], 1),
        ([hpa(minReplicas=7)], 7),  # which it is brought to at once
        ([hpa("apps/other", minReplicas=2)], 2),
        ([hpa("apps/a", minReplicas=2), hpa("apps/b", minReplicas=3)], 2),
        ([hpa("apps/a", minReplicas=3), hpa("apps/b", minReplicas=2)], 2),
        ([hpa("elsewhere/web", minReplicas=2)], 5),
        ([hpa(target={**WEB, "name": "other"}, minReplicas=2)], 5),
        ([hpa(target={**WEB, "kind": "StatefulSet"}, minReplicas=2)], 5),
        ([hpa(target={**WEB, "kind": "ReplicaSet"}, minReplicas=2)], 5),
        ([hpa(target={**WEB, "apiVersion": "example.com/v1"}, minReplicas=2)], 5),
    ],
)
def test_a_deployment_counts_with_the_fewest_pods_that_its_autoscaler_leaves(
    autoscalers: list[Json], left: int
) -> None:
    """Mutants: go by the autoscaler's own name, by the target's without its namespace, kind or group; take the last."""
    assert pods(workload(), *autoscalers) == left


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "ReplicaSet"])
def test_so_does_a_stateful_set(kind: str) -> None:
    target = {**WEB, "kind": kind}

    assert pods(workload("StatefulSet"), hpa(target=target, minReplicas=2)) == (
        2 if kind == "StatefulSet" else 5
    )


def test_nobody_scales_a_daemon_set() -> None:
    """Mutant: take every kind of workload."""
    target = {**WEB, "kind": "DaemonSet"}

    assert pods(made.daemonset("apps/web", 3), hpa(target=target)) == 3


def test_no_autoscaler_scales_what_asks_for_no_pods() -> None:
    """Whoever scaled it to zero took it from its autoscaler. Mutant: expect the fewest all the same."""
    assert pods(workload(replicas=0), hpa(minReplicas=2)) == 0


@pytest.mark.parametrize(
    ("spec", "left"),
    [
        ({}, 0),
        ({"minReplicaCount": 0}, 0),
        ({"minReplicaCount": 2}, 2),
        ({"minReplicaCount": 2, "idleReplicaCount": 0}, 0),
    ],
)
def test_keda_may_leave_no_pods_which_its_own_autoscaler_cannot_say(spec: Json, left: int) -> None:
    """Mutants: read the HorizontalPodAutoscaler alone, or not the idle count."""
    made_by_keda = hpa("apps/keda-hpa-web", owner="ScaledObject", minReplicas=max(1, left))

    assert pods(workload(), made_by_keda, scaled_object(**spec)) == left
    assert pods(workload(), scaled_object("elsewhere/web", **spec)) == 5


@pytest.mark.parametrize(("replicas", "code"), [(2, codes.READY), (1, codes.PROGRESSING)])
def test_what_was_autoscaled_by_day_is_complete_at_night(replicas: int, code: str) -> None:
    left = pods(workload(replicas=5), hpa(minReplicas=2))
    tonight = msgspec.convert(workload(replicas=replicas), Workload, strict=False)

    assert verdict("Deployment", tonight, left).code == code


def test_it_is_told_what_is_autoscaled_and_how_much_it_had() -> None:
    """Mutants: name targets that are not there, or what is counted already."""
    gone = hpa("apps/gone", target={**WEB, "name": "gone"})
    found = scene(workload(), made.deployment("apps/extra"), hpa(minReplicas=2), gone)

    assert autoscaled(found) == {"deployment/apps/web": 5}


def looked(**looks: Seen[Any] | Unseen) -> Scene:
    found = scene(workload(), hpa(owner="ScaledObject", minReplicas=1)).snapshot
    return Scene(Snapshot(at=found.at, objects={**found.objects, **looks}))


def test_what_autoscalers_do_is_not_known_where_they_cannot_be_listed() -> None:
    """Mutant: say nothing, and the pods of the moment are expected for ever."""
    denied = looked(HorizontalPodAutoscaler=Unseen(0.0, "denied", DENIED))
    (note,) = not_told(denied)

    assert note.startswith("how few pods autoscalers leave")
    assert note.endswith(f"HorizontalPodAutoscaler cannot be listed: {DENIED}")
    assert inventory_of(denied)["pods"] == 5


def test_what_keda_leaves_is_not_known_where_its_objects_cannot_be_listed() -> None:
    (note,) = not_told(looked(ScaledObject=Unseen(0.0, "silent")))

    assert note.startswith("what KEDA leaves without pods")
    assert note.endswith("ScaledObject cannot be listed: silent")


def test_where_keda_made_no_autoscaler_nothing_is_missed_of_its_objects() -> None:
    """A server refuses to list what is not installed, too. Mutant: ask for them everywhere."""
    found = scene(workload(), hpa(owner="Other", minReplicas=1)).snapshot
    denied = Unseen(0.0, "denied")

    assert (
        not_told(Scene(Snapshot(at=0.0, objects={**found.objects, "ScaledObject": denied}))) == ()
    )


def test_what_could_be_listed_leaves_nothing_unknown() -> None:
    assert not_told(looked(ScaledObject=Seen({}, 0.0))) == ()
