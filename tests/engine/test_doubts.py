"""
A doubt outlives the run that had it.

Promise: what could not be undone and never showed its end is remembered by the next run of the same journal, so that
``cancel`` and ``run`` are no way around the question. Mutant: let ``RunOpened`` be folded without its doubts.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.allowing import allowed
from engine.answer import Act, Ask
from engine.memory import Memory, fold, fold_all
from engine.recipe import Effect, Happened, Verb
from journal import entries as e
from journal.entries import Outcome

IGNITE = Verb(
    name="ignite",
    effect=Effect.ONCE,
    deadline_seconds=10.0,
    probe=lambda _plan, _facts, _intent: Happened.UNKNOWN,
    guard="it burns already",
    scope="cluster",
)


class _Plan:
    verbs = {"ignite": IGNITE}  # noqa: RUF012  a stand-in for a test


def _opened(at: float, doubts: tuple[dict[str, Any], ...] = ()) -> e.RunOpened:
    return e.RunOpened(
        at=at,
        run_id=f"run-{at:g}",
        purpose="run",
        cluster="home",
        identity={},
        plan={},
        plan_digest="",
        version="",
        initial="dark",
        doubts=doubts,
    )


def _intended(at: float) -> e.ActionIntended:
    return e.ActionIntended(
        at=at,
        action="a1",
        verb="ignite",
        target="stove",
        attempt=1,
        epoch=1,
        deadline_seconds=10.0,
    )


def test_a_new_run_does_not_forget_the_doubt_of_the_one_before() -> None:
    before = fold_all(Memory(), (_opened(0.0), _intended(1.0)))
    doubts = tuple(msgspec.to_builtins(doubt) for doubt in before.doubts(["ignite"]))

    after = fold(Memory(), _opened(100.0, doubts))

    (doubt,) = after.attempts_at("ignite")
    assert (Outcome.UNSETTLED, "stove") == (doubt.outcome, doubt.target)
    wish = Act("ignite", "oven")
    plan: Any = _Plan()
    assert isinstance(allowed(plan, after, "fire", wish, []), Ask)


def test_what_is_known_to_have_ended_is_no_doubt() -> None:
    settled = e.ActionSettled(
        at=2.0, action="a1", verb="ignite", target="stove", outcome=Outcome.DONE
    )
    before = fold_all(Memory(), (_opened(0.0), _intended(1.0), settled))

    assert before.doubts(["ignite"]) == ()
