"""
What webhooks and aggregated APIs stand on: Services, as long as their workloads are there, and the pods behind them.

Mutants, killed here: a slice lists what is not ready as ready; it keeps pods that are gone; a Service outlives its
workload; one that somebody deletes comes back by itself; a change of what only rules read wakes a client; a Service
throws the dice.
"""

from __future__ import annotations

import pytest

from phases.autoscaler_objects import HorizontalPodAutoscaler
from phases.more_objects import EndpointSlice
from phases.snapshot import ALL_KINDS, LISTED_KINDS, MORE_KINDS, Seen
from rekindle.simulator.labels import SERVICE_NAME
from rekindle.simulator.scenario import AdmissionWebhook
from rekindle.simulator.shapes import with_meta
from rekindle.simulator.tree import Item
from rekindle.simulator.world import SimWorld
from tests.simulator.driver import Driver, everything
from tests.simulator.worlds import SMALL_PODS, objects, run_for, small

DNS = "kube-system/coredns"


def ends(world: SimWorld, service: str) -> list[tuple[str, bool | None]] | None:
    """The addresses behind a Service, and whether they are ready; None: it has no slice."""
    namespace, _, name = service.partition("/")
    found: list[EndpointSlice] = [
        one
        for one in objects(world, "EndpointSlice").values()
        if one.metadata.labels[SERVICE_NAME] == name and one.metadata.namespace == namespace
    ]
    if not found:
        return None
    (only,) = found
    return sorted((end.addresses[0], end.conditions.ready) for end in only.endpoints or ())


def pods_of(world: SimWorld, key: str) -> list[str]:
    return [name for name in objects(world, "Pod") if name.startswith(f"{key}-")]


@pytest.mark.parametrize("name", ["healthy", "cold"])
def test_every_workload_that_can_be_called_has_a_service_and_its_ready_pods(name: str) -> None:
    world = small(name)
    Driver(world).run(everything(SMALL_PODS), hours=2)
    run_for(world, 1)  # a workload's own numbers are a moment late

    for kind in ("Deployment", "StatefulSet"):
        for key, workload in objects(world, kind).items():
            assert key in objects(world, "Service")
            behind = ends(world, key)
            assert behind is not None
            assert [ready for _, ready in behind] == [True] * workload.status.ready_replicas
    assert not set(objects(world, "DaemonSet")) & set(objects(world, "Service"))


def test_an_endpoint_is_as_ready_as_its_pod_and_gone_with_it() -> None:
    world = small("healthy")
    (first, *_) = pods_of(world, DNS)
    before = ends(world, DNS)
    address = objects(world, "Pod")[first].status.pod_ip
    assert before is not None
    assert (address, True) in before

    world.cluster.api.delete("Pod", first)
    assert (address, False) in (ends(world, DNS) or [])

    world.cluster.api.remove("Pod", first)
    assert address not in dict(ends(world, DNS) or [])


def test_a_node_that_is_lost_takes_the_readiness_of_its_pods_along() -> None:
    world = small("healthy")
    machine = world.cluster.machines.by_name["n3"]
    here = {
        pod.status.pod_ip
        for pod in objects(world, "Pod").values()
        if pod.spec.node_name == "n3" and pod.status.pod_ip
    }
    world.cluster.machines.power_off(machine)
    run_for(world, 120)

    told = [
        end
        for one in objects(world, "EndpointSlice").values()
        for end in one.endpoints or ()
        if end.addresses[0] in here
    ]
    assert told
    assert not any(end.conditions.ready for end in told)


def test_a_service_goes_with_its_workload_and_comes_back_with_it_alone() -> None:
    world = small("healthy")
    uid = objects(world, "Service")[DNS].metadata.uid
    world.cluster.api.delete("Service", DNS)
    run_for(world, 30)
    assert (DNS in objects(world, "Service"), ends(world, DNS)) == (False, None)

    world = small("healthy")
    labels = objects(world, "Deployment")[DNS].metadata.labels
    world.cluster.api.delete("Deployment", DNS)
    assert (DNS in objects(world, "Service"), ends(world, DNS)) == (False, None)

    world.cluster.maker.apply(Item("Deployment", key=DNS, replicas=2), labels)
    assert not any(
        ready for _, ready in ends(world, DNS) or []
    )  # those of before are on their way out
    run_for(world, 200)
    assert [ready for _, ready in ends(world, DNS) or []] == [True, True]
    assert objects(world, "Service")[DNS].metadata.uid != uid
    assert objects(world, "Service")[DNS].metadata.labels == labels


