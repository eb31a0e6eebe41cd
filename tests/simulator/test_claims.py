"""
Claims and volumes: by whose hand they come, what they outlive, and what waits for them.

Mutants, killed here: a claim is bound without its provisioner; a pod is placed before its claims are bound; a claim
goes while a pod uses it, or with its StatefulSet; a volume outlives its claim, or goes without its provisioner.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.scene import Scene
from phases.readiness.storage import users_of_claim
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.inventory import inventory_of
from rekindle.simulator.scenario import load_scenario
from rekindle.simulator.tree import Item, KustomizationSpec, Tree, load_tree
from rekindle.simulator.world import SimWorld
from tests.simulator.worlds import DATA, objects, run_for

CLAIM, VOLUME = "PersistentVolumeClaim", "PersistentVolume"
OPERATOR, CLASS = "storage/rook-ceph-operator", "fast"
DATABASE = Item("StatefulSet", key="apps/db", replicas=2, claims=("data",), storage=CLASS)
CLAIMS = {"apps/data-db-0", "apps/data-db-1"}


def tree_with(*items: Item) -> Tree:
    tree = load_tree(DATA / "small.yaml")
    web = tree.kustomizations["apps/web"]
    more = replace(web, objects=(*web.objects, *items))
    pools: KustomizationSpec = tree.kustomizations["storage/pools"]
    kept = replace(
        pools, objects=(*pools.objects, Item("StorageClass", name=CLASS, backend=OPERATOR))
    )
    both = {**tree.kustomizations, "apps/web": more, "storage/pools": kept}
    return replace(tree, kustomizations=both)


def world_with(*items: Item) -> SimWorld:
    found = load_scenario(DATA / "small-healthy.yaml")
    return SimWorld(SimCluster(found, tree=tree_with(*items)))


def stop(world: SimWorld, deployment: str) -> Any:  # noqa: ANN401  the Deployment
    found = objects(world, "Deployment")[deployment]
    world.cluster.api.delete("Deployment", deployment)
    run_for(world, 20)
    return found


def start(world: SimWorld, deployment: str) -> None:
    world.cluster.maker.apply(Item("Deployment", key=deployment, start=5), {})
    run_for(world, 30)


def phases(world: SimWorld, kind: str) -> dict[str, str]:
    return {key: found.status.phase for key, found in objects(world, kind).items()}


def findings(world: SimWorld) -> dict[str, Any]:
    return dict(diagnose(Scene(world.look())))


def test_each_pod_of_a_stateful_set_has_a_claim_of_its_own_and_a_volume() -> None:
    world = world_with(DATABASE)

    assert phases(world, CLAIM) == dict.fromkeys(CLAIMS, "Bound")
    assert set(phases(world, VOLUME).values()) == {"Bound"}
    for key in CLAIMS:
        claim = objects(world, CLAIM)[key]
        volume = objects(world, VOLUME)[claim.spec.volume_name]
        assert volume.spec.claim_ref.uid == claim.metadata.uid
    (volume,) = objects(world, "Pod")["apps/db-0"].spec.volumes
    assert volume.persistent_volume_claim.claim_name == "data-db-0"
    assert objects(world, "StatefulSet")["apps/db"].status.ready_replicas == 2
    assert findings(world) == {}


def test_without_its_provisioner_a_claim_waits_and_its_pod_with_it() -> None:
    world = world_with()
    stop(world, OPERATOR)
    world.cluster.maker.apply(DATABASE, {})
    run_for(world, 600)

    assert phases(world, CLAIM) == {"apps/data-db-0": "Pending"}  # one pod after the other
    pod = objects(world, "Pod")["apps/db-0"]
    (said,) = pod.status.conditions
    assert (said.reason, pod.spec.node_name) == ("Unschedulable", "")
    assert "pod has unbound immediate PersistentVolumeClaims" in said.message

    start(world, OPERATOR)
    run_for(world, 120)
    assert phases(world, CLAIM) == dict.fromkeys(CLAIMS, "Bound")
    assert objects(world, "StatefulSet")["apps/db"].status.ready_replicas == 2


def test_a_claim_outlives_its_stateful_set_and_serves_the_next_one() -> None:
    world = world_with(DATABASE)
    before = {key: found.metadata.uid for key, found in objects(world, CLAIM).items()}

    world.cluster.api.delete("StatefulSet", "apps/db")
    run_for(world, 60)
    assert phases(world, CLAIM) == dict.fromkeys(CLAIMS, "Bound")

    world.cluster.maker.apply(DATABASE, {})
    run_for(world, 120)
    assert {key: found.metadata.uid for key, found in objects(world, CLAIM).items()} == before


def test_a_claim_in_use_stays_until_its_pod_is_gone_and_takes_its_volume_along() -> None:
    world = world_with(DATABASE)
    for key in CLAIMS:
        world.cluster.api.delete(CLAIM, key)
    run_for(world, 60)
    assert all(found.metadata.deletion_timestamp for found in objects(world, CLAIM).values())
    assert set(objects(world, CLAIM)) == CLAIMS

    world.cluster.api.delete("StatefulSet", "apps/db")
    run_for(world, 60)
    assert (objects(world, CLAIM), objects(world, VOLUME)) == ({}, {})


def test_a_volume_whose_provisioner_is_away_stays_released_until_that_is_back() -> None:
    world = world_with(DATABASE)
    stop(world, OPERATOR)
    world.cluster.api.delete("Namespace", "apps")
    run_for(world, 600)

    assert "apps" not in objects(world, "Namespace")
    assert objects(world, CLAIM) == {}
    assert list(phases(world, VOLUME).values()) == ["Released", "Released"]

    start(world, OPERATOR)
    assert objects(world, VOLUME) == {}


def test_a_claim_that_is_to_go_names_the_pod_that_uses_it_and_nobody_says_who_lets_go() -> None:
    """As the API of a real cluster: who would serve a finalizer is in no object."""
    world = world_with(DATABASE)
    world.cluster.api.delete("Namespace", "apps")
    run_for(world, 1)
    look = world.look()
    held = look.holders["namespace/apps"].value  # type: ignore[union-attr]
    pods = objects(world, "Pod")

    assert {(h.kind, h.resource, h.owner_alive) for h in held if h.kind == CLAIM} == {
        (CLAIM, "persistentvolumeclaims", None)
    }
    users = {h.name: users_of_claim(h.namespace, h.name, pods) for h in held if h.kind == CLAIM}
    assert users == {"data-db-0": ("apps/db-0",), "data-db-1": ("apps/db-1",)}


@pytest.mark.parametrize(("storage", "phase"), [("", "Bound"), ("nobodys", "Pending")])
def test_a_claim_from_git_is_bound_by_its_class(storage: str, phase: str) -> None:
    world = world_with()
    item = Item("Deployment", key="apps/cache", claims=("cache",))
    world.cluster.maker.apply(item, {})
    run_for(world, 30)
    (pod,) = (p for key, p in objects(world, "Pod").items() if key.startswith("apps/cache-"))
    assert 'persistentvolumeclaim "cache" not found' in pod.status.conditions[0].message

    world.cluster.maker.apply(Item(CLAIM, key="apps/cache", storage=storage), {})
    run_for(world, 120)

    assert phases(world, CLAIM) == {"apps/cache": phase}
    ready = objects(world, "Deployment")["apps/cache"].status.ready_replicas
    assert ready == (1 if phase == "Bound" else 0)


def test_an_accident_leaves_the_claims_of_a_namespace_that_stays() -> None:
    found = load_scenario(DATA / "small-june.yaml")
    kept = replace(DATABASE, key="kube-system/db", storage="")
    world = SimWorld(SimCluster(found, tree=tree_with(kept, DATABASE)))

    assert objects(world, "StatefulSet") == {}
    names = ("kube-system/data-db-0", "kube-system/data-db-1")
    assert phases(world, CLAIM) == dict.fromkeys(names, "Bound")
    # The provisioner went with the rest: nobody deletes the volumes of the namespace that is gone.
    assert sorted(phases(world, VOLUME).values()) == ["Bound", "Bound", "Released", "Released"]


def test_an_inventory_says_what_the_pods_of_a_workload_with_claims_need() -> None:
    """Mutants: of one without claims as well; the class alone, for it is its operator that makes a volume."""
    bare = replace(DATABASE, key="apps/bare", claims=())
    items = inventory_of(tree_with(DATABASE, bare), ("n",), "flux-system/flux-system")["workloads"]

    needs = {item["key"]: item["needs"] for item in items}
    assert needs["apps/db"] == ["kustomization/storage/pools", f"deployment/{OPERATOR}"]
    assert needs["apps/bare"] == []
