"""
Promise: the dead-wait ledger accounts for every second of a run, however often it was killed.

Method: recoveries of the small cluster with deaths and idle times of Hypothesis' choice, and every length of their
journals: the classes add up to the whole, and what was useful is no longer than the work alone, nor that than the
whole. Small histories that are made up: the work alone is the longest chain, by a walk over all of them that asks every
second of every vertex. Then the night of June 12.

Mutants, each tried: a resumed run's ``idle_seconds`` are not booked; ``Worked`` counts work from its beginning and not
from the last need on; it books nothing of the path; it counts who works while nobody pursues the run; an action, a
finding or a parent's fact makes no verdict stale; what was lost again comes after nothing; nothing comes after all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.folding import fold_all
from engine.memory import Memory
from engine.plan import Plan
from journal import entries as e
from journal.entries import AnyEntry, Fact, Finding
from phases.hindsight import Course
from phases.ledger import Ledger, booked, closing, ledger_of
from phases.wait_questions import open_questions
from phases.waits import Question, what_is
from rekindle.ledger import sentence
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.scenario import OperatorRule, Scenario, find_scenario, load_scenario
from tests.phases.making import START, opened
from tests.phases.making import plan as plan_of_tree
from tests.phases.test_path import TREE, finished
from tests.properties.clusters import examples, lives, story
from tests.properties.harness import Death, Story

SECOND = 1.0
EVERY = 37  # entries between two lengths of a journal


def ledger(plan: Plan, entries: list[AnyEntry]) -> Ledger:
    return ledger_of(plan, lambda: iter(entries))


def told(name: str, think: float | None = None) -> tuple[Story, SimCluster]:
    """One of the package's scenarios, closed with its ledger; *think*: so long its operator takes to answer."""
    found: Scenario = load_scenario(find_scenario(name))
    rules = found.operator
    if think is not None:
        rules = tuple(replace(rule, think=think) for rule in rules) or (
            OperatorRule("*", answer=True, think=think),
        )
    run, cluster = story(name, found=found, seed=found.seed, operator=rules)
    run.closing = partial(closing, run.plan, lambda: iter(run.book.entries()))
    return run, cluster


def check(seen: Ledger, entries: list[AnyEntry]) -> None:
    whole = max(entry.at for entry in entries) - entries[0].at
    assert seen.total == pytest.approx(whole)
    assert sum(seen.classes.values()) == pytest.approx(seen.total, abs=1e-3)
    assert all(span > 0 for span in seen.classes.values())
    assert seen.classes.get("useful", 0.0) <= seen.critical_path + 1e-6
    assert seen.critical_path <= seen.total + 1e-6


@settings(max_examples=examples(0.1))
@given(lives(most=2))
@example(deaths=[(Death("after-next", 6), 0.0)])  # the network came up while nobody looked
def test_every_second_has_a_class(deaths: list[tuple[Death, float]]) -> None:
    run, _ = story("june")
    run.to_the_end(deaths, resumes=1)
    entries = run.book.entries()

    for length in (*range(2, len(entries), EVERY), len(entries)):
        check(ledger(run.plan, entries[:length]), entries[:length])


# --- the work alone, by its definition ------------------------------------------------------------

UNTIED = {"crds": [{"name": "externalsecrets.external-secrets.io"}]}  # else TREE has a circle
SMALL = plan_of_tree({"inventory": {**TREE["inventory"], **UNTIED}})
WELL = finished(SMALL)
APPS = "kustomization/flux-system/apps"
LATE = "kustomization/apps/late"
WEB, PODS = "helmrelease/apps/web", "deployment/apps/web"
CONTROLLER = "deployment/flux-system/helm-controller"
FOUND = Finding(subject="x", cause="c", message="m", rule="L8", blocks=(PODS, APPS))
BODIES = (
    Fact("Progressing", "Building"),
    Fact("Progressing", "not reconciled yet"),
    Fact("Ready"),
    Fact("Absent"),
    Fact("Failed", "no"),
)


