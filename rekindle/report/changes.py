"""What became of a run's plan, goal, clock, journal and purpose, as it went on."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from journal import entries as e
from journal.row import Row
from journal.steady import as_written
from rekindle.report.cleaning import clean
from rekindle.report.happenings import Change
from rekindle.report.kept import Ends

CHANGES = 500


@dataclass(slots=True)
class Changes:
    """
    Fed row by row.

    *coming*: a session writes these before it goes on, and before it knows what time it is in the world: they have the
    instant of the last entry before it, and are told as of the one at which it went on.
    """

    kept: Ends[Change] = field(default_factory=lambda: Ends(CHANGES))
    coming: list[Change] = field(default_factory=list)

    def see(self, row: Row, entry: e.AnyEntry) -> None:
        """Take in an entry."""
        if isinstance(entry, e.RunResumed):
            for one in self.coming:
                of, entries = {"at": row.seq}, (*one.entries, row.seq)
                self.kept.add(replace(one, at=row.at, of=of, entries=entries))
            self.coming = []
        text = changed(entry)
        if text is None:
            return
        kind, said = text
        of = {"at": row.seq}
        told = Change(kind=kind, at=row.at, text=clean(said), of=of, entries=(row.seq,))
        if isinstance(entry, e.TakenOver | e.PlanChanged):
            self.coming.append(told)
        else:
            self.kept.add(told)

    @property
    def items(self) -> tuple[Change, ...]:
        """What is left, in its order; a session that died before it went on may have written some of them."""
        return tuple(sorted((*self.kept.items, *self.coming), key=lambda one: one.entries[0]))

    @property
    def left_out(self) -> int:
        """How many are not."""
        return self.kept.left_out


def changed(entry: e.AnyEntry) -> tuple[str, str] | None:
    """
    Say in a sentence what became of plan, goal, clock, journal or purpose; None: nothing did.

    Each part is cleaned by itself: a line that would be redacted is none any more in the middle of a sentence.
    """
    match entry:
        case e.PlanChanged():
            digests = f"{clean(entry.previous_digest)[:12]} to {clean(entry.plan_digest)[:12]}"
            return "plan", f"the plan changed from {digests} ({clean(entry.verdict)})"
        case e.GoalMoved():
            before = f", before it {clean(entry.previous)}" if entry.previous else ""
            return "goal", f"the goal is revision {clean(entry.revision)}{before}"
        case e.ClockJumped():
            return "clock", f"the host's clock jumped by {as_written(entry.seconds):g} s"
        case e.Redacted():
            return "withdrawn", f"the text of entry {entry.seq} was withdrawn: {clean(entry.why)}"
        case e.CancelRequested():
            return "cancel", f"{clean(entry.actor)} asked to stop for good"
        case e.TakenOver():
            return (
                "hands",
                f"{clean(entry.actor)} took over: what had only watched acts from here on",
            )
        case e.TimerFired() if entry.name.startswith("deadline/"):
            state = clean(entry.name.partition("/")[2])
            return "deadline", f"the time that {state} was given ran out"
        case _:
            return None
