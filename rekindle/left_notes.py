"""
Notes that were left for a running session and are not in the journal yet: it was killed, or its next turn is to come.

Only who holds the journal writes into it. So whoever reads says that they wait, and what takes them in.
"""

from __future__ import annotations

from pathlib import Path

from journal import inbox
from rekindle.typed import with_journal


def is_note_of(request: inbox.Request, run_id: str) -> bool:
    """Say whether a request is a note about a run."""
    return isinstance(request, inbox.Note) and request.run in {"", run_id}


def count_of(journal: Path, run_id: str) -> int:
    """Count the notes about a run that wait."""
    return sum(is_note_of(request, run_id) for request in inbox.waiting(journal))


def told(journal: Path, run_id: str, *, held: bool | None, is_open: bool) -> str:
    """Say how many wait, and who takes them in; empty: none does."""
    count = count_of(journal, run_id)
    if not count:
        return ""
    what, them = ("1 note waits", "it") if count == 1 else (f"{count} notes wait", "them")
    who = "the next `rekindle note TEXT` takes"
    if held:
        who = "the running session takes"
    elif is_open:
        who = "`rekindle resume` takes"
    turn = " at its next turn" if held else ""
    return with_journal(f"{what}, not yet in the journal: {who} {them} in{turn}", journal)
