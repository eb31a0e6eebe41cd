"""
Promise: a ``once`` verb is never repeated on doubt.

Method: requests and answers of ``etcd.bootstrap`` and ``finalizer.release`` are lost, processes die beside them, the
API and the nodes go out of sight. Between an attempt that was done, or may have been, and the next intent of the same
scope (any node for the bootstrap, the object for a finalizer) the journal must hold either a probe's proof that
nothing had happened, or a person's yes to a question that was asked after the attempt. With nobody to say it there is
no second intent.

Mutants, killed here: both doubts off; what was *done* is no doubt; a yes from before the attempt counts for the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.memory import Memory
from engine.ports import Requests
from journal import entries as e
from journal.entries import AnyEntry, Instant, Outcome
from phases.verbs import BOOTSTRAP, RELEASE
from rekindle.simulator.faults import Faults
from tests.properties.clusters import (
    NOBODY,
    RELEASES,
    SEEDS,
    TALOS_ONLY,
    YES,
    Operator,
    examples,
    faults,
    lives,
    story,
)
from tests.properties.harness import Death, open_questions
from tests.properties.toy import House, chain, recipe_of, story_of

Life = list[tuple[Death, float]]
TALOS = (BOOTSTRAP, BOOTSTRAP, "talos.apply")
KUBERNETES = (RELEASE, RELEASE, "command.run", "flux.nudge")


def repeats_on_doubt(entries: list[AnyEntry]) -> list[tuple[e.ActionIntended, list[AnyEntry]]]:
    """Second intents of one scope, each with what was written since the first; proven refusals are no doubt."""
    found = []
    doubtful: dict[str, tuple[int, str]] = {}
    for number, entry in enumerate(entries):
        if isinstance(entry, e.ActionIntended) and entry.verb in {BOOTSTRAP, RELEASE}:
            scope = entry.verb if entry.verb == BOOTSTRAP else f"{entry.verb} {entry.target}"
            if scope in doubtful:
                found.append((entry, entries[doubtful[scope][0] + 1 : number]))
            doubtful[scope] = (number, entry.action)
        if isinstance(entry, e.ActionSettled) and entry.outcome is Outcome.FAILED:
            for scope, (_, action) in list(doubtful.items()):
                if action == entry.action:
                    del doubtful[scope]
    return found


@given(
    seed=SEEDS,
    trouble=faults(TALOS),
    life=lives(3, TALOS),
    operator=st.sampled_from([NOBODY, YES]),
    pause=st.sampled_from([0.0, 600.0]),
)
@settings(max_examples=examples(0.5))
def test_a_bootstrap_is_repeated_only_by_a_person(
    seed: int, trouble: Faults, life: Life, operator: Operator, pause: float
) -> None:
    run, _ = story("cold", seed=seed, faults=trouble, operator=operator, machine=TALOS_ONLY)

    run.to_the_end(life, pause=pause)

    for repeat, between in repeats_on_doubt(run.book.entries()):
        assert operator != NOBODY, f"{repeat} with nobody to allow it"
        assert any(isinstance(entry, e.ApprovalGiven) for entry in between)


@given(
    seed=SEEDS,
    trouble=faults(KUBERNETES),
    life=lives(3, KUBERNETES),
    operator=st.sampled_from([NOBODY, RELEASES, YES]),
)
@settings(max_examples=examples(0.5))
def test_a_finalizer_is_released_once(
    seed: int, trouble: Faults, life: Life, operator: Operator
) -> None:
    run, cluster = story("june", seed=seed, faults=trouble, operator=operator)

    run.to_the_end(life, resumes=1)

    entries = run.book.entries()
    for repeat, between in repeats_on_doubt(entries):
        assert any(isinstance(entry, e.ApprovalGiven) for entry in between), repeat
    if operator == NOBODY:
        assert not any(isinstance(x, e.ActionIntended) and x.verb == RELEASE for x in entries)
        assert cluster.actions.counts[RELEASE] == 0


@given(
    lost=st.frozensets(st.integers(0, 3), max_size=3),
    answers=st.lists(st.sampled_from([True, True, False]), max_size=6),
    delay=st.sampled_from([0.0, 45.0, 50_000.0]),
)
@settings(max_examples=examples(1))
def test_each_repetition_has_a_yes_of_its_own(
    lost: frozenset[int], answers: list[bool], delay: float
) -> None:
    """Here the phase acts again and again, as if it had no doubts: the engine is the backstop."""
    house = House({"hall": False}, {"hall": delay}, lost=lost)
    run = story_of(recipe_of(["hall"], {"hall": "fuse"}), chain(["hall"]), house)
    said: list[str] = []

    def take(memory: Memory, now: Instant) -> list[tuple[AnyEntry, Callable[[], None]]]:
        found: list[tuple[AnyEntry, Callable[[], None]]] = []
        for approval in open_questions(memory):
            if len(said) < len(answers):
                kind = e.ApprovalGiven if answers[len(said)] else e.ApprovalRefused
                digest = memory.approvals[approval].digest
                said.append(kind.__name__)
                entry = kind(at=now, approval=approval, digest=digest, actor="me")
                found.append((entry, lambda: None))
        return found

    run.requests = Requests(take)
    run.to_the_end(resumes=8)

    entries = run.book.entries()
    begun = [n for n, entry in enumerate(entries) if isinstance(entry, e.ActionIntended)]
    for one, other in itertools.pairwise([0, *begun]):
        assert any(isinstance(entry, e.ApprovalGiven) for entry in entries[one:other])
    assert len(begun) <= said.count("ApprovalGiven")
