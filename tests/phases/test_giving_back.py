"""
What is given back, and what is not waited for.

Mutants: do not read the plan; do not read the preflight; count only refusals; let an earlier life's giving back count.
"""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from engine.answer import Act, Wait
from engine.folding import fold_all
from engine.memory import Memory
from engine.observing import doubts_left
from engine.plan import Plan
from engine.recipe import Judgement, Verdict
from journal import entries as e
from journal.entries import Outcome
from phases import giving_back
from phases.verbs import GIVE_BACK, ROOT
from tests.phases.making import START, memory_of, opened, plan

PLAN = plan()


@pytest.fixture(autouse=True)
def synced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Flux have reconciled: that it waits for it is a rehearsal's test."""

    def guard(_plan: Plan, _facts: object) -> Judgement:
        return Judgement(Verdict.HOLDS, "", 0, 0)

    monkeypatch.setattr("phases.giving_back.flux_synced.guard", guard)


def done(
    verb: str, at: float, outcome: Outcome | None = Outcome.DONE, code: str = ""
) -> list[e.AnyEntry]:
    action = f"{verb}-{at:g}"
    body = {"action": action, "verb": verb, "target": "root"}
    intent = e.ActionIntended(
        at=START + at,
        attempt=1,
        epoch=1,
        deadline_seconds=9.0,
        arguments={"path": "roots.yaml"},
        **body,
    )
    if outcome is None:
        return [intent]
    settled = e.ActionSettled(at=START + at + 1, outcome=outcome, code=code, evidence={}, **body)
    return [intent, settled]


def night(*entries: list[e.AnyEntry]) -> Memory:
    return fold_all(memory_of(PLAN, {}, {}, START), [one for part in entries for one in part])


APPLIED = done(ROOT, 1)


def test_what_was_applied_is_given_back() -> None:
    wanted = giving_back.objection(PLAN, night(APPLIED))

    assert isinstance(wanted, Act)
    assert (wanted.verb, wanted.target, wanted.arguments) == (
        GIVE_BACK,
        "root",
        {"path": "roots.yaml"},
    )


def test_what_was_applied_again_since_is_given_back_again() -> None:
    assert giving_back.objection(PLAN, night(APPLIED, done(GIVE_BACK, 5))) is None

    again = night(APPLIED, done(GIVE_BACK, 5), done(ROOT, 9))
    assert isinstance(giving_back.objection(PLAN, again), Act)


def test_while_it_runs_it_is_waited_for() -> None:
    assert isinstance(giving_back.objection(PLAN, night(APPLIED, done(GIVE_BACK, 5, None))), Wait)


def test_where_it_may_not_be_done_nothing_is_owed() -> None:
    without = plan(machine={"verbs": {GIVE_BACK: {"enabled": False}}})
    row = e.Objection("access", "red", "patch", "no", "", blocks=(GIVE_BACK,))

    assert giving_back.objection(without, night(APPLIED)) is None
    assert giving_back.objection(PLAN, replace(night(APPLIED), objections=(row,))) is None


@pytest.mark.parametrize(
    ("outcome", "code"), [(Outcome.UNSETTLED, ""), (Outcome.FAILED, "transient")]
)
def test_it_is_tried_as_often_as_its_verb_allows(outcome: Outcome, code: str) -> None:
    often = PLAN.verbs[GIVE_BACK].retry.attempts
    tries = [done(GIVE_BACK, 5 + n, outcome, code) for n in range(often)]

    assert isinstance(giving_back.objection(PLAN, night(APPLIED, *tries[:-1])), Act)
    assert giving_back.objection(PLAN, night(APPLIED, *tries)) is None


def test_what_an_earlier_run_still_owes_is_given_back_by_this_one() -> None:
    """A run that ended stuck never came to its end, and its fields would be ours for ever."""
    before = night(APPLIED)
    debts = tuple(msgspec.to_builtins(debt) for debt in doubts_left(PLAN, before))
    begun = replace(opened(PLAN), doubts=debts)

    wanted = giving_back.objection(PLAN, fold_all(Memory(), [begun]))

    assert isinstance(wanted, Act)
    assert (wanted.target, wanted.arguments) == ("root", {"path": "roots.yaml"})
