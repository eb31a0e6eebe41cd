"""
Promise: the verdict of a replay is of the journal as it is, and what it shows of it is what may be shown.

Method: a journal that nobody redacted, and code that decides by what of it is a secret.

Mutants that turn it red: let the replay of redacted rows say whether anything differs; show a difference that it does
not have with its bodies; withhold what both have.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.answer import Answer, Wait
from engine.memory import Memory
from engine.parted import Difference, What
from engine.plan import Plan
from engine.recipe import Facts, Findings, Recipe
from journal import entries as e
from journal import writer
from journal.entries import Fact
from phases.recipe import recipe
from rekindle import replaying
from rekindle.replayed_lines import lines
from rekindle.replaying import WITHHELD, document, fit_to_show, replayed
from rekindle.runs import Source
from tests.phases.making import plan
from tests.phases.test_path import TREE
from tests.report.nights import AT, written

SECRET = "hunter2-hunter2"
STATE = "node-maintenance"
NODE = "node/cp-1"


def secretive(told: str, other: str) -> Recipe:
    """Code that says *told* where it sees the secret, and *other* where it does not."""
    usual = recipe()

    def decide(
        _plan: Plan, facts: Facts, _findings: Findings, _memory: Memory
    ) -> dict[str, Answer]:
        return {"moon": Wait(told if SECRET in facts[NODE].reason else other)}

    return replace(usual, phases={**usual.phases, STATE: decide})


def journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """One look, with a secret in it, and a decision."""
    monkeypatch.setattr(writer, "redact_payload", lambda body: body)
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT, changed={NODE: Fact("maintenance", f"password: {SECRET}")}),
        e.Decided(at=AT, state=STATE, answers={"moon": {"answer": "wait", "reason": "it is full"}}),
    ]
    written(path, entries, plan=plan(TREE).compiled())
    return Source(path, "run-1")


@pytest.mark.parametrize(
    ("told", "other", "same", "shown"),
    [
        ("it is full", "it is new", True, []),
        (f"it is {SECRET}", "it is full", False, [WITHHELD]),
        (f"it is {SECRET}", "it is new", False, [{"answer": "wait", "reason": "it is new"}]),
    ],
    ids=["as it is, the same", "as it is, another", "another either way"],
)
def test_the_verdict_is_of_the_journal_as_it_is(
    told: str,
    other: str,
    *,
    same: bool,
    shown: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = journal(tmp_path / "j.db", monkeypatch)
    monkeypatch.setattr(replaying, "recipe", lambda: secretive(told, other))

    result = replayed(source, None)

    assert (result.same, result.count) == (same, len(shown))
    assert [one.today["moon"] for one in result.differences] == shown
    assert document(result)["verdict"] == ("same" if same else "differs")
    assert SECRET not in str(document(result))
    assert SECRET not in "\n".join(lines(result, None))


def test_a_difference_is_told_by_its_like_and_by_no_other() -> None:
    def differing(position: int, today: str, **more: Any) -> Difference:  # noqa: ANN401
        return Difference(position, {"a": None, "b": "then"}, {"a": today, "b": today}, **more)

    found = [
        differing(1, SECRET, because=(SECRET,)),
        differing(1, SECRET, what=What.MOVE),
        differing(1, SECRET, at=2.0),
        differing(3, SECRET),
    ]
    fit = [Difference(1, {"a": None}, {"a": "may be read"}, because=("so",)), differing(2, "no")]

    shown = fit_to_show(found, fit)

    assert [one.today["a"] for one in shown] == ["may be read", *[WITHHELD] * 3]
    assert [one.today["b"] for one in shown] == [WITHHELD] * 4
    assert [one.journaled for one in shown] == [{"a": None, "b": WITHHELD}] * 4
    assert [one.because for one in shown] == [("so",), (), (), ()]
    assert [(one.position, one.what, one.at) for one in shown] == [
        (one.position, one.what, one.at) for one in found
    ]
