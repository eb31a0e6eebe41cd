"""
Secrets in block scalars of YAML (``password: |``), and in those of an entry of an environment (``value: |``).

Which lines belong to a block says the indentation (YAML 1.2.2, 8.1), which no pattern can compare. Lines are also those
of a text within a text, as an annotation of what was last applied has them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from journal.secret_shapes import compiled

_EDGE: Final = r"(\\{0,7}[\"']?)"
_WORD: Final = r"(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]{1,128})"
_INDENT: Final = re.compile(r"[ \t]*(?:-[ \t]+)*")
_NAMING: Final = re.compile(rf"{_EDGE}(name|key)\1[ \t]{{0,8}}:[ \t]+(\S.*)", re.IGNORECASE)
# With a tag or an anchor, and at the end of what a controller says before it.
_HEADER: Final = re.compile(
    rf"{_EDGE}{_WORD}\1[ \t]{{0,8}}:[ \t]+(?:[!&]\S{{0,128}}[ \t]+){{0,4}}"
    r"[|>][0-9+-]{0,2}[ \t]*(?:#.{0,1024})?\r?$"
)
_APART: Final = re.compile(r"[ \t]*(?:#.*)?\r?")
_COMMENT: Final = re.compile(r"[ \t]#.*")
_APART_LINES: Final = 16
# How many backslashes a line's end has: in a text, in a text within that, and once more.
_DEPTHS: Final = (1, 2, 4)


class _Header(NamedTuple):
    """A line that a block follows: its number, the key, and what the block's lines stand further in than."""

    line: int
    key: str
    column: int


def redact_blocks(text: str, kind_of: Callable[[str], str]) -> str:
    """Replace the blocks of secrets; *kind_of* says of a key which kind of secret it names, empty: of none."""
    if "\n" in text:
        lines = text.split("\n")
        _redact_lines(lines, kind_of)
        text = "\n".join(lines)
    for depth in _DEPTHS:
        if "\\" * depth + "n" in text:
            text = _redact_within(text, depth, kind_of)
    return text


def _redact_within(text: str, depth: int, kind_of: Callable[[str], str]) -> str:
    """Do it in each text within this one. Quotes end it; a quote of its own has more backslashes than its line ends."""
    parts = compiled(rf"((?<!\\)\\{{0,{2 * depth - 2}}}\"|\n)").split(text)
    ends = compiled(rf"(?<!\\)((?:\\{{{depth}}}r)?\\{{{depth}}}n)")
    for number in range(0, len(parts), 2):
        if "|" in parts[number] or ">" in parts[number]:
            lines = ends.split(parts[number])
            lines[::2] = _redact_lines(lines[::2], kind_of)
            parts[number] = "".join(lines)
    return "".join(parts)


def _redact_lines(lines: list[str], kind_of: Callable[[str], str]) -> list[str]:
    """Replace the blocks of secrets in the list itself; it keeps its length."""
    filled: list[int] = []
    for header in _headers(lines):
        kind = kind_of(header.key)
        if not kind and header.key != "value":
            continue
        filled = filled or [number for number, line in enumerate(lines) if line.strip()]
        first = header.line + 1
        end = _end(lines, filled, first, header.column)
        kind = kind or _neighbours(lines, header, end, kind_of)
        if kind and end > first:
            body = lines[first:end]
            indent = re.match(r"[ \t]*", next((line for line in body if line.strip()), ""))
            mark = f"{indent[0] if indent else ''}[redacted:{kind}]"
            # As many lines as before, so that what comes after them keeps its place.
            lines[first:end] = [mark, *("" for _ in body[1:])]
    return lines


def _headers(lines: list[str]) -> Iterator[_Header]:
    for number, line in enumerate(lines):
        if "|" in line or ">" in line:
            key = _HEADER.search(line)
            if key is not None:
                indent = _indent(line)
                alone = key.start() == indent
                blank = len(line) - len(line.lstrip(" \t"))
                yield _Header(number, key[2], indent if alone else blank)


def _indent(line: str) -> int:
    """Where a line's own text begins: the hyphens of a list are its indentation too."""
    match = _INDENT.match(line)
    return match.end() if match else 0


def _end(lines: list[str], filled: list[int], first: int, column: int) -> int:
    """Return the line after a block: its lines stand further in than its key; empty ones at its end are not its own."""
    end = first
    for at in range(bisect_left(filled, first), len(filled)):
        number = filled[at]
        line = lines[number]
        if line.strip():
            if len(line) - len(line.lstrip(" \t")) <= column:
                break
            end = number + 1
    return end


def _neighbours(lines: list[str], header: _Header, end: int, kind_of: Callable[[str], str]) -> str:
    """Return the kind of secret that the line before a ``value``, or the one after it, names in the same mapping."""
    for number, step in ((header.line - 1, -1), (end, 1)):
        near = _filled(lines, number, step)
        line = lines[near].rstrip() if 0 <= near < len(lines) else ""
        name = _NAMING.match(line, _indent(line))
        if name is None or _indent(line) != header.column:
            continue
        # A list's next item begins there.
        apart = "-" in lines[header.line if step < 0 else near][: header.column]
        kind = "" if apart else kind_of(_COMMENT.sub("", name[3]).strip("\\\"' \t"))
        if kind:
            return kind
    return ""


def _filled(lines: list[str], number: int, step: int) -> int:
    """Return the next line that is neither empty nor a comment; not many of these stand beside a value."""
    for _ in range(_APART_LINES):
        if not 0 <= number < len(lines) or not _APART.fullmatch(lines[number]):
            break
        number += step
    return number
