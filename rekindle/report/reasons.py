"""
Why it happened, and what it cost, as values: causes, signs, what held what up, and what the time went to.

Instants, durations and texts are as ``story`` says.
"""

from __future__ import annotations

import msgspec

from journal.entries import Instant, Remedy
from rekindle.report.happenings import Dated, Row


class Cause(Row, frozen=True, kw_only=True):
    """
    A finding that was a root at some time: nothing else explained it.

    *since* is the cluster's own instant (None: it does not tell), *found* when this run first said it, *cleared* at
    which look it was not found any more (None: it was found at every one since). *over* is when the facts of what it
    is about say that what clears it came true (None: no fact tells); *awaited*: it left the findings, and that had not
    come yet at the latest entry. *message* is what it said when it was found; *worst* what it said when most was held
    up by it, at *worst_at*, of when the victims and the evidence are as well (empty: nothing else).
    *victims* are at most fifty of the *victim_count* objects behind it. *at_verdict*: it was one of the roots of the
    verdict, and then said *verdict_message*. *corrected*: what a person says was the cause, and who. *done*: the
    actions of this run that were about it and took place, and the nudges of what had waited for it; *verb*: the one by
    which this program clears such a cause (empty: none). *ours*: machines that this run reset, and from which it
    follows.
    """

    id: str
    rule: str
    subject: str
    name: str
    message: str
    worst: str = ""
    worst_at: Instant | None = None
    uid: str = ""
    evidence: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    victim_count: int = 0
    clears_itself: str = "unknown"
    clears_when: str = ""
    since: Instant | None = None
    found: Instant
    cleared: Instant | None = None
    over: Instant | None = None
    awaited: bool = False
    remedies: tuple[Remedy, ...] = ()
    next_after: tuple[str, ...] = ()
    circle: bool = False
    at_verdict: bool = False
    verdict_message: str = ""
    corrected: str = ""
    done: tuple[str, ...] = ()
    verb: str = ""
    ours: tuple[str, ...] = ()

    @property
    def end(self) -> Instant | None:
        """When it was over, as far as anything tells; None: that was not seen."""
        return self.over if self.over is not None else None if self.awaited else self.cleared

    @property
    def ends(self) -> tuple[str, str] | None:
        """Name the two instants that its span is between."""
        if self.over is not None:
            return "found", "over"
        return None if self.awaited else ("found", "cleared")

    @property
    def broke(self) -> Instant | None:
        """Since when it has been so: as people corrected it, else as the cluster tells; None: nobody does."""
        return self.true.get("since", self.since)

    @property
    def named(self) -> bool:
        """Say whether a person said what the cause was."""
        return bool(self.corrected) or any(one.cause for one in self.corrections)


class Sign(Row, frozen=True, kw_only=True):
    """
    Something that was wrong, told in the order in which it went wrong.

    *at* is the cluster's own instant (None: it keeps none of this); *seen* is when this run first saw it. *unexplained*
    says what is known of a sign that has no cause: that somebody or something brought it about; *ours* which resets
    of this run did.
    """

    subject: str
    name: str
    text: str
    seen: Instant
    at: Instant | None = None
    root: bool = False
    unexplained: str = ""
    ours: tuple[str, ...] = ()

    @property
    def broke(self) -> Instant | None:
        """Since when it has been so: as people corrected it, else as the cluster tells; None: nobody does."""
        return self.true.get("at", self.at)


class Edge(msgspec.Struct, frozen=True):
    """*blocker* (a subject) held *blocked* (a subject) up at the moment of the verdict; *root*: nothing explains it."""

    blocker: str
    blocked: str
    root: bool = False


class Verdict(Dated, frozen=True, kw_only=True):
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

    @property
    def ends(self) -> tuple[str, str] | None:
        """Name the two instants that its span is between."""
        return "looked_at", "at"


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of one class of the catalogue of dead waits; *beside*: it ran beside the path and cost nothing."""

    code: str
    name: str
    seconds: float
    beside: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """
    From *begun* to *ended* the run waited for this *subject* to become well (empty: for nothing more).

    *code* is the class of that time: useful, one of the catalogue of dead waits, unknown (empty: it was not worked out
    for each step). *doing* are actions that were in flight then.
    """

    subject: str
    begun: Instant
    ended: Instant
    code: str = ""
    doing: tuple[str, ...] = ()


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the time went to, in seconds. *useful* + *unknown* + the waits that are not *beside* = *seconds*.

    *useful* is the time of the path in which somebody was at work on what the run waited for. *critical_path* is the
    longest chain of work in the whole run, each step after what it needs and without a wait between: never less than
    *useful*. *ratio* is T/CP: *seconds* over *critical_path*; None: no work was seen.
    """

    seconds: float
    critical_path: float
    useful: float
    unknown: float
    ratio: float | None = None
    waits: tuple[Wait, ...] = ()
    path: tuple[Step, ...] = ()
