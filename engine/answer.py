"""What a phase may answer about one subject. Five answers; there is no sixth."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from journal.entries import Instant

Subject = str
Json = Any


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do for this subject."""


@dataclass(frozen=True, slots=True)
class Wait:
    """
    Nothing to do but watch.

    *reason* is shown to the operator as it stands; *until* is the world instant at which the answer is due to be
    thought over; *can_clear* says whether waiting can help: yes, no or unknown.
    """

    reason: str
    until: Instant | None = None
    can_clear: str = "yes"


@dataclass(frozen=True, slots=True)
class Act:
    """
    Do *verb* to *target*. An action is data: it is in the journal before it starts.

    An *approval* is what a person must have said yes to before; the engine asks it in place of acting.
    *deadline_seconds* is this action's own deadline in place of its verb's.
    """

    verb: str
    target: Subject
    arguments: dict[str, Json] = field(default_factory=dict)
    reason: str = ""
    approval: Ask | None = None
    deadline_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """
    Only a person may decide this.

    *evidence* is what the answer is bound to: if any of it changes, the answer no longer counts. *typed* is what the
    person has to type (empty: a plain yes); *consequence* says what will be destroyed or leak.
    """

    question: str
    consequence: str
    evidence: dict[str, Json]
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Stuck:
    """No safe move is left. *reference* names a page in docs/errors/."""

    reference: str
    message: str
    hint: str


Answer = Done | Wait | Act | Ask | Stuck


@lru_cache(maxsize=4096)
def hopeless(answer: Wait) -> Wait:
    """Say that waiting is in vain; of the same wait every turn it is the same object, and nothing is compared."""
    return Wait(answer.reason, answer.until, can_clear="no")
