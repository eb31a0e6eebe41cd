"""Lines of a text, and of the texts within it, as an annotation of what was last applied has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from journal.secret_shapes import compiled

_INDENT: Final = re.compile(r"[ \t]*(?:-[ \t]+)*")
# How many backslashes a line's end has: in a text, in a text within that, and once more.
_DEPTHS: Final = (1, 2, 4)


def by_lines(text: str, change: Callable[[list[str]], None], worth: Callable[[str], bool]) -> str:
    """Have the lines of a text changed, and those of each text within it that is worth it; none may be added."""
    if "\n" in text:
        lines = text.split("\n")
        change(lines)
        text = "\n".join(lines)
    for depth in _DEPTHS:
        if "\\" * depth + "n" in text:
            text = _within(text, depth, change, worth)
    return text


def indent_of(line: str) -> int:
    """Return where a line's own text begins: the hyphens of a list are its indentation too."""
    match = _INDENT.match(line)
    return match.end() if match else 0


def blanks_of(line: str) -> int:
    """Return with how many blanks a line begins."""
    return len(line) - len(line.lstrip(" \t"))


def quote_end(line: str, quote: str, start: int) -> int:
    """Return where a text in quotes ends; -1: not here. A quote of its own is doubled, or behind a backslash."""
    doubled = "''|" if quote == "'" else ""
    ends = compiled(rf"{doubled}(?<!\\){re.escape(quote)}").finditer(line, start)
    return next((one.start() for one in ends if one[0] == quote), -1)


def _within(
    text: str, depth: int, change: Callable[[list[str]], None], worth: Callable[[str], bool]
) -> str:
    """Do it in each text within this one. Quotes end it; a quote of its own has more backslashes than its line ends."""
    parts = compiled(rf"((?<!\\)\\{{0,{2 * depth - 2}}}\"|\n)").split(text)
    ends = compiled(rf"(?<!\\)((?:\\{{{depth}}}r)?\\{{{depth}}}n)")
    for number in range(0, len(parts), 2):
        if worth(parts[number]):
            pieces = ends.split(parts[number])
            lines = pieces[::2]
            change(lines)
            pieces[::2] = lines
            parts[number] = "".join(pieces)
    return "".join(parts)
