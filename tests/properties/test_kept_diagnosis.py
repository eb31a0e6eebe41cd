"""
Promise: what rules keep from one look to the next changes nothing they find; a healthy cluster gives them nothing.

Method: every look of a recovery with some trouble is diagnosed twice, by rules that keep what nothing has changed and
by rules that see a cluster for the first time; then a hundred looks at the cluster that was recovered.

Mutants, killed here: ``Scene._holds`` says yes; it skips what is compared by identity; ``once`` does not hand the
questions of an inner answer to the outer one; ``passed`` is not written down as a question.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from msgspec.structs import replace

from phases.causes import diagnose
from phases.diagnosis.catalogue import RULES
from phases.diagnosis.rule import FAILED, ask
from phases.diagnosis.scene import Kept, Scene
from phases.diagnosis.structure import blocking
from phases.snapshot import ALL_KINDS, Snapshot
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import AdmissionWebhook, AggregatedApi
from rekindle.simulator.world import SimWorld
from tests.properties.clusters import YES, plan_of, scenario, story


@cache
def looks(name: str, *reboots: tuple[str, float]) -> tuple[Snapshot, ...]:
    found: list[Snapshot] = []

    def keep(snapshot: Any) -> Any:  # noqa: ANN401  the domain's look
        found.append(snapshot)
        return snapshot

    run, cluster = story(name, faults=Faults(reboots=reboots), operator=YES, blindfold=keep)
    run.to_the_end()
    world = SimWorld(cluster)
    for _ in range(100):
        world.next(world.now() + 5.0)
        found.append(world.look())
    return tuple(found)


def test_what_is_kept_is_what_would_be_found_anew() -> None:
    for name in ("cold", "june"):
        inventory = plan_of(scenario(name)).target.inventory
        kept: dict[str, Kept] = {}
        found = 0
        for snapshot in looks(name, ("n3", 200.0)):
            keeping, fresh = Scene(snapshot, inventory, kept), Scene(snapshot, inventory)
            told = ask(RULES, keeping)
            assert told == ask(RULES, fresh)
            assert FAILED not in {one.cause for one in told.values()}
            edges = keeping.once("blocking", partial(blocking, keeping))
            assert edges == blocking(fresh)
            found += len(told)
        assert found


def test_a_healthy_cluster_gives_no_finding_in_a_hundred_looks() -> None:
    for name in ("cold", "june"):
        plan, hundred = plan_of(scenario(name)), looks(name)[-100:]
        assert len(hundred) == 100
        for snapshot in hundred:
            assert diagnose(plan, snapshot) == {}
            assert set(snapshot.objects) == set(ALL_KINDS)


def test_what_is_served_gives_no_finding_in_a_hundred_looks_either() -> None:
    """A webhook and an aggregated API with a backend, which is called as its Service in one case only."""
    dns = "kube-system/coredns"
    hook = AdmissionWebhook("guard", "guard.example.com", "kube-system/guard", (), backend=dns)
    api = AggregatedApi("v1beta1.metrics.k8s.io", dns, dns)
    found = scenario("healthy")
    served = replace(found, initial=replace(found.initial, apis=(api,), webhooks=(hook,)))
    plan, world = plan_of(served), SimWorld(served)
    for _ in range(100):
        world.next(world.now() + 5.0)
        assert diagnose(plan, world.look()) == {}

    for key in [key for key in world.cluster.api.all("Pod") if key.startswith(f"{dns}-")]:
        world.cluster.api.delete("Pod", key)
    assert "WH1:validatingwebhookconfiguration/guard" in diagnose(plan, world.look())
