"""
Which lines tell of what kind an object is: a Secret's ``data`` is one's only by the ``kind`` beside it.

kubectl sorts the members of an object, so that ``kind`` stands below ``data``; people write it above.
"""

from __future__ import annotations

import re

_EDGE = rb"\\{0,7}[\"']?"
_DATA = re.compile(
    rb"[+-]?[ \t]*(?:-[ \t]+)*"
    + _EDGE
    + rb"(data|stringData)"
    + _EDGE
    + rb"[ \t]{0,8}:[ \t]*(?:[\r\n{#&!]|\Z)"
)
# Anywhere in a line, as JSON has it.
_DATA_WITHIN = re.compile(
    rb"data(?<!metadata)\\{0,7}[\"']?[ \t]{0,8}:[ \t]{0,8}(?:map\[|\{(?![ \t]{0,8}\})|\\{1,7}[rn])"
)
_KIND = re.compile(
    rb"[+-]?[ \t]*(?:-[ \t]+)*"
    + _EDGE
    + rb"kind"
    + _EDGE
    + rb"[ \t]{0,8}:[ \t]*(?:[!&]\S{1,64}[ \t]+){0,2}"
    + _EDGE
    + rb"(\w+)"
)
_MEMBER = re.compile(
    rb"[+-]?[ \t]*" + _EDGE + rb"[\w./-]{1,253}" + _EDGE + rb"[ \t]{0,8}:|[+-]?[ \t]*[}\]]"
)
_INDENT = re.compile(rb"[ \t]*(?:-[ \t]+)*")
_BLANKS = re.compile(rb"[ \t]*")
_BEGINS = (b"---", b"...")
SIGNS = (b"+", b"-")  # of a diff
_LINE_BYTES = 1024
_DEEPEST = 64


class Kinds:
    """Remembers what kinds the mappings have told that a line may still be of."""

    def __init__(self) -> None:
        """Know none."""
        self._told: list[tuple[int, bytes]] = []
        self._signed = False  # since one was told all lines began with a hyphen: those of a diff, and not of a list

    def follow(self, line: bytes) -> None:
        """Read a line."""
        if self._told:
            self._signed = self._signed and line.startswith(SIGNS)
            listed = line.startswith(b"-") and not self._signed
            blanks = 0 if listed else column_of(line)
            if line.startswith(_BEGINS):
                self._told.clear()
            elif line.strip():
                while self._told and self._told[-1][0] > blanks:
                    self._told.pop()
        if b"kind" in line and len(line) <= _LINE_BYTES and tells_kind(line):
            column = member_column(line)
            if self._told and self._told[-1][0] == column:
                self._told.pop()
            if len(self._told) < _DEEPEST:
                self._told.append((column, line))
                self._signed = line.startswith(b"-")

    def of(self, line: bytes) -> bytes:
        """Return the line that told the kind of what this one is a member of; empty: none did."""
        column = member_column(line)
        return next((told for at, told in self._told if at == column), b"")


def is_data(line: bytes) -> bool:
    """Say whether the data of an object begin in a line, which are a Secret's or a ConfigMap's."""
    return (b"data" in line or b"Data" in line) and _DATA.match(line) is not None


def has_data(text: bytes) -> bool:
    """Say whether a line has the data of an object, which its kind may stand far behind."""
    return b"data" in text and _DATA_WITHIN.search(text) is not None


def is_anybodys(line: bytes) -> bool:
    """Say whether those of a ConfigMap begin as well as this."""
    return b"stringData" not in line


def tells_kind(line: bytes) -> bool:
    """Say whether a line tells of what kind its object is."""
    return b"kind" in line and _KIND.match(line) is not None


def is_member(line: bytes) -> bool:
    """Say whether a line begins with a member of an object, or ends one."""
    return _MEMBER.match(line) is not None


def column_of(line: bytes) -> int:
    """Return how far in a line stands; the sign that a diff has before it is no part of it."""
    blanks = _BLANKS.match(line, 1 if line.startswith(SIGNS) else 0)
    return blanks.end() if blanks else 0


def member_column(line: bytes) -> int:
    """Return where a line's own text begins: the hyphens of a list are its indentation too."""
    indent = _INDENT.match(line, 1 if line.startswith(SIGNS) else 0)
    return indent.end() if indent else 0
