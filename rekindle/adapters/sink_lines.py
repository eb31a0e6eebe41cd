"""
Which lines have to be redacted together: a name and the value below it, and a block with the line that opens it.

The data of an object are held until it is told whether it is a Secret. What is held has a limit: of a longer block that
may be a secret the rest is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rekindle.adapters.sink_manifests import (
    SIGNS,
    Kinds,
    column_of,
    is_anybodys,
    is_data,
    is_member,
    member_column,
    tells_kind,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# A line that ends in a name, or in a place: the next one may be its value, as an entry of an environment, or an
# operation of a patch, has them in YAML and JSON.
_NAMING = re.compile(
    rb"(?i)(?:name|key|path)[\"'\\]{0,6}[ \t]{0,8}[:=][ \t]{0,8}[\"'\\]{0,6}(?:/(?:string)?data/)?[\w.-]{1,253}"
    rb"[^\w]{0,8}"
    rb"(?:[ \t]#[^\n]{0,512})?[\r\n]{0,2}\Z"
)
_NAMING_BYTES = 1024
# A command with logins that goes on on the next line.
_CURL = re.compile(rb"\bcurl\b[^\n]{0,1024}\\\r?\n?\Z")
_CONTINUED = re.compile(rb"\\\r?\n?\Z")
# The words of a netrc, whose password may stand on a line of its own.
_NETRC = re.compile(
    rb"[ \t]{0,80}(?:machine[ \t]{1,40}\S{1,256}|default)"
    rb"(?:[ \t]{1,40}(?:login|account)[ \t]{1,40}\S{1,256}){0,2}\s{0,80}\Z"
)
_NETRC_USER = re.compile(rb"[ \t]{0,80}(?:login|account)[ \t]{1,40}\S{1,256}\s{0,80}\Z")
# A value, for the name may stand below it.
_VALUE = re.compile(rb"(?i)(?<![\w.-])value[\"'\\]{0,6}[ \t]{0,8}[:=]")
# The end of a line that opens a block scalar, or a list or an object of JSON.
_BLOCK = re.compile(rb"[|>][0-9+-]{0,2}[ \t]{0,80}(?:#[^\n]{0,1024})?[\r\n]{0,2}\Z")
_BRACKET = (b"[", b"{")
# A name with nothing after it.
_ALONE = re.compile(rb":[ \t]{0,80}(?:[#!&][^\n]{0,1024})?[\r\n]{0,2}\Z")
_ITEM = b"- "
# What the redactor would take out anywhere below the name of a secret.
_WORD = b"Zz19Zz19Zz19Zz19Zz19Zz19\n"
_APART = re.compile(rb"[ \t]*(?:#.*)?\r?\n?")
_APART_LINES = 16
_INDENT = re.compile(rb"[ \t]*")
_LIMIT_BYTES = 64 * 1024


class Together:
    """Gives lines out, redacted, as soon as it is known what stands beside them."""

    def __init__(self, safe: Callable[[bytes], bytes]) -> None:
        """Hold nothing."""
        self._safe = safe
        # A line that names the next one's value; it has been given out already.
        self._before = b""
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._column = -1  # of the line that opened a block; -1: no block
        self._listed = False  # a list that stands no further in than that line belongs to it
        self._leaving_out = False
        self._kinds = Kinds()
        self._data = -1  # the column of the data that are held; -1: none are
        self._beside = False  # what is held has come to the members beside them

    def take(self, line: bytes) -> bytes:
        """Take a line; return what may be given out by now."""
        given = self._take(line)
        self._kinds.follow(line)
        return given

    def _take(self, line: bytes) -> bytes:
        if self._leaving_out:
            if self._belongs(line):
                return b""
            self._leaving_out, self._column = False, -1
        if not self._held:
            return b"" if self._opened(line) else self._named(line)
        if self._belongs(line):
            self._hold(line)
            return self._cut_short() if self._held_bytes > _LIMIT_BYTES else b""
        if self._is_beside(line):
            self._beside = True
            self._hold(line)
            full = self._held_bytes > _LIMIT_BYTES
            return self.release() if full or tells_kind(line) else b""
        return self._closed(line)

    def _is_beside(self, line: bytes) -> bool:
        """Say whether a line is of the object whose data are held, so that it or one below may tell of its kind."""
        return 0 <= self._data == column_of(line) and is_member(line)

    def interrupt(self, start: bytes) -> tuple[bytes, bool]:
        """Return what was held before a line that is too long to be, and whether that is a part of a secret."""
        if self._column >= 0 and self._belongs(start):
            return self._cut_short(), True
        held = self.release()
        begin = start[:_NAMING_BYTES]
        named, self._before = bool(self._before) and self._told(begin) != self._safe(begin), b""
        return held, named

    def release(self) -> bytes:
        """Return what was held."""
        held = self._told(b"".join(self._held))
        if self._held:
            self._before = self._held[-1] if _is_naming(self._held[-1]) else b""
        self._held, self._held_bytes, self._column = [], 0, -1
        self._data, self._beside = -1, False
        self._leaving_out = False
        return held

    def _opened(self, line: bytes) -> bool:
        """Hold a line if what comes below it belongs to it, or may name it."""
        if is_data(line):
            return self._opened_data(line)
        block = _BLOCK.search(line) is not None
        value = _VALUE.search(line) is not None
        if not value:
            bracket = line.rstrip().endswith(_BRACKET)
            alone = not block and not bracket
            if alone and _ALONE.search(line) is None:
                return False
            self._listed = alone and not line.lstrip().startswith(_ITEM)
            # What the redactor would do with anything below it tells whether it is a secret's.
            below = b" " * (_column(line) + 8) + _WORD
            block = self._safe(line + below) != self._safe(line) + below
        if value or block:
            self._column = _column(line) if block else -1
            self._hold(line)
        return value or block

    def _opened_data(self, line: bytes) -> bool:
        """Hold data until it is known what they are of, and with what has told it already."""
        kind = self._kinds.of(line) if is_anybodys(line) else b""
        self._before = kind or self._before
        self._listed = False
        self._column = column_of(line)
        self._data = member_column(line) if is_anybodys(line) and not kind else -1
        self._hold(line)
        return True

    def _hold(self, line: bytes) -> None:
        self._held.append(line)
        self._held_bytes += len(line)

    def _belongs(self, line: bytes) -> bool:
        """Say whether a line stands further in than the one that opened the block, or tells nothing by itself."""
        if _APART.fullmatch(line):
            return True
        column = _column(line)
        listed = self._listed and column == self._column and line.startswith(_ITEM, column)
        if self._held and self._held[0].startswith((*SIGNS, b" ")) and is_data(self._held[0]):
            # In a diff each line has a sign or a blank; one may be empty but for that.
            column = self._column + 1 if line.strip() in SIGNS else max(column, column_of(line))
        return listed or 0 <= self._column < column

    def _closed(self, line: bytes) -> bytes:
        """Return what was held, which ends before this line, and the line if nothing below belongs to it."""
        before, held = self._before, b"".join(self._held)
        given = self.release()
        if self._opened(line):
            return given
        self._before = before
        given = self._told(held + line)
        self._before = line if _is_naming(line) else b""
        return given

    def _cut_short(self) -> bytes:
        """Leave out a block that is too long to be held, to its end; a line alone is given out as it is."""
        if self._column < 0 or self._beside:
            return self.release()
        column, opening = self._column, self._held[:1]
        self._held = opening
        given = self.release()
        self._column, self._leaving_out = column, True
        note = b"%*s[a long block is left out]\n" % (column + 2, b"")
        return given + note if opening else b""

    def _named(self, line: bytes) -> bytes:
        """Redact a line, and what the line before calls a secret in it."""
        given = self._told(line)
        goes_on = _APART.fullmatch(line) or _CONTINUED.search(line) or _NETRC_USER.match(line)
        if goes_on and self._before and self._before.count(b"\n") < _APART_LINES:
            self._before += line
        else:
            self._before = line if _is_naming(line) else b""
        return given

    def _told(self, text: bytes) -> bytes:
        """Redact what follows the line before."""
        if self._before and text:
            named, both = self._safe(self._before), self._safe(self._before + text)
            if both.startswith(named):
                return both[len(named) :]
        return self._safe(text)


def _is_naming(line: bytes) -> bool:
    """Say whether what follows a line is named by it, or belongs to it."""
    if len(line) > _NAMING_BYTES:
        return False
    return any(found(line) for found in (_NAMING.search, _CURL.search, _NETRC.match))


def _column(line: bytes) -> int:
    indent = _INDENT.match(line)
    return indent.end() if indent else 0
