"""
A turn as it grows: entries, folded as they are written, gathered into commits.

What follows in a turn knows what came before it, as a resumed run would.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.folding import fold
from engine.judging import Rules
from engine.memory import Memory
from journal import entries as e
from journal.entries import AnyEntry, Instant


@dataclass(frozen=True, slots=True)
class Commit:
    """Entries that become durable together. *checkpoint*: the memory after them, stored in the same commit."""

    entries: tuple[AnyEntry, ...]
    checkpoint: Memory | None = None


@dataclass(slots=True)
class Draft:
    """The turn as it grows: each entry is folded as it is written, so that what follows knows it."""

    rules: Rules
    memory: Memory
    now: Instant
    entries: list[AnyEntry] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)

    def add(self, entry: AnyEntry) -> None:
        """Write an entry, and know it from here on."""
        self.entries.append(entry)
        self.memory = fold(self.memory, entry)

    def commit(self, *, checkpoint: bool) -> None:
        """Close the commit that is being gathered; with a checkpoint, the memory is stored in it."""
        if self.entries:
            body = self.memory if checkpoint else None
            self.commits.append(Commit(tuple(self.entries), body))
            self.entries = []

    def arm(self, name: str, due: Instant, span: float, policy: str = "wall") -> None:
        """Set a timer, unless it is set for that instant already."""
        known = self.memory.timers.get(name)
        if known is None or known.due != due:
            self.add(e.TimerSet(at=self.now, name=name, due=due, span=span, policy=policy))

    def disarm(self, name: str) -> None:
        """Cancel a timer, fired or not."""
        if name in self.memory.timers or name in self.memory.fired:
            self.add(e.TimerCancelled(at=self.now, name=name))