def observations() -> st.SearchStrategy[Callable[[float], AnyEntry]]:
    changed = st.dictionaries(
        st.sampled_from([APPS, APPS, LATE, WEB, PODS, CONTROLLER, "namespace/apps"]),
        st.sampled_from(BODIES),
        min_size=1,
        max_size=3,
    )
    return changed.map(lambda given: lambda at: e.Observed(at=at, changed=given))


def asides() -> st.SearchStrategy[Callable[[float], AnyEntry]]:
    """What tells of work, or of none, beside facts."""
    return st.sampled_from(
        [
            lambda at: intended("flux.nudge", APPS, at),
            lambda at: intended("command.run", "command/x", at),
            lambda at: settled("flux.nudge", APPS, at),
            lambda at: settled("command.run", "command/x", at),
            lambda at: e.FindingsChanged(at=at, changed={"f": FOUND}),
            lambda at: e.FindingsChanged(at=at, cleared=("f",)),
            lambda at: e.Decided(at=at, state="flux-synced", answers={APPS: {"answer": "stuck"}}),
            lambda at: e.RunInterrupted(at=at, why="signal"),
            lambda at: e.RunResumed(at=at, holder="me", idle_seconds=1.0),
        ]
    )


def intended(verb: str, target: str, at: float) -> AnyEntry:
    return e.ActionIntended(
        at=at, action=verb, verb=verb, target=target, attempt=1, epoch=1, deadline_seconds=60.0
    )


def settled(verb: str, target: str, at: float) -> AnyEntry:
    return e.ActionSettled(at=at, action=verb, verb=verb, target=target, outcome=e.Outcome.DONE)


def histories() -> st.SearchStrategy[list[AnyEntry]]:
    """An entry a second, from a cluster that is well; the last one says that all is, or not."""
    between = st.lists(st.one_of(observations(), asides()), min_size=4, max_size=16)
    ends = st.sampled_from([WELL, {}])

    def told(made: list[Callable[[float], AnyEntry]], end: dict[str, Fact]) -> list[AnyEntry]:
        entries = [make(START + 1 + n) for n, make in enumerate(made)]
        begin: list[AnyEntry] = [opened(SMALL), e.Observed(at=START, changed=WELL)]
        return [*begin, *entries, e.Observed(at=START + 1 + len(entries), changed=end)]

    return st.builds(told, between, ends)


@dataclass
class ByHand:
    """The longest chain of a history, second by second: what is kept in no course, and skipped by no rule."""

    entries: list[AnyEntry]

    def __post_init__(self) -> None:
        self.course = Course(SMALL.target)
        for entry in self.entries:
            self.course.see(entry)
        self.end = int(self.entries[-1].at - START)
        self.known = [self._memory(second) for second in range(self.end + 1)]
        standing = self.course.standing
        self.well = {
            v: [standing.is_done(v, memory.facts) for memory in self.known]
            for v in self.course.needs
        }

    def _memory(self, second: int) -> Memory:
        return fold_all(Memory(), [entry for entry in self.entries if entry.at <= START + second])

    def turned(self, vertex: str, by: int, *, well: bool) -> int | None:
        """The last second, *by* at the latest, at which a vertex became done, or was lost."""
        told = [False, *self.well[vertex]]
        return next((s for s in range(by, -1, -1) if told[s + 1] is well is not told[s]), None)

    def seconds(self, vertex: str, begin: int, end: int) -> float:
        return sum(self._is_useful(vertex, second) for second in range(begin, end))

    def _is_useful(self, vertex: str, second: int) -> bool:
        memory, following = self.known[second], self.entries[second + 2]
        idle = isinstance(following, e.RunResumed) and following.idle_seconds > 0
        if idle or memory.interrupted:
            return False
        asked = Question(
            SMALL.target, self.course, memory, vertex, START + second, open_questions(memory)
        )
        return what_is(asked) == "useful"

    def longest(self) -> float:
        ends = [
            (v, second)
            for v, told in self.well.items()
            for second in range(self.end + 1)
            if self.turned(v, second, well=True) == second
        ]
        left = [v for v in self.well if not self.well[v][self.end]]
        ends += [
            (v, self.end)
            for v in left
            if all(self.well[need][self.end] for need in self.course.needs[v])
        ]
        self.ends = dict.fromkeys(ends)
        self.best: dict[tuple[str, int], float] = {}
        self.own: dict[tuple[str, int], float] = {}
        return max(self.to(v, end) for v, end in [*ends, *self._beside()])

    def _beside(self) -> list[tuple[str, int]]:
        """What the path has beside things that are done: nothing more to do, or what is not known."""
        windows = self.course.windows(START, START + self.end)
        self.rest = {
            (w.vertex, int(w.end - START)): int(w.start - START)
            for w in windows
            if w.vertex not in self.course.needs
        }
        return [*self.rest]

    def to(self, vertex: str, end: int) -> float:
        """The longest chain that ends with a vertex, done at that second."""
        if (vertex, end) not in self.best:
            begin = self.rest.get((vertex, end)) if vertex not in self.course.needs else None
            needed = self.course.needs.get(vertex, ())
            done = {need: self.turned(need, end, well=True) for need in needed}
            came = [s for s in done.values() if s is not None]
            lost = (
                self.turned(vertex, end - 1, well=False) if needed or vertex in self.well else None
            )
            anew = begin is not None or (lost is not None and lost > max(came, default=-1))
            if begin is None:
                begin = max([0, *came, *([] if lost is None else [lost])])
            ahead = [self.to(need, s) for need, s in done.items() if s is not None and s <= begin]
            if anew:
                known = (*self.ends, *self.rest)
                ahead += [self.to(v, s) for v, s in known if s <= begin and s < end]
            self.own[vertex, end] = self.seconds(vertex, begin, end)
            self.best[vertex, end] = self.own[vertex, end] + max(ahead, default=0.0)
        return self.best[vertex, end]


