"""
What happened, as values: who held the run, where it was, what it did, asked and changed, and what people corrected.

Instants, durations and texts are as ``story`` says.
"""

from __future__ import annotations

import math

import msgspec

from journal.entries import Instant


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """
    A person's word beside a row; what the row says stays what the journal says.

    Entry *entry* (a seq of this run) happened at *time* and not at *said*, or because of *cause*. *written* is the
    host's time of the note. *since*: *time* is since when it has been so, *said* what the cluster told of that (None:
    nothing), and *entry* the one that found it.
    """

    entry: int
    actor: str
    written: Instant
    said: Instant | None = None
    time: Instant | None = None
    cause: str = ""
    since: bool = False


class Dated(msgspec.Struct, frozen=True, kw_only=True):
    """
    What has instants that are of entries of the journal, and what people corrected of them.

    *of*: the entry (a seq of this run) of each instant, by the instant's name; *true*: those instants that were
    corrected, as they were last; since when something has been so is of no entry, and may be there too. The fields
    themselves say what the journal says. *again* is how many seconds its span takes by the corrected instants; None: it
    has none, or none was corrected.
    """

    of: dict[str, int] = {}
    corrections: tuple[Correction, ...] = ()
    true: dict[str, Instant] = {}
    again: float | None = None

    @property
    def ends(self) -> tuple[str, str] | None:
        """Name the two instants that its span is between."""
        return None

    def when(self, name: str, otherwise: Instant = math.nan) -> Instant:
        """Say when it happened: as people corrected it, else as the journal says; *otherwise* where that is open."""
        said: Instant | None = getattr(self, name)
        return self.true.get(name, otherwise if said is None else said)


class Row(Dated, frozen=True, kw_only=True):
    """A row that is told from *entries* (seqs of this run), those of its instants among them."""

    entries: tuple[int, ...] = ()


class Session(Row, frozen=True, kw_only=True):
    """
    A process that held the run.

    *begun_as*: opened, resumed or answered (a person's answer was taken in, and nothing else done); *ended_as*: closed,
    why it was interrupted (signal, waiting, stuck), gave up the lease, killed (it never did), or nothing while it is
    open. *idle_seconds*: without anybody, before it; *idle_again*: the same by instants that people corrected.
    """

    holder: str
    begun: Instant
    begun_wall: Instant
    begun_as: str
    ended: Instant | None = None
    ended_wall: Instant | None = None
    ended_as: str = ""
    idle_seconds: float = 0.0
    idle_again: float | None = None
    open_actions: tuple[str, ...] = ()


class Stay(Row, frozen=True, kw_only=True):
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

    @property
    def ends(self) -> tuple[str, str] | None:
        """Name the two instants that its span is between."""
        return "begun", "ended"


class Pods(Dated, frozen=True):
    """Pods that were Ready, and how many should be, from *at* on."""

    at: Instant
    ready: int
    expected: int


class Action(Row, frozen=True, kw_only=True):
    """
    An action and what came of it.

    *name* is its target as people know it; *effect* convergent, once, keyed or undoable; *destroys*: what is gone
    where it was done, from the catalogue of verbs or from the question that a person was asked (empty: nothing).
    *outcome* is done, failed, unsettled, or open; *by* who knows: action, probe, resume. *argv* is what a command ran,
    as the plan of the journal says, *applied* the file or folder that was applied; *about* are the objects that it
    could mend, beside its target; *because*: the cause that its intent names, of a nudge the one that had cleared
    (empty: none). *approval* is the id of the question that was answered for it. *doubtful*: for a while nobody knew
    whether it had happened; *settled_how* says in a sentence how that ended.
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
    argv: str = ""
    applied: str = ""
    about: tuple[str, ...] = ()
    because: str = ""
    destroys: str = ""
    doubtful: bool = False
    settled_how: str = ""
    session: int = 0

    @property
    def ends(self) -> tuple[str, str] | None:
        """Name the two instants that its span is between."""
        return "intended", "settled"


class Approval(Row, frozen=True, kw_only=True):
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


class HandDeed(Row, frozen=True, kw_only=True):
    """Something that was done and not by this run, as the facts showed it."""

    at: Instant
    verb: str
    target: str
    name: str
    subject: str
    old: str
    new: str


class Change(Row, frozen=True, kw_only=True):
    """*kind* is plan, goal, clock, withdrawn, cancel, hands or deadline."""

    kind: str
    at: Instant
    text: str


class SetBack(msgspec.Struct, frozen=True, kw_only=True):
    """With entry *entry* (a seq) the host's clock was set back by *seconds*: it showed *at* then."""

    at: Instant
    entry: int
    seconds: float


class Beforehand(Row, frozen=True, kw_only=True):
    """
    Something that the preflight looked at and that was not in order.

    *verdict* is unknown (nobody could look), warning or red; *blocks* are the verbs that were forbidden by it (``*``:
    all), of *target* alone if that is named. *found* is the look that said it first, *gone* the one that no longer did.
    """

    check: str
    verdict: str
    subject: str
    said: str
    todo: str
    found: Instant
    gone: Instant | None = None
    blocks: tuple[str, ...] = ()
    target: str = ""


class Event(Dated, frozen=True, kw_only=True):
    """
    A line of the run's events: *kind* is run, session, state, cause, question, action, hand, machine or change.

    *until* is the latest of several that are told as one. Its place is that of the corrected instant, if there is one.
    """

    at: Instant
    kind: str
    text: str
    until: Instant | None = None
