"""
The port through which the engine sees and touches a cluster.

A World looks and starts; it decides nothing. Adapters (talosctl, a Kubernetes API) and the simulator implement it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from journal.entries import Instant, Json, Outcome


class Identity(msgspec.Struct, frozen=True):
    """Which cluster this is: its name and the fingerprint of the CA that its nodes must show (empty: unknown yet)."""

    cluster: str
    ca: str = ""
    kind: str = "real"  # real, simulated


class Intent(msgspec.Struct, frozen=True):
    """
    An action that is durable in the journal and may now start.

    *arguments* hold all that the doer needs; *epoch* is the lease under which it was intended; the action must end
    within *deadline_seconds* of world time.
    """

    action: str
    verb: str
    target: str
    attempt: int
    epoch: int
    deadline_seconds: float
    intended_at: Instant
    arguments: dict[str, Json] = {}


class Settlement(msgspec.Struct, frozen=True):
    """
    How a started action ended.

    ``failed`` promises that nothing happened; whoever cannot promise that answers ``unsettled``. *code* is one of
    the codes below, or a command's ``exit-N``.
    """

    action: str
    outcome: Outcome
    code: str = ""
    evidence: dict[str, Json] = {}


# Changes are gathered for so long: a storm of events (a wave of pods, a reconnect) makes at most two turns a second.
# No decision here is worth less than half a second, and every turn that is not taken is not written either.
COALESCE_SECONDS = 0.5

# Codes of settlements, shared by adapters and the simulator.
TRANSIENT = "transient"  # the connection was refused, the server was busy: certainly not done
PRECONDITION = "precondition"  # the target said "not now"
ALREADY_EXISTS = "already-exists"  # the target said that this was done before, by somebody
DENIED = "denied"  # the target said "not you"
INVALID = "invalid"  # the target said "never like this"
CONFLICT = "conflict"  # the object is another one than the one meant (uid, resourceVersion)
NOT_FOUND = "not-found"  # there is no such object
NO_ANSWER = "no-answer"  # we cannot know
ACCEPTED = "accepted"  # the target took it, and only what it shows can tell what came of it


class Question(msgspec.Struct, frozen=True):
    """An approval that the run waits for, as told to a world that has an operator of its own (a scenario)."""

    approval: str
    digest: str
    subject: str
    question: str
    typed: str = ""


class Reply(msgspec.Struct, frozen=True):
    """A world's own operator answered; *actor* says who (``scenario``)."""

    approval: str
    digest: str
    yes: bool
    actor: str = "scenario"


@dataclass(frozen=True, slots=True)
class Wakeup:
    """Why ``next`` returned: actions that ended, answers of people, and whether anything looked at changed."""

    settlements: tuple[Settlement, ...] = ()
    changed: bool = False
    replies: tuple[Reply, ...] = ()


class World(Protocol):
    """
    A cluster, real or simulated.

    ``look`` is cached and never blocks; ``start`` returns at once; ``adopt`` is told of each action that an earlier
    process of this run left open, and reports its settlement (often ``unsettled``) through ``next`` once nothing of
    it is running any more; ``next`` blocks until something changed or settled, or the instant *until* has come.
    """

    def identity(self) -> Identity:
        """Say which cluster this is."""

    def now(self) -> Instant:
        """Tell the world's time, in seconds since the epoch."""

    def look(self) -> Any:  # noqa: ANN401  the engine hands it to the domain's reduce, unseen
        """Return the latest snapshot."""

    def start(self, intent: Intent) -> None:
        """Begin an action."""

    def adopt(self, intent: Intent) -> None:
        """Take over an action that was begun by a process which has died."""

    def ask(self, question: Question) -> bool:
        """
        Tell the world of an open question; asking twice is asking once.

        True: somebody there will answer, through ``next`` (a scenario's operator, after its think time). A real
        cluster answers False.
        """

    def expects(self) -> bool:
        """
        Say whether it is written down that something happens there yet: a scenario's people act without being asked.

        Nobody knows that of a real cluster, which says False.
        """

    def next(self, until: Instant | None) -> Wakeup:
        """Wait for a change, a settlement or the instant."""

    def interrupt(self) -> None:
        """Make a blocked ``next`` return soon; callable from a signal handler."""

    def summary(self) -> dict[str, Json]:
        """Return what the world itself counted (a simulated one: bootstraps, wipes), for the closing entry."""

    def close(self) -> None:
        """Let go of the world; a simulated one lives on."""
