"""
What one pass over a run's entries leaves: everything that the story is told from.

The fold of the engine is asked for what it alone may say (state, verdict, outcome); facts are kept beside it in one
mapping that is changed in place, for a copy an entry would cost seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import asdict

from engine.folding import fold
from engine.memory import Memory
from engine.plan import Plan
from journal import entries as e
from journal.entries import Fact, Instant
from journal.row import Row
from journal.steady import SteadyClock, as_written
from phases import codes
from phases.hindsight import Course
from phases.verbs import VERBS
from rekindle.moments import is_since
from rekindle.report.answering import Answering
from rekindle.report.beforehand import Preflights
from rekindle.report.changes import Changes
from rekindle.report.cleaning import clean
from rekindle.report.corrections import Corrections
from rekindle.report.doings import Doings
from rekindle.report.emptied import Emptied
from rekindle.report.kept import Count, Curve, Ends, Existing, Tape
from rekindle.report.own import Own
from rekindle.report.roots import Causes
from rekindle.report.spells import Sessions, Stays, deadlines_of
from rekindle.report.story import Remark
from rekindle.spans import stamp
from rekindle.view import states_of

NODES = codes.node("")
REMARKS, NOTE = 500, 2_000
OPENED = 1  # the entry that opens a run
UNTOLD = {codes.UNOBSERVABLE, codes.UNKNOWN}
# What `rekindle note` writes where a person gave a time or a cause, and no words of their own.
_SPELLED = re.compile(
    r"^entry \d+ \(\S+\) happened at |^.+ was so since \d{4}-|^the cause of .+ was: "
)
_DETAIL = (e.TimerSet, e.TimerCancelled, e.RetryScheduled)
_ASIDE = (e.TimerFired, e.ActionIntended, e.ActionSettled, e.ByHand)  # ``Doings`` has them


@dataclass(slots=True)
class Follower:
    """Fed rows as *clock* gives them. *known* is a memory with nothing but the facts, by which people call things."""

    opened: e.RunOpened
    compiled: Mapping[str, Any]
    plan: Plan | None
    course: Course | None
    stays: Stays
    doings: Doings
    facts: dict[str, Fact]
    known: Memory
    tape: Tape[e.AnyEntry]
    clock: SteadyClock = field(default_factory=SteadyClock)
    replanned: bool = False
    memory: Memory = field(default_factory=Memory)
    sessions: Sessions = field(default_factory=Sessions)
    causes: Causes = field(default_factory=Causes)
    answering: Answering = field(default_factory=Answering)
    emptied: Emptied = field(default_factory=Emptied)
    own: Own = field(default_factory=Own)
    preflights: Preflights = field(default_factory=Preflights)
    curve: Curve = field(default_factory=Curve)
    changes: Changes = field(default_factory=Changes)
    remarks: Ends[Remark] = field(default_factory=lambda: Ends(REMARKS))
    retries: dict[str, int] = field(default_factory=dict)
    entries: int = 0
    withdrawn: int = 0
    opened_wall: Instant = 0.0
    last: Instant = 0.0
    last_wall: Instant = 0.0
    seen_at: Instant | None = None
    first_looked: bool = False
    ready: Count = field(default_factory=Count)
    existing: Existing = field(default_factory=Existing)
    there: Mapping[str, tuple[int, int]] = field(
        default_factory=dict
    )  # by family, at the first look
    corrections: Corrections = field(default_factory=Corrections)
    full_since: Instant | None = None
    closed_at: Instant | None = None
    # Entries (seqs): those that the metrics' instants are of.
    looked_by: int = 0
    seen_by: int = 0
    sentenced_by: int = 0
    full_by: int = 0
    closed_by: int = 0

    @classmethod
    def of(cls, opened: e.RunOpened, plan: Plan | None, tape: Tape[e.AnyEntry]) -> Follower:
        """Begin with a run's first entry and its plan, as far as that can be read; *tape* takes its entries."""
        facts: dict[str, Fact] = {}
        compiled = opened.plan
        order = states_of(compiled) if "machine" in compiled else (opened.initial,)
        return cls(
            opened=opened,
            compiled=compiled,
            plan=plan,
            course=Course(plan.target) if plan is not None else None,
            stays=Stays(order, deadlines_of(compiled)),
            doings=Doings(plan.verbs if plan is not None else VERBS, compiled.get("section") or {}),
            facts=facts,
            known=Memory(facts=facts),
            tape=tape,
        )

    @property
    def end(self) -> Instant:
        """When the run ended; of an open one, its latest entry."""
        return self.last if self.closed_at is None else self.closed_at

    @property
    def counted(self) -> tuple[Instant | None, int]:
        """Since when the count of pods stands, and by which entry: since all were Ready, else the last look."""
        if self.full_since is not None:
            return self.full_since, self.full_by
        return self.seen_at, self.seen_by

    def replan(self, plan: Plan | None, compiled: Mapping[str, Any]) -> None:
        """Go on with another plan; of the path it knows what was seen before."""
        self.compiled, self.plan, self.replanned = compiled, plan, True
        self.doings.section = compiled.get("section") or {}
        self.stays.order = states_of(compiled) if "machine" in compiled else self.stays.order
        self.stays.deadlines = deadlines_of(compiled)
        if plan is None:
            self.course = None
            return
        self.doings.verbs = plan.verbs
        course = Course(plan.target)
        if self.course is not None:
            course.go_on_from(self.course)
        self.course = course

    def see(self, row: Row) -> None:
        """Take in an entry at its place."""
        self.entries += 1
        self._take(row)
        self.last, self.last_wall = max(self.last, row.at), row.wall_ns / 1e9
        self.sessions.last = (row.at, self.last_wall, row.seq)

    def _take(self, row: Row) -> None:
        entry = row.entry
        if entry is None:
            self.withdrawn += 1
            return
        self.tape.add(entry)
        if isinstance(entry, e.Observed):
            self._observe(entry, row.seq)
            return
        self._look_is_over(row.at)
        self.sessions.see(row)
        if isinstance(entry, _DETAIL):
            if isinstance(entry, e.RetryScheduled):
                self.retries[entry.verb] = self.retries.get(entry.verb, 0) + 1
            return
        before = self.memory
        if not isinstance(entry, _ASIDE):
            self.memory = fold(before, entry)
        if not isinstance(entry, e.Decided):  # half of what is left, and nothing is told of it
            self._told(row, entry, before)

    def _observe(self, entry: e.Observed, seq: int) -> None:
        if self.memory.looked_at is None:
            self.looked_by = seq
            self.memory = fold(self.memory, e.Observed(at=entry.at))
        elif not self.first_looked and entry.at > self.memory.looked_at:
            self._look_is_over(entry.at)
        self.seen_at, self.seen_by = entry.at, seq
        self.facts.update(entry.changed)
        for subject in entry.removed:
            self.facts.pop(subject, None)
        if self.own.away:
            self.own.see(entry, self.facts)
        self.causes.observe(entry, seq)
        if entry.removed or [name for name in entry.changed if name.startswith(NODES)]:
            self.answering.see(entry, seq)
            self.doings.also(self.emptied.see(entry, seq, self.doings.actions.values()))
        if codes.PODS in entry.changed:
            self._count(entry.at, entry.changed[codes.PODS], seq)
        self.existing.observe(entry, seq)
        if self.course is not None:
            self.course.see(entry)

    def _count(self, at: Instant, pods: Fact, seq: int) -> None:
        ready, expected = pods.detail.get("ready"), pods.detail.get("expected")
        if not isinstance(ready, int) or not isinstance(expected, int):
            return
        self.curve.add(at, ready, expected, seq)
        self.ready.see(at, ready, seq)
        if ready < expected:
            self.full_since = None
        elif self.full_since is None:
            self.full_since, self.full_by = at, seq

    def _look_is_over(self, at: Instant) -> None:
        """The first look is several entries; then what it shows can be told."""
        looked = self.memory.looked_at
        if not self.first_looked and looked is not None and self.facts:
            self.first_looked = True
            self.there = there_of(self.facts)
            self.causes.look(self.facts, self.known, min(at, looked), self._roots())

    def _roots(self) -> list[str]:
        """Name the roots of the tree, as subjects: where one is gone, all below it went with it."""
        inventory = self.compiled.get("section", {}).get("inventory")
        keys = inventory.get("roots", ()) if isinstance(inventory, Mapping) else ()
        return [codes.subject("kustomization", str(key)) for key in keys]

    def _told(self, row: Row, entry: e.AnyEntry, before: Memory) -> None:
        match entry:
            case e.RunOpened():
                self.opened_wall = row.wall_ns / 1e9
                self.stays.begin(entry.initial, entry.at, row.seq)
            case e.Moved():
                self.stays.move(entry, row.seq)
            case e.FindingsChanged():
                self.causes.see(entry, before, self.memory, self.known, row.seq)
                if self.memory.sentence is not before.sentence:
                    self.sentenced_by = row.seq
            case e.Note():
                found = remark(entry, row.wall_ns / 1e9)
                self.corrections.add(entry, row.wall_ns / 1e9)
                self.remarks.add(found)
                if found.finding and (entry.cause or (entry.text and entry.time is None)):
                    self.causes.correct(found)
            case e.Preflighted():
                self.preflights.see(entry, row.seq)
            case e.RunClosed():
                self.closed_at, self.closed_by = entry.at, row.seq
            case _:
                self.doings.see(row, self.known)
                self.own.see(entry, self.facts)
                if isinstance(entry, e.ActionSettled):
                    begun = self.emptied.begun(entry, self.doings.actions.values())
                    self.doings.also(begun)
                self.changes.see(row, entry)


