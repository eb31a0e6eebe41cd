"""
Another plan, followed along a journal: its deadlines, stability windows and damping run by spans of its own.

All else is the journal's: what was seen, what was done, and where the run moved to. Where this plan would have left
that way, it is told, and followed no further: nobody knows what the world would have shown then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from engine.draft import Draft
from engine.folding import fold
from engine.judging import Rules, judge, move_of
from engine.machine import Move
from engine.memory import Memory
from engine.parted import Said, parted_answers
from engine.patience import spoken
from engine.plan import DONE
from engine.traces import Step
from engine.turn import damp, steady
from engine.world import COALESCE_SECONDS
from journal import entries as e
from journal.entries import AnyEntry, Instant

OWN = ("deadline/", "stable/", "damping/")  # timers whose spans are of the plan's states
# Between these and what came before, nobody may have been there to notice that an instant passed.
ABSENT = (e.LeaseTaken, e.RunInterrupted, e.RunResumed, e.ClockJumped, e.LeaseLost)


@dataclass(slots=True)
class Otherwise:
    """
    What would be known under another plan.

    *because* names the parts that differ; *asked* is what the answers of the present turn would be made of.
    """

    rules: Rules
    because: tuple[str, ...]
    memory: Memory
    asked: Memory = field(default_factory=Memory)
    _attended: bool = False
    _told: str = ""

    @property
    def is_lost(self) -> bool:
        """Say whether the run is in a state that this plan does not have."""
        return self.memory.state != DONE and self.memory.state not in self.rules.plan.states

    def take(self, entry: AnyEntry) -> None:
        """Know what the journal says, but for the timers that this plan sets itself."""
        if isinstance(
            entry, e.TimerSet | e.TimerCancelled | e.TimerFired
        ) and entry.name.startswith(OWN):
            return
        self.memory = fold(self.memory, entry)

    def passed(self, entry: AnyEntry, step: Step | None, known: Memory) -> Iterator[Instant]:
        """
        Go to each instant before *entry* at which this plan would have had a turn of its own.

        What was *known* of the world then is what was known after the turn before: a change would have made a turn.
        """
        attended = self._attended
        if isinstance(entry, ABSENT):
            self._attended = False
        elif step is not None:
            self._attended = True
        if not attended or self.is_lost or not _is_of_a_session(entry, step):
            return
        for name, timer in sorted(self.memory.timers.items(), key=lambda item: item[1].due):
            # A timer that the journal has as well: it tells when that fired.
            theirs = known.timers.get(name)
            shared = theirs is not None and theirs.due == timer.due
            soon = entry.at - timer.due <= COALESCE_SECONDS  # that turn may have been this one
            if name in self.memory.timers and name.startswith(OWN) and not shared and not soon:
                self.answer(timer.due)
                yield timer.due

    def catch_up(self, now: Instant) -> None:
        """Do what a turn does before it moves."""
        if self.is_lost or self.memory.state == DONE:
            return
        draft = Draft(self.rules, self.memory, now)
        for name, timer in sorted(self.memory.timers.items(), key=lambda item: item[1].due):
            if name.startswith(OWN) and timer.due <= now:
                draft.add(e.TimerFired(at=now, name=name, due=timer.due))
        judged = judge(self.rules, draft.memory)
        damp(draft, judged)
        steady(draft, judged)
        self.memory = draft.memory

    def answer(self, now: Instant) -> None:
        """Keep what the answers of a turn would be made of."""
        self.catch_up(now)
        self.asked = self.memory

    def close(self, now: Instant, known: Memory) -> None:
        """Set a deadline where the journal has one."""
        name = f"deadline/{self.memory.state}"
        limited = name in known.timers or name in known.fired
        if self.is_lost or not limited or name in self.memory.timers or name in self.memory.fired:
            return
        deadline = self.rules.plan.machine.states[self.memory.state].deadline
        draft = Draft(self.rules, self.memory, now)
        draft.arm(name, now + deadline.after, deadline.after, deadline.policy)
        self.memory = draft.memory

    def move(self, memory: Memory) -> Move | None:
        """Return the move that this plan allows."""
        return move_of(self.rules, memory, judge(self.rules, memory))

    def parted(self, known: Memory, journaled: Mapping[str, Any]) -> tuple[Said, tuple[str, ...]]:
        """
        Say what would have been answered otherwise, and why.

        That a deadline of this plan alone has passed is said once: all that follows in that state follows from it.
        """
        asked, name = self.asked, f"deadline/{self.asked.state}"
        if self.is_lost:
            return {"machine": ({"state": asked.state}, None)}, self.because
        if name not in asked.fired or name in known.fired:
            self._told = ""
            return parted_answers(self.rules, asked, journaled), self.because
        if self._told == name:
            asked = replace(asked, fired={n: due for n, due in asked.fired.items() if n != name})
            return parted_answers(self.rules, asked, journaled), self.because
        self._told = name
        after = spoken(self.rules.plan.machine.states[asked.state].deadline.after)
        late = f"{asked.state} would have been out of time: by this plan it has {after}"
        return parted_answers(self.rules, asked, journaled), (late, *self.because)

    @property
    def is_late(self) -> bool:
        """Say whether a deadline of this plan has passed that nobody was told of."""
        name = f"deadline/{self.asked.state}"
        return name in self.asked.fired and self._told != name


def _is_of_a_session(entry: AnyEntry, step: Step | None) -> bool:
    """Say whether somebody pursued the run when this was written, and had done so before."""
    return step is not None or isinstance(
        entry,
        e.ActionSettled | e.ApprovalGiven | e.ApprovalRefused | e.RunInterrupted | e.RunClosed,
    )
