"""
What a turn leaves in a journal: which entries are of one turn, and where among them its answers were made.

A turn writes in one order (``engine.turn.take``), and writes only what is new. So an entry that comes earlier in that
order than the one before it, or is of another instant, begins another turn; and a turn without a ``decided`` says that
its answers were those already written. A turn that had nothing new at all left no trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from engine.memory import Memory
from journal import entries as e
from journal.entries import AnyEntry, Instant


class Step(IntEnum):
    """The order in which a turn writes; from BY_HAND on its answers are made already."""

    SAME = -1  # an entry of a turn, of which this code does not know where it stands
    SEEN = 0
    GOAL = 1
    FOUND = 2
    FIRED = 3
    OVERDUE = 4
    PROBED = 5
    RETRIED = 6
    MOVED = 7
    BY_HAND = 8
    DECIDED = 9
    CANCELLED = 10
    WAITING = 11
    LIMITED = 12
    ASKED = 13
    BEGUN = 14


class Left(StrEnum):
    """Why a turn cannot be compared."""

    CUT = "the session was killed in the middle of it"
    WITHDRAWN = "an entry of it, or beside it, was withdrawn"


_STEPS: dict[type[AnyEntry], Step] = {
    e.Observed: Step.SEEN,
    e.GoalMoved: Step.GOAL,
    e.FindingsChanged: Step.FOUND,
    e.TimerFired: Step.FIRED,
    e.RetryScheduled: Step.RETRIED,
    e.Moved: Step.MOVED,
    e.ByHand: Step.BY_HAND,
    e.Decided: Step.DECIDED,
    e.ApprovalAsked: Step.ASKED,
    e.ActionIntended: Step.BEGUN,
}
_SET = {
    "probe": Step.PROBED,
    "damping": Step.MOVED,
    "stable": Step.MOVED,
    "wait": Step.WAITING,
    "deadline": Step.LIMITED,
    "action": Step.BEGUN,
}
_CANCELLED = {
    "damping": Step.MOVED,
    "stable": Step.MOVED,
    "wait": Step.CANCELLED,
    "action": Step.CANCELLED,
    "probe": Step.CANCELLED,
}
_SETTLED = {"deadline": Step.OVERDUE, "probe": Step.PROBED}


def step_of(entry: AnyEntry) -> Step | None:
    """Say where in a turn an entry stands; None: no turn wrote it (an action that ended, a person's word)."""
    match entry:
        case e.TimerSet():
            return _SET.get(entry.name.partition("/")[0], Step.SAME)
        case e.TimerCancelled():
            return _CANCELLED.get(entry.name.partition("/")[0], Step.SAME)
        case e.ActionSettled():
            return _SETTLED.get(entry.by)
        case _:
            return _STEPS.get(type(entry))


@dataclass(slots=True)
class Trace:
    """
    A turn, as far as it was read. *at* None: a look tells of it, and no entry yet.

    *asked* is what its answers were made of, *position* the entry after which they were; *torn*: something of it may
    have been withdrawn.
    """

    at: Instant | None
    asked: Memory
    position: int
    torn: bool = False
    compared: bool = False
    step: Step = Step.SAME
    latest: AnyEntry | None = None

    def goes_on(self, entry: AnyEntry, step: Step | None) -> bool:
        """Say whether *entry* may be of this turn."""
        if step is None or (self.at is not None and entry.at != self.at):
            return False
        if step is Step.SAME or step > self.step:
            return True
        # What is written once a turn is the next turn's; a large one is in parts.
        return step is self.step and not _is_first(entry)

    def take(self, entry: AnyEntry, step: Step) -> None:
        """Take in an entry of it."""
        self.at, self.latest = entry.at, entry
        self.step = max(self.step, step)

    def may_be_cut(self, following: AnyEntry | None) -> bool:
        """
        Say whether its answers may never have been made: it moved last, and no more of its session is known.

        Each move is a commit of its own; all that comes after the last one is another.
        """
        if not isinstance(self.latest, e.Moved):
            return False
        return following is None or isinstance(following, e.LeaseTaken | e.RunResumed)


def _is_first(entry: AnyEntry) -> bool:
    return isinstance(entry, e.Observed | e.FindingsChanged | e.Decided) and entry.part == 1
