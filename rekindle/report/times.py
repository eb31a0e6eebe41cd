"""What the time went to, and the path that the run really took; worked out by ``phases.ledger`` and ``hindsight``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from journal.entries import Instant, Json
from phases.hindsight import LOST, Course
from phases.needs import subject_of
from rekindle.ledger import NAMES
from rekindle.report.cleaning import clean
from rekindle.report.story import Ledger, Step, Wait

STEPS = 300
UNTOLD = "(not known: something was lost again)"


def ledger_from(found: Mapping[str, Json], path: tuple[Step, ...]) -> Ledger:
    """Read the ledger of a closing entry."""
    waits = [
        *_waits(found.get("dead") or {}, beside=False),
        *_waits(found.get("beside") or {}, beside=True),
    ]
    return Ledger(
        seconds=float(found.get("seconds") or 0.0),
        critical_path=float(found.get("critical_path_seconds") or 0.0),
        useful=float(found.get("useful") or 0.0),
        unknown=float(found.get("unknown") or 0.0),
        ratio=found.get("ratio"),
        waits=tuple(waits),
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
