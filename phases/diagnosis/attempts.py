"""
What Flux's controllers do with an object just now: a worker holds it, or it is parked until an instant, or it polls.

Read in kustomize-controller 1.9.4 and helm-controller 1.6.3. A failed Kustomization stays Reconciling=True, with the
reason ProgressingWithRetry: that is no work in progress. A HelmRelease keeps Reconciling=True/Progressing while it
waits: only Ready=Unknown says that a worker holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.patience import seconds
from journal.entries import Instant
from phases.diagnosis.scene import Scene, instant
from phases.objects import Condition, Flux, condition

KUSTOMIZATION_STEPS = ("Running health checks", "Detecting drift")
POLLED = {"DependencyNotReady", "SourceNotReady"}
_POLLS = re.compile(r"\bretrying in \d", re.IGNORECASE)
_RETRIES = re.compile(r"retrying after (\S+)")
SHORTEST_TIMEOUT_SECONDS = 30.0  # kustomize-controller takes no shorter one, whatever the spec says
TIMEOUT_BEFORE_INTERVAL_SECONDS = 30.0


def failing(scene: Scene, kind: str) -> tuple[tuple[Flux, Condition], ...]:
    """Return what is Ready=False; what is suspended or on its way out is another matter."""
    return scene.once(f"failing {kind}", lambda: tuple(_failing(scene, kind)))


def _failing(scene: Scene, kind: str) -> Iterator[tuple[Flux, Condition]]:
    for found in scene.of(kind).values():
        ready = condition(found.status.conditions, "Ready")
        if ready is None or ready.status != "False":
            continue
        if not found.spec.suspend and found.metadata.deletion_timestamp is None:
            yield found, ready


def stalled(found: Flux) -> Condition | None:
    """Return the condition that says no retry will come, if it is true."""
    said = condition(found.status.conditions, "Stalled")
    return said if said is not None and said.status == "True" else None


def holding(kind: str, found: Flux) -> Condition | None:
    """Return since when, and with what, a worker is busy with the object; None where none is."""
    at_work = condition(found.status.conditions, "Reconciling")
    if at_work is None or (at_work.status, at_work.reason) != ("True", "Progressing"):
        return None
    if found.metadata.deletion_timestamp is not None:
        return None
    if kind == "Kustomization":
        return at_work if at_work.message.startswith(KUSTOMIZATION_STEPS) else None
    ready = condition(found.status.conditions, "Ready")
    held = ready is not None and ready.status == "Unknown"
    return at_work if held and at_work.message.startswith("Running '") else None


def next_attempt(kind: str, found: Flux) -> Instant | None:
    """Return when a parked object is looked at again; None where it polls, is stalled, or nobody can tell."""
    ready = condition(found.status.conditions, "Ready")
    at_work = condition(found.status.conditions, "Reconciling")
    since = instant(ready)
    if ready is None or ready.status != "False" or at_work is None or since is None:
        return None
    if at_work.reason != "ProgressingWithRetry" or stalled(found):
        return None
    if ready.reason in POLLED or _POLLS.search(ready.message):
        return None
    span = _span(found.spec.retry_interval or found.spec.interval)
    if kind != "Kustomization":
        retries = _RETRIES.search(at_work.message)
        span = _span(retries[1]) if retries else None  # else its queue backs off as it likes
    return None if span is None else since + span


def timeout_of(found: Flux) -> float | None:
    """How long a Kustomization's health checks may last: its timeout, or half a minute less than its interval."""
    span = _span(found.spec.timeout)
    if span is None:
        interval = _span(found.spec.interval)
        span = None if interval is None else interval - TIMEOUT_BEFORE_INTERVAL_SECONDS
    return None if span is None else max(span, SHORTEST_TIMEOUT_SECONDS)


def _span(text: str) -> float | None:
    try:
        return seconds(text)
    except ValueError:
        return None
