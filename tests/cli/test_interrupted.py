"""
Ctrl-C at any moment: a sign that can be seen, the way on, the document, and never a traceback.

Mutants that turn these red: let the handler write under the live panel in place of setting its flag; take the row out
of ``panel``; leave without closing the panel; install the handlers in the session only; let ``held`` go of the signals
before the document is out; answer a hang-up that nohup chose to ignore.
"""

from __future__ import annotations

import shlex
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import SECONDS, Program
from tests.cli.terminal import on_terminal

pytestmark = pytest.mark.program

AT_IMPORT = """
import builtins, os, signal
known = builtins.__import__
def hook(name, *rest, **more):
    if name == {module!r} and not hook.done:
        hook.done = True
        os.kill(os.getpid(), signal.{number})
    return known(name, *rest, **more)
hook.done = False
builtins.__import__ = hook
"""


def _at(module: str, number: str = "SIGINT") -> str:
    return AT_IMPORT.format(module=module, number=number)


@pytest.mark.parametrize("module", ["rekindle.cli.table", "click", "rekindle.session"])
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_before_anything_was_begun_it_says_so(
    rekindle: Program, tmp_path: Path, module: str, number: str
) -> None:
    journal = tmp_path / "j.db"
    # Whoever runs the tests under nohup ignores hang-ups, and its children do.
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n" + _at(module, number)

    answer = rekindle("rehearse", "june-12", "--journal", str(journal), "--json", code=code)

    assert (answer.code, answer.out) == (75, "")
    assert "interrupted: nothing was begun" in answer.err
    assert not journal.exists()


def test_a_resume_that_did_not_get_to_its_run_says_how_to_go_on(
    rekindle: Program, waiting: Path
) -> None:
    before = waiting.read_bytes()

    answer = rekindle("resume", "--journal", str(waiting), "--json", code=_at("rekindle.session"))

    assert answer.code == 75
    assert answer.document["outcome"] == "interrupted"
    assert f"rekindle resume --journal {shlex.quote(str(waiting))}" in answer.err
    assert waiting.read_bytes() == before


def test_while_the_cluster_is_being_made_the_books_are_closed_first(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = tmp_path / "j.db"

    answer = rekindle(
        "rehearse",
        "june-12",
        "--journal",
        str(journal),
        "--json",
        code=_at("rekindle.simulator.client", "SIGTERM").replace(
            "not hook.done", "not hook.done and os.path.exists('j.db')"
        ),
    )

    assert (answer.code, answer.document["outcome"]) == (75, "interrupted"), answer.err
    assert "ending: " in answer.err
    assert f"rekindle resume --journal {journal}" in answer.err
    log = rekindle("log", "--journal", str(journal))
    assert "session ended: signal" in log.out


def test_a_signal_after_the_goal_does_not_change_the_answer(
    rekindle: Program, tmp_path: Path
) -> None:
    code = """
import os, signal
import rekindle.document as d
real = d.of_run
def of_run(*a, **k):
    os.kill(os.getpid(), signal.SIGINT)
    return real(*a, **k)
d.of_run = of_run
"""

    answer = rekindle(
        "rehearse", "node-lost", "--journal", str(tmp_path / "j.db"), "--json", code=code
    )

    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err


def test_a_hang_up_that_nohup_ignores_ends_nothing(rekindle: Program, tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    code += _at("rekindle.session", "SIGHUP")

    answer = rekindle("rehearse", "node-lost", "--journal", str(tmp_path / "j.db"), code=code)

    assert answer.code == 0, answer.err


def test_plain_output_says_what_is_finished_first(rekindle: Program, tmp_path: Path) -> None:
    # Not its first entry: what is shown follows a moment after what is written.
    words = ("rehearse", "june-12", "--speed", "60")
    process = rekindle.until(tmp_path / "j.db", "findings.changed", *words, times=3)

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=SECONDS)

    assert process.returncode == 75, err
    line = next(line for line in err.splitlines() if line.startswith("ending: "))
    assert line.startswith("ending: a1 command.run command/cni until ")
    assert line.endswith("; Ctrl-C again leaves at once")


def test_the_panel_shows_that_it_ends_and_what_it_waits_for(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = str(tmp_path / "j.db")
    words = ("rehearse", "june-12", "--journal", journal, "--speed", "1")
    terminal = on_terminal(rekindle, *words)
    terminal.until("running")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until("ending: a1 command.run command/cni until ", 10)
    shown = terminal.plain.count("ending: ")
    time.sleep(0.6)
    terminal.until("Ctrl-C again leaves at once")
    assert terminal.process.poll() is None
    terminal.process.send_signal(signal.SIGINT)

    assert terminal.ended(10) == 75
    assert terminal.plain.count("ending: ") > shown, "one line that is painted over is no sign"
    assert terminal.plain.rstrip().endswith(f"to go on: rekindle resume --journal {journal}")
    assert terminal.seen.rindex("\x1b[?25h") < terminal.seen.rindex("to go on")
