"""
How a run's time was spent, from its journal: acting, waiting for a person, or waiting with nothing to do.

An interval counts as acting while an action was in flight; as asking while a question was open and nothing was in
flight; as waiting when every answer was to wait: then nothing could have been done. Seconds of world time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.folding import fold
from engine.memory import Memory
from journal.entries import AnyEntry, Moved, RunOpened


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of a run. *states* maps each state to the seconds spent in it."""

    total: float
    acting: float
    asking: float
    waiting: float
    states: dict[str, float]

    @property
    def waiting_share(self) -> float:
        """The share of the run during which nothing could have been done, 0 to 1."""
        return self.waiting / self.total if self.total else 0.0


def spent(entries: Iterable[AnyEntry]) -> Spent:
    """Add up a run."""
    memory = Memory()
    sums = {"acting": 0.0, "asking": 0.0, "waiting": 0.0}
    states: dict[str, float] = {}
    opened = entered = 0.0
    for entry in entries:
        if isinstance(entry, RunOpened):
            opened = entered = entry.at
        else:
            sums[_kind(memory)] += max(0.0, entry.at - memory.now)
        if isinstance(entry, Moved):
            states[entry.source] = states.get(entry.source, 0.0) + entry.at - entered
            entered = entry.at
        memory = fold(memory, entry)
    total = memory.now - opened
    return Spent(total, sums["acting"], sums["asking"], sums["waiting"], states)


def _kind(memory: Memory) -> str:
    if memory.open:
        return "acting"
    kinds = {body.get("answer") for body in memory.answers.values()}
    return "asking" if "ask" in kinds else "waiting"
