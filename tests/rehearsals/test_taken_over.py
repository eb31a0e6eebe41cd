"""
A watch that is taken over while somebody has just begun etcd by hand, on a node that the watch did not name.

Promise: there is one cluster. Mutants: begin etcd as soon as every control plane waits for it; count the time from the
hand-over alone, though it was taken over while nobody looked.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.answer import Act
from engine.folding import fold_all
from engine.judging import Rules
from engine.memory import Memory
from engine.runner import Ended, Runner
from journal import entries as e
from phases.recipe import recipe
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import load_scenario
from rekindle.simulator.world import SimWorld
from tests.properties.clusters import plan_of
from tests.properties.harness import Watching, WorldClock
from tests.rehearsals.test_watched import Beside, Watch, by_hand
from tests.simulator.worlds import DATA, run_for

BOOTSTRAP = "etcd.bootstrap"
SOON_SECONDS, LATE_SECONDS = 15.0, 900.0  # between the last that the watch saw and the take-over


class Left(KeyboardInterrupt):
    """The watch is left."""


def configured(beside: Beside) -> None:
    """Apply what the watch says, and leave once it would begin etcd."""
    for answer in beside.turn.answers.values() if beside.turn is not None else ():
        if not isinstance(answer, Act):
            continue
        if answer.verb == BOOTSTRAP:
            raise Left
        if answer.verb == "talos.apply" and answer.target not in beside.done:
            beside.done[answer.target] = beside.world.now()
            by_hand(beside.cluster, answer.verb, dict(answer.arguments))


def begun_on(node: str, cluster: SimCluster) -> None:
    """Begin etcd by hand."""
    machine = cluster.machines.by_name[node]
    arguments = {"node": node, "address": machine.address, "boot_id": machine.boot_id}
    by_hand(cluster, BOOTSTRAP, {**arguments, "machine_uuid": machine.uuid})


def left(shows_after: float) -> Watch:
    """A watch that was left when every control plane waited for etcd; one that begins shows itself so much later."""
    scenario = load_scenario(DATA / "small-cold.yaml")
    watch = Watch(SimCluster(scenario, faults=Faults(etcd_delay=shows_after)))
    with pytest.raises(Left):
        watch.run(configured)
    watch.book.append([e.RunInterrupted(at=watch.cluster.loop.now, why="signal", summary={})])
    return watch


def taken_over(watch: Watch, idle: float) -> Ended:
    """Give it hands; what it knows is of *idle* seconds ago."""
    cluster, world = watch.cluster, SimWorld(watch.cluster)
    seen = cluster.loop.now - idle
    watch.book.resume()
    watch.book.append([e.TakenOver(at=seen, actor="somebody", identity={})])
    runner = Runner(
        rules=Rules.of(recipe(), plan_of(cluster.scenario)),
        logbook=watch.book,
        world=world,
        memory=watch.book.folded(),
        dice=lambda: 0.5,
        clock=WorldClock(world.now),
        watcher=Watching([]),
    )
    runner.resume("somebody", idle_seconds=idle, fresh_deadlines=False)
    return runner.run()


@pytest.mark.parametrize("shows_after", [8.0, 60.0, 280.0])
@pytest.mark.parametrize("late", [SOON_SECONDS, LATE_SECONDS])
def test_an_etcd_that_somebody_has_just_begun_elsewhere_is_waited_for(
    shows_after: float, late: float
) -> None:
    watch = left(shows_after)
    run_for(SimWorld(watch.cluster), late)
    begun_on("n2", watch.cluster)

    ended = taken_over(watch, late)

    assert ended.outcome == "done"
    assert watch.cluster.counters()["clusters_made"] == 1
    begun = [x for x in watch.book.entries() if isinstance(x, e.ActionIntended)]
    assert BOOTSTRAP not in {entry.verb for entry in begun}


def test_where_nobody_began_one_it_is_begun_after_the_patience() -> None:
    """Mutant: wait for it as long as the run lasts."""
    watch = left(8.0)

    ended = taken_over(watch, 0.0)

    assert ended.outcome == "done"
    assert watch.cluster.counters()["clusters_made"] == 1


def test_hands_are_counted_from_the_last_resume_before_anything_was_begun() -> None:
    """A clock that was set back takes it along; after the first action it stands. Mutants: leave out either."""
    opened = e.RunOpened(
        at=100.0, run_id="r", purpose="watch", cluster="c", identity={}, plan={},
        plan_digest="", version="0", initial="node-maintenance",
    )  # fmt: skip
    resumed = e.RunResumed(at=500.0, holder="h", idle_seconds=0.0)
    begun = e.ActionIntended(
        at=600.0, action="a1", verb="v", target="t", attempt=1, epoch=1, deadline_seconds=1.0
    )

    def since(*entries: e.AnyEntry) -> float | None:
        return fold_all(Memory(), [opened, *entries]).acts_since

    over = e.TakenOver(at=400.0, actor="a", identity={})
    assert since(resumed) is None
    assert since(over) == 400.0
    assert since(over, resumed) == 500.0
    assert since(over, resumed, begun, replace(resumed, at=900.0)) == 500.0
    back = e.ClockJumped(at=300.0, seconds=-200.0)
    assert since(over, resumed, back) == 300.0
