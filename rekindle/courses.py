"""
The course of a run: by state stays and attempts, by visit of one what was decided, with the facts of that moment.

One pass over the entries; of the facts only those mappings are kept that something was decided from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.folding import fold
from engine.memory import Memory
from engine.recipe import Facts
from journal import entries as e
from journal.entries import Finding, Outcome
from journal.row import Row
from journal.steady import steady
from rekindle.spans import between

OPEN = "open"
# What tells one thing from its next life, or one rehearsal's from another's: no part of a question's sense.
UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)


class Visit(NamedTuple):
    """A state and the how-manieth time that a run is in it, from 1: a run that was thrown back comes there again."""

    state: str
    number: int


@dataclass(slots=True)
class Stay:
    """
    How long a run was in a state, in seconds of the world, and how often it came there.

    *whole* are the seconds that people are shown: of each visit the difference of the instants that they are shown.
    """

    seconds: float = 0.0
    whole: int = 0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Something that was decided for the first time in a visit of a state: to act, to ask, or that it is stuck.

    *key* says what, *subject* and *target* about which thing (``Course.named``), *body* is as it was written; *after*
    how many seconds after the state was entered, *elapsed* after the run was opened; *facts* are those that it was
    decided from.
    """

    visit: Visit
    key: str
    subject: str
    target: str
    body: Mapping[str, Any]
    seq: int
    at: float
    after: float
    elapsed: float
    facts: Facts

    @property
    def state(self) -> str:
        """The state that it was decided in."""
        return self.visit.state


@dataclass(slots=True)
class Course:
    """
    A run. *attempts*: by state and action (verb and target), how many ended how.

    *visits*: as it made them; *choices*: by visit and key; *left*: the facts at a visit's end.

    *names*: of subjects that the journal knows by a UID, which is another one in every cluster and in every rehearsal.
    """

    memory: Memory = field(default_factory=Memory)
    version: str = ""
    plan_digest: str = ""
    plan: dict[str, Any] = field(default_factory=dict)
    ended_at: float = 0.0
    stays: dict[str, Stay] = field(default_factory=dict)
    attempts: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    choices: dict[Visit, dict[str, Choice]] = field(default_factory=dict)
    left: dict[Visit, Facts] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    by_hand: int = 0
    _begun_in: dict[str, str] = field(default_factory=dict)
    _ended: dict[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """The whole run, in seconds of the world."""
        return self.ended_at - self.memory.opened_at

    @property
    def took(self) -> int:
        """The same in whole seconds, as its instants are shown."""
        return between(self.memory.opened_at, self.ended_at)

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
        self._learn_names(entry)
        match entry:
            case e.RunOpened() | e.PlanChanged():
                self.plan, self.plan_digest = entry.plan, entry.plan_digest
                if isinstance(entry, e.RunOpened):
                    self.version = entry.version
                    self._enter(entry.initial)
            case e.Moved():
                self._leave(before, entry.at)
                self._enter(entry.target)
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
        if self.visits and not self.memory.outcome:
            self._leave(self.memory, self.ended_at)

    def _enter(self, state: str) -> None:
        stay = self.stays.setdefault(state, Stay())
        stay.visits += 1
        self.visits.append(Visit(state, stay.visits))

    def _leave(self, memory: Memory, at: float) -> None:
        stay = self.stays[memory.state]
        stay.seconds += max(0.0, at - memory.entered_at)
        stay.whole += max(0, between(memory.entered_at, at))
        self.left[self.visits[-1]] = memory.facts

    def named(self, subject: str) -> str:
        """Say which thing a subject is: by its kind, namespace and name, where the journal calls it by a UID."""
        return self.names.get(subject, subject)

    def _learn_names(self, entry: e.AnyEntry) -> None:
        if isinstance(entry, e.Observed):
            for subject, fact in entry.changed.items():
                self._learn(subject, fact.detail)
        if isinstance(entry, e.Decided):
            for body in entry.answers.values():
                self._learn(str(body.get("target", "")), body.get("arguments") or {})
        if isinstance(entry, e.ActionIntended):
            self._learn(entry.target, entry.arguments)

    def _learn(self, subject: str, detail: Mapping[str, Any]) -> None:
        family, _, rest = subject.partition("/")
        if not rest or rest != detail.get("uid"):
            return
        parts = (family, *(str(detail.get(part) or "") for part in ("kind", "namespace", "name")))
        if parts[-1]:
            self.names[subject] = "/".join(part for part in parts if part)

    def _acted(self, entry: e.ActionIntended | e.ActionSettled) -> None:
        if isinstance(entry, e.ActionIntended):
            self._begun_in[entry.action] = self.memory.state
            self._counter(entry)["attempts"] += 1
        elif entry.by != "probe" or entry.outcome is not Outcome.UNSETTLED:
            count, before = self._counter(entry), self._ended.get(entry.action)
            if before is not None:  # a doubt that a probe settles is one end, and not two
                count[before] -= 1
            count[entry.outcome.value] += 1
            self._ended[entry.action] = entry.outcome.value

    def _counter(self, entry: e.ActionIntended | e.ActionSettled) -> Counter[str]:
        """Count where an action was begun, wherever it ended."""
        state = self._begun_in.get(entry.action, self.memory.state)
        actions = self.attempts.setdefault(state, {})
        return actions.setdefault(f"{entry.verb} {self.named(entry.target)}", Counter())

    def _decided(self, entry: e.Decided, seq: int) -> None:
        if entry.state != self.visits[-1].state:  # the entry that it moved by was withdrawn
            self._enter(entry.state)
        visit = self.visits[-1]
        known = self.choices.setdefault(visit, {})
        for subject, body in entry.answers.items():
            about, target = self.named(subject), self.named(str(body.get("target", "")))
            key = key_of(about, target, body)
            if key and key not in known:
                known[key] = Choice(
                    visit=visit,
                    key=key,
                    subject=about,
                    target=target,
                    body=body,
                    seq=seq,
                    at=entry.at,
                    after=entry.at - self.memory.entered_at,
                    elapsed=entry.at - self.memory.opened_at,
                    facts=self.memory.facts,
                )


def key_of(subject: str, target: str, body: Mapping[str, Any]) -> str:
    """Say what was decided, without what differs in every run; empty for a wait."""
    match body.get("answer"):
        case "act":
            return f"act {body['verb']} {target}"
        case "ask":
            return f"ask {subject}: {UUID.sub('...', str(body['question']))}"
        case "stuck":
            return f"stuck {subject}: {body['reference']}"
        case _:
            return ""


def course_of(rows: Iterable[Row]) -> Course:
    """Walk a run."""
    course = Course()
    for row in steady(rows):
        course.take(row)
    course.end()
    return course
