"""
Promise: "mend it in Git and push" works while a recovery runs, and a force-push asks a person first.

Mutants: no objection (done at a revision that nobody said yes to); an objection that stops every move.
"""

from __future__ import annotations

import pytest

from journal import entries as e
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.scenario import OperatorRule, find_scenario, load_scenario
from tests.properties.clusters import story
from tests.properties.harness import Death, Story

NEXT = f"main@sha1:{'c0ffee' * 6}c0ff"
SOURCE = "flux-system/flux-system"
PUSHED_AFTER = 700.0  # while Flux syncs


def begin(*, rewrites: bool, yes: bool = True) -> tuple[Story, SimCluster]:
    found = load_scenario(find_scenario("cold-start"))
    rules = (OperatorRule("does not descend", answer=yes, think=30.0), *found.operator)
    run, cluster = story("cold-start", found=found, seed=found.seed, operator=rules)

    def push() -> None:
        cluster.sources.push(NEXT, rewrites=rewrites)
        cluster.sources.succeed(SOURCE)

    cluster.loop.at(cluster.loop.now + PUSHED_AFTER, push)
    return run, cluster


def goals(run: Story) -> list[str]:
    return [entry.revision for entry in run.book.entries() if isinstance(entry, e.GoalMoved)]


def questions(run: Story) -> list[str]:
    found = [entry for entry in run.book.entries() if isinstance(entry, e.ApprovalAsked)]
    return [entry.question for entry in found if entry.subject == "goal"]


def test_a_push_during_the_night_is_followed() -> None:
    run, _ = begin(rewrites=False)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    assert goals(run)[-1] == NEXT
    assert len(goals(run)) == 2
    assert questions(run) == []


@pytest.mark.parametrize("point", ["before-start", "after-start"])
def test_a_run_that_dies_while_git_is_asked_follows_all_the_same(point: str) -> None:
    run, _ = begin(rewrites=False)

    assert run.to_the_end([(Death(point, 1, "git.ancestry"), 5.0)]) == "done"
    assert run.endings.count("died") == 1
    assert goals(run)[-1] == NEXT


def test_a_rewritten_history_is_followed_after_a_yes() -> None:
    run, _ = begin(rewrites=True)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    assert len(questions(run)) == 1
    [given] = [entry for entry in run.book.entries() if isinstance(entry, e.ApprovalGiven)]
    moved = [entry for entry in run.book.entries() if isinstance(entry, e.GoalMoved)][-1]
    assert moved.revision == NEXT
    assert moved.at >= given.at


def test_after_a_no_the_run_is_never_called_done() -> None:
    run, _ = begin(rewrites=True, yes=False)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "stuck"
    assert NEXT not in goals(run)
    assert ended.memory.state == "pods-healthy"
    assert ended.memory.answers["goal"]["reference"] == "approval-refused"
