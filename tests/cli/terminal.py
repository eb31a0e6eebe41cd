"""The program on a terminal of its own: what an operator sees, and what they type."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN, Program

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Terminal:
    """Both ends of a pseudo-terminal; *seen* is all that was written to it."""

    process: subprocess.Popen[bytes]
    master: int
    seen: str = field(default="")

    @property
    def plain(self) -> str:
        return ESCAPE.sub("", self.seen)

    def until(self, text: str, seconds: float = 60.0) -> None:
        """Read until *text* is on the screen."""
        end = time.monotonic() + seconds
        while text not in self.plain:
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                pytest.fail(f"no {text!r}: {self.plain[-2000:]}")

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def ended(self, seconds: float = 60.0) -> int:
        """Read to the end and return the exit code."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read(0.2):
            pass
        try:
            return self.process.wait(max(end - time.monotonic(), 1.0))
        except subprocess.TimeoutExpired:
            self.process.kill()  # a test that failed leaves nothing behind for the next one to fail on
            self.process.wait()
            raise

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return self.process.poll() is None
        try:
            found = os.read(self.master, 65536)
        except OSError:  # Linux answers EIO once the other end is closed
            return False
        self.seen += found.decode("utf-8", "replace")
        return bool(found)


def at_terminal(command: Sequence[str | Path], env: Mapping[str, str], folder: Path) -> Terminal:
    """Start a command with all three streams on a terminal of its own."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command,
        env=env,
        cwd=folder,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    return Terminal(process, master)


def on_terminal(program: Program, *arguments: str, code: str = "", **env: str) -> Terminal:
    """Start the program on a terminal; without NO_COLOR unless *env* says so."""
    begin = ["-c", f"{code}\n{MAIN}"] if code else ["-m", "rekindle"]
    kept = {key: value for key, value in program.environment.items() if key != "NO_COLOR"}
    surroundings = {**kept, "TERM": "xterm", "COLUMNS": "160", "LINES": "40", **env}
    return at_terminal([sys.executable, *begin, *arguments], surroundings, program.folder)
