"""
A watch of whole scenarios, while somebody works by hand on the same cluster.

Promise: it begins nothing, recognises what is done, and everything else happens as if it were not there. Mutants: let a
tied turn have intents; leave a verb out of ``phases.deeds``; let a watch's nudge have a new token in every turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from engine.answer import Act, Ask
from engine.judging import Rules
from engine.memory import Memory
from engine.replay import replay
from engine.runner import Ended, Runner
from engine.turn import Turn
from engine.wishes import key_of
from engine.world import Wakeup
from journal import entries as e
from journal.entries import Fact, Instant
from journal.row import Row
from phases.nudges import nudge
from phases.recipe import recipe
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.doers import DOERS
from rekindle.simulator.events import Process
from rekindle.simulator.scenario import find_scenario, load_scenario
from rekindle.simulator.world import SimWorld
from tests.properties.clusters import plan_of
from tests.properties.harness import RUN, Logbook, WorldClock
from tests.rehearsals.test_scenarios import NAMES, begin

THINK_SECONDS = 40.0
MOST_WAKEUPS = 2_000
Hand = Callable[["Beside"], None]


@dataclass
class Beside:
    """A world on which somebody works by hand; *hand* is called before each wait."""

    world: SimWorld
    hand: Hand
    turn: Turn | None = None
    done: dict[str, Instant] = field(default_factory=dict)
    wakeups: int = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a world has
        return getattr(self.world, name)

    @property
    def cluster(self) -> SimCluster:
        return self.world.cluster

    def start(self, intent: object) -> None:
        pytest.fail(f"a watch began {intent}")

    def next(self, until: Instant | None) -> Wakeup:
        self.wakeups += 1
        assert self.wakeups < MOST_WAKEUPS, "and no end"
        self.hand(self)
        return self.world.next(until)

    # a watcher of the runner, too: whoever works by hand reads what the watch says
    def turned(self, rules: Rules, turn: Turn) -> None:
        del rules
        self.turn = turn

    def wrote(self, rows: Sequence[Row]) -> None:
        del rows


def as_told(beside: Beside) -> None:
    """Somebody does what the watch says, each thing forty seconds after the one before."""
    turn, now = beside.turn, beside.world.now()
    if turn is None or (beside.done and now < max(beside.done.values()) + THINK_SECONDS):
        return
    for subject, answer in turn.answers.items():
        if isinstance(answer, Act):
            key, verb, arguments = key_of(answer.verb, answer.target), answer.verb, answer.arguments
        elif isinstance(answer, Ask) and "verb" in answer.evidence:
            verb = str(answer.evidence["verb"])
            key, arguments = key_of(verb, subject), turn.memory.facts[subject].detail
        else:
            continue
        if key not in beside.done:
            beside.done[key] = now
            by_hand(beside.cluster, verb, dict(arguments))
            return


def by_hand(cluster: SimCluster, verb: str, arguments: dict[str, Any]) -> None:
    """Do it directly, as kubectl, talosctl and the flux CLI would."""
    if verb == "command.run":
        Process(cluster.loop, cluster.commands.run(str(arguments["command"]))).go()
        return
    if verb == "flux.nudge":
        arguments["requested_at"] = f"{cluster.loop.now:.6f}"
    assert DOERS[verb](cluster, arguments).outcome == "done"


@dataclass
class Watch:
    """A watch of a scenario inside the test."""

    cluster: SimCluster
    book: Logbook = field(default_factory=Logbook)

    def run(self, hand: Hand) -> tuple[Ended, Beside]:
        plan = plan_of(self.cluster.scenario)
        beside = Beside(SimWorld(self.cluster), hand)
        opened = e.RunOpened(
            at=beside.now(),
            run_id=RUN,
            purpose="watch",
            cluster=plan.cluster,
            identity=msgspec.to_builtins(beside.identity()),
            plan=plan.compiled(),
            plan_digest=plan.digest(),
            version="0",
            initial=plan.machine.initial,
            world={"world": "w"},
        )
        self.book.open(opened)
        runner = Runner(
            rules=Rules.of(recipe(), plan),
            logbook=self.book,
            world=beside,
            memory=self.book.folded(),
            dice=lambda: 0.5,
            clock=WorldClock(beside.now),
            watcher=beside,
            tied=True,
        )
        return runner.run(), beside

    def deeds(self) -> list[e.ByHand]:
        return [entry for entry in self.book.entries() if isinstance(entry, e.ByHand)]


def watch_of(name: str) -> Watch:
    return Watch(SimCluster(load_scenario(find_scenario(name))))


HANDS = {
    "june-12": {"command.run": 1, "crd.preapply": 1, "finalizer.release": 3, "root.apply": 1},
    "cold-start": {
        "talos.apply": 3,
        "etcd.bootstrap": 1,
        "kubeconfig.fetch": 1,
        "command.run": 1,
        "root.apply": 1,
    },
    "dead-webhook": {"apiservice.remove": 1, "webhook.remove": 1},
}


@pytest.mark.parametrize("name", sorted(HANDS))
def test_somebody_recovers_by_hand_and_the_watch_writes_it_down(name: str) -> None:
    watch = watch_of(name)

    ended, beside = watch.run(as_told)

    assert ended.outcome == "done"
    assert ended.memory.facts["pods"].detail == {"ready": 104, "expected": 104}
    told = Counter(deed.verb for deed in watch.deeds())
    nudges = told.pop("flux.nudge", 0)
    assert HANDS[name].items() <= dict(told).items()
    assert nudges <= sum(key.startswith("flux.nudge ") for key in beside.done)
    kinds = {type(entry) for entry in watch.book.entries()}
    assert not {e.ActionIntended, e.ApprovalAsked, e.ActionSettled} & kinds
    assert watch.cluster.actions.counts == {}
    compared, differences = replay(recipe(), watch.book.entries())
    assert (compared > 5, differences) == (True, ())


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_is_alone_recognises_nobody(name: str) -> None:
    """Its own actions, and what controllers do after them, are no deeds of others."""
    run, _ = begin(name)

    assert run.session() is not None
    assert [entry for entry in run.book.entries() if isinstance(entry, e.ByHand)] == []


def test_mistakes_of_the_night_are_recognised() -> None:
    """A node is wiped, an object suspended by hand; a watch can only say so."""
    watch = watch_of("node-lost")
    key = "media/jellyfin"
    made: list[str] = []

    def mistaken(beside: Beside) -> None:
        cluster = beside.cluster
        if beside.wakeups == 3:
            found = cluster.api.get("Kustomization", key)
            spec = replace(found.spec, suspend=True)
            cluster.api.put("Kustomization", replace(found, spec=spec))
            made.append("suspended")
        if beside.wakeups == 6:
            cluster.machines.wipe(cluster.machines.by_name["k8s-3"])
            made.append("wiped")
        if beside.wakeups > 6 and len(watch.deeds()) > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch.run(mistaken)

    assert made == ["suspended", "wiped"]
    assert [(deed.verb, deed.target) for deed in watch.deeds()] == [
        ("flux.suspend", f"kustomization/{key}"),
        ("node.wipe", "node/k8s-3"),
    ]


def test_what_nobody_does_is_written_once() -> None:
    """An hour in which nothing changes adds nothing to the journal: a wish is not a new one in every turn."""
    watch = watch_of("june-12")
    sizes: list[int] = []

    def nobody(beside: Beside) -> None:
        turn = beside.turn
        woken = turn is not None and any(
            isinstance(answer, Act) and answer.verb == "flux.nudge"
            for answer in turn.answers.values()
        )
        if not woken:
            as_told(beside)
            return
        sizes.append(len(watch.book.rows))
        if len(sizes) == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch.run(nobody)

    decided = [entry for entry in watch.book.entries() if isinstance(entry, e.Decided)]
    tokens: dict[str, set[str]] = {}
    for entry in decided:
        for subject, body in entry.answers.items():
            if body.get("verb") == "flux.nudge":
                tokens.setdefault(subject, set()).add(body["arguments"]["requested_at"])
    assert tokens
    assert all(len(found) == 1 for found in tokens.values())


def test_only_a_watch_has_tokens_that_stay_the_same() -> None:
    """With hands, a token is of the instant again: one that was used before wakes nobody."""
    blocked = Fact("Blocked", detail={"uid": "u", "generation": 1})
    section = plan_of(load_scenario(find_scenario("june-12"))).target

    def token(memory: Memory) -> str:
        act = nudge(section, "kustomization/a/b", blocked, "source", memory)
        assert isinstance(act, Act)
        return str(act.arguments["requested_at"])

    watching = Memory(run_id="r", purpose="watch", opened_at=10.0, now=20.0)

    assert token(watching) == token(replace(watching, now=30.0))
    acting = replace(watching, purpose="run")
    assert len({token(watching), token(acting), token(replace(acting, now=30.0))}) == 3
