"""
How the rules say a verdict, so that every family says it alike.

A code is a word of ``phases.codes``; what a word leaves open stands in the detail: *cause* (str) names what has to
clear first, *terminal* (bool) says of a failure whether waiting is in vain, *blockers* (list of str) what keeps an
object that is to go. *since* is an instant of the cluster: of a deletion or of a condition's transition, never of the
object's creation, since an old object may have been ill for a minute only.
"""

from __future__ import annotations

from typing import Any

from journal.entries import Fact, Instant
from phases.codes import (
    ABSENT,
    BLOCKED,
    FAILED,
    PROGRESSING,
    READY,
    SUSPENDED,
    TERMINATING,
    UNOBSERVABLE,
)
from phases.objects import Condition, Meta
from phases.snapshot import Unseen

TEXT_BYTES = 200
YES, NO, UNKNOWN = "yes", "no", "unknown"


def absent(reason: str = "") -> Fact:
    """It was looked for and is not there: not the same as not having been seen."""
    return Fact(ABSENT, reason)


def unobservable(look: Unseen) -> Fact:
    """Nobody could look: neither there nor absent."""
    return Fact(UNOBSERVABLE, look.why or look.code, look.since or None)


def unlisted(kind: str, fact: Fact | None) -> str:
    """Say that a kind cannot be listed, in the words of who would not let us; *fact* is the kind's own."""
    return f"{kind}s cannot be listed: {fact.reason if fact is not None else 'not asked'}"


def terminating(
    metadata: Meta,
    reason: str = "is being deleted",
    blockers: tuple[str, ...] = (),
    detail: dict[str, Any] | None = None,
) -> Fact:
    """Say since when an object is to go, and what keeps it: its finalizers, and *blockers* beyond those."""
    found = (*metadata.finalizers, *blockers)
    told = {**(detail or {}), **({"blockers": list(found)} if found else {})}
    return Fact(TERMINATING, reason[:TEXT_BYTES], deleted_at(metadata), told)


def failed(
    reason: str,
    cause: str,
    *,
    terminal: bool,
    since: Instant | None = None,
    detail: dict[str, Any] | None = None,
) -> Fact:
    """Say that it went wrong; *terminal*: it does not come right without somebody who changes something."""
    told = {**(detail or {}), "cause": cause, "terminal": terminal}
    return Fact(FAILED, reason[:TEXT_BYTES], since, told)


def blocked(
    reason: str, cause: str, since: Instant | None = None, detail: dict[str, Any] | None = None
) -> Fact:
    """Say that it goes on once *cause* has cleared."""
    return Fact(BLOCKED, reason[:TEXT_BYTES], since, {**(detail or {}), "cause": cause})


def can_clear(fact: Fact) -> str:
    """Say whether waiting alone may turn a verdict into Ready: yes, no or unknown."""
    match fact.code:
        case _ if fact.code in {READY, PROGRESSING}:
            return YES
        case _ if fact.code == SUSPENDED:
            return NO
        case _ if fact.code == FAILED:
            return NO if fact.detail.get("terminal") else UNKNOWN
        case _ if fact.code == BLOCKED and str(fact.detail.get("cause")).startswith(
            "namespace-gone:"
        ):
            return YES  # the next attempt makes it anew
        case _:
            return UNKNOWN


def text_of(found: Condition | None) -> str:
    """Return a condition's reason and message on one line, cut to 200 characters."""
    if found is None:
        return ""
    return f"{found.reason}: {' '.join(found.message.split())}"[:TEXT_BYTES]


def since_of(found: Condition | None) -> Instant | None:
    """Return when a condition became what it is."""
    if found is None or found.last_transition_time is None:
        return None
    return found.last_transition_time.timestamp()


def deleted_at(metadata: Meta) -> Instant | None:
    """Return since when an object is to go; None while it stays."""
    return None if metadata.deletion_timestamp is None else metadata.deletion_timestamp.timestamp()


def is_true(found: Condition | None) -> bool:
    """Say whether a condition is there and True."""
    return found is not None and found.status == "True"


def is_stale(metadata: Meta, observed: int) -> bool:
    """Say whether the controller has not yet seen the object as it is now; without both numbers nobody can say so."""
    return bool(observed and metadata.generation) and observed != metadata.generation
