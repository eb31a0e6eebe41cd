"""Nodes, namespaces, definitions and workloads behave, and speak, as Kubernetes does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from phases.objects import condition
from phases.snapshot import Seen
from rekindle.simulator.api import Refused
from rekindle.simulator.faults import Faults
from rekindle.simulator.tree import Item
from tests.simulator.worlds import (
    ANTON_PODS,
    do,
    messages,
    objects,
    packaged,
    run_for,
    small,
)

NO_CNI = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
    " message:Network plugin returns error: cni plugin not initialized"
)


def test_june_12_begins_with_23_pods_and_a_namespace_that_is_terminating_since_two_hours() -> None:
    world = packaged("june-12")
    storage = objects(world, "Namespace")["storage"]

    assert len(objects(world, "Pod")) == 23
    assert storage.metadata.creation_timestamp == datetime(2025, 6, 2, 8, 16, tzinfo=UTC)
    assert storage.metadata.deletion_timestamp == datetime(2025, 6, 12, 6, 10, tzinfo=UTC)
    for name in ("Kustomization", "HelmRelease", "GitRepository", "ExternalSecret"):
        assert objects(world, name) == {}
    assert "externalsecrets.external-secrets.io" not in objects(world, "CustomResourceDefinition")
    ready = messages(world, "Node", "k8s-1")["Ready"]
    assert ready == ("False", "KubeletNotReady", NO_CNI)


def test_a_held_namespace_says_what_remains_and_who_holds_it() -> None:
    world = packaged("june-12")
    texts = messages(world, "Namespace", "storage")
    held = world.look().holders["namespace/storage"]

    assert isinstance(held, Seen)
    assert texts["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: cephblockpools.ceph.rook.io has 3 resource instances",
    )
    assert texts["NamespaceFinalizersRemaining"] == (
        "True",
        "SomeFinalizersRemain",
        (
            "Some content in the namespace has finalizers remaining:"
            " cephblockpool.ceph.rook.io in 3 resource instances"
        ),
    )
    assert [holder.name for holder in held.value] == ["database", "replicapool", "scratch"]
    assert {holder.owner_alive for holder in held.value} == {None}  # no API tells it
    assert {holder.resource for holder in held.value} == {"cephblockpools"}


def test_a_held_object_is_let_go_by_its_operator_while_that_runs() -> None:
    world = small("healthy")

    world.cluster.api.delete("CephBlockPool", "storage/fast")
    run_for(world, 30)

    assert world.cluster.api.get("CephBlockPool", "storage/fast") is None


def test_nothing_can_be_created_in_a_terminating_namespace() -> None:
    world = small("june")

    with pytest.raises(Refused) as refused:
        world.cluster.maker.apply(Item("ConfigMap", key="storage/new"), {})

    assert refused.value.message == (
        'configmaps "new" is forbidden: unable to create new content in namespace storage'
        " because it is being terminated"
    )


def _release(world: object, **changes: object) -> dict[str, object]:
    held = world.look().holders["namespace/storage"]  # type: ignore[attr-defined]
    holder = held.value[0]
    return {
        "kind": holder.kind,
        "namespace": holder.namespace,
        "name": holder.name,
        "uid": holder.uid,
        "finalizers": list(holder.finalizers),
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "code"), [({"uid": "another"}, "conflict"), ({"name": "nobody"}, "not-found")]
)
def test_a_release_is_refused_for_another_object(changes: dict[str, object], code: str) -> None:
    world = small("june")

    settlement = do(world, "a", "finalizer.release", "x", **_release(world, **changes))

    assert (settlement.outcome, settlement.code) == ("failed", code)


def test_a_release_is_refused_while_the_object_is_not_terminating() -> None:
    world = small("healthy")
    found = world.cluster.api.get("CephBlockPool", "storage/fast")
    arguments = {
        "kind": "CephBlockPool",
        "namespace": "storage",
        "name": "fast",
        "uid": found.metadata.uid,
        "finalizers": list(found.metadata.finalizers),
    }

    settlement = do(world, "a", "finalizer.release", "x", **arguments)

    assert (settlement.outcome, settlement.code) == ("failed", "conflict")


def test_a_released_namespace_is_gone_within_a_minute() -> None:
    world = small("june")

    assert do(world, "a", "finalizer.release", "x", **_release(world)).outcome == "done"
    run_for(world, 61)

    assert "storage" not in objects(world, "Namespace")


def test_a_definition_is_established_five_seconds_after_it_was_applied() -> None:
    world = small("june")
    name = "externalsecrets.external-secrets.io"

    do(world, "a", "crd.preapply", name, crd=name)
    early = messages(world, "CustomResourceDefinition", name)["Established"]
    run_for(world, 6)

    assert early[:2] == ("False", "Installing")
    assert messages(world, "CustomResourceDefinition", name)["Established"][0] == "True"


def test_a_definition_is_terminating_while_an_instance_has_a_finalizer() -> None:
    world = small("june")
    name = "cephblockpools.ceph.rook.io"

    world.cluster.api.delete("CustomResourceDefinition", name)
    run_for(world, 600)

    text = messages(world, "CustomResourceDefinition", name)["Terminating"]
    assert text == ("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
    assert f"crd/{name}" in world.look().holders

    do(world, "a", "finalizer.release", "x", **_release(world))
    run_for(world, 10)
    assert name not in objects(world, "CustomResourceDefinition")


def test_a_lost_node_is_noticed_after_forty_seconds_and_its_pods_move_after_five_minutes() -> None:
    world = packaged("node-lost", faults=Faults(off=(("k8s-3", 1200.0, 9e9),)))
    run_for(world, 1235)
    assert messages(world, "Node", "k8s-3")["Ready"][0] == "True"
    run_for(world, 20)
    assert messages(world, "Node", "k8s-3")["Ready"][:2] == ("Unknown", "NodeStatusUnknown")
    on_it = [key for key, pod in objects(world, "Pod").items() if pod.spec.node_name == "k8s-3"]
    states = [condition(objects(world, "Pod")[key].status.conditions, "Ready") for key in on_it]
    assert {found.status for found in states if found is not None} == {"False"}

    run_for(world, 600)

    leaving = [pod for pod in objects(world, "Pod").values() if pod.metadata.deletion_timestamp]
    assert leaving
    assert {pod.spec.node_name for pod in leaving} == {"k8s-3"}
    stateful = [pod for pod in leaving if pod.metadata.owner_references[0].kind == "StatefulSet"]
    assert stateful  # these are never replaced while their node may still run them
    assert len(objects(world, "Pod")) - len(leaving) == ANTON_PODS - len(stateful)


def test_pods_wait_unscheduled_where_no_node_is_ready() -> None:
    world = packaged("june-12")
    pods = objects(world, "Pod")
    waiting = [pod for pod in pods.values() if pod.status.phase == "Pending"]

    assert waiting
    assert {pod.status.conditions[0].reason for pod in waiting} == {"Unschedulable"}


def test_a_deployments_pod_is_of_its_replica_set_and_bears_its_hash() -> None:
    """Else rules take simulated pods for those of nobody: no real ReplicaSet is called as its Deployment."""
    pods = objects(packaged("healthy"), "Pod")
    (echo, *_) = [pod for key, pod in pods.items() if key.startswith("default/echo-")]
    (owner,) = echo.metadata.owner_references
    revision = echo.metadata.labels["pod-template-hash"]

    assert (owner.kind, owner.name) == ("ReplicaSet", f"echo-{revision}")
    assert echo.metadata.name.startswith(f"{owner.name}-")
