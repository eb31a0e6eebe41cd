"""
Which actions stand beside a step of the path: those in flight for most of it, and those that were about its subject.

Mutants: leave the target out of ``_doing``; name actions that never ran in the step; name the shortest first.
"""

from __future__ import annotations

from rekindle.report.happenings import Action
from rekindle.report.reasons import Ledger, Step
from rekindle.report.rows import in_flight

WEB = Step(subject="helmrelease/apps/web", begun=100.0, ended=200.0)


def act(action: str, target: str, intended: float, settled: float | None) -> Action:
    return Action(
        action=action,
        verb="flux.nudge",
        target=target,
        name=target,
        attempt=1,
        effect="convergent",
        intended=intended,
        outcome="done",
        settled=settled,
    )


def doing(*actions: Action) -> list[str]:
    ledger = in_flight(
        Ledger(seconds=100.0, critical_path=0.0, useful=0.0, unknown=0.0, path=(WEB,)), actions
    )
    assert ledger is not None
    return [said.partition(" ")[0] for said in ledger.path[0].doing]


def test_a_short_action_is_named_where_it_is_of_the_subject_itself() -> None:
    assert doing(act("a1", WEB.subject, 150.0, 151.0), act("a2", "other", 150.0, 151.0)) == ["a1"]


def test_another_one_is_named_from_half_of_the_step_on_and_the_longest_first() -> None:
    half, less = act("a1", "other", 150.0, 250.0), act("a2", "other", 151.0, 250.0)

    assert doing(half, less) == ["a1"]
    assert doing(half, act("a3", "other", 140.0, None)) == ["a3", "a1"]


def test_what_is_of_the_subject_and_ran_at_another_time_is_not_named() -> None:
    before, after = act("a1", WEB.subject, 50.0, 100.0), act("a2", WEB.subject, 200.0, None)

    assert doing(before, after) == []
