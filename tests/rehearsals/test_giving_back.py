"""
Promise: a run is called done once it has given back what it applied, and a refusal of that costs a minute, not the
recovery.

Mutants: done without it; give back before Flux has reconciled; try for ever.
"""

from __future__ import annotations

import pytest

from journal import entries as e
from journal.entries import Outcome
from rekindle.simulator import doers as simulated
from rekindle.simulator.calls import Answer
from tests.rehearsals.test_scenarios import begin

GIVE_BACK = "apply.give-back"


def intended(entries: list[e.AnyEntry], verb: str) -> list[e.ActionIntended]:
    return [one for one in entries if isinstance(one, e.ActionIntended) and one.verb == verb]


def test_what_was_applied_is_given_back_after_flux_has_taken_it_up() -> None:
    run, _ = begin("june-12")

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    entries = list(run.book.entries())
    applied = {
        one.target for verb in ("root.apply", "crd.preapply") for one in intended(entries, verb)
    }
    back = intended(entries, GIVE_BACK)
    assert {one.target for one in back} == applied
    assert len(back) == len(applied) == 2
    synced = next(
        one.at for one in entries if isinstance(one, e.Moved) and one.source == "flux-synced"
    )
    assert all(one.at >= synced for one in back)


def test_a_run_that_applied_nothing_gives_nothing_back() -> None:
    run, _ = begin("node-lost")
    run.session()

    assert intended(list(run.book.entries()), GIVE_BACK) == []


@pytest.mark.parametrize(
    ("outcome", "code", "times"),
    [
        (Outcome.FAILED, "denied", 2),
        (Outcome.FAILED, "transient", 6),
        (Outcome.UNSETTLED, "timeout", 6),
    ],
)
def test_a_refusal_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, code: str, times: int
) -> None:
    def refuse(_cluster: object, _arguments: object) -> Answer:
        return Answer(outcome, code)

    monkeypatch.setitem(simulated.DOERS, GIVE_BACK, refuse)
    run, _ = begin("june-12")

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    assert len(intended(list(run.book.entries()), GIVE_BACK)) == times
