"""
``-v`` of a session: each cause in full, with the tree of what it blocks, when it is found.

The line that every session shows says a cause in few words, and is cut where a screen ends. The same words as
``status -v``; a cause that stands is told again only when it says something else.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

from engine.judging import Rules
from engine.ports import Watcher
from engine.turn import Turn
from journal.entries import Finding
from journal.row import Row
from rekindle.retold import memory_of


def elaborated(watcher: Watcher, say: Callable[[str], None], *, verbose: bool) -> Watcher:
    """Tell causes in full where that was asked for."""
    return Elaborating(watcher, say) if verbose else watcher


class Elaborating:
    """A watcher before another one."""

    def __init__(self, watcher: Watcher, say: Callable[[str], None]) -> None:
        """*say* shows a text of many lines to the operator."""
        self._watcher = watcher
        self._say = say
        self._findings: Mapping[str, Finding] = {}
        self._told: dict[str, str] = {}

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Tell what is new, below the lines of the entries that have it."""
        if turn.memory.findings is not self._findings:  # seldom
            self._findings = turn.memory.findings
            new = self._new()
            if new:
                self._tell(rules, turn, new)
        self._watcher.turned(rules, turn)

    def _new(self) -> dict[str, str]:
        """Name the roots that were not told in these words; of what cleared nothing is remembered."""
        roots = {name: one.message for name, one in self._findings.items() if one.root}
        new = {name: said for name, said in roots.items() if self._told.get(name) != said}
        told = {name: said for name, said in self._told.items() if name in self._findings}
        self._told = told | new
        return new

    def _tell(self, rules: Rules, turn: Turn, new: Container[str]) -> None:
        # The rules take longer to import than all else, and the first look has just asked them.
        from rekindle.remembered import told

        said = told(memory_of(turn.memory), rules.plan.target, new)
        self._say("\n".join([*said, ""]))

    def wrote(self, rows: Sequence[Row]) -> None:
        """Nothing of our own."""
        self._watcher.wrote(rows)
