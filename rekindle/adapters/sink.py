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

from rekindle.adapters.sink_lines import Together
from rekindle.adapters.sink_manifests import has_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PIECE_BYTES = 64 * 1024
_PRIVATE = 0o600
_STDIN = 0
_KEY = re.compile(rb"-----(BEGIN|END) [A-Z0-9 ]{0,32}PRIVATE KEY")
_MARKER_BYTES = 64
# A longer line is cut; what is tried for a cut lies so far before the end that a secret there shows itself.
_LINE_LIMIT_BYTES = 128 * 1024
_OVERLAP_BYTES = 16 * 1024
_CUT_AT = (b" ", b"\t", b"\r", b",", b";", b'"', b"{", b"}")
_CUTS_TRIED = 8
_CUT_STEP_BYTES = 8 * 1024


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
        """Take a line (or a part of a very long one); what was taken out of it whole leaves nothing behind."""
        if not line:
            return
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


def drain(source: int, redactor: Redactor, keep: Callable[[bytes], None]) -> None:
    """Read to the end, and keep what may be kept."""
    while piece := os.read(source, _PIECE_BYTES):
        for part in redactor.take(piece):
            keep(part)
    for part in redactor.end():
        keep(part)


class Redactor:
    """
    Takes secrets out of lines; of a private key, which has many lines, all of them.

    A line without an end is cut only where the parts, each by itself, are redacted as the whole is: half a token is
    still half a secret. Where there is no such place the rest of the line is left out.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        """Begin outside of any key and any line."""
        self._redact = redact
        self._rest = b""
        self._in_long = False
        self._leaving_out = False
        self._in_key = False
        self._window = b""
        self._together = Together(self._safe)

    def take(self, piece: bytes) -> Iterator[bytes]:
        """Take what was read; yield what may be kept of it by now."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            yield from self._line(line + b"\n").splitlines(keepends=True)
        while len(self._rest) > _LINE_LIMIT_BYTES:
            yield self._part_of_line()

    def end(self) -> Iterator[bytes]:
        """Yield what may be kept of a last line without an end, and what was held."""
        if self._rest:
            yield self._line(self._rest)
        yield from self._together.release().splitlines(keepends=True)

    def _line(self, line: bytes) -> bytes:
        """Return what may be kept of a line, or of the end of one."""
        inside = self._follow_key(line)
        self._in_long = False
        if self._leaving_out:
            self._leaving_out = False
            return b"\n"
        if inside:
            return b""
        # Of what is held nothing may be taken for the key's.
        return self._together.take(self._safe(line) + b"\n" if self._in_key else line)

    def _part_of_line(self) -> bytes:
        """Cut a part off a line that is too long to be held."""
        held = b""
        if not self._in_long:
            self._in_long = True
            held, secret = self._together.interrupt(self._rest)
            if secret:
                return held + self._leave_out()
        # Whose data these are may be told behind the cut, or never.
        unknown = self._leaving_out or has_data(self._rest)
        at, safe = (0, b"") if unknown else self._cut(self._rest)
        if not at:
            return held + self._leave_out()
        part, self._rest = self._rest[:at], self._rest[at:]
        return held + (b"" if self._follow_key(part) else safe)

    def _leave_out(self) -> bytes:
        """Leave out what was read of a line, and the rest of it."""
        part, self._rest = self._rest, b""
        self._follow_key(part)
        noted, self._leaving_out = self._leaving_out, True
        return b"" if noted else b"[the rest of a long line is left out]"

    def _cut(self, text: bytes) -> tuple[int, bytes]:
        """Find a place to cut at, well before the end, and what may be kept before it; 0 when there is none."""
        whole = self._safe(text)
        at = len(text) - _OVERLAP_BYTES
        for _ in range(_CUTS_TRIED):
            at = max(text.rfind(mark, 0, at) for mark in _CUT_AT)
            if at <= 0:
                break
            before = self._safe(text[:at])
            if before + self._safe(text[at:]) == whole:
                return at, before
            at -= _CUT_STEP_BYTES
        return 0, b""

    def _follow_key(self, text: bytes) -> bool:
        """Note where private keys begin and end; tell whether this begins inside of one."""
        inside = self._in_key
        window = self._window + text
        for marker in _KEY.finditer(window):
            self._in_key = marker[1] == b"BEGIN"
        self._window = window[-_MARKER_BYTES:]
        return inside

    def _safe(self, text: bytes) -> bytes:
        """Redact what is complete."""
        return self._redact(text.decode(errors="replace")).encode()


def redactor() -> Redactor:
    """Return what takes secrets out of lines. Nothing is remembered of a line: a flood would fill the memory."""
    from journal.redactor import redact_text

    return Redactor(redact_text.__wrapped__)


def main(arguments: list[str]) -> None:
    """Keep standard input until it ends. Signals for the terminal's group are not for us."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    path, limit = arguments
    fileno = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE)
    keeper = Keeper(fileno, int(limit))
    try:
        drain(_STDIN, redactor(), keeper.keep)
    finally:
        keeper.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
