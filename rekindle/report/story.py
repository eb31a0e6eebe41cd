"""
All that any format of the report may tell: plain values, made by ``gather`` from a journal and from nothing else.

Instants are seconds since the epoch in *world* time (a rehearsal's clock, or the host's); what is named *wall* is the
host's own time of the same moment. Durations are differences of instants, in seconds, never of an AGE column. Texts
that come from elsewhere are redacted and without control characters, and not escaped: each format escapes for itself.
"""

from __future__ import annotations

import msgspec

from journal.entries import Instant, Remedy

SCHEMA = "rekindle.report/1"

# How a row of the validation was judged.
PROVEN, FAILED, NOT_PROVEN = "proven", "failed", "not proven"

# What the chain of the journal came to.
WHOLE, BROKEN = "whole", "broken"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which run this is about.

    *outcome* is done, cancelled, or open; *ended* None: it is open, and *last* is its latest entry. *alive*: somebody
    holds the lease just now (None: nobody may look). *recorded_from*: a rehearsal of that recorded run.
    """

    run_id: str
    purpose: str
    cluster: str
    version: str
    journal: str
    entries: int
    opened: Instant
    opened_wall: Instant
    last: Instant
    last_wall: Instant
    state: str
    outcome: str
    simulated: bool
    initial: str
    plan_digest: str
    status: str
    category: str = "Infrastructure"
    ended: Instant | None = None
    alive: bool | None = None
    scenario: str = ""
    recorded_from: str = ""
    identity: dict[str, str] = {}
    goal: str = ""

    @property
    def seconds(self) -> float:
        """How long the run took so far, in world time."""
        return (self.last if self.ended is None else self.ended) - self.opened


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """
    A process that held the run.

    *begun_as*: opened, resumed, or answered (a person's answer was taken in, and nothing else done); *ended_as*:
    closed, why it was interrupted (signal, waiting, stuck), gave up the lease, killed (it never did), or nothing while
    it is open. *idle_seconds*: without anybody, before it.
    """

    holder: str
    begun: Instant
    begun_wall: Instant
    begun_as: str
    ended: Instant | None = None
    ended_wall: Instant | None = None
    ended_as: str = ""
    idle_seconds: float = 0.0
    open_actions: tuple[str, ...] = ()


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """
    A stay in a state. *why*: why it was left; *to*: for which state; *backwards*: that state was behind this one.

    *deadline* is how many seconds the state was given; None: the plan does not say.
    """

    state: str
    begun: Instant
    ended: Instant | None = None
    why: str = ""
    to: str = ""
    backwards: bool = False
    deadline: float | None = None


class Pods(msgspec.Struct, frozen=True):
    """Pods that were Ready, and how many should be, from *at* on."""

    at: Instant
    ready: int
    expected: int


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """
    An action and what came of it.

    *name* is its target as people know it; *effect* convergent, once, keyed or undoable; *destroys*: what is gone
    where it was done, from the catalogue of verbs or from the question that a person was asked (empty: nothing).
    *outcome* is done, failed, unsettled, or open; *by* who knows: action, probe, resume. *approval* is the id of the
    question that was answered for it. *doubtful*: for a while nobody knew whether it had happened; *settled_how* says
    in a sentence how that ended.
    """

    action: str
    verb: str
    target: str
    name: str
    attempt: int
    effect: str
    intended: Instant
    outcome: str
    settled: Instant | None = None
    code: str = ""
    by: str = ""
    evidence: str = ""
    approval: str = ""
    destroys: str = ""
    doubtful: bool = False
    settled_how: str = ""
    session: int = 0


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A question to a person. *answer* is given, refused or nothing; *actions* began because of it."""

    approval: str
    subject: str
    name: str
    question: str
    consequence: str
    typed: str
    asked: Instant
    answer: str = ""
    actor: str = ""
    answered: Instant | None = None
    actions: tuple[str, ...] = ()


class HandDeed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done and not by this run, as the facts showed it."""

    at: Instant
    verb: str
    target: str
    name: str
    subject: str
    old: str
    new: str


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """
    A finding that was a root at some time: nothing else explained it.

    *since* is the cluster's own instant (None: it does not tell), *found* when this run first said it, *cleared* when
    it was gone (None: it never was). *victims* are at most fifty of the *victim_count* objects behind it.
    *at_verdict*: it was one of the roots of the verdict. *corrected*: what a person says was the cause, and who.
    """

    id: str
    rule: str
    subject: str
    name: str
    message: str
    uid: str = ""
    evidence: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    victim_count: int = 0
    clears_itself: str = "unknown"
    clears_when: str = ""
    since: Instant | None = None
    found: Instant
    cleared: Instant | None = None
    remedies: tuple[Remedy, ...] = ()
    next_after: tuple[str, ...] = ()
    circle: bool = False
    at_verdict: bool = False
    corrected: str = ""


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something that was wrong, told in the order in which it went wrong.

    *at* is the cluster's own instant (None: it keeps none of this); *seen* is when this run first saw it.
    """

    subject: str
    name: str
    text: str
    seen: Instant
    at: Instant | None = None
    root: bool = False


class Edge(msgspec.Struct, frozen=True):
    """*blocker* (a subject) held *blocked* (a subject) up at the moment of the verdict; *root*: nothing explains it."""

    blocker: str
    blocked: str
    root: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """
    When it was known that waiting alone would never do.

    *at* None: there was no such cause. *seconds* count from the first look; *roots* are ids of ``Cause``.
    """

    looked_at: Instant | None = None
    at: Instant | None = None
    seconds: float | None = None
    roots: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()
    edges_left_out: int = 0


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of one class of the catalogue of dead waits; *beside*: it ran beside the path and cost nothing."""

    code: str
    name: str
    seconds: float
    beside: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """From *begun* to *ended* the run waited for this *subject* to become well (empty: for nothing more)."""

    subject: str
    begun: Instant
    ended: Instant


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the time went to, in seconds. *useful* + *unknown* + the waits that are not *beside* = *seconds*.

    *ratio* is T/CP: *seconds* over *critical_path* (what the work alone would have taken); None: no work was seen.
    """

    seconds: float
    critical_path: float
    useful: float
    unknown: float
    ratio: float | None = None
    waits: tuple[Wait, ...] = ()
    path: tuple[Step, ...] = ()


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the validation: *verdict* is PROVEN, FAILED or NOT_PROVEN, *at* since when it stands so."""

    what: str
    verdict: str
    evidence: str
    at: Instant | None = None


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the metrics: a *value* in words, the *number* where it is one, and *why*, or why there is none."""

    name: str
    value: str
    number: float | None = None
    at: Instant | None = None
    why: str = ""


class Goal(msgspec.Struct, frozen=True):
    """A box of the milestone: *state* of the machine, or empty; *at* when it was reached."""

    text: str
    reached: bool
    state: str = ""
    at: Instant | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """*kind* is plan, goal, clock, withdrawn, cancel, hands or deadline."""

    kind: str
    at: Instant
    text: str


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """
    A person's note. *corrects* says what it corrects (empty: it only remarks), *finding* which cause.

    Nothing is changed by it: what the journal says stands, and the correction beside it.
    """

    at: Instant
    actor: str
    text: str
    corrects: str = ""
    finding: str = ""


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whether the journal is what was written: WHOLE or BROKEN.

    *entries* and *head* are of the file; *message* says what is wrong, *entry* where (None: no single one is to
    blame). Of a broken chain, nothing from *entry* on is told.
    """

    verdict: str
    entries: int
    head: str = ""
    message: str = ""
    entry: int | None = None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A run, told. Lists are in the order of time; what was too much is counted in *left_out*."""

    schema: str = SCHEMA
    title: str
    summary: tuple[str, ...]
    background: tuple[str, ...]
    run: Run
    chain: Chain
    goals: tuple[Goal, ...]
    sessions: tuple[Session, ...]
    stays: tuple[Stay, ...]
    pods: tuple[Pods, ...]
    actions: tuple[Action, ...]
    approvals: tuple[Approval, ...]
    by_hand: tuple[HandDeed, ...]
    first_signs: tuple[Sign, ...]
    causes: tuple[Cause, ...]
    verdict: Verdict
    ledger: Ledger | None
    validation: tuple[Check, ...]
    metrics: tuple[Metric, ...]
    changes: tuple[Change, ...]
    remarks: tuple[Remark, ...]
    went_well: tuple[str, ...]
    challenges: tuple[str, ...]
    next_steps: tuple[str, ...]
    unproven: tuple[str, ...]
    references: tuple[str, ...]
    left_out: dict[str, int] = {}
