"""
The course of a run, by state: stays, attempts, findings, and what was decided first, with the facts of that moment.

One pass over the entries; of the facts only those mappings are kept that something was decided from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.folding import fold
from engine.memory import Memory
from engine.recipe import Facts
from journal import entries as e
from journal.entries import Finding, Outcome
from journal.row import Row

OPEN = "open"


@dataclass(slots=True)
class Stay:
    """How long a run was in a state, in seconds of the world, and how often it came there."""

    seconds: float = 0.0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Something that was decided for the first time in a state: to act, to ask, or that it is stuck.

    *key* says what, *after* how many seconds after the state was entered, *facts* are those that it was decided from.
    """

    state: str
    key: str
    subject: str
    body: Mapping[str, Any]
    seq: int
    at: float
    after: float
    facts: Facts


@dataclass(slots=True)
class Course:
    """A run. *attempts*: by state and action (verb and target), how many ended how; *left*: facts at a state's end."""

    memory: Memory = field(default_factory=Memory)
    version: str = ""
    plan_digest: str = ""
    plan: dict[str, Any] = field(default_factory=dict)
    ended_at: float = 0.0
    stays: dict[str, Stay] = field(default_factory=dict)
    attempts: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    choices: dict[str, dict[str, Choice]] = field(default_factory=dict)
    left: dict[str, Facts] = field(default_factory=dict)
    by_hand: int = 0
    _begun_in: dict[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """The whole run, in seconds of the world."""
        return self.ended_at - self.memory.opened_at

    @property
    def outcome(self) -> str:
        """How it ended, or that it has not."""
        return self.memory.outcome or self.memory.interrupted or OPEN

    def take(self, row: Row) -> None:
        """Take in an entry; a note that was written after the end changes nothing of the course."""
        entry = row.entry
        if entry is None:
            return
        before = self.memory
        self.memory = fold(before, entry)
        if before.outcome:
            return
        self.ended_at = self.memory.now
        match entry:
            case e.RunOpened() | e.PlanChanged():
                self.plan, self.plan_digest = entry.plan, entry.plan_digest
                if isinstance(entry, e.RunOpened):
                    self.version = entry.version
                    self.stays[entry.initial] = Stay(visits=1)
            case e.Moved():
                self._leave(before, entry.at)
                self.stays.setdefault(entry.target, Stay()).visits += 1
            case e.Decided():
                self._decided(entry, row.seq)
            case e.ActionIntended() | e.ActionSettled():
                self._acted(entry)
            case e.FindingsChanged():
                for key, found in entry.changed.items():
                    self.findings.setdefault(key, found)
            case e.ByHand():
                self.by_hand += 1
            case e.RunClosed():
                self._leave(self.memory, entry.at)
            case _:
                pass

    def end(self) -> None:
        """Book the last stay of a run that is still open."""
        if not self.memory.outcome:
            self._leave(self.memory, self.ended_at)

    def _leave(self, memory: Memory, at: float) -> None:
        stay = self.stays.setdefault(memory.state, Stay(visits=1))
        stay.seconds += max(0.0, at - memory.entered_at)
        self.left[memory.state] = memory.facts

    def _acted(self, entry: e.ActionIntended | e.ActionSettled) -> None:
        if isinstance(entry, e.ActionIntended):
            self._begun_in[entry.action] = self.memory.state
            self._counter(entry)["attempts"] += 1
        elif entry.by != "probe" or entry.outcome is not Outcome.UNSETTLED:
            self._counter(entry)[entry.outcome.value] += 1

    def _counter(self, entry: e.ActionIntended | e.ActionSettled) -> Counter[str]:
        """Count where an action was begun, wherever it ended."""
        state = self._begun_in.get(entry.action, self.memory.state)
        actions = self.attempts.setdefault(state, {})
        return actions.setdefault(f"{entry.verb} {entry.target}", Counter())

    def _decided(self, entry: e.Decided, seq: int) -> None:
        known = self.choices.setdefault(entry.state, {})
        for subject, body in entry.answers.items():
            key = key_of(subject, body)
            if key and key not in known:
                after = entry.at - self.memory.entered_at
                facts = self.memory.facts
                known[key] = Choice(entry.state, key, subject, body, seq, entry.at, after, facts)


def key_of(subject: str, body: Mapping[str, Any]) -> str:
    """Say what was decided, without what differs in every run; empty for a wait."""
    match body.get("answer"):
        case "act":
            return f"act {body['verb']} {body['target']}"
        case "ask":
            return f"ask {subject}: {body['question']}"
        case "stuck":
            return f"stuck {subject}: {body['reference']}"
        case _:
            return ""


def course_of(rows: Iterable[Row]) -> Course:
    """Walk a run."""
    course = Course()
    for row in rows:
        course.take(row)
    course.end()
    return course
