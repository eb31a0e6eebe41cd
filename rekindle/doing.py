"""What this process is about, for whoever must say how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Doing:
    """*journal* is the one that was chosen; *owes_document*: the command promised to end with one on stdout."""

    journal: Path | None = None
    owes_document: bool = False
