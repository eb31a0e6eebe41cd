"""
The two names that a command's or a probe's arguments may have in a walk over the nodes: ``{node}`` and ``{address}``.

Other braces mean what they mean to the command (a JSONPath is full of them). There is no shell: what is put in stays
one argument, or a part of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

NAMES: Final = ("node", "address")


def filled(argv: Iterable[str], values: Mapping[str, object]) -> tuple[str, ...]:
    """Put *values* into a command's arguments; a name without a value stays as it is."""
    return tuple(_filled(word, values) for word in argv)


def _filled(word: str, values: Mapping[str, object]) -> str:
    for name in NAMES:
        if name in values:
            word = word.replace(f"{{{name}}}", str(values[name]))
    return word


def used(argv: Iterable[str]) -> tuple[str, ...]:
    """Name the placeholders that are in a command's arguments."""
    words = tuple(argv)
    return tuple(name for name in NAMES if any(f"{{{name}}}" in word for word in words))
