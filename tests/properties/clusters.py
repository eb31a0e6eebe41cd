"""Stories on a small simulated cluster, and the strategies that invent what happens to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.plan import Plan, merged, of_parts
from engine.recipe import Recipe
from phases.recipe import recipe
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.faults import Faults
from rekindle.simulator.inventory import section_of
from rekindle.simulator.scenario import OperatorRule, Scenario, load_scenario
from rekindle.simulator.world import SimWorld
from tests.properties.harness import Book, Death, Logbook, Story

DATA = Path(__file__).parents[1] / "simulator" / "data"
NODES = ("n1", "n2", "n3")
COMMAND_SECONDS = 900.0
VERBS = (
    "command.run",
    "crd.preapply",
    "etcd.bootstrap",
    "finalizer.release",
    "flux.nudge",
    "kubeconfig.fetch",
    "root.apply",
    "talos.apply",
)
# Only the way to a healthy etcd: what a bootstrap is about, at a quarter of the price.
TALOS_ONLY: dict[str, Any] = {
    "initial": "node-maintenance",
    "states": {
        "node-maintenance": {"next": "talos-ready", "deadline": {"after": "30m"}},
        "talos-ready": {"next": "done", "stable": "30s", "deadline": {"after": "40m"}},
    },
}
Operator = tuple[OperatorRule, ...]
NOBODY: Operator = ()
YES: Operator = (OperatorRule("*", answer=True, think=20.0),)
# Says yes to what has to be released and to nothing else.
RELEASES: Operator = (OperatorRule("take *", answer=True, think=20.0),)


def examples(share: float) -> int:
    """So many examples: a share of what the profile asks for."""
    return max(5, int(settings.default.max_examples * share)) if settings.default else 50


@cache
def scenario(name: str) -> Scenario:
    """A scenario on the small tree: cold, june or healthy."""
    return load_scenario(DATA / f"small-{name}.yaml")


def never_early(found: Scenario) -> Scenario:
    """Nobody applies a CRD before its provider does."""
    crds = {"preapply": "never", "directory": "crds"}
    return replace(found, plan={**found.plan, "crds": crds})


def plan_of(
    found: Scenario, machine: Mapping[str, Any] | None = None, using: Recipe | None = None
) -> Plan:
    """Compile a scenario's plan."""
    table = using or recipe()
    section = section_of(found)
    scenarios = merged(section.pop("machine", {}), machine or {})
    own = machine is not None and "initial" in machine
    given = scenarios if own else merged(table.machine, scenarios)
    return of_parts(found.cluster, given, section, table)


def story(
    name: str,
    *,
    faults: Faults | None = None,
    seed: int = 7,
    operator: Operator = YES,
    machine: Mapping[str, Any] | None = None,
    using: Recipe | None = None,
    book: Book | None = None,
    blindfold: Callable[[Any], Any] = lambda snapshot: snapshot,
    found: Scenario | None = None,
) -> tuple[Story, SimCluster]:
    """Make a story on a cluster of its own."""
    script = replace(found or scenario(name), operator=operator)
    cluster = SimCluster(script, seed=seed, faults=faults or Faults())
    table = using or recipe()

    def pass_time(seconds: float) -> None:
        end = cluster.loop.now + seconds
        while (due := cluster.loop.due()) is not None and due <= end:
            cluster.loop.step()
        cluster.loop.now = max(cluster.loop.now, end)

    return (
        Story(
            recipe=table,
            plan=plan_of(script, machine, table),
            connect=lambda: SimWorld(cluster),
            pass_time=pass_time,
            book=book or Logbook(),
            blindfold=blindfold,
            seed=seed,
            request=script.request,
        ),
        cluster,
    )


# --- what may happen ---------------------------------------------------------------------------

SEEDS = st.integers(0, 999)
POINTS = (
    "before-commit",
    "after-commit",
    "before-start",
    "after-start",
    "before-adopt",
    "after-adopt",
    "after-next",
)


def deaths(verbs: tuple[str, ...] = VERBS) -> st.SearchStrategy[Death]:
    """Somewhere in the run, or beside a particular verb."""
    anywhere = st.builds(Death, point=st.sampled_from(POINTS), nth=st.integers(1, 60))
    beside = st.builds(
        Death,
        point=st.sampled_from(POINTS),
        nth=st.integers(1, 3),
        verb=st.sampled_from(verbs),
    )
    return st.one_of(beside, anywhere)


def lives(
    most: int = 3, verbs: tuple[str, ...] = VERBS
) -> st.SearchStrategy[list[tuple[Death, float]]]:
    """Deaths, and how long nobody notices each."""
    idle = st.sampled_from([0.0, 0.0, 0.5, 5.0, 40.0, 240.0, 900.0])
    return st.lists(st.tuples(deaths(verbs), idle), max_size=most)


@st.composite
def windows(draw: st.DrawFn, names: tuple[str, ...], longest: float = 900.0) -> Any:  # noqa: ANN401
    """A name, from when, until when; seconds after the start."""
    begin = draw(st.floats(0, 900, width=32))
    length = draw(st.floats(1, longest, width=32))
    return (draw(st.sampled_from(names)), begin, begin + length)


def calls(verbs: tuple[str, ...]) -> st.SearchStrategy[str]:
    """The first, second or third call of a verb."""
    return st.builds("{}#{}".format, st.sampled_from(verbs), st.integers(1, 3))


def faults(
    verbs: tuple[str, ...] = VERBS, *, reboots: bool = True, etcd: float = 1200.0
) -> st.SearchStrategy[Faults]:
    """Everything that may go wrong and still be told apart from the end of the world."""
    reboot = st.tuples(st.sampled_from(NODES), st.floats(1, 900, width=32))
    delay = st.one_of(st.sampled_from([1.0, 8.0, 60.0, 299.0, 301.0, 900.0]), st.floats(1, etcd))
    return st.builds(
        Faults,
        lost_answers=st.lists(calls(verbs), max_size=2).map(tuple),
        lost_requests=st.lists(calls(verbs), max_size=2).map(tuple),
        refusals=st.lists(calls(verbs), max_size=2).map(tuple),
        unseen=st.lists(windows((*NODES, "api")), max_size=2).map(tuple),
        reboots=st.lists(reboot, max_size=2).map(tuple) if reboots else st.just(()),
        etcd_delay=st.one_of(st.none(), delay),
        command_failures=st.sampled_from([(), (), (("cni", 1),), (("cni", 2),)]),
    )
