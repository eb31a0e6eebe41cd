"""
An answer is given once, to a question that is named, and whoever comes second is told.

Mutants: judge each request of an inbox by the memory before the first (``requests_of``); let an empty id be a prefix.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from engine.memory import Approval, Memory
from journal import entries as e
from journal import inbox
from journal.reader import Reader
from rekindle.asked import answering, requests_of
from tests.cli.conftest import Program

pytestmark = pytest.mark.program

ASKED = Approval("1a2b3c4d", "1a2b3c4d" * 8, "holder/1", "off?", "gone", "a/b", 0.0)
MEMORY = Memory(approvals={"1a2b3c4d": ASKED}, answers={"holder/1": {"answer": "ask"}})


@pytest.fixture
def asked(rekindle: Program, waiting: Path) -> dict[str, Any]:
    document = rekindle("status", "--json", "--journal", str(waiting)).document
    first: dict[str, Any] = document["approvals"][0]
    return first


def test_two_requests_in_one_inbox_give_one_answer(tmp_path: Path) -> None:
    journal, told = tmp_path / "j.db", list[str]()
    for _ in range(2):
        inbox.submit(journal, inbox.Approve(actor="ops", approval="1a2b3c4d", typed="a/b"))
    inbox.submit(journal, inbox.Refuse(actor="late", approval="1a2b3c4d"))

    requests = answering(requests_of(journal, told.append), frozenset({"1a2b3c4d"}), "option")
    taken = requests.take(MEMORY, 5.0)

    assert [type(entry) for entry, _ in taken] == [e.ApprovalGiven]
    assert len(told) == 2
    assert all("was answered before: given by ops at 1970-01-01 00:00:05Z" in line for line in told)


def test_an_option_answers_what_no_request_did(tmp_path: Path) -> None:
    requests = answering(requests_of(tmp_path / "j.db", print), frozenset({"1a2b3c4d"}), "option")

    ((entry, _),) = requests.take(MEMORY, 5.0)

    assert isinstance(entry, e.ApprovalGiven)
    assert entry.actor == "option"


def _given(journal: Path) -> int:
    with Reader(journal) as reader:
        return sum(row.kind.startswith("approval.") for row in reader.rows()) - 3


def test_the_second_answer_is_told_of_the_first(
    rekindle: Program, waiting: Path, asked: dict[str, Any]
) -> None:
    words = ("approve", asked["id"], "--type", asked["typed"], "--journal", str(waiting))
    assert rekindle(*words).code == 0

    again, otherwise = rekindle(*words), rekindle(*words, "--refuse")

    assert again.code == 0
    assert f"approval {asked['id']} was given by " in again.err
    assert "nothing was written" in again.err
    assert (otherwise.code, "approval-answered" in otherwise.err) == (64, True)
    assert _given(waiting) == 1


def test_what_is_missing_is_shown_as_it_is_to_be_typed(
    rekindle: Program, waiting: Path, asked: dict[str, Any]
) -> None:
    answer = rekindle("approve", asked["id"], "--journal", str(waiting))

    assert (answer.code, _given(waiting)) == (64, 0)
    words = ["approve", asked["id"], "--type", asked["typed"], "--journal", str(waiting)]
    assert f"`{shlex.join(['rekindle', *words])}`" in answer.err
    assert rekindle(*words).code == 0
    assert _given(waiting) == 1


def test_an_empty_id_names_no_question_not_even_the_only_one(
    rekindle: Program, waiting: Path
) -> None:
    journal = ("--journal", str(waiting))
    for item in rekindle("status", "--json", *journal).document["approvals"][1:]:
        rekindle("approve", item["id"], "--refuse", *journal)

    answer = rekindle("approve", "", "--refuse", *journal)

    assert (answer.code, "an empty id names no question" in answer.err) == (64, True)
    assert _given(waiting) == 2


def test_nothing_to_answer_is_said(rekindle: Program, waiting: Path) -> None:
    journal = ("--journal", str(waiting))
    for item in rekindle("status", "--json", *journal).document["approvals"]:
        rekindle("approve", item["id"], "--type", item["typed"], *journal)

    answered = rekindle("approve", *journal)
    rekindle("cancel", *journal)
    closed = rekindle("approve", *journal)
    late = rekindle("approve", "1a2b", *journal)

    assert (answered.code, answered.out) == (0, "")
    assert answered.err.splitlines()[0] == "no question is open"
    assert answered.err.splitlines()[1].startswith("to go on: rekindle resume --journal ")
    assert closed.err == "no question is open\n"
    assert (late.code, "is closed: cancelled" in late.err) == (64, True)
