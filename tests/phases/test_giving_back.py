"""
What is given back, and what is not waited for.

Mutants: do not read the plan; do not read the preflight; count only refusals; let an earlier life's giving back count;
give a CRD back whatever its owner says, or while nobody knows it; take a suspended one for one that is through; ask an
owner again that had not taken all up; forget that, at the end or in the next run.
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
from engine.recipe import OWED, Judgement, Verdict
from journal import entries as e
from journal.entries import Fact, Outcome
from phases import giving_back
from phases.verbs import GIVE_BACK, PREAPPLY, ROOT
from tests.phases.making import START, memory_of, opened, plan

PLAN = plan()
OWNED = plan(
    {"inventory": {"crds": [{"name": "gadgets.example.com", "provider": "helmrelease/apps/web"}]}}
)
CRD, OWNER = "crd/gadgets.example.com", "helmrelease/apps/web"


@pytest.fixture(autouse=True)
def synced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Flux have reconciled: that it waits for it is a rehearsal's test."""

    def guard(_plan: Plan, _facts: object) -> Judgement:
        return Judgement(Verdict.HOLDS, "", 0, 0)

    monkeypatch.setattr("phases.giving_back.flux_synced.guard", guard)


def done(
    verb: str,
    at: float,
    outcome: Outcome | None = Outcome.DONE,
    code: str = "",
    target: str = "root",
    **arguments: str,
) -> list[e.AnyEntry]:
    action = f"{verb}-{at:g}"
    body = {"action": action, "verb": verb, "target": target}
    intent = e.ActionIntended(
        at=START + at,
        attempt=1,
        epoch=1,
        deadline_seconds=9.0,
        arguments={"path": "roots.yaml", **arguments},
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


# --- before the end --------------------------------------------------------------------------------


@pytest.fixture
def syncing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Much is still to come."""

    def guard(_plan: Plan, _facts: object) -> Judgement:
        return Judgement(Verdict.UNKNOWN, "", 0, 9)

    monkeypatch.setattr("phases.giving_back.flux_synced.guard", guard)


READY = Fact("Ready", detail={"uid": "u1", "generation": 3})
BORROWED = done(PREAPPLY, 1, target=CRD)


def wanted(owner: Fact, *entries: list[e.AnyEntry], for_plan: Plan = OWNED) -> Act | Wait | None:
    whole = [one for part in (BORROWED, *entries) for one in part]
    answer = giving_back.objection(
        for_plan, fold_all(memory_of(for_plan, {OWNER: owner}, {}, START), whole)
    )
    assert answer is None or isinstance(answer, Act | Wait)
    return answer


@pytest.mark.usefixtures("syncing")
def test_a_crd_is_given_back_once_its_owner_is_ready() -> None:
    wished = wanted(READY)

    assert isinstance(wished, Act)
    assert (wished.verb, wished.target) == (GIVE_BACK, CRD)
    assert wished.arguments == {"path": "roots.yaml", "owner": OWNER}
    assert wished.reason == f"crd.preapply applied it, and {OWNER} has reconciled since"


@pytest.mark.usefixtures("syncing")
@pytest.mark.parametrize(
    "owner",
    [
        Fact("Progressing", detail=READY.detail),
        Fact("Blocked", detail=READY.detail),
        Fact("Unobservable"),
        Fact("Ready", "suspended, as Git has it"),
    ],
    ids=["at work", "blocked", "not seen", "suspended"],
)
def test_an_owner_that_is_not_through_is_waited_for(owner: Fact) -> None:
    assert wanted(owner) is None


@pytest.mark.usefixtures("syncing")
def test_what_nobody_knows_the_owner_of_waits_for_the_end() -> None:
    assert wanted(READY, for_plan=PLAN) is None
    assert giving_back.objection(OWNED, night(APPLIED)) is None


@pytest.mark.usefixtures("syncing")
def test_what_waits_for_the_end_is_in_the_way_of_nothing_that_does_not() -> None:
    """The root was applied later, and is looked at first."""
    wished = wanted(READY, done(ROOT, 4))

    assert isinstance(wished, Act)
    assert wished.target == CRD


@pytest.mark.usefixtures("syncing")
def test_a_session_that_died_meanwhile_is_followed_by_another_attempt() -> None:
    unsettled = done(GIVE_BACK, 5, Outcome.UNSETTLED, "no-answer", CRD, owner=OWNER)

    assert isinstance(wanted(READY, done(GIVE_BACK, 5, None, "", CRD, owner=OWNER)), Wait)
    assert isinstance(wanted(READY, unsettled), Act)
    assert wanted(READY, done(GIVE_BACK, 5, target=CRD, owner=OWNER)) is None


TOO_EARLY = done(GIVE_BACK, 5, Outcome.DONE, OWED, CRD, owner=OWNER)


@pytest.mark.usefixtures("syncing")
def test_an_owner_that_had_not_taken_all_up_is_not_asked_again_before_the_end() -> None:
    assert wanted(READY, TOO_EARLY) is None

    again = wanted(READY, TOO_EARLY, done(PREAPPLY, 9, target=CRD))
    assert isinstance(again, Act)


def test_but_at_the_end_it_is() -> None:
    wished = wanted(READY, TOO_EARLY)

    assert isinstance(wished, Act)
    assert wished.arguments == {"path": "roots.yaml"}
    assert wanted(READY, TOO_EARLY, done(GIVE_BACK, 9, target=CRD)) is None


def test_or_by_the_next_run_if_there_was_no_end() -> None:
    early = fold_all(memory_of(OWNED, {}, {}, START), [*BORROWED, *TOO_EARLY])
    late = fold_all(early, done(GIVE_BACK, 9, target=CRD))

    assert [debt.target for debt in doubts_left(OWNED, early)] == [CRD]
    assert doubts_left(OWNED, late) == ()
