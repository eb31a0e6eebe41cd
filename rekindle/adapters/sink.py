"""
Keeps what a command says, in a process of its own: ``python -m rekindle.adapters.sink FILE LIMIT``.

A command that outlives us must not die of a broken pipe at its next line, nor stop because nobody reads. The file is
private, redacted, and bounded: the first half of the limit as it comes, and at the end the last half.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE_BYTES = 64 * 1024
_PRIVATE = 0o600
_STDIN = 0
_KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_KEY_END = re.compile(rb"-----END [A-Z0-9 ]*PRIVATE KEY")


class Keeper:
    """Writes the head at once, holds the tail back, and says how much it left out in between."""

    def __init__(self, fileno: int, limit: int) -> None:
        """Divide the limit in two halves."""
        self._fileno = fileno
        self._head_left = limit // 2
        self._tail_limit = limit - limit // 2
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._left_out = 0

    def keep(self, line: bytes) -> None:
        """Take a line (or a piece of a very long one)."""
        if self._head_left >= len(line) and not self._tail:
            os.write(self._fileno, line)
            self._head_left -= len(line)
            return
        self._tail.append(line)
        self._tail_bytes += len(line)
        while self._tail_bytes > self._tail_limit and self._tail:
            gone = self._tail.popleft()
            self._tail_bytes -= len(gone)
            self._left_out += len(gone)

    def finish(self) -> None:
        """Write the tail."""
        if self._left_out:
            os.write(self._fileno, b"\n[%d bytes left out]\n" % self._left_out)
        while self._tail:
            os.write(self._fileno, self._tail.popleft())
        os.fsync(self._fileno)


def drain(source: int, keep: Callable[[bytes], None]) -> None:
    """Read to the end in whole lines; a line without an end is cut where a piece is full."""
    rest = b""
    while piece := os.read(source, _PIECE_BYTES):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            keep(line + b"\n")
        if len(rest) > _PIECE_BYTES:
            keep(rest)
            rest = b""
    if rest:
        keep(rest)


class Redactor:
    """Takes secrets out of lines; of a private key, which has many lines, all of them."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        """Begin outside of any key."""
        self._redact = redact
        self._in_key = False

    def __call__(self, line: bytes) -> bytes:
        """Return what may be kept of a line."""
        if self._in_key:
            self._in_key = not _KEY_END.search(line)
            return b""
        begin = _KEY_BEGIN.search(line)
        self._in_key = begin is not None and not _KEY_END.search(line, begin.end())
        return self._redact(line.decode(errors="replace")).encode() + (b"\n" * self._in_key)


def redactor() -> Redactor:
    """Return what takes secrets out of lines."""
    from journal.redactor import redact_text

    return Redactor(redact_text)


def main(arguments: list[str]) -> None:
    """Keep standard input until it ends. Signals for the terminal's group are not for us."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    path, limit = arguments
    fileno = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE)
    keeper = Keeper(fileno, int(limit))
    redact = redactor()
    try:
        drain(_STDIN, lambda line: keeper.keep(redact(line)))
    finally:
        keeper.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
