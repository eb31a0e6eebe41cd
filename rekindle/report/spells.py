"""Sessions and stays: who held the run from when to when, and in which state it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from journal import entries as e
from journal.entries import Instant
from journal.row import Row
from rekindle.report.cleaning import clean
from rekindle.report.happenings import Session, Stay
from rekindle.report.kept import Ends

SPELLS = 400
NOTED = "noted"
OF_SESSIONS = {  # few of the entries of a run: who asks for each of these in turn asks for long
    e.LeaseTaken,
    e.RunResumed,
    e.RunInterrupted,
    e.RunClosed,
    e.Note,
    e.ApprovalGiven,
    e.ApprovalRefused,
    e.LeaseLost,
}


@dataclass(slots=True)
class Sessions:
    """
    Each process that held the lease; one that never gave it up was killed.

    Whoever only noted something held it for an instant, and pursued nothing: the note is told, and no session.
    """

    kept: Ends[Session] = field(default_factory=lambda: Ends(SPELLS))
    now: Session | None = None
    killed: int = 0
    resumed: int = 0
    last: tuple[Instant, Instant, int] = (0.0, 0.0, 0)

    def see(self, row: Row) -> None:
        """Take in an entry."""
        if type(row.entry) not in OF_SESSIONS:
            return
        at, wall = row.at, row.wall_ns / 1e9
        match row.entry:
            case e.LeaseTaken() as taken:
                self._end_by_force()
                begun_as = "answered" if self.kept.items else "opened"
                self.now = Session(
                    holder=clean(taken.holder),
                    begun=at,
                    begun_wall=wall,
                    begun_as=begun_as,
                    of={"begun": row.seq},
                    entries=(row.seq,),
                )
            case e.RunResumed() as resumed if self.now is not None:
                self.resumed += 1
                self.now = replace(
                    self.now,
                    begun=at,
                    begun_as="resumed",
                    idle_seconds=resumed.idle_seconds,
                    open_actions=tuple(clean(one) for one in resumed.open_actions),
                    of={"begun": row.seq},
                    entries=(*self.now.entries, row.seq),
                )
            case e.RunInterrupted() as ended if self.now is not None:
                self.now = _over(self.now, clean(ended.why), row.seq)
            case e.RunClosed() if self.now is not None:
                self.now = _over(self.now, "closed", row.seq)
            case e.Note() if self.now is not None and self.now.begun_as == "answered":
                self.now = replace(self.now, begun_as=NOTED)
            case e.ApprovalGiven() | e.ApprovalRefused() if (
                self.now is not None and self.now.begun_as == NOTED
            ):
                self.now = replace(self.now, begun_as="answered")
            case e.LeaseLost():
                self._end(at, wall, row.seq, "gave up the lease")
            case _:
                pass

    def _end_by_force(self) -> None:
        if self.now is not None:
            self.killed += self.now.ended_as == "" and self.now.begun_as != NOTED
            self._end(*self.last, "killed")

    def _end(self, at: Instant, wall: Instant, seq: int, otherwise: str) -> None:
        if self.now is not None and self.now.begun_as != NOTED:
            how, of = self.now.ended_as or otherwise, {"ended": seq, **self.now.of}
            self.kept.add(replace(self.now, ended=at, ended_wall=wall, ended_as=how, of=of))
        self.now = None

    def finished(self, *, alive: bool | None) -> tuple[Session, ...]:
        """Return all, the last one with what is known of its end."""
        if self.now is None or self.now.begun_as == NOTED:
            return self.kept.items
        if alive is False or self.now.ended_as == "closed":
            self._end_by_force()
            return self.kept.items
        return (*self.kept.items, self.now)


def _over(session: Session, how: str, seq: int) -> Session:
    """What ended it is said by entry *seq*: the lease, which is given up next, goes with it."""
    of = {**session.of, "ended": seq}
    return replace(session, ended_as=how, of=of, entries=(*session.entries, seq))


@dataclass(slots=True)
class Stays:
    """States as the run was in them; *order* tells forwards from backwards, *reached* when, and by which entry."""

    order: Sequence[str]
    deadlines: Mapping[str, float]
    kept: Ends[Stay] = field(default_factory=lambda: Ends(SPELLS))
    now: Stay | None = None
    reached: dict[str, tuple[Instant, int]] = field(default_factory=dict)
    backwards: int = 0

    def begin(self, state: str, at: Instant, seq: int) -> None:
        """Enter a state, by the entry *seq*."""
        limit = self.deadlines.get(state)
        self.now = Stay(
            state=clean(state), begun=at, deadline=limit, of={"begun": seq}, entries=(seq,)
        )

    def move(self, entry: e.Moved, seq: int) -> None:
        """Leave one state for another; a state that was left forwards has reached its goal."""
        places = {name: place for place, name in enumerate(self.order)}
        back = places.get(entry.target, 0) < places.get(entry.source, 0)
        self.backwards += back
        if self.now is not None:
            left = replace(
                self.now,
                ended=entry.at,
                why=clean(entry.why),
                to=clean(entry.target),
                backwards=back,
                of={**self.now.of, "ended": seq},
                entries=(*self.now.entries, seq),
            )
            self.kept.add(left)
        if back:
            lost = self.order[places[entry.target] :]
            self.reached = {k: v for k, v in self.reached.items() if k not in lost}
        else:
            self.reached[entry.source] = entry.at, seq
        self.begin(entry.target, entry.at, seq)

    def finished(self, end: Instant | None, closed_by: int) -> tuple[Stay, ...]:
        """Return all; the last one ends with the run, by the entry *closed_by*, if that did."""
        if self.now is None:
            return self.kept.items
        of = self.now.of if end is None else {**self.now.of, "ended": closed_by}
        return (*self.kept.items, replace(self.now, ended=end, of=of))


def deadlines_of(plan: Mapping[str, Any]) -> dict[str, float]:
    """Read from a compiled plan how long each state may take, in seconds."""
    states = plan.get("machine", {}).get("states", {})
    found = {name: (body.get("deadline") or {}).get("after") for name, body in states.items()}
    return {name: float(after) for name, after in found.items() if after is not None}
