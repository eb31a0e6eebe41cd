"""
Closed, full and deserted streams: what was reached stays reached, and no file of ours is written into by mistake.

Mutants: do not mend the streams; let an ``OSError`` of stdout through; leave the buffer to the interpreter's end.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SECONDS, Program

pytestmark = pytest.mark.program


def _shell(rekindle: Program, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line as a shell would, the program in place of ``REKINDLE``; its exit code is that of the program."""
    program = shlex.join([sys.executable, "-m", "rekindle"])
    return subprocess.run(
        ["/bin/bash", "-c", line.replace("REKINDLE", program)],
        env=rekindle.environment,
        cwd=rekindle.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize(
    "streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">&- 2>/dev/full", "2>/dev/full"]
)
def test_a_rehearsal_arrives_whatever_its_streams_are(rekindle: Program, streams: str) -> None:
    ended = _shell(rekindle, f"REKINDLE rehearse node-lost --journal j.db --json {streams}")

    assert ended.returncode == 0, ended.stderr
    assert "our-bug" not in ended.stderr
    assert rekindle("log", "--verify", "--journal", "j.db").code == 0
    assert rekindle("status", "--journal", "j.db", "--json").document["outcome"] == "done"


def test_a_full_disk_under_stdout_is_no_bug_and_loses_no_run(rekindle: Program) -> None:
    ended = _shell(rekindle, "REKINDLE rehearse node-lost --journal j.db --json > /dev/full")

    assert ended.returncode == 74
    assert "error (output-unwritable): cannot write to stdout: No space left" in ended.stderr
    assert f"`rekindle status --journal {rekindle.folder / 'j.db'}`" in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert rekindle("resume", "--json", "--journal", "j.db").document["outcome"] == "done"


@pytest.mark.parametrize("words", ["log", "log --json", "log --all", "history", "status", "--help"])
def test_a_reader_that_has_left_is_no_error(rekindle: Program, waiting: Path, words: str) -> None:
    about = "" if words == "--help" else f"--journal {shlex.quote(str(waiting))}"
    alone = rekindle(*words.split(), *shlex.split(about))

    ended = _shell(
        rekindle, f"REKINDLE {words} {about} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    )
    gone = _shell(rekindle, f"{{ sleep 0.2; REKINDLE {words} {about}; }} > >(exec true)")

    assert (ended.returncode, ended.stderr.count("rror")) == (alone.code, 0), ended.stderr
    assert (gone.returncode, gone.stderr.count("rror")) == (alone.code, 0), gone.stderr


def test_a_session_whose_reader_has_left_exits_by_its_outcome(rekindle: Program) -> None:
    line = "{ sleep 0.2; REKINDLE rehearse node-lost --journal j.db --json; } > >(exec true)"

    ended = _shell(rekindle, line)

    assert ended.returncode == 0, ended.stderr


def test_a_bug_on_a_full_disk_is_still_said(rekindle: Program) -> None:
    """Mutant: let the error of ``mkstemp`` through; then a traceback is all that is left."""
    code = """
import errno, os, tempfile, rekindle.folding
def full(**_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
tempfile.mkstemp = full
rekindle.folding.newest = lambda *_: 1 / 0
"""
    (rekindle.folder / "j.db").touch()
    answer = rekindle("resume", "--journal", "j.db", code=code)

    assert answer.code == 70
    assert "error (our-bug): ZeroDivisionError" in answer.err
    assert "its report could not be written (No space left on device)" in answer.err
