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

from phases.causes import diagnose
from phases.diagnosis.catalogue import RULES
from phases.diagnosis.rule import FAILED, ask
from phases.diagnosis.scene import Kept, Scene
from phases.diagnosis.structure import blocking
from phases.snapshot import Snapshot
from rekindle.simulator.faults import Faults
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
        plan = plan_of(scenario(name))
        for snapshot in looks(name)[-100:]:
            assert diagnose(plan, snapshot) == {}
