"""
What a run appends to its journal: a closed set of entries, never changed, only followed by another.

All instants are seconds since the epoch in *world* time (a rehearsal's clock, or the host's). The stamps of the host
that wrote an entry are columns of its row, not of the entry. Payloads are JSON: strings, numbers, lists, mappings.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

Json = Any
Instant = float


class Outcome(StrEnum):
    """How an action ended, so far as the journal knows."""

    DONE = "done"
    FAILED = "failed"  # certainly without effect
    UNSETTLED = "unsettled"  # we died, or got no answer


class RunOutcome(StrEnum):
    """How a run was closed."""

    DONE = "done"
    CANCELLED = "cancelled"


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """Something that happened at the world instant *at*."""

    at: Instant


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    What is known of one subject, reduced to a verdict.

    *code* is of the domain's closed vocabulary, *reason* a sentence for people, *since* the instant at which this
    code began as far as the world tells, *detail* what decisions need beyond the code.
    """

    code: str
    reason: str = ""
    since: Instant | None = None
    detail: dict[str, Json] = {}


class Remedy(msgspec.Struct, frozen=True):
    """What could be done; *danger*: look, nudge, reversible, destructive, or never (said so that nobody tries)."""

    text: str
    danger: str


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    A cause: what it is, what it blocks, and whether it can clear by itself (yes, no or unknown).

    *rule* is the id in the catalogue of diagnosis, *evidence* are paths into the snapshot, *clears_when* is the
    predicate that will clear it, in words. *since* is an instant of the cluster's own, never of our look. *next_after*
    names the findings after which this one will block: it does not yet. *root*: no other finding explains it, and
    *victims* is then everything behind it, *through* the one of them that most of the others are behind (empty: there
    is none); *circle*: its victims hold it in turn.
    """

    subject: str
    cause: str
    message: str
    blocks: tuple[str, ...] = ()
    clears_itself: str = "unknown"
    rule: str = ""
    uid: str = ""
    since: Instant | None = None
    evidence: tuple[str, ...] = ()
    clears_when: str = ""
    remedies: tuple[Remedy, ...] = ()
    next_after: tuple[str, ...] = ()
    root: bool = False
    victims: tuple[str, ...] = ()
    circle: bool = False
    through: str = ""


class Objection(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    A row of the preflight that is not in order: what was looked at, what was found, what to do.

    *verdict*: warning, red or unknown. *blocks* are the verbs that may not be begun while it stands (``*``: none may),
    *target* narrows that to one target (empty: every one). No secret's value is ever in *said*.
    """

    check: str
    verdict: str
    subject: str
    said: str
    todo: str
    blocks: tuple[str, ...] = ()
    target: str = ""


# --- the run -------------------------------------------------------------------------------------


class RunOpened(Entry, frozen=True, kw_only=True, tag="run.opened"):
    """
    The first entry of a run.

    *plan* is the compiled plan, so that the run can be read without the operator's files; *world* says how to find a
    rehearsal's world again; *previous_head* is the chain's head before this run (one chain a file); *doubts* are what
    an earlier run of the same cluster began and never learned the end of, or applied and did not give back; *request*
    is what was asked of this run beyond its goal, by verb; *lasting*: reaching its goal does not end it. *took*: how
    many seconds what should exist was worked on in earlier runs of the same cluster, the last time of each.
    """

    run_id: str
    purpose: str  # run, rehearse, watch
    cluster: str
    identity: dict[str, Json]
    plan: dict[str, Json]
    plan_digest: str
    version: str
    initial: str
    world: dict[str, Json] = {}
    previous_head: str = ""
    doubts: tuple[dict[str, Json], ...] = ()
    request: dict[str, Json] = {}
    lasting: bool = False
    took: dict[str, float] = {}


class RunResumed(Entry, frozen=True, kw_only=True, tag="run.resumed"):
    """Another process went on. *idle_seconds*: world time in which nobody held the lease."""

    holder: str
    idle_seconds: float
    open_actions: tuple[str, ...] = ()
    fresh_deadlines: bool = False


