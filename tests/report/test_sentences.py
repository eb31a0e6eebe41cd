"""
Sentences that people read first: numbers that are words, and nothing that the journal does not bear out.

Mutants: count all causes where none is left; say who allowed one action as if of all; call what is in doubt destroyed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import entries as e
from journal.entries import Fact, Finding, Outcome
from phases.verbs import RELEASE, VERBS
from rekindle.report.gather import gather
from tests.report.nights import AT, written


def cause(name: str, clears: str) -> Finding:
    return Finding(
        subject=name,
        cause="x",
        message=f"{name} is gone",
        root=True,
        rule="R",
        clears_itself=clears,
    )


@pytest.mark.parametrize(
    ("clears", "said"),
    [
        (["no"], "1 cause stood behind it, which could not clear by itself; "),
        (["no"] * 3, "3 causes stood behind it, none of which could clear by itself; "),
        (["no", "yes", "no"], "3 causes stood behind it, 2 of which could not clear by themselves"),
        (["no", "yes"], "2 causes stood behind it, 1 of which could not clear by itself; "),
    ],
)
def test_causes_are_counted_in_words(tmp_path: Path, clears: list[str], said: str) -> None:
    found = {f"R:c{n}": cause(f"c{n}", word) for n, word in enumerate(clears)}
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT, changed={"c0": Fact("Absent")}),
        e.FindingsChanged(at=AT, changed=found),
    ]

    summary = gather(written(tmp_path / "j.db", entries)).summary

    sentence = next(one for one in summary if "stood behind it" in one)
    assert sentence.startswith(said)
    assert sentence.endswith("that was known at the first look:")
    order = sorted(range(len(clears)), key=lambda place: clears[place] != "no")
    own = [" (clears by itself)" if clears[place] == "yes" else "" for place in order]
    assert [one for one in summary if one.startswith("(")] == [
        f"({n}) c{place} is gone{word}."
        for n, (place, word) in enumerate(zip(order, own, strict=True), start=1)
    ]


def release(number: int, approval: str, outcome: Outcome | None) -> list[e.AnyEntry]:
    action = f"a{number}"
    entries: list[e.AnyEntry] = [
        e.ActionIntended(
            at=AT + number,
            action=action,
            verb=RELEASE,
            target=f"holder/{number}",
            attempt=1,
            epoch=1,
            deadline_seconds=15.0,
            arguments={"approval": approval} if approval else {},
        )
    ]
    if outcome is not None:
        settled = e.ActionSettled(
            at=AT + number, action=action, verb=RELEASE, target=f"holder/{number}", outcome=outcome
        )
        entries.append(settled)
    return entries


def test_who_allowed_one_thing_has_not_allowed_the_others(tmp_path: Path) -> None:
    asked: list[e.AnyEntry] = [
        e.ApprovalAsked(
            at=AT,
            approval="q1",
            digest="d",
            subject="holder/1",
            question="take it off?",
            consequence="the data",
            typed="x",
        ),
        e.ApprovalGiven(at=AT, approval="q1", digest="d", actor="ada"),
    ]
    entries = [
        *asked,
        *release(1, "q1", Outcome.DONE),
        *release(2, "", Outcome.DONE),
        *release(3, "", None),
    ]

    story = gather(written(tmp_path / "j.db", entries))

    assert story.summary[-1] == (
        "3 actions were begun; 2 gave something up and whether 1 more did is not known, allowed by ada, 2 of them "
        f"by nobody that the journal names: holder/1 (the data); holder/2, holder/3 ({VERBS[RELEASE].destroys})."
    )
    assert not any("waited until somebody had allowed" in one for one in story.went_well)
    assert not any("No action was refused or failed" in one for one in story.went_well)
