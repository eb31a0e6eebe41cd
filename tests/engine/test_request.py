"""
What was asked of a run holds the state it is owed in, and what is provably gone from the world counts no more.

Mutants, killed here: ``judge`` forgets what is owed; ``RunOpened`` is folded without its request; ``is_undone`` is
always true, or is asked neither by the doubt, nor by the patience, nor by the probe, nor by what a new run is told.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.allowing import allowed
from engine.answer import Act, Ask, Stuck
from engine.folding import fold_all
from engine.judging import judge
from engine.memory import Memory
from engine.observing import doubts_left
from engine.plan import Plan
from engine.recipe import Verdict
from journal import entries as e
from journal.entries import Outcome
from tests.engine.making import (
    STANDING,
    START,
    VERBS,
    Look,
    Site,
    begun,
    entries,
    intended,
    look,
    opened,
    settled,
    turn,
)


def owing(site: Site) -> Site:
    """The walls are to be painted before they count as built."""

    def owed(_plan: Plan, memory: Memory) -> dict[str, str]:
        last = memory.last_of("paint", "walls")
        if not memory.request or (last is not None and last.outcome is Outcome.DONE):
            return {}
        return {"walls": f"asked for: {memory.request['paint']}"}

    return replace(site, owed=owed)


def asked(**request: str) -> Memory:
    rules = Site().rules()
    first = opened(rules)
    values = {name: getattr(first, name) for name in first.__struct_fields__}
    return fold_all(Memory(), [e.RunOpened(**{**values, "request": request})])


def test_a_goal_that_holds_is_not_reached_while_something_is_owed() -> None:
    rules = owing(Site({"walls": {"walls": Act("paint", "walls")}})).rules()

    done = turn(rules, asked(paint="red"), STANDING)

    assert [move.target for move in entries(done, e.Moved)] == ["walls"]
    assert done.judgements["walls"].verdict is Verdict.BROKEN
    assert done.judgements["walls"].why == "asked for: red"
    assert [x.verb for x in entries(done, e.ActionIntended)] == ["paint"]
    painted = fold_all(done.memory, [settled("paint", "walls", "done", at=START + 2)])
    assert turn(rules, painted, STANDING, START + 5).memory.state == "done"


def test_nothing_asked_is_nothing_owed() -> None:
    rules = owing(Site()).rules()

    assert turn(rules, asked(), STANDING).memory.state == "done"


def test_what_is_broken_says_what_is_broken() -> None:
    rules = owing(Site()).rules()
    memory = turn(rules, asked(paint="red"), look(ground="ok", walls="broken", roof="ok")).memory

    assert judge(rules, memory)["walls"].why == "walls is broken"


def test_a_changed_plan_takes_no_request_back() -> None:
    changed = e.PlanChanged(
        at=START, plan={}, plan_digest="x", previous_digest="y", verdict="compatible"
    )

    assert fold_all(asked(paint="red"), [changed]).request == {"paint": "red"}


# --- what is gone from the world -----------------------------------------------------------------

POURED = (intended("pour", "mould"), settled("pour", "mould", Outcome.DONE))
REFUSED = (intended("pour", "mould"), settled("pour", "mould", Outcome.FAILED, "already-exists"))
LOST = (intended("pour", "mould"), settled("pour", "mould", Outcome.UNSETTLED, "no-answer"))


def site(*, melted: bool) -> Site:
    verbs = {**VERBS, "pour": replace(VERBS["pour"], undone=lambda _p, _m, _a: melted)}
    return Site(verbs=verbs)


@pytest.mark.parametrize(
    ("before", "kind"), [(POURED, Ask), (LOST, Ask), (REFUSED, Stuck)], ids=["done", "lost", "no"]
)
def test_it_is_neither_doubt_nor_try(before: tuple[e.AnyEntry, ...], kind: type) -> None:
    wish = Act("pour", "mould")
    for melted, found in ((False, kind), (True, Act)):
        rules = site(melted=melted).rules()
        memory = begun(rules, *before)

        assert isinstance(allowed(rules.plan, memory, "bell", wish, []), found)


def test_a_new_run_is_not_told_of_it() -> None:
    for melted, told in ((False, ["done"]), (True, [])):
        rules = site(melted=melted).rules()
        memory = begun(rules, *POURED)

        assert [str(doubt.outcome) for doubt in doubts_left(rules.plan, memory)] == told


def test_what_shows_later_does_not_settle_what_is_gone() -> None:
    seen = look(ground="ok", **{"probe/mould": "happened"})
    for melted, count in ((False, 1), (True, 0)):
        rules = site(melted=melted).rules()
        done = turn(rules, begun(rules, *LOST), Look(seen.facts), START + 100)

        assert len(entries(done, e.ActionSettled)) == count