class RunInterrupted(Entry, frozen=True, kw_only=True, tag="run.interrupted"):
    """
    The session ended, the run did not: a signal, nothing left to do without a person, or stuck.

    *summary* is that of ``RunClosed`` as of now; empty after a signal, which nobody lets wait.
    """

    why: str  # signal, waiting, stuck
    summary: dict[str, Json] = {}


class RunClosed(Entry, frozen=True, kw_only=True, tag="run.closed"):
    """A run's goal is reached, or it was given up: only people's notes follow. *summary* has the final counts."""

    outcome: RunOutcome
    state: str
    summary: dict[str, Json] = {}


class CancelRequested(Entry, frozen=True, kw_only=True, tag="run.cancel-requested"):
    """Somebody asked the run to stop for good at the next safe point."""

    actor: str


class LeaseTaken(Entry, frozen=True, kw_only=True, tag="lease.taken"):
    """From here on this epoch may append."""

    epoch: int
    holder: str
    took_over_from: str = ""


class LeaseLost(Entry, frozen=True, kw_only=True, tag="lease.lost"):
    """The holder gave up the right to append."""

    epoch: int


class Preflighted(Entry, frozen=True, kw_only=True, tag="preflight"):
    """
    What the preflight of a session found: it takes the place of what an earlier one did.

    *checked* counts all rows; those in order have no line.
    """

    checked: int
    objections: tuple[Objection, ...] = ()


# --- what was seen and decided -------------------------------------------------------------------


class Observed(Entry, frozen=True, kw_only=True, tag="observed"):
    """
    Changed facts only. *part* of *parts*: one look that was too large for one entry, in one commit.

    *begun* names what somebody is at work on from here on, *took* how many seconds what this entry shows to be well had
    been worked on, where a session saw all of that. Decisions go by it, so it is written and not worked out anew;
    journals of before have neither.
    """

    changed: dict[str, Fact] = {}
    removed: tuple[str, ...] = ()
    part: int = 1
    parts: int = 1
    begun: tuple[str, ...] = ()
    took: dict[str, float] = {}


class FindingsChanged(Entry, frozen=True, kw_only=True, tag="findings.changed"):
    """Causes that appeared or changed, and the ids of those that cleared. *part* of *parts*: as of ``Observed``."""

    changed: dict[str, Finding] = {}
    cleared: tuple[str, ...] = ()
    part: int = 1
    parts: int = 1


class Moved(Entry, frozen=True, kw_only=True, tag="moved"):
    """The machine moved, because of what was observed. It shares its commit with a checkpoint."""

    source: str
    target: str
    why: str


class Decided(Entry, frozen=True, kw_only=True, tag="decided"):
    """
    The answers of a turn that differ from the last ones, and the subjects that are done or gone.

    A subject that is answered Done has no line: silence is done. *part* of *parts*: as of ``Observed``.
    """

    state: str
    answers: dict[str, dict[str, Json]] = {}
    removed: tuple[str, ...] = ()
    part: int = 1
    parts: int = 1


class TimerSet(Entry, frozen=True, kw_only=True, tag="timer.set"):
    """An instant that the run waits for. *span* is the whole delay in seconds, *policy* wall, active or restart."""

    name: str
    due: Instant
    span: float
    policy: str = "wall"


class TimerCancelled(Entry, frozen=True, kw_only=True, tag="timer.cancelled"):
    """The reason for the timer is gone."""

    name: str


class TimerFired(Entry, frozen=True, kw_only=True, tag="timer.fired"):
    """The instant has passed."""

    name: str
    due: Instant


# --- actions -------------------------------------------------------------------------------------


class RetryScheduled(Entry, frozen=True, kw_only=True, tag="retry.scheduled"):
    """The next attempt of an action may start at *due*; *delay* (seconds) has its jitter already."""

    verb: str
    target: str
    attempt: int
    delay: float
    due: Instant
    code: str


class ActionIntended(Entry, frozen=True, kw_only=True, tag="action.intended"):
    """Durable before the action starts. A crash after this leaves a question, not a lie."""

    action: str
    verb: str
    target: str
    attempt: int
    epoch: int
    deadline_seconds: float
    arguments: dict[str, Json] = {}


