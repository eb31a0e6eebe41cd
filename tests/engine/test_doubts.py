"""
A doubt outlives the run that had it.

Promise: what could not be undone and never showed its end is remembered by the next run of the same journal, so that
``cancel`` and ``run`` are no way around the question. Mutant: let ``RunOpened`` be folded without its doubts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
from msgspec.structs import replace as replace_entry

from engine.allowing import allowed
from engine.answer import Act, Ask
from engine.folding import EARLIER, fold, fold_all
from engine.memory import Memory
from engine.observing import doubts_left
from engine.recipe import Effect, Happened, Verb
from journal import entries as e
from journal.entries import Outcome, RunOutcome

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


def _done(shown: Happened, *more: e.AnyEntry) -> tuple[str, ...]:
    """What a new run is told of an action that settled as done, with a probe that says *shown*."""
    settled = e.ActionSettled(
        at=2.0, action="a1", verb="ignite", target="stove", outcome=Outcome.DONE
    )
    before = fold_all(Memory(), (_opened(0.0), _intended(1.0), settled, *more))
    plan: Any = _Plan()
    plan.verbs = {"ignite": replace(IGNITE, probe=lambda _plan, _facts, _intent: shown)}
    return tuple(str(doubt.outcome) for doubt in doubts_left(plan, before))


def test_a_settlement_is_no_proof_for_the_next_run_either() -> None:
    """Mutant: let ``Memory.doubts`` leave out what settled as done; a second cluster is one ``cancel`` away."""
    cancelled = e.RunClosed(at=9.0, outcome=RunOutcome.CANCELLED, state="dark")

    assert _done(Happened.UNKNOWN) == ("done",)
    assert _done(Happened.NO, cancelled) == ("done",)


def test_what_showed_itself_or_reached_its_goal_is_no_doubt() -> None:
    done = e.RunClosed(at=9.0, outcome=RunOutcome.DONE, state="done")

    assert _done(Happened.YES) == ()
    assert _done(Happened.UNKNOWN, done) == ()


def test_many_harmless_attempts_do_not_push_out_one_doubt() -> None:
    """Mutant: bound all verbs' attempts together."""
    lost = e.ActionSettled(
        at=2.0, action="a1", verb="ignite", target="stove", outcome=Outcome.UNSETTLED
    )
    entries: list[e.AnyEntry] = [_opened(0.0), _intended(1.0), lost]
    for number in range(EARLIER + 3):
        at = 10.0 + number
        entries.append(
            e.ActionIntended(
                at=at,
                action=f"n{number}",
                verb="wink",
                target="door",
                attempt=1,
                epoch=1,
                deadline_seconds=10.0,
            )
        )
        entries.append(
            e.ActionSettled(
                at=at, action=f"n{number}", verb="wink", target="door", outcome=Outcome.DONE
            )
        )
    entries.append(replace_entry(_intended(500.0), action="a2"))

    memory = fold_all(Memory(), entries)

    assert [a.action for a in memory.attempts_at("ignite")] == ["a1", "a2"]
    assert len(memory.attempts_at("wink")) == EARLIER + 1


LEND = replace(IGNITE, name="lend", effect=Effect.CONVERGENT, probe=None, returned_by="return")
RETURN = replace(LEND, name="return", returned_by="")


def _lent(*verbs: str, outcome: Outcome = Outcome.DONE) -> tuple[str, ...]:
    """Name what the next run still owes when these were done to the same thing, one after the other."""
    entries: list[e.AnyEntry] = [_opened(0.0)]
    for number, verb in enumerate(verbs, start=1):
        entries += _acted(verb, float(number), outcome)
    plan: Any = type("P", (), {"verbs": {"lend": LEND, "return": RETURN}})
    return tuple(a.action for a in doubts_left(plan, fold_all(Memory(), tuple(entries))))


def test_what_was_borrowed_and_not_given_back_is_a_debt_of_the_next_run() -> None:
    """Mutants: forget it; remember what was given back; remember what never came to be; take any return for one."""
    assert _lent("lend") == ("lend-1",)
    assert _lent("lend", outcome=Outcome.UNSETTLED) == ("lend-1",)
    assert _lent("lend", outcome=Outcome.FAILED) == ()
    assert _lent("lend", "return") == ()
    assert _lent("lend", "return", "lend") == ("lend-3",)


def test_a_return_that_may_not_have_been_leaves_the_debt() -> None:
    """Mutant: take any later return for one that was done."""
    for outcome in (Outcome.FAILED, Outcome.UNSETTLED):
        lent, back = _acted("lend", 1.0, Outcome.DONE), _acted("return", 2.0, outcome)
        plan: Any = type("P", (), {"verbs": {"lend": LEND, "return": RETURN}})
        memory = fold_all(Memory(), (_opened(0.0), *lent, *back))

        assert [a.verb for a in doubts_left(plan, memory)] == ["lend"]


def _acted(verb: str, at: float, outcome: Outcome) -> tuple[e.AnyEntry, e.AnyEntry]:
    action = f"{verb}-{at:g}"
    ended = e.ActionSettled(at=at + 0.5, action=action, verb=verb, target="stove", outcome=outcome)
    return replace_entry(_intended(at), verb=verb, action=action), ended
