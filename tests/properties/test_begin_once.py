"""
Promise: after a lost quorum etcd begins at most once more, by a bootstrap or by a recovery, whatever the crashes.

Method: two of three control planes are replaced by empty machines, and somebody empties the third at some point, or
never. Hypothesis chooses where processes die, which requests and answers of the verbs about etcd are lost, who cannot
be seen, who reboots, and how late etcd shows itself. The cluster counts its etcd clusters. While the third still holds
its data none begins, but where nobody could see it for ten minutes and a person, told what may live there, has typed
its name; and where this run has seen an etcd, none begins without a person.

And where the run may empty the third itself: never without a person, and never without a copy of that very node which
is as young as the loss.

Mutants, killed here: see ``test_quorum_lost`` for the quick ones; a bootstrap in doubt is no doubt in a recovery, with
the repetition free to choose its machine.
"""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from journal import entries as e
from phases import codes
from phases.etcd_begin import LIVED
from phases.etcd_quorum import RUNS
from phases.lives import RESET
from phases.verbs import BOOTSTRAP, RECOVER, SNAPSHOT
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import EventSpec, Scenario
from tests.properties.clusters import (
    NOBODY,
    SEEDS,
    TALOS_ONLY,
    YES,
    Operator,
    examples,
    faults,
    lives,
    scenario,
    story,
)
from tests.properties.harness import Death

VERBS = ("etcd.recover", "etcd.recover", "etcd.snapshot", "etcd.bootstrap", "talos.apply")
Life = list[tuple[Death, float]]
MACHINE: dict[str, Any] = {
    **TALOS_ONLY,
    "verbs": {"etcd.recover": {"enabled": True}},
}


def lost(emptied: float | None) -> Scenario:
    """The small cluster, of which two machines are new; the third is emptied so many seconds after the start."""
    found = scenario("healthy")
    events = [EventSpec(-600.0, "replace", name) for name in ("n2", "n3")]
    if emptied is not None:
        events.append(EventSpec(emptied, "empty", "n1"))
    return replace(found, events=(*found.events, *events))


EMPTIED = st.one_of(st.none(), st.floats(30, 1500, width=32))


@given(
    seed=SEEDS,
    emptied=EMPTIED,
    trouble=faults(VERBS),
    life=lives(4, VERBS),
    operator=st.sampled_from([YES, YES, NOBODY]),
    pause=st.sampled_from([0.0, 60.0, 900.0]),
)
@example(  # it is asked after ten minutes and answered, and the third comes back twenty seconds later, with its etcd
    seed=0,
    emptied=None,
    trouble=Faults(unseen=(("n1", 0.014, 639.014),)),
    life=[],
    operator=YES,
    pause=0.0,
)
@settings(max_examples=examples(0.15))
def test_etcd_begins_at_most_once_more(
    seed: int, emptied: float | None, trouble: Faults, life: Life, operator: Operator, pause: float
) -> None:
    run, cluster = story(
        "lost", found=lost(emptied), seed=seed, faults=trouble, operator=operator, machine=MACHINE
    )

    run.to_the_end(life, resumes=3, pause=pause)

    counted = cluster.counters()
    assert counted["clusters_made"] <= 1
    assert counted["bootstraps"] + counted.get("recoveries", 0) == counted["clusters_made"]
    if emptied is None:
        assert counted["clusters_made"] <= given_up(run.book.entries(), "n1")
    assert unasked(run.book.entries()) == []


def given_up(entries: list[e.AnyEntry], node: str) -> int:
    """The beginnings before which a person had typed the name of a node that the run had told them it cannot see."""
    asked: dict[tuple[str, str], bool] = {}
    given = False
    found = 0
    for entry in entries:
        if isinstance(entry, e.Observed) and (fact := entry.changed.get(f"node/{node}")):
            given &= fact.code == codes.UNSEEN  # else it was seen since: that yes is none any more
        elif isinstance(entry, e.ApprovalAsked):
            unseen = entry.evidence.get("unseen", ())
            named = isinstance(unseen, list | tuple) and node in unseen
            told = "second cluster" in entry.consequence
            asked[entry.approval, entry.digest] = named and told and node in entry.typed.split()
        elif isinstance(entry, e.ApprovalGiven):
            given |= asked.get((entry.approval, entry.digest), False)
        elif isinstance(entry, e.ActionIntended) and entry.verb in {RECOVER, BOOTSTRAP}:
            found += given
    return found


