"""
While somebody else acts on the cluster, nothing is begun here, nobody is asked, and it goes on by itself afterwards.

Mutants: hold what waits; hold a watch; hold where nobody asks for the lease, or where its answer is a refusal; go on
while the first answer is due; wait for an answer without an API.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.answer import Act, Ask, Done, Stuck, Wait
from journal.entries import Fact
from phases import codes
from phases.one_operator import fact_of, held
from phases.snapshot import OperatorLook, Seen, Snapshot, Unseen
from tests.phases.making import START, facts, memory_of, plan

ACT = Act("flux.nudge", "kustomization/apps/web", {}, "it was cleared")
ASK = Ask("shall it be wiped?", "it is gone", {})
ANSWERS: dict[str, Any] = {
    "a": ACT,
    "b": ASK,
    "c": Wait("time"),
    "d": Stuck("cause-cannot-clear", "no", "mend it"),
    "e": Done(),
}


def kept(operator: Fact | None, api: str = codes.UP) -> dict[str, Any]:
    known = {codes.API: api}
    seen = facts(known)
    if operator is not None:
        seen[codes.OPERATOR] = operator
    the_plan = plan()
    return held(the_plan, seen, memory_of(the_plan, seen, {}, START), dict(ANSWERS))


@pytest.mark.parametrize("api", [codes.UP, codes.PARTIAL, codes.DOWN])
def test_what_would_begin_waits_for_the_other(api: str) -> None:
    found = kept(Fact(codes.FOREIGN, "you@there (b.db)"), api)

    assert found == {
        **ANSWERS,
        "a": Wait("you@there (b.db) acts on this cluster; held: flux.nudge kustomization/apps/web"),
        "b": Wait("you@there (b.db) acts on this cluster; held: shall it be wiped?"),
    }


@pytest.mark.parametrize(
    ("operator", "api"),
    [
        (None, codes.UP),
        (Fact(codes.OURS), codes.UP),
        (Fact(codes.UNOBSERVABLE, "denied"), codes.UP),
        (Fact(codes.UNOBSERVABLE, "not-asked"), codes.DOWN),
        (Fact(codes.UNOBSERVABLE, "not-asked"), codes.UNKNOWN),
    ],
)
def test_whoever_has_it_or_cannot_ask_goes_on(operator: Fact | None, api: str) -> None:
    assert kept(operator, api) == ANSWERS


def test_nothing_begins_before_the_first_answer() -> None:
    found = kept(Fact(codes.UNOBSERVABLE, "not-asked"))

    assert found["a"] == Wait("asks who else acts; held: flux.nudge kustomization/apps/web")


@pytest.mark.parametrize(
    ("look", "fact"),
    [
        (None, {}),
        (Unseen(0.0, "denied", "forbidden"), {"operator": Fact(codes.UNOBSERVABLE, "denied")}),
        (Seen(OperatorLook("me", ours=True), 1.0), {"operator": Fact(codes.OURS)}),
        (Seen(OperatorLook("you", ours=False), 1.0), {"operator": Fact(codes.FOREIGN, "you")}),
    ],
)
def test_the_fact_says_who(look: Any, fact: dict[str, Fact]) -> None:  # noqa: ANN401
    assert fact_of(Snapshot(at=1.0, operator=look)) == fact
