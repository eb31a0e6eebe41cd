"""
All that any format of the report may tell: plain values, made by ``gather`` from a journal and from nothing else.

Instants are seconds since the epoch in *world* time (a rehearsal's clock, or the host's); what is named *wall* is the
host's own time of the same moment. Durations are differences of instants, in seconds, never of an AGE column. Texts
that come from elsewhere are redacted and without control characters, and not escaped: each format escapes for itself.
"""

from __future__ import annotations

import msgspec

from journal.entries import Instant
from rekindle.report.happenings import (
    Action,
    Approval,
    Beforehand,
    Change,
    Dated,
    Event,
    HandDeed,
    Pods,
    Row,
    Session,
    SetBack,
    Stay,
)
from rekindle.report.reasons import Cause, Ledger, Sign, Verdict
from rekindle.spans import between

SCHEMA = "rekindle.report/1"

# How a row of the validation was judged.
PROVEN, FAILED, NOT_PROVEN = "proven", "failed", "not proven"

# What the chain of the journal came to.
WHOLE, BROKEN = "whole", "broken"


class Run(Dated, frozen=True, kw_only=True):
    """
    Which run this is about.

    *purpose* is what it is by now, *opened_as* what it was opened for: a watch may have been taken over. *outcome* is
    done, cancelled, or open; *ended* None: it is open, and *last* is its latest entry. *alive*: somebody
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
    opened_as: str = ""
    category: str = "Infrastructure"
    ended: Instant | None = None
    alive: bool | None = None
    scenario: str = ""
    recorded_from: str = ""
    identity: dict[str, str] = msgspec.field(default_factory=dict)
    goal: str = ""

    @property
    def ends(self) -> tuple[str, str] | None:
        """Name the two instants that its span is between."""
        return "opened", "ended"

    @property
    def end(self) -> Instant:
        """When it ended; of an open run, its latest entry."""
        return self.last if self.ended is None else self.ended

    @property
    def seconds(self) -> float:
        """How long the run took so far, in world time."""
        return self.end - self.opened

    @property
    def took(self) -> int:
        """The same in whole seconds, as its instants are printed."""
        return between(self.opened, self.end)

    @property
    def took_truly(self) -> int:
        """The same by the instants that people corrected."""
        return between(self.when("opened"), self.when("ended", self.last))


class Check(Dated, frozen=True, kw_only=True):
    """A row of the validation: *verdict* is PROVEN, FAILED or NOT_PROVEN, *at* since when it stands so."""

    what: str
    verdict: str
    evidence: str
    at: Instant | None = None


class Metric(Row, frozen=True, kw_only=True):
    """
    A row of the metrics: a *value* in words, the *number* where it is one, and *why*, or why there is none.

    Of pods, *number* are those that are Ready, and *existing* those that are there, Ready or not, if that was counted,
    and *leaving* those that are listed beside them and on their way out (None: an older journal counts them as there).
    *corrected* is the value with the instants that people corrected.
    """

    name: str
    value: str
    number: float | None = None
    existing: int | None = None
    leaving: int | None = None
    corrected: str = ""
    at: Instant | None = None
    why: str = ""


class Goal(Dated, frozen=True):
    """A box of the milestone: *state* of the machine, or empty; *at* when it was reached."""

    text: str
    reached: bool
    state: str = ""
    at: Instant | None = None


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """
    A person's note. *corrects* says what it corrects (empty: it only remarks), *finding* which cause.

    *about* names the entry that it only remarks on. *spelled*: its text is that correction in words, and nothing else.
    *at* moves no clock of the run, *written* is the host's time of it. Nothing is changed by it: what the journal says
    stands, and the correction beside it.
    """

    at: Instant
    written: Instant | None = None
    actor: str
    text: str
    corrects: str = ""
    about: str = ""
    finding: str = ""
    cause: str = ""
    spelled: bool = False


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
    """
    A run, told. Lists are in the order of time; what was too much is counted in *left_out*.

    *preflight* has what the preflight found not in order, *preflighted* how many rows it looked at (None: there was
    none). *times_corrected* is of how many entries people corrected the time: the ledger goes by the journal's.
    *set_back*: where the host's clock was; instants are what it showed, order and spans are of the time that passed.
    """

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
    events: tuple[Event, ...] = ()
    preflight: tuple[Beforehand, ...] = ()
    preflighted: int | None = None
    times_corrected: int = 0
    set_back: tuple[SetBack, ...] = ()
    left_out: dict[str, int] = {}
