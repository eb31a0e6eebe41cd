"""
Promise: bash, zsh and fish complete runs and open questions, each with the script that `rekindle completion` prints.

The shells are real. Bash and zsh sit at a terminal of their own, where somebody types the beginning of an id and
presses Tab; fish is asked for what it would offer. Mutants: a script of another shell; ids that are no longer open.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rekindle.folding import newest
from rekindle.sentences import questions
from tests.cli.conftest import Program
from tests.cli.terminal import at_terminal

pytestmark = pytest.mark.system

BIN = Path(sys.executable).parent
SHELLS = {
    "bash": (("--norc", "--noprofile", "-i"), 'eval "$(rekindle completion bash)"'),
    "zsh": (
        ("-f", "-i"),
        'autoload -U compinit && compinit -u -D && eval "$(rekindle completion zsh)"',
    ),
}


def installed(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.fail(f"no {shell} on PATH: `apt-get install {shell}` (Debian's package `{shell}`)")
    return found


def surroundings(program: Program, journal: Path) -> dict[str, str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**program.environment, "PATH": path, "REKINDLE_JOURNAL": str(journal), "TERM": "vt100"}


class Typist:
    """Somebody at a shell."""

    def __init__(self, shell: str, program: Program, journal: Path) -> None:
        words, setup = SHELLS[shell]
        env = {**surroundings(program, journal), "PS1": "ready> ", "COLUMNS": "200"}
        self.terminal = at_terminal([installed(shell), *words], env, program.folder)
        self.terminal.until("ready> ")
        self.terminal.type(f"{setup}; echo set''up\n")
        self.terminal.until("setup\r\n")

    def completes(self, line: str, to: str) -> None:
        """Type the beginning of a line and press Tab, and see what the shell makes of it."""
        self.terminal.type(f"{line}\t")
        self.terminal.until(to)
        self.terminal.type("\x15")  # Ctrl-U: nothing is begun


@pytest.fixture(params=SHELLS)
def typist(request: pytest.FixtureRequest, rekindle: Program, waiting: Path) -> Iterator[Typist]:
    found = Typist(request.param, rekindle, waiting)
    yield found
    found.terminal.type("exit\n")
    found.terminal.ended()
    os.close(found.terminal.master)


def asked(journal: Path) -> tuple[str, list[str]]:
    run = newest(journal)
    assert run is not None
    return run.memory.run_id, sorted(item.approval for item in questions(run.memory))


def beginning(ids: list[str], wanted: str) -> str:
    """The shortest beginning that no other id has."""
    others = [one for one in ids if one != wanted]
    lengths = range(1, len(wanted) + 1)
    return next(wanted[:n] for n in lengths if not any(o.startswith(wanted[:n]) for o in others))


def test_a_run_and_a_question_are_completed_at_the_prompt(typist: Typist, waiting: Path) -> None:
    run_id, approvals = asked(waiting)
    begun = beginning(approvals, approvals[-1])
    assert begun != approvals[-1], approvals

    typist.completes(f"rekindle report {run_id[:4]}", run_id)
    typist.completes(f"rekindle approve {begun}", f"approve {approvals[-1]}")


def test_fish_offers_runs_and_questions(rekindle: Program, waiting: Path) -> None:
    run_id, approvals = asked(waiting)

    def offered(line: str) -> list[str]:
        script = f"rekindle completion fish | source; complete -C {line!r}"
        done = subprocess.run(
            [installed("fish"), "--no-config", "-c", script],
            env=surroundings(rekindle, waiting),
            cwd=rekindle.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert not done.stderr
        return sorted(line.partition("\t")[0] for line in done.stdout.splitlines())

    assert offered("rekindle report ") == [run_id]
    assert offered("rekindle approve ") == approvals
    assert offered("rekindle approve nobody-asked") == []
