"""
Machines that did not answer for a while: since when each does what it does, and which silences nobody brought about.

A machine that this run configures or resets goes away by nature, and so does one that installs or resets itself. Any
other silence is told: what else the journal shows of it is only what followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from journal.entries import Fact, Instant, Observed, Outcome
from phases import codes
from phases.etcd_begin import UNSEEN_PATIENCE_SECONDS
from phases.lives import RESET
from phases.verbs import APPLY
from phases.wait_machines import LEAVES
from rekindle.report.cleaning import clean
from rekindle.report.corrections import both
from rekindle.report.corrections import told as dated
from rekindle.report.happenings import Action, Row
from rekindle.report.kept import Ends
from rekindle.report.roots import NODES, was_not_asked
from rekindle.spans import between, exact

MOST, SHOWN = 40, 5
REBOOTING = "rebooting"  # of that nothing tells who asked for it
HIDDEN = {codes.UNOBSERVABLE, codes.UNKNOWN}


class Silence(Row, frozen=True, kw_only=True):
    """
    From *begun* to *ended* (None: it is not over) a machine did not answer.

    *stage* is what it was last seen as (empty: it had not answered before in this run). *anew*: it answered again in
    another boot; *left*: it did not, but was asked no more.
    """

    subject: str
    begun: Instant
    ended: Instant | None = None
    stage: str = ""
    anew: bool = False
    left: bool = False

    @property
    def ends(self) -> tuple[str, str] | None:
        """Name the two instants that its span is between."""
        return "begun", "ended"

    @property
    def machine(self) -> str:
        """Name the machine alone."""
        return self.subject.removeprefix(NODES)

    def length(self, last: Instant) -> str:
        """Say how long it was; *last*: the latest instant, of one that is not over."""
        end = last if self.ended is None else self.ended
        return both(between(self.begun, end), between(self.when("begun"), self.when("ended", last)))


@dataclass(slots=True)
class Answering:
    """
    Folded entry by entry.

    *since* has, per machine, whether it answers (its code, where that is no stage) and since when, by which entry.
    """

    since: dict[str, tuple[str, Instant, int]] = field(default_factory=dict)
    silent: dict[str, Silence] = field(default_factory=dict)
    over: Ends[Silence] = field(default_factory=lambda: Ends(MOST))
    _seen: dict[str, tuple[str, str]] = field(default_factory=dict)  # the latest stage, and boot

    def see(self, entry: Observed, seq: int) -> None:
        """Take in what was observed."""
        for subject, fact in entry.changed.items():
            if subject.startswith(NODES):
                self._look(subject, fact, entry.at, seq)
        for subject in entry.removed:
            self.since.pop(subject, None)
            self._end(subject, entry.at, seq, left=True)

    def _look(self, subject: str, fact: Fact, at: Instant, seq: int) -> None:
        kind = fact.code if fact.code in {codes.UNSEEN, *HIDDEN} else ""
        known = self.since.get(subject)
        if known is None or known[0] != kind:
            self.since[subject] = (kind, at, seq)
        if kind in HIDDEN or was_not_asked(fact):
            return
        if kind:
            self._leave(subject, at, seq)
        else:
            self._answer(subject, fact, at, seq)

    def _leave(self, subject: str, at: Instant, seq: int) -> None:
        if subject not in self.silent:
            stage, _ = self._seen.get(subject, ("", ""))
            name, of = clean(subject), {"begun": seq}
            self.silent[subject] = Silence(
                subject=name, begun=at, stage=clean(stage), of=of, entries=(seq,)
            )

    def _answer(self, subject: str, fact: Fact, at: Instant, seq: int) -> None:
        boot = str(fact.detail.get("boot_id") or "")
        _, before = self._seen.get(subject, ("", ""))
        self._seen[subject] = (fact.code, boot or before)
        self._end(subject, at, seq, anew=bool(boot and before) and boot != before)

    def _end(
        self, subject: str, at: Instant, seq: int, *, anew: bool = False, left: bool = False
    ) -> None:
        one = self.silent.pop(subject, None)
        if one is not None:
            of, entries = {**one.of, "ended": seq}, (*one.entries, seq)
            self.over.add(replace(one, ended=at, anew=anew, left=left, of=of, entries=entries))

    @property
    def silences(self) -> tuple[Silence, ...]:
        """All of them, in the order in which they began."""
        return tuple(sorted((*self.over.items, *self.silent.values()), key=lambda one: one.begun))

    def changed(self, subjects: Iterable[str]) -> tuple[Instant | None, int]:
        """Return since when it has been as it is which of *subjects* answer, and by which entry (a seq)."""
        known = [self.since[one][1:] for one in subjects if one in self.since]
        return max(known, default=(None, 0))


def untoward(
    silences: Iterable[Silence], actions: Sequence[Action], last: Instant
) -> tuple[Silence, ...]:
    """Leave out who goes away by nature, and comes back in the time that a reboot may take."""
    sent = [a for a in actions if a.verb in {APPLY, RESET} and a.outcome != Outcome.FAILED.value]
    before: dict[str, Instant] = {}
    found = []
    for one in sorted(silences, key=lambda one: one.begun):
        # An action sends its machine away once: what comes after that is not of it.
        since = before.get(one.subject, float("-inf"))
        ours = any(a.target == one.subject and since < a.intended <= one.begun for a in sent)
        before[one.subject] = one.begun
        end = last if one.ended is None else one.ended
        natural = ours or one.stage in LEAVES - {REBOOTING}
        if not natural or end - one.begun > UNSEEN_PATIENCE_SECONDS:
            found.append(one)
    return tuple(found)


def silent(silences: Iterable[Silence], last: Instant) -> Iterator[str]:
    """Say of each machine for how long it did not answer; *last*: the latest instant of the run."""
    by_machine: dict[str, list[Silence]] = {}
    for one in silences:
        by_machine.setdefault(one.machine, []).append(one)
    for machine, told in list(by_machine.items())[:SHOWN]:
        one, still = told[-1], "" if told[-1].ended is not None else ", and still does not"
        still = ", and was asked no more then" if one.left else still
        if len(told) > 1:
            spans = (between(each.begun, each.ended or last) for each in told)
            yield f"Machine {machine} did not answer {len(told)} times, for {exact(sum(spans))} in all{still}."
        elif one.stage:
            boot = "; it came back in another boot" if one.anew else ""
            begun, length = dated(one, "begun"), one.length(last)
            yield f"Machine {machine} stopped answering at {begun}, for {length}{still}{boot}."
        else:
            yield f"Machine {machine} did not answer for the first {one.length(last)} of the run{still}."


def why_silent(silences: Iterable[Silence]) -> Iterator[str]:
    """Somebody has to find out why a machine was lost in the middle of a run; a person may have said it."""
    asked: dict[str, Silence] = {}
    for one in silences:
        if one.stage and one.ended is not None and not any(word.cause for word in one.corrections):
            asked.setdefault(one.machine, one)
    for machine, one in list(asked.items())[:SHOWN]:
        yield (
            f"Find out why {machine} stopped answering at {dated(one, 'begun')}: power, the way to it, console, the "
            f"machine's own log; rekindle note --entry {one.of['begun']} --cause then says it here."
        )


def silent_in(spans: Iterable[tuple[Instant, Instant]], silences: Iterable[Silence]) -> str:
    """Say which machines did not answer in these *spans*, and for how long; empty: all did, as far as was seen."""
    times = list(spans)
    lengths: dict[str, float] = {}
    for one in silences:
        for begun, ended in times:
            end = ended if one.ended is None else min(ended, one.ended)
            together = max(0.0, end - max(begun, one.begun))
            lengths[one.machine] = lengths.get(one.machine, 0.0) + together
    named = [f"{name} for {exact(length)}" for name, length in lengths.items() if round(length)]
    return ", ".join(named[:SHOWN])
