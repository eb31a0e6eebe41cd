"""
Secrets on the lines below their name: ``password:`` with the value on the next line, and mappings of YAML within.

What stands further in than the name is its own (YAML 1.2.2, 8.2). A word by itself there is the secret; of a mapping
most lines only tell where secrets lie, so that one has to look like it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from journal.secret_lines import blanks_of, by_lines, indent_of, quote_end
from journal.secret_names import VALUES
from journal.secret_shapes import compiled
from journal.secret_values import is_hidden, is_name, is_telling

_EDGE: Final = r"\\{0,7}[\"']?"
# A name with nothing after it, in a text within a text as well.
_OPENS: Final = r":[ \t]{0,80}(?:[#!&][^\n\\]{0,256})?\r?(?:\n|\\)"
_OPENING: Final = (
    rf"(?<![A-Za-z0-9_.-]){_EDGE}([A-Za-z0-9_.-]{{1,128}}){_EDGE}[ \t]{{0,8}}:"
    r"(?:[ \t]+[!&]\S{0,128}){0,4}[ \t]*(?:[ \t]#.*)?$"
)
_MEMBER: Final = rf"{_EDGE}([^\s\"'\\:{{}}\[\],]{{1,128}}){_EDGE}[ \t]{{0,8}}:(?:[ \t]+|$)"
_PROPERTIES: Final = r"(?:[!&]\S{0,128}[ \t]+){0,4}"
_QUOTE: Final = r"\\{0,7}[\"']"
# What may begin a property or a comment.
_PROPERTY: Final = frozenset("!&#")
_SHORTEST: Final = 3


class _Line(NamedTuple):
    """What a line has: the name of a member, and a value, which begins at *start* within its quotes."""

    number: int
    column: int
    member: str
    item: bool
    start: int
    value: str
    quoted: bool


def redact_mappings(text: str, kind_of: Callable[[str], str]) -> str:
    """Replace what stands below the name of a secret; *kind_of* says of a name which kind it is, empty: of none."""
    if not _has_opening(text):
        return text
    return by_lines(text, lambda lines: _redact_lines(lines, kind_of), _has_opening)


def _has_opening(text: str) -> bool:
    return compiled(_OPENS).search(text) is not None


def _redact_lines(lines: list[str], kind_of: Callable[[str], str]) -> None:
    """Replace them in the list itself; it keeps its length."""
    done = 0
    for number, line in enumerate(lines):
        told = line.rstrip()
        if number < done or not (told.endswith(":") or _PROPERTY & set(told)):
            continue
        opening = compiled(_OPENING).search(told)
        kind = kind_of(opening[1]) if opening else ""
        if not opening or not kind:
            continue
        # In a sentence it is no key, and what follows has to look like a secret.
        column = indent_of(line)
        alone = opening.start() == column
        below, done = _below(lines, number + 1, column, whole=alone)
        for one in _hidden(below, column, kind) if alone else _made_up(below):
            before, after = one.start, one.start + len(one.value)
            near = lines[one.number]
            lines[one.number] = f"{near[:before]}[redacted:{kind}]{near[after:]}"


def _below(lines: list[str], first: int, column: int, *, whole: bool) -> tuple[list[_Line], int]:
    """Return the lines further in (or but one), or the next one if it is not, and the number of the line after them."""
    below: list[_Line] = []
    for number in range(first, len(lines)):
        line = lines[number]
        told = line.strip()
        if not told or told.startswith("#"):
            continue
        read = _read(number, line.rstrip())
        # A list may stand as far in as its name.
        if read.column > column or (read.column == column and read.item):
            below.append(read)
            if whole:
                continue
        elif not below and read.column == column and not read.member:
            below.append(read)
        return below, number
    return below, len(lines)


def _read(number: int, line: str) -> _Line:
    indent = indent_of(line)
    named = compiled(_MEMBER).match(line, indent)
    properties = compiled(_PROPERTIES).match(line, named.end() if named else indent)
    begin = properties.end() if properties else indent
    quote = compiled(_QUOTE).match(line, begin)
    start = quote.end() if quote else begin
    end = quote_end(line, quote[0], start) if quote else line.find(" #", start)
    value = line[start:end] if end >= 0 else line[start:]
    return _Line(
        number=number,
        column=blanks_of(line),
        member=named[1] if named else "",
        item="-" in line[:indent],
        start=start,
        value=value if quote else value.rstrip(),
        quoted=quote is not None,
    )


def _hidden(below: list[_Line], column: int, kind: str) -> Iterable[_Line]:
    """
    Return those that have a secret; with all that is below, for a word is only by itself the value of a name.

    A list of nothing but words is one of passwords, whatever they look like: as in JSON.
    """
    if len(below) == 1 and below[0].column > column:
        [only] = below
        if not only.member and not only.item and _is_value(only):
            return [] if kind != "password" and is_name(only.value) else [only]
    if kind == "password" and all(one.item and not one.member for one in below):
        return [one for one in below if _is_value(one)]
    given = [one for one in below if one.member in VALUES and _is_value(one)]
    return given + [one for one in _made_up(below) if one not in given]


def _made_up(below: list[_Line]) -> Iterator[_Line]:
    """Go through those that look like a secret; an item of a list is called as the list is."""
    member = ""
    for one in below:
        member = one.member or member
        if is_hidden(member, one.value):
            yield one


def _is_value(line: _Line) -> bool:
    """Say whether a line has a word, or a text in quotes, and nothing beside it."""
    if len(line.value) < _SHORTEST or is_telling(line.value):
        return False
    return line.quoted or " " not in line.value
