"""
``status`` is true also after an answer and after the end.

Mutants: take ``questions`` for all that was asked; leave ``closed`` out of the sentences; let ``nothing_seen`` say no.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.memory import Memory
from journal.entries import Fact
from rekindle.folding import newest
from rekindle.sentences import Standing, waits_for
from rekindle.view import nothing_seen, view
from tests.cli.conftest import Program

pytestmark = pytest.mark.program

UID = "0b1e4b6e-0000-4000-8000-00000000abcd"


def test_a_run_that_waits_says_what_comes_first(rekindle: Program, waiting: Path) -> None:
    answer = rekindle("status", "--journal", str(waiting))

    assert answer.code == 1
    assert "held by       nobody: answer first, then `rekindle resume" in answer.out
    assert re.search(r"you must      answer: rekindle approve .*, then rekindle resume", answer.out)
    assert "cluster time, " in answer.out


def test_answered_questions_are_waited_for_no_more(rekindle: Program, waiting: Path) -> None:
    journal = ("--journal", str(waiting))
    for item in rekindle("status", "--json", *journal).document["approvals"]:
        rekindle("approve", item["id"], "--type", item["typed"], *journal)

    answer = rekindle("status", "--json", *journal)

    assert answer.code == 1, "somebody must resume it"
    document = answer.document
    assert document["waits_for"] == "a session that acts on your answers"
    assert document["can_succeed"] == "yes, once it is resumed"
    assert document["must_do"].startswith("go on: rekindle resume --journal ")
    assert document["approvals"] == []


def test_what_is_left_is_counted_against_what_should_exist(
    rekindle: Program, waiting: Path
) -> None:
    """23 of 23 is not green. Mutant: take for *expected* what is there, in ``phases.facts._counted``."""
    answer = rekindle("status", "--journal", str(waiting))
    counts = rekindle("status", "--json", "--journal", str(waiting)).document["counts"]

    assert counts["pods"]["all"] == 104
    assert counts["pods"]["good"] < 104
    assert counts["kustomization"]["all"] == 49
    assert counts["kustomization"]["good"] < 49
    assert f"pods {counts['pods']['good']}/104" in answer.out


def test_a_plan_counts_against_what_should_exist_as_well(rekindle: Program) -> None:
    states = rekindle("plan", "--scenario", "june-12", "--json").document["states"]
    (last,) = [state for state in states if state["state"] == "pods-healthy"]

    assert (last["expected"], last["goal"]) == (104, "broken")
    assert last["done"] <= 23


def test_a_cancelled_run_says_by_whom_and_when(rekindle: Program, waiting: Path) -> None:
    journal = ("--journal", str(waiting))
    assert rekindle("cancel", *journal).code == 0

    document = rekindle("status", "--json", *journal).document
    text = rekindle("status", *journal).out

    assert re.fullmatch(r"cancelled by \S+@\S+ \(pid \d+\) at [-\d]+ [:\d]+Z", document["closed"])
    assert document["waits_for"] == "nothing: this run is closed"
    assert document["can_succeed"].startswith("no: ")
    assert document["must_do"] == "nothing; `rekindle rehearse` begins anew"
    assert "closed: cancelled by " in text
    assert "resume" not in text


def test_a_finished_run_says_when(rekindle: Program, tmp_path: Path) -> None:
    journal = ("--journal", str(tmp_path / "j.db"))
    rekindle("rehearse", "node-lost", *journal)

    assert re.search(r"closed: done at [-\d]+ [:\d]+Z\n", rekindle("status", *journal).out)


def test_a_killed_run_says_that_nobody_pursues_it(rekindle: Program, tmp_path: Path) -> None:
    process = rekindle.until_entry(tmp_path / "j.db", "action.intended")
    process.kill()
    process.communicate()

    answer = rekindle("status", "--json", "--journal", str(tmp_path / "j.db"))

    assert answer.document["must_do"].startswith("go on: rekindle resume --journal ")
    assert answer.code == 1, "a check that runs every minute must see it"


def test_who_cancelled_is_found_before_the_last_checkpoint(
    rekindle: Program, waiting: Path
) -> None:
    rekindle("cancel", "--journal", str(waiting))
    found = newest(waiting)

    assert found is not None
    assert found.closed is not None
    assert found.closed.by


def test_an_object_is_called_by_its_name() -> None:
    subject = f"holder/{UID}"
    detail = {"kind": "CephBlockPool", "namespace": "storage", "name": "data", "uid": UID}
    memory = Memory(
        state="flux-synced",
        facts={subject: Fact("Seen", detail=detail)},
        answers={subject: {"answer": "wait", "reason": "its turn has not come"}},
    )

    said = waits_for(Standing(memory))

    assert said == "CephBlockPool storage/data: its turn has not come"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ({}, True),
        ({"node/n1": "unseen", "api": "down", "kubeconfig": "ours"}, True),
        ({"node/n1": "unseen", "node/n2": "maintenance"}, False),
        ({"node/n1": "unseen", "deployment/a/b": "Ready"}, False),
    ],
)
def test_what_nothing_was_seen_of_cannot_be_told(codes: dict[str, str], *, expected: bool) -> None:
    facts = {subject: Fact(code) for subject, code in codes.items()}

    assert nothing_seen(Memory(facts=facts)) is expected


def test_a_run_that_is_held_needs_no_resume() -> None:
    memory = Memory(state="cni-up", answers={"x": {"answer": "wait", "reason": "soon"}})

    assert view(memory, ("cni-up",), "j.db").must_do == "nothing"
    assert view(memory, ("cni-up",), "j.db", held=False).must_do.startswith("go on: ")
