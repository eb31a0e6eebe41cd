"""What may be another one today: differences between a journal and the code that reads it, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from msgspec import to_builtins

from engine.judging import Rules, answers_of, news_in
from engine.memory import Memory
from engine.traces import Left
from journal.entries import Instant

NAMED = 12  # reasons of one difference that are listed; what is over is counted
Said = dict[str, tuple[Any, Any]]  # by subject: what the journal has, and what today's code says


class Why(StrEnum):
    """What has changed since."""

    CODE = "code"
    PLAN = "plan"
    FACTS = "facts"


class What(StrEnum):
    """What is another one today."""

    DECISION = "decision"
    MOVE = "move"
    FACTS = "facts"
    FINDINGS = "findings"


@dataclass(frozen=True, slots=True)
class Difference:
    """
    What is another one today, by subject; None on one side: it has nothing to say of it.

    *position* is the seq of the entry (of a look: of the last one before it), *because* says in words what parted it.
    """

    position: int
    journaled: dict[str, Any]
    today: dict[str, Any]
    what: What = What.DECISION
    why: Why = Why.CODE
    at: Instant = 0.0
    state: str = ""
    because: tuple[str, ...] = ()


@dataclass(slots=True)
class Counted:
    """
    How much was compared: turns, decisions, moves and looks; *facts* and *withdrawn* are what the journal had and lost.

    *unlooked* are the turns that no recorded look belongs to, *left* those that could not be compared, by the reason.
    """

    turns: int = 0
    decisions: int = 0
    moves: int = 0
    looks: int = 0
    unlooked: int = 0
    diagnoses: int = 0
    facts: int = 0
    withdrawn: int = 0
    left: dict[Left, int] = field(default_factory=dict)

    def leave(self, why: Left) -> None:
        """Count a turn that cannot be compared."""
        self.left[why] = self.left.get(why, 0) + 1


def parted_answers(rules: Rules, memory: Memory, journaled: Mapping[str, Any]) -> Said:
    """Say which subjects are answered otherwise today."""
    answers = answers_of(rules, memory)
    news = news_in(rules, answers, journaled)
    said: Said = {subject: (journaled.get(subject), body) for subject, body in news.items()}
    said.update({s: (journaled[s], None) for s in journaled.keys() - answers.keys()})
    return said


def plain(value: Any) -> Any:  # noqa: ANN401  a fact or a finding
    """Write a struct as JSON has it."""
    return None if value is None else to_builtins(value)


def code_of(fact: Any) -> str:  # noqa: ANN401  a fact as JSON
    """Name a fact's code."""
    return "nothing" if fact is None else str(fact["code"])


def named(reasons: Iterable[str]) -> tuple[str, ...]:
    """List the first of many reasons, and count the others."""
    known = list(reasons)
    more = (f"and {len(known) - NAMED} more",) if len(known) > NAMED else ()
    return (*known[:NAMED], *more)


def paths(old: Any, new: Any, here: str = "") -> list[str]:  # noqa: ANN401  JSON
    """Name what differs between two plans."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        names = sorted(old.keys() | new.keys())
        return [
            path
            for name in names
            for path in paths(old.get(name), new.get(name), f"{here}.{name}" if here else name)
        ]
    return [] if old == new else [f"the plan's {here}"]
