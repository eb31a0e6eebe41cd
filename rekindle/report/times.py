"""What the time went to, and the path that the run really took; worked out by ``phases.ledger`` and ``hindsight``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from journal.entries import Instant, Json
from phases import wait_classes
from phases.hindsight import LOST, Course
from phases.ledger import Piece
from phases.needs import subject_of
from rekindle.ledger import NAMES
from rekindle.report.cleaning import clean
from rekindle.report.reasons import Ledger, Step, Wait

STEPS = 300
NOBODY = "(no session)"
UNTOLD = "(until something was lost)"


def ledger_from(found: Mapping[str, Json], path: tuple[Step, ...]) -> Ledger:
    """Read the ledger of a closing entry."""
    dead = [
        *_waits(found.get("dead") or {}, beside=False),
        *_waits(found.get("beside") or {}, beside=True),
    ]
    return Ledger(
        seconds=float(found.get("seconds") or 0.0),
        critical_path=float(found.get("critical_path_seconds") or 0.0),
        useful=float(found.get("useful") or 0.0),
        unknown=float(found.get("unknown") or 0.0),
        ratio=found.get("ratio"),
        waits=tuple(dead),
        path=path,
    )


def _waits(classes: Mapping[str, Any], *, beside: bool) -> list[Wait]:
    """Put the longest first."""
    order = sorted(classes.items(), key=lambda item: -float(item[1]))
    return [
        Wait(
            code=clean(code), name=NAMES.get(code, clean(code)), seconds=float(span), beside=beside
        )
        for code, span in order
    ]


def path_along(pieces: Iterable[Piece]) -> tuple[Step, ...]:
    """Return what the run waited for, with the class of each stretch of it; pieces of one subject and class are one."""
    steps: list[Step] = []
    for piece in pieces:
        subject = UNTOLD if piece.vertex == LOST else clean(subject_of(piece.vertex))
        if piece.name == wait_classes.NOBODY:
            subject = NOBODY
        last = steps[-1] if steps else None
        if last is not None and (last.subject, last.code) == (subject, piece.name):
            steps[-1] = replace(last, ended=piece.end)
        else:
            steps.append(
                Step(subject=subject, begun=piece.start, ended=piece.end, code=clean(piece.name))
            )
    return tuple(steps[:STEPS])


def path_of(course: Course, opened: Instant, end: Instant) -> tuple[Step, ...]:
    """Return what the run waited for, from its opening to its end, without a gap."""
    steps: list[Step] = []
    for window in course.windows(opened, end):
        subject = UNTOLD if window.vertex == LOST else clean(subject_of(window.vertex))
        last = steps[-1] if steps else None
        if last is not None and last.subject == subject:
            steps[-1] = Step(subject=subject, begun=last.begun, ended=window.end)
        else:
            steps.append(Step(subject=subject, begun=window.start, ended=window.end))
    return tuple(steps[:STEPS])
