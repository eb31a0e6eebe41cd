"""
Rows that are told from more than one place: who held the run, what mended a cause, what was in flight.

Which action belongs to which cause, and to which step of the path, is asked of the journal's own instants, all of one
clock: a person who corrects one of them says nothing of its neighbours.
"""

from __future__ import annotations

from itertools import pairwise

from msgspec.structs import replace

from journal.entries import Instant
from rekindle.report.following import Follower
from rekindle.report.happenings import Action, Session, Stay
from rekindle.report.mending import Actions, actions_of
from rekindle.report.reasons import Cause, Ledger, Step
from rekindle.report.story import Run

HALF = 0.5
SHOWN = 2  # actions beside a step of the path


def stays_of(found: Follower, run: Run) -> tuple[Stay, ...]:
    """Return the stays; the last one ends with the run, by the entry that closed it."""
    return found.corrections.beside(found.stays.finished(run.ended, found.closed_by))


def sessions_of(found: Follower, run: Run) -> tuple[Session, ...]:
    """Return the sessions, with how long nobody held the run before each by the instants that people corrected."""
    held = list(found.corrections.beside(found.sessions.finished(alive=run.alive)))
    for place, (before, after) in enumerate(pairwise(held), start=1):
        late = after.when("begun") - after.begun
        early = before.when("ended", before.begun) - (before.ended or before.begun)
        if after.idle_seconds and late != early:
            held[place] = replace(after, idle_again=after.idle_seconds + late - early)
    return tuple(held)


def mended(found: Follower, cause: Cause, actions: Actions) -> Cause:
    """Say which actions of this run were about a cause."""
    done = actions_of(cause, found.causes.found, actions.about(cause), found.last)
    return replace(cause, done=done)


def in_flight(ledger: Ledger | None, actions: tuple[Action, ...]) -> Ledger | None:
    """Put beside each step of the path the actions that were in flight for most of it."""
    if ledger is None:
        return None
    return replace(
        ledger, path=tuple(replace(step, doing=_doing(step, actions)) for step in ledger.path)
    )


def _doing(step: Step, actions: tuple[Action, ...]) -> tuple[str, ...]:
    found: list[tuple[float, str]] = []
    for one in actions:
        together = _together(step, one.intended, one.settled)
        if together > 0 and (
            together >= HALF * (step.ended - step.begun) or one.target == step.subject
        ):
            found.append((together, f"{one.action} {one.verb} {one.name}"))
    found.sort(key=lambda item: -item[0])
    return tuple(name for _, name in found[:SHOWN])


def _together(step: Step, begun: Instant, ended: Instant | None) -> float:
    return min(step.ended, step.ended if ended is None else ended) - max(step.begun, begun)
