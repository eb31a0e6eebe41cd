"""
An answer is given once, to a question that is named, and whoever comes second is told.

A yes is never given unread: wherever its command is handed over, and before it is written, what it destroys is said.
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
from tests.cli.terminal import on_terminal

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


def test_what_a_yes_destroys_is_said_before_it_is_given(
    rekindle: Program, waiting: Path, asked: dict[str, Any]
) -> None:
    """Mutants: say it where it is typed at a prompt alone; say it after it was written."""
    words = ("approve", asked["id"], "--type", asked["typed"], "--journal", str(waiting))

    lines = rekindle(*words).err.splitlines()

    assert lines[0] == f"approval {asked['id']}: {asked['question']}"
    assert lines[1] == f"  consequence: {asked['consequence']}"
    assert lines[2].startswith("written; ")


def test_where_a_yes_is_handed_over_its_consequence_is(
    rekindle: Program, waiting: Path, asked: dict[str, Any]
) -> None:
    """Mutants: take the row out of ``shown.lines``, or the words out of ``lines.describe``."""
    lines = rekindle("status", "--journal", str(waiting)).out.splitlines()
    log = rekindle("log", "--journal", str(waiting)).out
    (number,) = [i for i, line in enumerate(lines) if line.startswith("you must")]

    assert f"--type {asked['typed']}" in lines[number]
    assert lines[number + 1] == f"a yes means   {asked['question']} {asked['consequence']}"
    said = f"asked: {asked['question']} (a yes means: {asked['consequence']})"
    assert f"approval {asked['id']} {said}" in log


def test_on_a_terminal_only_the_right_name_is_a_yes(
    rekindle: Program, waiting: Path, asked: dict[str, Any]
) -> None:
    """Mutants: take whatever is typed at the prompt; do not ask at it; ask before what it destroys was said."""
    words = ("approve", asked["id"], "--journal", str(waiting))
    prompt = f"type '{asked['typed']}' to approve: "
    wrong = on_terminal(rekindle, *words, COLUMNS="1000")
    wrong.until(prompt)
    assert f"  consequence: {asked['consequence']}" in wrong.plain.partition(prompt)[0]
    wrong.type(f"{asked['typed']}x\n")

    assert wrong.ended() == 64
    assert f"'{asked['typed']}x' is not '{asked['typed']}'; nothing was approved" in wrong.plain
    assert _given(waiting) == 0

    right = on_terminal(rekindle, *words, COLUMNS="1000")
    right.until(prompt)
    right.type(f"{asked['typed']}\n")

    assert right.ended() == 0
    assert "written; " in right.plain
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


@pytest.mark.parametrize("answer", [("--refuse",), ("--type", "storage/scratch")])
def test_an_answer_without_an_id_is_not_taken_for_a_list(
    rekindle: Program, waiting: Path, answer: tuple[str, ...]
) -> None:
    """It listed the questions and answered 0, as if it had been heard. Mutant: list them whatever was typed."""
    said = rekindle("approve", *answer, "--journal", str(waiting))

    assert (said.code, said.out) == (64, "")
    assert "none was named" in said.err
    assert _given(waiting) == 0


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
