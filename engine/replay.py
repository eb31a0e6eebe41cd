"""
Replay: today's decisions, held against the journaled ones.

A journal is a regression test: its facts, fed to ``decide``, must give the answers that it holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.folding import fold
from engine.judging import Rules, answers_of, spelled
from engine.memory import Memory
from engine.plan import from_compiled
from engine.recipe import Recipe
from journal import entries as e
from journal.entries import AnyEntry


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that is another one today. *position* counts entries from 1."""

    position: int
    journaled: dict[str, Any]
    today: dict[str, Any]


def replay(recipe: Recipe, entries: Iterable[AnyEntry]) -> tuple[int, tuple[Difference, ...]]:
    """Walk one run; return how many decisions were compared, and those that differ."""
    memory = Memory()
    rules: Rules | None = None
    compared = 0
    differences: list[Difference] = []
    for position, entry in enumerate(entries, start=1):
        if isinstance(entry, (e.RunOpened, e.PlanChanged)):
            rules = Rules.of(recipe, from_compiled(entry.plan, recipe))
        if isinstance(entry, e.Decided) and rules is not None and entry.part == entry.parts:
            today = {s: spelled(answer) for s, answer in answers_of(rules, memory).items()}
            journaled = fold(memory, entry).answers
            compared += 1
            if today != journaled:
                differences.append(Difference(position, journaled, today))
        memory = fold(memory, entry)
    return compared, tuple(differences)
