"""Requests from other terminals, as entries of the run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.folding import fold
from engine.memory import Approval, Memory
from engine.ports import Requests
from journal import entries as e
from journal import inbox
from journal.entries import AnyEntry, Instant
from rekindle.left_notes import is_note_of
from rekindle.spans import stamp

if TYPE_CHECKING:
    from journal.store import Journal

Report = Callable[[str], None]


def requests_of(journal: Path, report: Report) -> Requests:
    """Read the journal's inbox; what cannot be honoured is reported and removed."""

    def take(memory: Memory, now: Instant) -> list[tuple[AnyEntry, Callable[[], None]]]:
        waiting = inbox.take(journal, report=lambda file, why: report(f"{file.name}: {why}"))
        taken: list[tuple[AnyEntry, Callable[[], None]]] = []
        for file, request in waiting:
            entry = entry_of(request, memory, now, report)
            if entry is None:
                inbox.done(file)
            else:
                taken.append((entry, partial(inbox.done, file)))
                memory = fold(memory, entry)  # the next request is judged by what this one leaves
        return taken

    return Requests(take)


def answering(requests: Requests, approvals: frozenset[str], actor: str) -> Requests:
    """Say yes to *approvals* as well, as soon as exactly these questions are open: an id is of its digest."""

    def take(memory: Memory, now: Instant) -> list[tuple[AnyEntry, Callable[[], None]]]:
        taken = requests.take(memory, now)
        for entry, _ in taken:
            memory = fold(memory, entry)
        for item in memory.approvals.values():
            if item.approval in approvals and not item.answer:
                given = e.ApprovalGiven(
                    at=now, approval=item.approval, digest=item.digest, actor=actor
                )
                taken.append((given, lambda: None))
        return taken

    return Requests(take)


def said(item: Approval) -> str:
    """Say who answered what, and when."""
    at = f" at {stamp(item.answered_at)}" if item.answered_at is not None else ""
    return f"{item.answer} by {item.actor}{at}"


def note_of(request: inbox.Note, now: Instant) -> e.Note:
    """Make the entry of a remark or a correction."""
    return e.Note(
        at=now,
        text=request.text,
        actor=request.actor,
        corrects=request.corrects,
        said=request.said,
        time=request.time,
        finding=request.finding,
        cause=request.cause,
    )


def take_in_notes(journal: Journal, now: Instant) -> None:
    """Write the notes that wait for the journal's run, where no turn of a session will: its last one is over."""
    for file, request in inbox.take(journal.path):
        if isinstance(request, inbox.Note) and is_note_of(request, journal.run_id):
            journal.append([note_of(request, now)])
            inbox.done(file)


def entry_of(
    request: inbox.Request, memory: Memory, now: Instant, report: Report
) -> AnyEntry | None:
    """Make the entry that a request asks for; None when it does not fit what is open."""
    match request:
        case inbox.Cancel():
            return e.CancelRequested(at=now, actor=request.actor)
        case inbox.Note():
            if request.run not in {"", memory.run_id}:
                report(f"a note about run {request.run} came too late for it: {request.text}")
                return None
            return note_of(request, now)
        case inbox.Approve() | inbox.Refuse():
            known = memory.approvals.get(request.approval)
            if known is None:
                report(f"approval {request.approval} is not open")
                return None
            if known.answer:
                report(f"approval {request.approval} was answered before: {said(known)}")
                return None
            if not known.digest.startswith(request.digest):
                report(f"approval {request.approval} is about something else by now")
                return None
            if isinstance(request, inbox.Refuse):
                return e.ApprovalRefused(
                    at=now, approval=known.approval, digest=known.digest, actor=request.actor
                )
            if known.typed and request.typed != known.typed:
                report(f"approval {request.approval} needs '{known.typed}' typed exactly")
                return None
            return e.ApprovalGiven(
                at=now, approval=known.approval, digest=known.digest, actor=request.actor
            )