def remark(entry: e.Note, written: Instant | None = None) -> Remark:
    """Take a person's remark; a correction says what it is of, and what is true in its place."""
    body = asdict(entry)
    seq, said, true = body.get("corrects"), body.get("said"), body.get("time")
    corrects = true is not None or bool(body.get("cause"))
    since = is_since(body.get("finding") or "", said, true)
    about = f"entry {seq}" if seq else ""
    of = about if corrects else ""
    if since:
        of = f"since when {clean(entry.finding)} was so, which {about} found"
    of += f"{'' if since else ', which says'} {stamp(said)}" if of and said is not None else ""
    of += f": it was {stamp(true)}" if of and true is not None else ""
    return Remark(
        at=as_written(entry.at),
        actor=clean(entry.actor),
        text=clean(entry.text, NOTE),
        corrects=of,
        about="" if of else about,
        spelled=bool(of) and _SPELLED.match(entry.text) is not None,
        written=written,
        finding=clean(body.get("finding") or ""),
        cause=clean(body.get("cause") or ""),
    )


def there_of(facts: Mapping[str, Fact]) -> dict[str, tuple[int, int]]:
    """Count by family what is there, and of how many it is known whether they are."""
    found: dict[str, tuple[int, int]] = {}
    for subject, fact in facts.items():
        if fact.code not in UNTOLD:
            family = subject.partition("/")[0]
            there, of = found.get(family, (0, 0))
            found[family] = (there + (fact.code != codes.ABSENT), of + 1)
    return found
