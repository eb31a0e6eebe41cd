"""What this process is about, for whoever must say how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Doing:
    """
    *journal* is the one that was chosen; *owes_document*: the command promised to end with one on stdout.

    A plain class: every command has one, also ``--help``, and dataclasses cost ten milliseconds.
    """

    def __init__(self) -> None:
        self.journal: Path | None = None
        self.owes_document = False
