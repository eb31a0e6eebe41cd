"""
What happened, line by line in the order of time: states, causes, questions, answers and actions.

What people corrected stands where it truly happened. Several of one kind that follow each other are one line: thirty
nudges are no thirty pieces of news.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from journal.entries import Instant
from rekindle.report.answering import Silence
from rekindle.report.cleaning import clean
from rekindle.report.happenings import (
    Action,
    Approval,
    Change,
    Correction,
    Dated,
    Event,
    HandDeed,
    Session,
    Stay,
)
from rekindle.report.kept import Ends
from rekindle.report.reasons import Cause
from rekindle.report.story import Run

LINES = 80
TEXT = 160
SCRIPTED = "the scenario's operator"
# Of what has one instant, what explains comes before what follows from it.
RUN, SESSION, CHANGE, FOUND, STATE, ASKED, ANSWERED, HAND, BEGUN, GONE, CLOSED = range(11)


@dataclass(frozen=True, slots=True)
class _Item:
    """
    Instant *name* of a *row*, and of what lasts *until*, the name of its end.

    *group*: items that follow each other in it are one line; *called* is how they are counted up there.
    """

    row: Dated
    name: str
    rank: int
    kind: str
    text: str
    group: tuple[str, str] | None = None
    called: str = ""
    until: str = ""

    @property
    def at(self) -> Instant:
        """When it happened: as people corrected it, else as the journal says."""
        return self.row.when(self.name)

    @property
    def ended(self) -> Instant | None:
        """What the journal says of when it was over; None: it does not last, or is not over."""
        said: Instant | None = getattr(self.row, self.until) if self.until else None
        return said

    @property
    def latest(self) -> tuple[Instant, Instant, int | None]:
        """When it was over, or when it happened: in truth, as the journal says, and by which entry."""
        name = self.name if self.ended is None else self.until
        return self.row.when(name), getattr(self.row, name), self.row.of.get(name)

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """What people corrected of the instants that this tells."""
        seqs = {self.row.of.get(name) for name in (self.name, self.until)}
        found = self.row.corrections
        return tuple(
            one for one in found if one.time is not None and not one.since and one.entry in seqs
        )


@dataclass(frozen=True, slots=True)
class Happened:
    """Everything that has an instant."""

    run: Run
    sessions: Sequence[Session]
    stays: Sequence[Stay]
    causes: Sequence[Cause]
    approvals: Sequence[Approval]
    actions: Sequence[Action]
    by_hand: Sequence[HandDeed]
    changes: Sequence[Change]
    silences: Sequence[Silence] = ()


def events(happened: Happened) -> tuple[tuple[Event, ...], int]:
    """Return the lines, and how many were left out of the middle."""
    items = sorted(_items(happened), key=lambda one: (one.at, one.rank))
    kept: Ends[Event] = Ends(LINES)
    told: list[list[_Item]] = []
    for item in items:
        if told and item.group is not None and told[-1][0].group == item.group:
            told[-1].append(item)
        else:
            told.append([item])
    for together in told:
        kept.add(_event(together))
    return kept.items, kept.left_out


def _event(items: list[_Item]) -> Event:
    """Tell items as one line: what the journal says of its instants, and what is true of them."""
    first = items[0]
    said = first.group or ("", "")
    single = len(items) == 1
    text = f"{said[0]}{len(items)}{said[1]} ({first.called} to {items[-1].called})"
    at = min(getattr(one.row, one.name) for one in items)
    last, until, by = max((one.latest for one in items), key=lambda latest: latest[0])
    until = max(until, *(one.latest[1] for one in items))
    lasts = not single or first.ended is not None
    of = {"at": first.row.of.get(first.name)} | ({"until": by} if lasts else {})
    true = {"at": first.at} if first.at != at else {}
    true |= {"until": last} if lasts and last != until else {}
    return Event(
        at=at,
        kind=first.kind,
        text=first.text if single else text,
        until=until if lasts else None,
        of={name: seq for name, seq in of.items() if seq is not None},
        true=true,
        corrections=tuple(dict.fromkeys(one for item in items for one in item.corrections)),
    )


def _items(happened: Happened) -> Iterator[_Item]:
    run = happened.run
    yield _Item(run, "opened", RUN, "run", f"the run begins ({run.opened_as or run.purpose})")
    if run.ended is not None:
        yield _Item(run, "ended", CLOSED, "run", f"the run is closed: {run.outcome}")
    yield from _held(happened.sessions)
    for stay in happened.stays:
        if stay.state == "done":
            continue
        yield _Item(stay, "begun", STATE, "state", f"in {stay.state}")
        if stay.ended is not None and stay.backwards:
            yield _Item(stay, "ended", STATE, "state", f"back to {stay.to}: {stay.why}")
    for cause in happened.causes:
        yield from _cause(cause)
    for one in happened.approvals:
        yield from _question(one)
    for action in happened.actions:
        code = f", {action.code}" if action.outcome == "failed" and action.code else ""
        text = f"{action.action} {action.verb} {action.name}: {action.outcome}{code}"
        group = (f"{action.verb}, ", f" times: {action.outcome}")
        yield _Item(action, "intended", BEGUN, "action", text, group, action.action, "settled")
    for deed in happened.by_hand:
        yield _Item(deed, "at", HAND, "hand", f"not by this run: {deed.verb} {deed.name}")
    for silence in happened.silences:
        yield from _silence(silence)
    for change in happened.changes:
        yield _Item(change, "at", CHANGE, "change", change.text)


def _held(sessions: Sequence[Session]) -> Iterator[_Item]:
    """A single session is no news."""
    for one in sessions if len(sessions) > 1 else ():
        yield _Item(one, "begun", SESSION, "session", f"{one.begun_as} by {one.holder}")
        if one.ended is not None and one.ended_as != "closed":
            text = f"session of {one.holder}: {one.ended_as}"
            yield _Item(one, "ended", SESSION, "session", text)


def _cause(cause: Cause) -> Iterator[_Item]:
    said = f"{cause.rule}, {cause.name}" if cause.rule else cause.name
    text = clean(f"found ({said}): {cause.message}", TEXT)
    yield _Item(cause, "found", FOUND, "cause", text)
    if cause.worst_at is not None:
        text = clean(f"at its worst ({said}): {cause.worst}", TEXT)
        yield _Item(cause, "worst_at", FOUND, "cause", text)
    if cause.over is not None:
        yield _Item(cause, "over", GONE, "cause", f"gone: {said}")
    elif cause.cleared is not None:
        yield _Item(cause, "cleared", GONE, "cause", f"not found any more: {said}")


def _silence(one: Silence) -> Iterator[_Item]:
    """That a machine was silent at the first look is a sign of what went wrong before."""
    who = f"machine {one.machine}"
    if one.stage:
        text = f"{who} stopped answering (last seen: {one.stage})"
        yield _Item(one, "begun", CHANGE, "machine", text)
    if one.ended is not None and not one.left:
        boot = ", in another boot" if one.anew else ""
        again = f"again after {one.length(one.ended)}{boot}"
        text = f"{who} answers {again if one.stage else 'for the first time in this run'}"
        yield _Item(one, "ended", CHANGE, "machine", text)


def _question(one: Approval) -> Iterator[_Item]:
    text, group = clean(f"{one.approval} asked: {one.question}", TEXT), ("", " questions asked")
    yield _Item(one, "asked", ASKED, "question", text, group, one.approval)
    if one.answered is not None:
        who = SCRIPTED if one.actor == "scenario" else one.actor
        text, group = (
            f"{one.approval} {one.answer} by {who}",
            ("", f" questions: {one.answer} by {who}"),
        )
        yield _Item(one, "answered", ANSWERED, "question", text, group, one.approval)
