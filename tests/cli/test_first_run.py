"""
The first real ``run`` of a terminal shows what it is about to do and whose cluster it is, and asks once.

The cluster is a scenario's, said to be real. Mutants: open the run before the question; ask without a terminal; take
an empty answer for a yes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.cli.terminal import on_terminal

pytestmark = pytest.mark.program

STAGED = """
import rekindle.cli.run, rekindle.planfile, rekindle.rehearsal, rekindle.worlds
plan, world = rekindle.rehearsal.in_process("node-lost")
rekindle.planfile.read_plan = lambda path: plan
rekindle.worlds.real = lambda plan, journal: world
"""


@pytest.mark.parametrize("typed", ["n\r", "\r"])
def test_a_no_opens_nothing(rekindle: Program, tmp_path: Path, typed: str) -> None:
    journal = tmp_path / "j.db"
    terminal = on_terminal(rekindle, "run", "--journal", str(journal), code=STAGED)
    terminal.until("begin? [y/N]")
    terminal.type(typed)

    assert terminal.ended() == 5
    assert "nothing was begun" in terminal.plain
    assert not journal.exists()


def test_a_yes_begins_and_was_told_what_and_where(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    terminal = on_terminal(rekindle, "run", "--journal", str(journal), code=STAGED)
    terminal.until("begin? [y/N]")
    assert "anton: a run would begin in " in terminal.plain
    assert "cluster anton, CA sim:anton" in terminal.plain
    assert "would wait" not in terminal.plain
    assert not journal.exists()
    terminal.type("y\r")

    assert terminal.ended() == 0
    assert rekindle("status", "--journal", str(journal), "--json").document["outcome"] == "done"


@pytest.mark.parametrize("words", [("--yes",), ()])
def test_a_flag_answers_and_nobody_there_is_not_asked(
    rekindle: Program, tmp_path: Path, words: tuple[str, ...]
) -> None:
    journal = str(tmp_path / "j.db")
    if words:
        terminal = on_terminal(rekindle, "run", *words, "--journal", journal, code=STAGED)
        code, said = terminal.ended(), terminal.plain
    else:
        answer = rekindle("run", "--journal", journal, code=STAGED)
        code, said = answer.code, answer.err

    assert (code, "begin?" in said) == (0, False)


def test_an_interrupt_at_the_question_begins_nothing(rekindle: Program, tmp_path: Path) -> None:
    import signal

    journal = tmp_path / "j.db"
    terminal = on_terminal(rekindle, "run", "--journal", str(journal), code=STAGED)
    terminal.until("begin? [y/N]")
    terminal.process.send_signal(signal.SIGINT)

    assert terminal.ended() == 75
    assert "nothing was begun" in terminal.plain
    assert not journal.exists()
