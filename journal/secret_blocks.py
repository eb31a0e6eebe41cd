"""
Secrets in block scalars of YAML (``password: |``), and in those of an entry of an environment (``value: |``).

Which lines belong to a block says the indentation (YAML 1.2.2, 8.1), which no pattern can compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

_KEY: Final = re.compile(
    r"([ \t]*(?:-[ \t]+)*)([\"']?)([A-Za-z0-9_.-]{1,128})\2[ \t]*:(?:[ \t]+|$)"
)
_HEADER: Final = re.compile(r"[|>][0-9+-]{0,2}[ \t]*(?:#.*)?$")
_NAMES: Final = frozenset({"name", "key"})


def redact_blocks(text: str, kind_of: Callable[[str], str]) -> str:
    """Replace the blocks of secrets; *kind_of* says of a key which kind of secret it names, empty: of none."""
    lines = text.split("\n")
    for first, header in _headers(lines):
        column, key = len(header[1]), header[3]
        kind = kind_of(key)
        if not kind and key != "value":
            continue
        end = _end(lines, first + 1, column)
        kind = kind or _neighbours(lines, first, end, column, kind_of)
        if kind and end > first + 1:
            body = lines[first + 1 : end]
            indent = re.match(r"[ \t]*", next(line for line in body if line.strip()))
            mark = f"{indent[0] if indent else ''}[redacted:{kind}]"
            # As many lines as before, so that what comes after them keeps its place.
            lines[first + 1 : end] = [mark, *("" for _ in body[1:])]
    return "\n".join(lines)


def _headers(lines: list[str]) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in enumerate(lines):
        if "|" in line or ">" in line:
            key = _KEY.match(line)
            if key is not None and _HEADER.match(line.rstrip("\r"), key.end()):
                yield number, key


def _end(lines: list[str], first: int, column: int) -> int:
    """Return the line after a block: its lines stand further in than its key; empty ones at its end are not its own."""
    end = first
    for number in range(first, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        if len(line) - len(line.lstrip(" \t")) <= column:
            break
        end = number + 1
    return end


def _neighbours(
    lines: list[str], first: int, end: int, column: int, kind_of: Callable[[str], str]
) -> str:
    """Return the kind of secret that the line before a ``value``, or the one after it, names in the same mapping."""
    for number, begins in ((first - 1, first), (end, end)):
        line = lines[number].rstrip() if 0 <= number < len(lines) else ""
        key = _KEY.match(line)
        if key is None or len(key[1]) != column or key[3].lower() not in _NAMES:
            continue
        apart = "-" in lines[begins][:column]  # a list's next item begins there
        kind = "" if apart else kind_of(line[key.end() :].strip("\"' \t"))
        if kind:
            return kind
    return ""
