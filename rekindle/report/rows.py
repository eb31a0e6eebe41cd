"""Rows that are told from more than one place: what mended a cause, what was in flight, spans by corrected instants."""

from __future__ import annotations

from msgspec.structs import replace

from journal.entries import Instant
from rekindle.report.following import Follower
from rekindle.report.happenings import Action, Stay
from rekindle.report.mending import Actions, actions_of
from rekindle.report.reasons import Cause, Ledger, Step
from rekindle.report.story import Run

HALF = 0.5
SHOWN = 2  # actions beside a step of the path


def stays_of(found: Follower, run: Run) -> tuple[Stay, ...]:
    """Return the stays with what people corrected, and how long each was by that: its begin is its neighbour's end."""
    corrections = found.corrections
    stays = list(corrections.beside(found.stays.finished(run.ended)))
    if (
        stays and run.ended is not None and corrections.of(found.closed_by)
    ):  # the last one ends with the run
        last = stays[-1]
        both = tuple(dict.fromkeys((*last.corrections, *corrections.of(found.closed_by))))
        stays[-1] = replace(last, corrections=both)
    return tuple(_stay(found, stay) for stay in stays)


def _stay(found: Follower, stay: Stay) -> Stay:
    if stay.ended is None:
        return stay
    end = stay.entries[-1] if len(stay.entries) > 1 else found.closed_by
    return found.corrections.again(stay, (stay.entries[0], stay.begun), (end, stay.ended))


def acted_again(found: Follower, action: Action) -> Action:
    """Return an action with how long it took by the instants that people corrected."""
    if action.settled is None:
        return action
    begun, ended = (action.entries[0], action.intended), (action.entries[-1], action.settled)
    return found.corrections.again(action, begun, ended)


def mended(found: Follower, cause: Cause, actions: Actions) -> Cause:
    """Say which actions of this run were about a cause, and how long it stood by corrected instants."""
    done = actions_of(cause, found.causes.found, actions.about(cause), found.last)
    cause = replace(cause, done=done)
    if cause.end is None or len(cause.entries) <= 1:
        return cause
    return found.corrections.again(
        cause, (cause.entries[0], cause.found), (cause.entries[-1], cause.end)
    )


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
