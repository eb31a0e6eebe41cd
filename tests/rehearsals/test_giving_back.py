"""
Promise: a run is called done once it has given back what it applied, each thing as soon as its owner is through, and a
refusal of that costs a minute, not the recovery.

Mutants: done without it; give back before the owner has reconciled, or only at the end; try for ever; a CRD that its
owner has not taken up is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from engine.recipe import OWED
from journal import entries as e
from journal.entries import Outcome
from rekindle.simulator import doers as simulated
from rekindle.simulator.calls import Answer
from tests.rehearsals.test_scenarios import begin

GIVE_BACK = "apply.give-back"
CRD = "crd/externalsecrets.external-secrets.io"
OWNER = "helmrelease/external-secrets/external-secrets"


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
    assert [one.target for one in back if one.at >= synced] == ["root"]


def test_a_crd_is_given_back_with_the_first_facts_in_which_its_owner_is_ready() -> None:
    run, _ = begin("june-12")
    run.session()
    entries = list(run.book.entries())

    place, early = next(
        (n, one)
        for n, one in enumerate(entries)
        if isinstance(one, e.ActionIntended) and one.verb == GIVE_BACK
    )

    assert (early.target, early.arguments["owner"]) == (CRD, OWNER)
    applied = next(one for one in intended(entries, "crd.preapply")).at
    ready = [
        one.at
        for one in entries[:place]
        if isinstance(one, e.Observed)
        and one.at > applied
        and OWNER in one.changed
        and one.changed[OWNER].code == "Ready"
    ]
    assert ready == [early.at]


def test_what_its_owner_has_not_taken_up_is_asked_about_once_more_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def keep(_cluster: object, arguments: Mapping[str, object]) -> Answer:
        return Answer(Outcome.DONE, OWED if arguments.get("owner") else "")

    monkeypatch.setitem(simulated.DOERS, GIVE_BACK, keep)
    run, _ = begin("june-12")

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    back = intended(list(run.book.entries()), GIVE_BACK)
    assert [one.arguments.get("owner") for one in back if one.target == CRD] == [OWNER, None]


def test_a_run_that_applied_nothing_gives_nothing_back() -> None:
    run, _ = begin("node-lost")
    run.session()

    assert intended(list(run.book.entries()), GIVE_BACK) == []


@pytest.mark.parametrize(
    ("outcome", "code", "early", "late"),
    [
        (Outcome.FAILED, "denied", 1, 1),
        (Outcome.FAILED, "transient", 3, 6),
        (Outcome.UNSETTLED, "timeout", 3, 6),
    ],
)
def test_a_refusal_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, code: str, early: int, late: int
) -> None:
    """The CRD's owner may have been asked in vain meanwhile: the end has a patience of its own, as it always had."""

    def refuse(_cluster: object, _arguments: object) -> Answer:
        return Answer(outcome, code)

    monkeypatch.setitem(simulated.DOERS, GIVE_BACK, refuse)
    run, _ = begin("june-12")

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    back = intended(list(run.book.entries()), GIVE_BACK)
    assert [one.arguments.get("owner") for one in back] == [OWNER] * early + [None] * late