@settings(max_examples=examples(6))
@given(histories())
def test_the_work_alone_is_the_longest_chain_of_what_was_useful(entries: list[AnyEntry]) -> None:
    seen, hand = ledger(SMALL, entries), ByHand(entries)
    longest = hand.longest()
    _, worked = booked(SMALL, hand.course, lambda: iter(entries), START, entries[-1].at)

    check(seen, entries)
    assert seen.critical_path == pytest.approx(longest, abs=1e-6)
    for (vertex, end), seconds in hand.own.items():
        assert worked.seconds.get((vertex, START + end), 0.0) == pytest.approx(seconds), vertex


def test_a_killed_run_has_the_whole_of_its_time_and_names_nobodys() -> None:
    """The dead session's 300 s are in the sum; mutant: begin the ledger at the last resume."""
    run, cluster = told("june-12")
    begun = cluster.loop.now

    assert run.to_the_end([(Death("after-commit", 60), 300.0)]) == "done"

    closed = run.book.entries()[-2]
    assert isinstance(closed, e.RunClosed)
    seen = closed.summary["ledger"]
    assert seen["seconds"] == pytest.approx(closed.at - begun, abs=SECOND)
    assert seen["dead"]["nobody"] == pytest.approx(300.0, abs=SECOND)
    spans = [*seen["dead"].values(), seen["useful"], seen["unknown"]]
    assert sum(spans) == pytest.approx(seen["seconds"], abs=SECOND)


def test_the_night_of_june_12_waited_for_a_person_and_a_held_namespace() -> None:
    run, _ = told("june-12", think=600.0)
    run.session()

    seen = run.book.folded().summary["ledger"]

    assert seen["dead"]["DW18"] == pytest.approx(600.0, abs=2.0)
    assert seen["dead"]["DW14"] > 30.0
    assert seen["ratio"] == round(seen["seconds"] / seen["critical_path_seconds"], 2) > 2.5
    assert "dead: a person 10 m" in sentence(run.book.folded().summary)


def test_who_answers_before_the_path_gets_there_costs_nothing() -> None:
    """The command that installs the controllers takes longer than the answer: both waits are beside the path."""
    run, _ = told("june-12")
    run.session()

    seen = run.book.folded().summary["ledger"]

    assert seen["beside"]["DW18"] > 30.0
    assert seen["beside"]["DW14"] > 30.0
    assert "DW18" not in seen["dead"]
