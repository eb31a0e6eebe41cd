"""
An outside program, asked for an answer: no shell, no terminal, a deadline, and a limit to what it may say.

For programs that answer within seconds. Commands of the operator's repository are another matter: ``commands``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
_GRACE_SECONDS = 1.0
MISSING = "missing"
EXPIRED = "expired"


class ProgramFailed(Exception):  # noqa: N818  it is told apart by its reason
    """There is no answer: *reason* is missing (no such program) or expired (our deadline passed)."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep the reason apart from the sentence."""
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said before it ended. A negative *code* is the signal that ended it."""

    code: int
    stdout: bytes
    stderr: str


def ask(
    argv: Sequence[str],
    *,
    seconds: float,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    started: Callable[[int], None] | None = None,
) -> Answer:
    """
    Run to the end, or to our deadline, whichever is first.

    Output goes through files: a program that floods both streams cannot block on a full pipe, and one whose children
    keep a stream open cannot keep us waiting. *started* is told the process (and group) id before we wait.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=directory,
                env=None if environment is None else dict(environment),
                start_new_session=True,
                pass_fds=tuple(pass_fds),
            )
        except (OSError, ValueError) as error:
            raise _not_started(argv, error) from error
        try:
            if started is not None:
                started(process.pid)
            code = process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise ProgramFailed(EXPIRED, f"{argv[0]} gave no answer in {seconds:g} s") from error
        finally:
            _end(process)
        out.seek(0)
        err.seek(0)
        said = err.read(ANSWER_LIMIT_BYTES).decode(errors="replace")
        return Answer(code=code, stdout=out.read(ANSWER_LIMIT_BYTES), stderr=said)


def tried(
    argv: Sequence[str],
    *,
    seconds: float,
    given: bytes = b"",
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """
    Run for the exit code alone: what it says goes nowhere, neither to us nor to a disk.

    For programs whose answer is a secret. *given* is what it reads.
    """
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=directory,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise _not_started(argv, error) from error
    try:
        process.communicate(given or None, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise ProgramFailed(EXPIRED, f"{argv[0]} gave no answer in {seconds:g} s") from error
    finally:
        _end(process)
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
    return process.returncode


def _not_started(argv: Sequence[str], error: OSError | ValueError) -> ProgramFailed:
    """Say why nothing was started; a word with a NUL in it is no word for any system."""
    why = error.strerror or error if isinstance(error, OSError) else "a word has a NUL in it"
    return ProgramFailed(MISSING, f"{argv[0]} cannot be started: {why}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group of a program that did not end by itself."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
            return
