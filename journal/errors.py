"""
The root of every error that rekindle diagnoses itself.

It lives in the lowest room because everybody raises it; ``engine.errors`` draws the whole tree.
"""

from __future__ import annotations

import re

_REFERENCE = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")


class Diagnosed(Exception):  # noqa: N818  it is shown to people, who call it by its reference
    """
    Something went wrong that we understand.

    *reference* names a page in docs/errors/; *message* says what and where, *hint* what to do next. ``exit_code`` is
    the process's answer.
    """

    exit_code = 70

    def __init__(self, message: str, *, reference: str, hint: str) -> None:
        """Refuse references that could not be a file's name."""
        if not _REFERENCE.match(reference):
            text = f"not a reference: {reference!r}"
            raise ValueError(text)
        super().__init__(message)
        self.message = message
        self.reference = reference
        self.hint = hint


class JournalFailed(Diagnosed):
    """The journal could not be read or written."""

    exit_code = 74


class LeaseHeld(Diagnosed):
    """Somebody else may append."""

    exit_code = 76


class ChainBroken(Diagnosed):
    """The journal is not what was written. *entry_id* is the first bad entry, 0 where no single one is to blame."""

    exit_code = 77
    entry_id: int = 0


class JournalTooNew(Diagnosed):
    """A later rekindle wrote this journal."""

    exit_code = 78