class ActionSettled(Entry, frozen=True, kw_only=True, tag="action.settled"):
    """How an action ended. *code* is of a closed vocabulary; *by* says who knows: action, probe, resume."""

    action: str
    verb: str
    target: str
    outcome: Outcome
    code: str = ""
    by: str = "action"
    evidence: dict[str, Json] = {}


# --- people --------------------------------------------------------------------------------------


class ApprovalAsked(Entry, frozen=True, kw_only=True, tag="approval.asked"):
    """
    A question that only a person may answer.

    *digest* covers everything the answer is bound to; an answer counts only while the digest holds. *typed* is what
    the person has to type, empty for a plain yes.
    """

    approval: str
    digest: str
    subject: str
    question: str
    consequence: str
    typed: str = ""
    evidence: dict[str, Json] = {}


class ApprovalGiven(Entry, frozen=True, kw_only=True, tag="approval.given"):
    """A person (or a scenario's operator) said yes to exactly this digest."""

    approval: str
    digest: str
    actor: str


class ApprovalRefused(Entry, frozen=True, kw_only=True, tag="approval.refused"):
    """A person said no to exactly this digest."""

    approval: str
    digest: str
    actor: str


class ByHand(Entry, frozen=True, kw_only=True, tag="by.hand"):
    """
    Something was done that this run did not do: recognised by observation, and no decision rests on it.

    *verb* and *target* are those that the run had wished, or name what it would never do; on which node somebody
    bootstrapped, no fact tells. *evidence*: the *subject* that shows it, its code before (*old*) and now (*new*).
    """

    verb: str
    target: str
    evidence: dict[str, Json] = {}


class TakenOver(Entry, frozen=True, kw_only=True, tag="taken.over"):
    """
    A person gave hands to a run that only watched: from here on it acts.

    *identity*: how its cluster is known from then on, where the watch had no plan and knew it by another CA.
    """

    actor: str
    identity: dict[str, Json] = {}


class PlanChanged(Entry, frozen=True, kw_only=True, tag="plan.changed"):
    """The plan on disk is another one than at the last entry, and the run goes on with it."""

    plan: dict[str, Json]
    plan_digest: str
    previous_digest: str
    verdict: str


class GoalMoved(Entry, frozen=True, kw_only=True, tag="goal.moved"):
    """The revision that everything should reach."""

    revision: str
    previous: str = ""


class ClockJumped(Entry, frozen=True, kw_only=True, tag="clock.jumped"):
    """Wall and monotonic clock parted by this many seconds."""

    seconds: float


class Redacted(Entry, frozen=True, kw_only=True, tag="redacted"):
    """The payload of entry *seq* was withdrawn; its digest stays and the chain still verifies."""

    seq: int
    why: str


class Note(Entry, frozen=True, kw_only=True, tag="note"):
    """
    A person's remark; with *corrects*, a correction of what entry *corrects* (a seq of this run) says.

    It changes no entry and no decision: it is shown beside what it corrects. *time* is the true instant
    (world time) in the place of that entry's, which *said* repeats; *cause* is the true cause in words, *finding* the
    id of the finding that it takes the place of (empty: of what the entry says as a whole). *text* says the same to a
    reader that knows no corrections. *at* moves no clock where nobody holds the run; its row tells when it was written.
    """

    text: str
    actor: str
    corrects: int = 0
    said: Instant | None = None
    time: Instant | None = None
    finding: str = ""
    cause: str = ""


AnyEntry = (
    RunOpened
    | RunResumed
    | RunInterrupted
    | RunClosed
    | CancelRequested
    | LeaseTaken
    | LeaseLost
    | Preflighted
    | Observed
    | FindingsChanged
    | Moved
    | Decided
    | TimerSet
    | TimerCancelled
    | TimerFired
    | RetryScheduled
    | ActionIntended
    | ActionSettled
    | ApprovalAsked
    | ApprovalGiven
    | ApprovalRefused
    | ByHand
    | TakenOver
    | PlanChanged
    | GoalMoved
    | ClockJumped
    | Redacted
    | Note
)
