"""
Processes of the program that begin with everything imported: forked from one that did nothing but import.

A start of the program is for the most part imports, and the tests start it hundreds of times. What is forked is a
process of its own in every respect that they look at: id, signals, streams, environment, locks, exit code. What a
start itself does is for the tests that begin a new interpreter: ``Program.afresh``.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PRELOADED = ("rekindle.cli", "rekindle", "rekindle.simulator", "rekindle.adapters")


@dataclass
class Forked:
    """What the tests use of ``subprocess.Popen``; both streams are files."""

    pid: int
    out: Path
    err: Path
    parent: Parent
    returncode: int | None = None
    _ends: int = field(init=False)

    def __post_init__(self) -> None:
        self._ends = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        return self._ended(0.0)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return self.out.read_text(), self.err.read_text()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._ends, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ends], [], [], timeout)[0]:
            self.returncode = self.parent.ask(reap=self.pid)
            os.close(self._ends)
        return self.returncode


class Parent:
    """The process that they are forked from: it imports the program, and then only forks and reaps."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def start(self, arguments: tuple[str, ...], folder: Path, env: dict[str, str]) -> Forked:
        """Fork a process of the program, in *folder*."""
        number = len(list(folder.glob(".stdout-*")))
        out, err = folder / f".stdout-{number}", folder / f".stderr-{number}"
        out.touch()
        err.touch()  # a process may be killed before it has opened its streams
        streams = [os.devnull, str(out), str(err)]
        pid = self.ask(argv=arguments, folder=str(folder), env=env, streams=streams)
        return Forked(pid, out, err, self)

    def ask(self, **request: Any) -> int:  # noqa: ANN401  plain values
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(request)}\n")
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=60)


@cache
def parent() -> Parent:
    """Return the parent of this whole session's processes; it ends with the session."""
    made = Parent()
    atexit.register(made.close)
    return made


def serve() -> None:
    """Answer requests; returns in forked processes, which then are the program."""
    for package in map(importlib.import_module, PRELOADED):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    for line in sys.stdin:
        request = json.loads(line)
        if "reap" in request:
            _, status = os.waitpid(request["reap"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if not pid:
            return _become(**request)
        print(pid, flush=True)
    sys.exit()


def _become(argv: list[str], folder: str, env: dict[str, str], streams: list[str]) -> None:
    """Take on what a new process has: arguments, folder, environment and streams."""
    sys.argv[1:] = argv
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    for number, path in enumerate(streams):
        found = os.open(path, os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY, 0o600)
        os.dup2(found, number)
        os.close(found)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    serve()
    from rekindle.cli.main import main

    main()