def unasked(entries: list[e.AnyEntry]) -> list[e.ActionIntended]:
    """Beginnings without a yes, although the run had seen an etcd before."""
    lived, found = False, []
    for entry in entries:
        if isinstance(entry, e.Observed) and "etcd" in entry.changed:
            lived |= entry.changed["etcd"].code in LIVED
        if isinstance(entry, e.ActionIntended) and entry.verb in {RECOVER, BOOTSTRAP}:
            asked = "approval" in entry.arguments
            if not asked and (lived or entry.verb == RECOVER):
                found.append(entry)
    return found


@given(seed=SEEDS, emptied=st.floats(300, 900, width=32))
@settings(max_examples=examples(0.1))
def test_and_once_more_it_does(seed: int, emptied: float) -> None:
    """A property that nothing reaches holds for nothing: undisturbed, the recovery happens."""
    run, cluster = story("lost", found=lost(emptied), seed=seed, operator=YES, machine=MACHINE)

    outcome = run.to_the_end(resumes=2)

    assert outcome == "done"
    assert cluster.counters()["recoveries"] == 1


WIPES: dict[str, Any] = {
    **TALOS_ONLY,
    "verbs": {"etcd.recover": {"enabled": True}, RESET: {"enabled": True}},
}


@given(
    seed=SEEDS,
    trouble=faults((*VERBS, RESET)),
    life=lives(4, (*VERBS, RESET)),
    operator=st.sampled_from([YES, YES, NOBODY]),
    pause=st.sampled_from([0.0, 60.0, 900.0]),
)
@settings(max_examples=examples(0.15))
def test_the_last_of_etcd_is_never_wiped_without_a_copy(
    seed: int, trouble: Faults, life: Life, operator: Operator, pause: float
) -> None:
    run, cluster = story(
        "lost", found=lost(None), seed=seed, faults=trouble, operator=operator, machine=WIPES
    )

    run.to_the_end(life, resumes=3, pause=pause)

    assert uncopied(run.book.entries()) == []
    assert unasked(run.book.entries()) == []
    if operator is NOBODY:
        assert cluster.counters()["wipes"] == 0


def uncopied(entries: list[e.AnyEntry]) -> list[e.ActionIntended]:
    """Wipes that nobody said yes to; and of an etcd that runs, those without a copy since it was seen to be lost."""
    copied: set[str] = set()
    runs: dict[str, bool] = {}
    found = []
    for entry in entries:
        if isinstance(entry, e.Observed):
            runs |= {name: fact.detail.get("etcd") == RUNS for name, fact in entry.changed.items()}
            if "etcd" in entry.changed and entry.changed["etcd"].since == entry.at:
                copied = set()
        if isinstance(entry, e.ActionSettled) and entry.verb == SNAPSHOT and entry.evidence:
            copied.add(entry.target)
        if isinstance(entry, e.ActionIntended) and entry.verb == RESET:
            allowed = entry.target in copied or not runs[entry.target]
            found += [] if allowed and "approval" in entry.arguments else [entry]
    return found


@given(seed=SEEDS)
@settings(max_examples=examples(0.05))
def test_and_undisturbed_it_is_wiped_and_recovered(seed: int) -> None:
    run, cluster = story("lost", found=lost(None), seed=seed, operator=YES, machine=WIPES)

    outcome = run.to_the_end(resumes=2)

    assert outcome == "done"
    assert (cluster.counters()["wipes"], cluster.counters()["recoveries"]) == (1, 1)
