"""
How findings quote what controllers say, and how they write names and instants.

A condition's message is foreign text: it may hold line breaks, a URL with its password, or half of a Secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final

from journal.entries import Instant

QUOTED_CHARACTERS: Final = 200
CLOSE: Final = 0.65  # how alike two names must be to be taken for a slip of the pen
_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s'\"]*@")
# What follows these words is the content of an object, and that may be a Secret's.
_CONTENT = (
    (re.compile(r"Invalid value: .*?(?=: field is immutable|$)"), "Invalid value"),
    (re.compile(r"(kind and name from:) .*"), r"\1 …"),
    (re.compile(r"(cannot unmarshal !!\w+) `[^`]*`?"), r"\1 `…`"),
)


def quote(text: str) -> str:
    """Put a message on one line, without the contents and passwords that it quotes, and short."""
    line = " ".join(text.split())
    for pattern, said in _CONTENT:
        line = pattern.sub(said, line)
    line = _USERINFO.sub(r"\1", line)
    return line if len(line) <= QUOTED_CHARACTERS else f"{line[: QUOTED_CHARACTERS - 1]}…"


def utc(instant: Instant) -> str:
    """Write an instant as people and programs read it."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def nearest(key: str, known: Iterable[str]) -> str:
    """Return which ``namespace/name`` was probably meant: the same name elsewhere, or nearly the same; else nothing."""
    keys = sorted(known)
    name = key.rpartition("/")[2]
    same = [other for other in keys if other.rpartition("/")[2] == name]
    if same:
        return same[0]
    # Only the names are compared: a namespace that both have makes nothing alike.
    names = get_close_matches(name, [other.rpartition("/")[2] for other in keys], n=1, cutoff=CLOSE)
    return next((other for other in keys if other.rpartition("/")[2] in names), "")


def meant(key: str, known: Iterable[str]) -> str:
    """Say which one was probably meant, as the end of a sentence."""
    near = nearest(key, known)
    return f"; did it mean {near}?" if near else ""
