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

from journal.secret_lines import blanks_of, by_lines, indent_of
from journal.secret_shapes import compiled

_EDGE: Final = r"(\\{0,7}[\"']?)"
_WORD: Final = r"(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]{1,128})"
_NAMING: Final = re.compile(rf"{_EDGE}(name|key)\1[ \t]{{0,8}}:[ \t]+(\S.*)", re.IGNORECASE)
# With a tag or an anchor, and at the end of what a controller says before it.
_HEADER: Final = re.compile(
    rf"{_EDGE}{_WORD}\1[ \t]{{0,8}}:[ \t]+(?:[!&]\S{{0,128}}[ \t]+){{0,4}}"
    r"[|>][0-9+-]{0,2}[ \t]*(?:#.{0,1024}+)?\r?$"
)
_APART: Final = re.compile(r"[ \t]*(?:#.*)?\r?")
_COMMENT: Final = re.compile(r"[ \t]#.*")
_APART_LINES: Final = 16
# A file with a key, as a Secret has it; of which only the base64 of one is taken out: "answer.key" may be a text.
_KEY_FILE: Final = (
    r"(?i)[a-z0-9_.-]{0,120}"
    r"(?:\.key|key\.(?:pem|der)|id_(?:rsa|ecdsa|ed25519)|credentials\.json|kubeconfig)"
)
_ENCODED: Final = (
    r"(?=[^\n]*(?:[0-9+/]|[a-z][A-Z]))[A-Za-z0-9+/_-]{16,}={0,2}(?:\n[A-Za-z0-9+/_-]+={0,2})*"
)
_TAKEN_OUT: Final = re.compile(r"\[redacted:[a-z0-9-]+\]={0,2}")


class _Header(NamedTuple):
    """A line that a block follows: its number, the key, and what the block's lines stand further in than."""

    line: int
    key: str
    column: int


def redact_blocks(text: str, kind_of: Callable[[str], str]) -> str:
    """Replace the blocks of secrets; *kind_of* says of a key which kind of secret it names, empty: of none."""
    return by_lines(text, lambda lines: _redact_lines(lines, kind_of), opens_block)


def opens_block(text: str) -> bool:
    """Say whether a text may have a block at all."""
    return "|" in text or ">" in text


def _redact_lines(lines: list[str], kind_of: Callable[[str], str]) -> None:
    """Replace the blocks of secrets in the list itself; it keeps its length."""
    filled: list[int] = []
    for header in _headers(lines):
        kind = kind_of(header.key)
        of_file = compiled(_KEY_FILE).fullmatch(header.key) is not None
        if not kind and not of_file and header.key != "value":
            continue
        filled = filled or [number for number, line in enumerate(lines) if line.strip()]
        first = header.line + 1
        end = _end(lines, filled, first, header.column)
        if of_file:
            kind = kind or ("key" if _is_encoded(lines[first:end]) else "")
        else:
            kind = kind or _neighbours(lines, header, end, kind_of)
        if kind and end > first:
            body = lines[first:end]
            indent = re.match(r"[ \t]*", next((line for line in body if line.strip()), ""))
            mark = f"{indent[0] if indent else ''}[redacted:{kind}]"
            # As many lines as before, so that what comes after them keeps its place.
            lines[first:end] = [mark, *("" for _ in body[1:])]


def _headers(lines: list[str]) -> Iterator[_Header]:
    for number, line in enumerate(lines):
        if "|" in line or ">" in line:
            key = _HEADER.search(line)
            if key is not None:
                indent = indent_of(line)
                alone = key.start() == indent
                yield _Header(number, key[2], indent if alone else blanks_of(line))


def _is_encoded(body: list[str]) -> bool:
    """Say whether lines are base64; where a key of a known shape was taken out, the rest of it may still be there."""
    told = [
        line.strip() for line in body if line.strip() and not _TAKEN_OUT.fullmatch(line.strip())
    ]
    return compiled(_ENCODED).fullmatch("\n".join(told)) is not None


def _end(lines: list[str], filled: list[int], first: int, column: int) -> int:
    """Return the line after a block: its lines stand further in than its key; empty ones at its end are not its own."""
    end = first
    for at in range(bisect_left(filled, first), len(filled)):
        number = filled[at]
        line = lines[number]
        if line.strip():
            if blanks_of(line) <= column:
                break
            end = number + 1
    return end


def _neighbours(lines: list[str], header: _Header, end: int, kind_of: Callable[[str], str]) -> str:
    """Return the kind of secret that the line before a ``value``, or the one after it, names in the same mapping."""
    for number, step in ((header.line - 1, -1), (end, 1)):
        near = _filled(lines, number, step)
        line = lines[near].rstrip() if 0 <= near < len(lines) else ""
        name = _NAMING.match(line, indent_of(line))
        if name is None or indent_of(line) != header.column:
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
