"""
stdout is data, stderr is talk.

A reader that has left (``| head -1``) is no error: what follows goes nowhere, and the command's answer stays its own.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from journal.errors import Diagnosed
from rekindle import streams

if TYPE_CHECKING:
    from typing import Any

_LEFT: list[BrokenPipeError] = []
# Control characters but tabs and ends of lines, and what turns the direction of writing (Unicode 15, Cc and Cf).
_COMMANDS = [*range(9), *range(11, 32), *range(0x7F, 0xA0), 0x61C, *range(0x200B, 0x2010)]
_COMMANDS += [*range(0x2028, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
_UNSAID = dict.fromkeys(_COMMANDS, " ")


class OutputFailed(Diagnosed):
    """What a command answers could not be written to stdout."""

    exit_code = 74


def print_json(document: dict[str, Any]) -> None:
    """Write one document and a newline. Raises ``OutputFailed``."""
    _write(as_line(document))
    flush()


def as_line(document: dict[str, Any]) -> str:
    """Write a document as one line of JSON."""
    import json

    return json.dumps(document, ensure_ascii=False, sort_keys=True) + "\n"


def print_line(text: str) -> None:
    """Write one line of data. Raises ``OutputFailed``."""
    _write(plain(text) + "\n")


def print_text(text: str) -> None:
    """Write a text of many lines as it stands. Raises ``OutputFailed``."""
    _write(text)


def flush() -> None:
    """See that everything has left this process. Raises ``OutputFailed``."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _lost(error)


def reader_left() -> bool:
    """Say whether nobody reads stdout any more: then a long answer need not be finished."""
    return bool(_LEFT)


def last_flush() -> None:
    """Empty both streams at the end, so that the interpreter meets no error of theirs. Raises ``OutputFailed``."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        streams.silence(streams.STDERR)
    flush()


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
    except OSError as error:
        _lost(error)


def _lost(error: OSError) -> None:
    streams.silence(streams.STDOUT)
    if isinstance(error, BrokenPipeError):
        _LEFT.append(error)
        return
    raise OutputFailed(
        f"cannot write to stdout: {error.strerror or error}",
        reference="output-unwritable",
        hint="make room, or send the output elsewhere; what was done is in the journal: `rekindle status`",
    ) from error


def plain(text: str) -> str:
    """Take out what speaks to a terminal and not to its reader: the name of a file, or what a cluster says, may."""
    return text if text.isprintable() else text.translate(_UNSAID)


def tell(text: str) -> None:
    """Say something to the person."""
    with suppress(OSError, ValueError):  # the terminal may be gone; what was said is in the journal
        sys.stderr.write(plain(text) + "\n")
        sys.stderr.flush()
