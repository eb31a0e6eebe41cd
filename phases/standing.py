"""
Which of the subjects that a question is about are not ready: asked every turn, worked out for those that changed.

Facts are frozen, and a turn keeps what did not change; to compare a thousand identities costs less than to judge ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import is_not

from engine.answer import Subject
from engine.recipe import Facts
from journal.entries import Fact
from phases import codes


class Standing:
    """A memory of how subjects stood last; what it says rests on the facts that it is asked about alone."""

    def __init__(self, subjects: Sequence[Subject], pods: Sequence[int] = ()) -> None:
        """Follow *subjects*; *pods*, if they are workloads: how many each should have."""
        self._subjects = tuple(subjects)
        self._pods = tuple(pods)
        self._found: list[Fact | None] = [None] * len(self._subjects)
        self._is_open = bytearray(b"\1") * len(self._subjects)
        self.pods_wanted = sum(pods)
        self._ready = [0] * len(self._pods)
        self._followed: Facts | None = None
        self._open: list[tuple[Subject, Fact | None]] = []

    def open_in(self, facts: Facts) -> Sequence[tuple[Subject, Fact | None]]:
        """Return those that are not Ready, in their order, with their facts."""
        self._follow(facts)
        return self._open

    def ready_pods_in(self, facts: Facts) -> int:
        """Count the ready pods of all, of each at most those that it should have."""
        self._follow(facts)
        return sum(self._ready)

    def _follow(self, facts: Facts) -> None:
        if facts is self._followed:
            return  # a guard and a decision of one turn ask about the same facts
        found = list(map(facts.get, self._subjects))
        for place in compress(range(len(found)), map(is_not, found, self._found)):
            fact = found[place]
            self._is_open[place] = fact is None or fact.code != codes.READY
            if self._pods:
                ready = 0 if fact is None else int(fact.detail["ready"])
                self._ready[place] = min(ready, self._pods[place])
        self._found = found
        self._open = list(compress(zip(self._subjects, found, strict=True), self._is_open))
        self._followed = facts
