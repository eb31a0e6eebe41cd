"""
What people are told to type names its journal, and a shell reads it as it was meant.

Mutants: leave ``shlex.quote`` out of ``with_journal``; hand the hint through ``show`` as it is; do not tell the newest.
"""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rekindle.typed import command, with_journal
from tests.cli.conftest import Program, alone

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]
ODD = 'night shift\'s $(x) "y".db'


@pytest.mark.parametrize("name", ["j.db", ODD, "tab\there", "-dash.db"])
def test_a_shell_reads_a_typed_command_as_it_was_meant(name: str) -> None:
    typed = command("approve", "1a2b", "--type", "a b", journal=name)

    assert shlex.split(typed) == ["rekindle", "approve", "1a2b", "--type", "a b", "--journal", name]


def test_hints_name_the_journal_once() -> None:
    hint = (
        "`rekindle resume` goes on, `rekindle cancel --journal x.db` ends it; `rekindle plan` looks"
    )

    named = with_journal(hint, "a b.db")

    assert named == (
        "`rekindle resume --journal 'a b.db'` goes on, `rekindle cancel --journal x.db` ends it; "
        "`rekindle plan` looks"
    )
    assert with_journal(hint, "") == hint


def _commands(text: str) -> list[list[str]]:
    """What is told to be typed: in backticks, or as the rest of a line."""
    spans = re.findall(r"`(rekindle [^`]+)`", text)
    spans += re.findall(
        r"(?:^ *|: |, then )(rekindle [^`,]*?)(?: \(and \d+ more\))?(?:, then .*)?$",
        text,
        re.MULTILINE,
    )
    return [shlex.split(span) for span in spans]


def test_every_command_that_is_told_can_be_pasted(rekindle: Program, waiting: Path) -> None:
    told = []
    for words in (
        ("status",),
        ("approve",),
        ("approve", "0000"),
        ("rehearse", "cold-start"),
        ("status", "--run", "none"),
    ):
        answer = rekindle(*words, "--journal", str(waiting))
        told += _commands(answer.out + answer.err)

    assert len(told) >= 7
    for typed in told:
        assert typed[-2:] == ["--journal", str(waiting)], typed


def test_a_session_that_ends_tells_the_approvals_before_the_way_on(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = str(tmp_path / ODD)

    answer = rekindle("rehearse", str(alone("june-12", tmp_path)), "--journal", journal)

    told = _commands(answer.err)
    assert [words[1] for words in told[-4:]] == ["approve"] * 3 + ["resume"]
    assert all(words[-1] == journal for words in told)


def test_our_own_bug_names_the_journal(rekindle: Program, waiting: Path) -> None:
    code = "import rekindle.view\ndef broken(*_a, **_k): raise ValueError('broken')\nrekindle.view.view = broken"

    answer = rekindle("status", "--journal", str(waiting), code=code)

    assert answer.code == 70
    assert f"rekindle resume --journal {shlex.quote(str(waiting))}" in answer.err


@pytest.mark.parametrize("words", [("history",), ("log",), ("approve",), ("cancel",)])
def test_the_newest_journal_is_taken_and_told(
    rekindle: Program, journal_that_waits: Path, words: tuple[str, ...]
) -> None:
    newest = rekindle.folder / "state" / "rekindle" / "anton.db"
    newest.parent.mkdir(parents=True)
    newest.write_bytes(journal_that_waits.read_bytes())

    by_default = rekindle(*words)
    by_environment = rekindle("history", env={"REKINDLE_JOURNAL": str(newest)})
    named = rekindle("history", "--journal", str(newest))

    assert by_default.err.startswith(f"journal {newest}\n")
    assert by_environment.err == f"journal {newest}\n"
    assert named.err == ""


def test_a_plan_that_does_not_load_is_checked_again_by_its_own_name(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutant: a bare ``rekindle plan``, which looks for recovery.yaml."""
    plan = tmp_path / "the home's plan.yaml"
    plan.write_text("cluster: home\n")
    first = rekindle("run", str(plan))
    (words,) = _commands(first.err)

    again = rekindle(*words[1:])

    assert words == ["rekindle", "plan", "--check", str(plan)]
    assert (again.code, again.err) == (first.code, first.err)


def test_no_hint_tells_to_run_without_a_plan() -> None:
    """Where only the journal is known it is PLAN. Mutant: take it out of one of them."""
    spans = [
        (path.name, span)
        for room in ("journal", "engine", "phases", "rekindle")
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for span in re.findall(r"(?<!`)`rekindle (?:run|plan|watch)\b[^`]*`?[^`]{0,8}", node.value)
    ]
    told_of = re.compile(
        r"`rekindle \w+` (?:refuses|accepts)"
    )  # what it does, and not what to type
    whole = re.compile(r"`rekindle \w+ (?:PLAN\b|--check )")
    hints = [one for one in spans if not whole.match(one[1]) and not told_of.match(one[1])]

    assert hints == []


def test_a_folder_is_no_journal_however_it_is_named(rekindle: Program, tmp_path: Path) -> None:
    folder = str(tmp_path)

    by_environment = rekindle("status", env={"REKINDLE_JOURNAL": folder})

    assert by_environment.code == rekindle("status", "--journal", folder).code == 64
    assert f"'{folder}' is a directory" in by_environment.err


def test_a_missing_journal_is_answered_with_a_command_that_works(
    rekindle: Program, journal_that_waits: Path
) -> None:
    newest = rekindle.folder / "state" / "rekindle" / "anton.db"
    newest.parent.mkdir(parents=True)
    newest.write_bytes(journal_that_waits.read_bytes())

    answer = rekindle("resume", "--journal", "slip.db")

    assert answer.code == 64
    (words,) = _commands(answer.err)
    ended = subprocess.run(
        [sys.executable, "-m", *words],
        check=False,
        env=rekindle.environment,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1, ended.stderr
