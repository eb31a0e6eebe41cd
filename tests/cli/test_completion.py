"""
Promise: a shell completes commands, runs, open questions, references and scenarios, and never shows an error.

Bash is asked itself; zsh and fish by the protocol that the printed script speaks (themselves: `test_shells`); kubectl
by what it calls.

Mutants: ids of another journal; closed questions; an exception that reaches the shell; a command that is not named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from journal.reader import Reader
from rekindle.cli.kubectl import FILES, NO_FILES, candidates
from rekindle.cli.main import COMMANDS, MOMENTS
from rekindle.folding import newest
from rekindle.sentences import questions
from tests.cli.conftest import Program

pytestmark = pytest.mark.program

BIN = Path(sys.executable).parent


def words(*given: str) -> list[str]:
    return [word for word, _ in candidates(list(given))[0]]


def test_every_command_stands_under_one_moment() -> None:
    listed = [name for commands in MOMENTS.values() for name in commands]

    assert len(listed) == len(set(listed)) == len(COMMANDS)
    assert list(MOMENTS) == ["Before the night", "During the night", "After the night"]


def test_help_is_grouped_by_moment(rekindle: Program) -> None:
    lines = rekindle("--help").out.splitlines()

    places = [lines.index(f"{moment}:") for moment in MOMENTS]
    assert places == sorted(places)
    resume = next(number for number, line in enumerate(lines) if line.startswith("  resume "))
    assert places[1] < resume < places[2]


def test_commands_are_completed_without_being_imported() -> None:
    assert words("rep") == ["report", "replay"]
    assert set(words("")) == set(COMMANDS)


def test_a_run_is_completed_from_its_journal(journal_of_a_night: Path) -> None:
    with Reader(journal_of_a_night) as reader:
        [run] = reader.runs()

    assert words("report", "--journal", str(journal_of_a_night), "") == [run.run_id]
    assert words("log", "--journal", str(journal_of_a_night), "--run", run.run_id[:4]) == [
        run.run_id
    ]
    assert words("diff", "--journal", str(journal_of_a_night), "no-such") == []


def test_a_run_is_completed_from_every_known_journal(
    journal_of_a_night: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state" / "rekindle" / "rehearsals"
    state.mkdir(parents=True)
    shutil.copyfile(journal_of_a_night, state / "node-lost.db")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("REKINDLE_JOURNAL", raising=False)

    [(run_id, said)] = candidates(["report", ""])[0]

    assert run_id
    assert said.startswith("rehearse of ")
    assert said.endswith(", done")


def test_open_questions_are_completed_with_what_they_ask(waiting: Path) -> None:
    run = newest(waiting)
    assert run is not None
    asked = {item.approval: item.question for item in questions(run.memory)}

    listed, directive = candidates(["approve", "--journal", str(waiting), ""])

    assert dict(listed) == asked
    assert len(asked) == 3
    assert directive == NO_FILES


def test_scenarios_and_references_are_completed() -> None:
    assert "june-12" in words("rehearse", "")
    assert words("explain", "etcd-d") == ["etcd-data-left"]


def test_files_are_left_to_the_shell() -> None:
    assert candidates(["run", ""]) == ([], FILES)


def test_a_broken_journal_completes_nothing_and_says_nothing(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)

    assert words("report", "--journal", str(damaged), "") == []
    assert words("approve", "--journal", str(damaged), "") == []
    assert words("report", "--journal", str(tmp_path / "none.db"), "") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_that_asks_the_program(rekindle: Program, shell: str) -> None:
    answer = rekindle("completion", shell)

    assert answer.code == 0
    assert f"_REKINDLE_COMPLETE={shell}_complete" in answer.out


def test_fish_shows_all_that_stands_beside_a_word(rekindle: Program) -> None:
    """A run's "run of home, 2025-06-12 02:13, open" ended at "home". Mutant: Click's script as it is."""
    script = rekindle("completion", "fish").out

    assert 'string split --max 1 "," $completion' in script
    assert script.count("string split") == 1


def test_the_help_has_a_line_for_each_shell(rekindle: Program) -> None:
    """Mutant: a raw docstring, whose ``\\b`` is two letters, and whose lines are made one."""
    lines = rekindle("completion", "--help").out.splitlines()

    for shell in ("bash", "zsh", "fish"):
        assert sum(line.startswith(f"  {shell}: ") for line in lines) == 1
    assert not any("\\b" in line or "\b" in line for line in lines)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_program_answers_what_the_script_asks(rekindle: Program, shell: str) -> None:
    env = {"COMP_WORDS": "rekindle resu", "COMP_CWORD": "resu" if shell == "fish" else "1"}
    answer = rekindle.afresh(env={**env, "_REKINDLE_COMPLETE": f"{shell}_complete"})
    out, err = answer.communicate(timeout=60)

    assert "resume" in out
    assert "report" not in out
    assert not err


def test_bash_itself_completes() -> None:
    script = """
        eval "$(rekindle completion bash)"
        COMP_WORDS=(rekindle explain lease-h); COMP_CWORD=2
        _rekindle_completion rekindle
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, "-c", script], env=env, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.stdout == "lease-held\n", done.stderr


def test_kubectl_is_answered_in_its_own_form() -> None:
    done = subprocess.run(
        [BIN / "kubectl_complete-rekindle", "explain", "lease-h"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    first, last = done.stdout.splitlines()
    assert first.startswith("lease-held\t")
    assert last == ":4"


def test_as_a_plugin_it_is_called_what_was_typed() -> None:
    done = subprocess.run(
        [BIN / "kubectl-rekindle", "status", "--no-such"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 64
    assert done.stderr.startswith("Usage: kubectl rekindle status ")
