"""
Promise: what a run calls in vain does not come by itself; whoever is left alone with it waits for a person.

Method: recoveries in which somebody suspends objects, as soon as they look like this, and deletes others at random
moments; a verb may be forbidden, no CRD applied early, a command fail, a machine be off for a while. Where the run
gives up, nobody does anything for two hours, and what it has called in vain must not have become well in these.

Mutants, killed here: what is suspended while a worker is at it counts as bringing nothing (``hopeless.may_bring``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.memory import Memory
from engine.recipe import Facts
from phases import codes
from phases.facts import reduce
from rekindle.simulator.faults import Faults
from rekindle.simulator.world import SimWorld
from tests.properties.clusters import (
    NODES,
    SEEDS,
    VERBS,
    examples,
    never_early,
    plan_of,
    scenario,
    story,
)
from tests.properties.suspending import Pred, at_once, says, suspended

FLUX = ("Kustomization", "HelmRelease", "GitRepository")
MORE = ("CustomResourceDefinition", "Deployment", "ExternalSecret", "ClusterSecretStore")
WELL = {codes.READY, codes.RUNNING, codes.HEALTHY, codes.OURS, codes.UP}
HOURS_SECONDS = 7_200.0
WHEN: dict[str, Pred] = {
    "it is there": at_once,
    "it is Ready": says("Ready", "True"),
    "a worker is at it": says("Reconciling", "True", "Progressing"),
    "it failed": says("Ready", "False"),
}
STORES = "external-secrets/stores"


class Named(NamedTuple):
    """An object."""

    kind: str
    key: str


class Suspended(NamedTuple):
    """Somebody suspends *what* as soon as *when* (``WHEN``)."""

    what: Named
    when: str


class Deleted(NamedTuple):
    """Somebody deletes *what* so many *seconds* after the start."""

    what: Named
    seconds: float


@cache
def there(kinds: tuple[str, ...]) -> tuple[Named, ...]:
    """Name all of these kinds that the small cluster has in the end."""
    run, cluster = story("cold")
    run.session()
    return tuple(Named(kind, key) for kind in kinds for key in sorted(cluster.api.all(kind)))


SUSPENDED = st.builds(
    Suspended, st.deferred(lambda: st.sampled_from(there(FLUX))), st.sampled_from(sorted(WHEN))
)
DELETED = st.builds(
    Deleted,
    st.deferred(lambda: st.sampled_from(there((*FLUX, *MORE)))),
    st.floats(20, 600, width=32),
)


@st.composite
def troubles(draw: st.DrawFn) -> Faults:
    """What keeps a run from going on for a while, or for good."""
    off = st.tuples(st.sampled_from(NODES), st.floats(50, 300, width=32), st.just(2_000.0))
    thrice = (("cni", 1), ("cni", 2), ("cni", 3))
    return Faults(
        command_failures=draw(st.sampled_from([(), (), thrice])),
        pod_slowness=draw(st.sampled_from([1.0, 3.0, 20.0])),
        off=draw(st.lists(off, max_size=1).map(tuple)),
    )


@given(
    name=st.sampled_from(["cold", "june"]),
    seed=SEEDS,
    early=st.booleans(),
    forbidden=st.sampled_from(["", "", "", *VERBS]),
    hands=st.lists(SUSPENDED, min_size=1, max_size=3),
    losses=st.lists(DELETED, max_size=2),
    trouble=troubles(),
)
@example(  # the worker that is at it makes the store, whatever else is suspended
    name="june",
    seed=7,
    early=True,
    forbidden="",
    hands=[
        Suspended(Named("Kustomization", STORES), "a worker is at it"),
        Suspended(Named("HelmRelease", "storage/rook-ceph"), "it is there"),
    ],
    losses=[],
    trouble=Faults(),
)
@example(  # what a suspended one has applied already goes on by itself, however long it takes
    name="cold",
    seed=0,
    early=True,
    forbidden="",
    hands=[Suspended(Named("Kustomization", "storage/rook"), "a worker is at it")],
    losses=[],
    trouble=Faults(pod_slowness=20.0),
)
@example(  # what somebody mends after the run has given up, by deleting it, did not come by itself
    name="cold",
    seed=0,
    early=True,
    forbidden="",
    hands=[Suspended(Named("Kustomization", "apps/web"), "it failed")],
    losses=[Deleted(Named("Kustomization", "apps/web"), 288.0)],
    trouble=Faults(),
)
@settings(max_examples=examples(0.3))
def test_what_is_in_vain_does_not_come_by_itself(
    name: str,
    seed: int,
    *,
    early: bool,
    forbidden: str,
    hands: list[Suspended],
    losses: list[Deleted],
    trouble: Faults,
) -> None:
    found = scenario(name) if early else never_early(scenario(name))
    machine: dict[str, Any] = {"verbs": {forbidden: {"enabled": False}}} if forbidden else {}
    run, cluster = story(name, seed=seed, faults=trouble, found=found, machine=machine)
    for one in hands:
        suspended(cluster, *one.what, WHEN[one.when])
    given_up: list[bool] = []
    for loss in losses:
        # A deletion that comes only then mends something: who is suspended is made anew by whoever applies it.
        delete = partial(_unless, given_up, partial(cluster.api.delete, *loss.what))
        cluster.loop.at(cluster.start + loss.seconds, delete)

    ended = run.session()

    if ended is None or ended.outcome != "stuck":
        return
    before = in_vain(ended.memory)
    given_up.append(True)
    run.pass_time(HOURS_SECONDS)
    after: Facts = reduce(plan_of(found, machine), SimWorld(cluster).look())
    assert {s for s in before if s in after and after[s].code in WELL} == set()


def _unless(over: list[bool], act: Callable[[], None]) -> None:
    if not over:
        act()


def in_vain(memory: Memory) -> set[str]:
    said = memory.answers.items()
    return {s for s, body in said if body["answer"] == "wait" and body.get("can_clear") == "no"}
