"""
Commands of the operator's repository: declared in the plan, run without a shell, in a session of their own.

A command that outlives us keeps its lock, and the process that keeps its output; it is adopted, never doubled.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.world import CONFLICT, INVALID
from phases.placeholders import filled
from rekindle.adapters import orphans, settling

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from engine.world import Intent, Settlement
    from journal.entries import Json
    from phases.section import Command

OUTPUT_LIMIT_BYTES = 8 * 1024 * 1024
GRACE_SECONDS = 10.0
TIMEOUT = "timeout"
_POLL_SECONDS = 0.2
_ADOPT_POLL_SECONDS = 0.5
_SINK_SECONDS = 5.0
_SIGNALLED = 128  # a shell's way to say which signal ended a program


@dataclass(frozen=True, slots=True)
class Started:
    """A running command and what belongs to it."""

    process: subprocess.Popen[bytes]
    sink: subprocess.Popen[bytes]
    lock: orphans.ActionLock
    record: orphans.Record
    output: Path


class Commands:
    """
    Runs and adopts commands; both block, so they are for threads.

    *environment* is added to ours, below what the plan says. When *stopping* is set a command is left to itself: it
    is found again by its lock.
    """

    def __init__(
        self,
        commands: Mapping[str, Command],
        journal: Path,
        *,
        stopping: threading.Event,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """Know the plan's commands and where the journal is."""
        self._commands = commands
        self._journal = journal
        self._stopping = stopping
        self._environment = dict(environment or {})
        self._clock = clock
        self._grace = grace_seconds
        self._left: list[Started] = []

    def output_path(self, action: str) -> Path:
        """Name the file that has what a command said."""
        folder = self._journal.with_name(f"{self._journal.name}.output")
        return folder / f"{action.replace(os.sep, '-')}.log"

    def run(self, intent: Intent) -> Settlement | None:
        """Run to the end or the deadline; None when we were stopped and it goes on without us."""
        command = self._commands.get(str(intent.arguments.get("command", "")))
        if command is None:
            return settling.failed(intent, INVALID, why="the plan has no such command")
        until = time.monotonic() + intent.deadline_seconds
        argv = filled(command.argv, intent.arguments)
        try:
            started = self._spawn(intent, command.model_copy(update={"argv": argv}))
        except orphans.LockHeldError:
            return settling.failed(intent, CONFLICT, why="this action is running already")
        except OSError as error:
            why = f"{command.argv[0]} cannot be started: {error.strerror or error}"
            return settling.failed(intent, INVALID, why=why)
        try:
            ended_by = self._wait(started, until)
            if ended_by == "stopped":
                self._left.append(started)
                return None
            return self._settle(intent, command, started, ended_by)
        finally:
            started.lock.release()

    def adopt(self, intent: Intent) -> Settlement | None:
        """
        Wait until nothing of an earlier process's command runs, then say what is known of it.

        The deadline that it was started under still holds. None when we were stopped before that.
        """
        path = orphans.path_for(self._journal, intent.action)
        due = intent.intended_at + intent.deadline_seconds
        while orphans.is_running(path):
            record = orphans.read(path)
            late = self._clock() - due
            if record is not None and late > 0:
                kill = late > self._grace
                orphans.end(record, signal.SIGKILL if kill else signal.SIGTERM)
            if self._stopping.wait(_ADOPT_POLL_SECONDS):
                return None
        record = orphans.read(path)
        evidence = self._evidence(self.output_path(intent.action))
        if record is None or record.exit_code is None:
            return settling.unsettled(intent, **evidence)
        command = self._commands.get(str(intent.arguments.get("command", "")))
        return _ended(intent, command, record, evidence)

    def _spawn(self, intent: Intent, command: Command) -> Started:
        """Take the lock, start the keeper of the output, then the command, then say what was started."""
        lock = orphans.ActionLock(orphans.path_for(self._journal, intent.action))
        output = self.output_path(intent.action)
        try:
            output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            sink = _start_sink(output)
        except BaseException:
            lock.release()
            raise
        try:
            process = self._popen(command, sink, lock)
        except BaseException:
            _close_input(sink)
            sink.wait(_SINK_SECONDS)
            lock.path.unlink(missing_ok=True)
            lock.release()
            raise
        _close_input(sink)
        lock.note(process.pid, tuple(command.argv))
        record = orphans.describe(process.pid, tuple(command.argv))
        return Started(process, sink, lock, record, output)

    def _popen(
        self, command: Command, sink: subprocess.Popen[bytes], lock: orphans.ActionLock
    ) -> subprocess.Popen[bytes]:
        """Start the command itself."""
        return subprocess.Popen(
            list(command.argv),
            stdin=subprocess.DEVNULL,
            stdout=sink.stdin,
            stderr=subprocess.STDOUT,
            cwd=command.directory,
            env={**os.environ, **self._environment, **command.environment},
            start_new_session=True,
            pass_fds=(lock.fileno,),
        )

    def _wait(self, started: Started, until: float) -> str:
        """Wait for the leader, then for what it left behind. Say who ended it: itself, timeout, or nobody yet."""
        while started.process.poll() is None:
            if self._stopping.is_set():
                return "stopped"
            if time.monotonic() >= until:
                self._end_group(started)
                return TIMEOUT
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.process.wait(_POLL_SECONDS)
        self._await_group(started, min(until, time.monotonic() + self._grace))
        if orphans.group_lives(started.record):
            self._end_group(started)
        return "itself"

    def _end_group(self, started: Started) -> None:
        """Ask the whole group to end, then make it."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(started.process.pid, number)
            if self._await_group(started, time.monotonic() + self._grace):
                return

    @staticmethod
    def _await_group(started: Started, until: float) -> bool:
        """Wait until the group has no members."""
        while time.monotonic() < until:
            started.process.poll()
            if not orphans.group_lives(started.record):
                return True
            time.sleep(_POLL_SECONDS / 4)
        return not orphans.group_lives(started.record)

    def _settle(
        self, intent: Intent, command: Command, started: Started, ended_by: str
    ) -> Settlement:
        """Record the exit code before anybody is told, then tell."""
        code = started.process.poll()
        record = orphans.Record(
            argv=started.record.argv, exit_code=-1 if code is None else code, ended_by=ended_by
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.sink.wait(_SINK_SECONDS)
        if started.sink.poll() is None:
            started.sink.terminate()
            started.sink.wait()
        started.lock.write(record)
        return _ended(intent, command, record, self._evidence(started.output))

    @staticmethod
    def _evidence(output: Path) -> dict[str, Json]:
        """Describe the output; the output itself stays in its file."""
        try:
            with output.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                return {"output": str(output), "size": file.tell(), "sha256": digest}
        except OSError:
            return {}


def _ended(
    intent: Intent, command: Command | None, record: orphans.Record, evidence: dict[str, Json]
) -> Settlement:
    """
    Read an exit code.

    A command that failed may have done half of its work. Of one that may be repeated it is enough to say that it
    failed; of one that may not, nobody can promise that nothing happened.
    """
    if record.ended_by == TIMEOUT:
        return settling.unsettled(intent, TIMEOUT, **evidence)
    exit_code = record.exit_code or 0
    code = f"exit-{exit_code if exit_code >= 0 else _SIGNALLED - exit_code}"
    if record.exit_code == 0:
        return settling.done(intent, code, **evidence)
    if command is not None and command.effect == "convergent":
        return settling.failed(intent, code, **evidence)
    return settling.unsettled(intent, code, **evidence)


def _start_sink(output: Path) -> subprocess.Popen[bytes]:
    """Start the process that keeps the output."""
    module = "rekindle.adapters.sink"
    return subprocess.Popen(
        [sys.executable, "-m", module, str(output), str(OUTPUT_LIMIT_BYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)},
    )


def _close_input(sink: subprocess.Popen[bytes]) -> None:
    """Let go of our end: the output ends when the command's processes do."""
    if sink.stdin is not None:
        sink.stdin.close()