def test_a_service_of_another_name_selects_its_backend() -> None:
    world = small("healthy")
    hook = AdmissionWebhook("guard", "guard.example.com", "kube-system/guard", (), backend=DNS)
    world.cluster.registrations.register((), (hook,))

    assert ends(world, "kube-system/guard") == ends(world, DNS)
    world.cluster.api.delete("Deployment", DNS)
    assert "kube-system/guard" not in objects(world, "Service")


def test_an_accident_takes_no_service_of_what_is_left() -> None:
    world = small("june")

    services = set(objects(world, "Service"))
    workloads = {*objects(world, "Deployment"), *objects(world, "StatefulSet")}
    assert services == workloads
    assert workloads


def test_what_only_rules_read_wakes_nobody_and_is_there_at_the_next_look() -> None:
    world = small("healthy")
    run_for(world, 5)
    before = world.cluster.signature()
    slices = objects(world, "EndpointSlice")
    name = next(iter(slices))

    world.cluster.api.update("EndpointSlice", name, endpoints=())

    assert world.cluster.signature() == before
    assert not world.has_news()
    assert objects(world, "EndpointSlice")[name].endpoints == ()
    assert slices[name].endpoints != ()  # a look that was given away does not move


def test_what_is_on_its_way_out_wakes_whatever_its_kind() -> None:
    """It may be all that holds a namespace."""
    world = small("healthy")
    world.cluster.maker.apply(Item("Job", key="apps/once", finalizer="example.com/hold"), {})
    run_for(world, 5)
    before = world.cluster.signature()

    world.cluster.api.delete("Job", "apps/once")
    during = world.cluster.signature()
    world.cluster.api.release("Job", "apps/once", ("example.com/hold",))

    assert len({before, during, world.cluster.signature()}) == 3


@pytest.mark.parametrize("kind", MORE_KINDS)
def test_what_a_tree_brings_of_these_kinds_is_what_rules_can_read(kind: str) -> None:
    world = small("healthy")
    world.cluster.maker.apply(Item(kind, key="apps/x"), {})

    assert isinstance(objects(world, kind)["apps/x"], MORE_KINDS[kind])


def test_nobody_throws_dice_for_a_service() -> None:
    """Or every story with a seed would have become another one."""
    world = small("healthy")
    state = world.cluster.loop.random.getstate()
    found = objects(world, "Deployment")[DNS]

    world.cluster.api.delete("Service", DNS)
    world.cluster.services.select(DNS, DNS)

    assert world.cluster.loop.random.getstate() == state
    assert objects(world, "Service")[DNS].metadata.uid
    assert with_meta(found, uid="") == with_meta(objects(world, "Deployment")[DNS], uid="")


def test_a_client_without_sight_of_the_api_sees_none_of_it() -> None:
    world = small("healthy")
    world.cluster.unseen["api"] = world.now()

    assert not any(isinstance(world.look().objects[kind], Seen) for kind in MORE_KINDS)
    assert not any(isinstance(look, Seen) for look in world.listed().objects.values())


def test_an_inventory_is_shown_more_than_a_run_looks_at() -> None:
    """Mutants: look at them in every run; leave them out of the list, or what a tree brings of them."""
    world = small("healthy")
    world.cluster.maker.apply(Item("HorizontalPodAutoscaler", key="apps/web"), {})
    listed = world.listed().objects

    assert set(world.look().objects) == set(ALL_KINDS)
    assert {kind for kind, look in listed.items() if isinstance(look, Seen)} == set(LISTED_KINDS)
    found = listed["HorizontalPodAutoscaler"]
    assert isinstance(found, Seen)
    assert isinstance(found.value["apps/web"], HorizontalPodAutoscaler)
