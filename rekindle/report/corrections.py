"""
What people corrected, beside the rows that it is about: who, when, what the journal says, and what is true.

Whoever tells or draws an instant of an entry asks its row (``Dated.when``; ``told`` for both in words), and where there
is no row the entry itself (``true``, ``took``): so a correction counts everywhere. A note about a finding stands beside
that cause alone; any other beside each row that is told from the entry it names. The time of a finding or an object
that lies before it was found is of no entry: since then it has been so, whatever the cluster told of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.structs import replace

from journal import entries as e
from journal.entries import Instant
from rekindle.moments import is_since
from rekindle.report.cleaning import clean
from rekindle.report.happenings import Correction, Dated, Row
from rekindle.report.reasons import Sign
from rekindle.spans import between, exact, stamp

MOST = 500


R = TypeVar("R", bound=Dated)


@dataclass(slots=True)
class Corrections:
    """Notes that correct something, by the entry or by the finding that they are about."""

    by_entry: dict[int, tuple[Correction, ...]] = field(default_factory=dict)
    by_finding: dict[str, tuple[Correction, ...]] = field(default_factory=dict)
    count: int = 0

    def add(self, note: e.Note, written: Instant) -> None:
        """Take in a note; one that only remarks corrects nothing."""
        if not note.corrects or (note.time is None and not note.cause) or self.count >= MOST:
            return
        self.count += 1
        found = Correction(
            entry=note.corrects,
            actor=clean(note.actor),
            written=written,
            said=note.said,
            time=note.time,
            cause=clean(note.cause),
            since=is_since(note.finding, note.said, note.time),
        )
        if note.finding:
            name = clean(note.finding)
            self.by_finding[name] = (*self.by_finding.get(name, ()), found)
        else:
            known = self.by_entry.get(note.corrects, ())
            self.by_entry[note.corrects] = (*known, found)

    @property
    def times(self) -> int:
        """Count the entries of which people corrected the time."""
        told = (*self.by_entry.values(), *self.by_finding.values())
        return len({one.entry for ones in told for one in ones if _of_entry(one)})

    def beside(self, rows: Iterable[R], finding: str = "") -> tuple[R, ...]:
        """Put them beside rows; *finding* names the field by which rows are of a finding."""
        return tuple(self.put(row, finding) for row in rows)

    def put(self, row: R, finding: str = "") -> R:
        """Put them beside a row: what people say, its corrected instants, and how long it took by those."""
        if not self.count:
            return row
        entries = row.entries if isinstance(row, Row) else ()
        found = _of_spell(self.by_finding.get(str(getattr(row, finding, "")), ()), row)
        for seq in dict.fromkeys((*entries, *row.of.values())):
            found += self.by_entry.get(seq, ())
        if not found:
            return row
        told = {one.entry: one.time for one in found if _of_entry(one)}
        true = {
            name: told[seq]
            for name, seq in row.of.items()
            if seq in told and getattr(row, name) not in {None, told[seq]}
        }
        since = [one.time for one in found if one.since and one.time is not None]
        true |= {"since": since[-1]} if since else {}
        return _again(replace(row, corrections=tuple(dict.fromkeys(found)), true=true))

    def on(self, sign: Sign, subjects: Mapping[str, str]) -> Sign:
        """Put beside a sign since when it has been so; *subjects*: of what the findings are, by their ids."""
        found = [
            replace(one, said=sign.at)
            for name, ones in self.by_finding.items()
            if subjects.get(name, name) == sign.subject
            for one in ones
            if one.since
        ]
        if not found or found[-1].time is None:
            return sign
        corrections = tuple(dict.fromkeys((*sign.corrections, *found)))
        return replace(sign, corrections=corrections, true={**sign.true, "at": found[-1].time})

    def true(self, entry: int, said: Instant) -> Instant:
        """Return when an entry happened: as last corrected, else as it says."""
        times = [one.time for one in self.by_entry.get(entry, ()) if one.time is not None]
        return times[-1] if times else said

    def took(self, begun: tuple[int, Instant], ended: tuple[int, Instant]) -> str:
        """Say how long it was between two entries and what they say, and beside it by what people corrected."""
        return both(between(begun[1], ended[1]), between(self.true(*begun), self.true(*ended)))


def _again(row: R) -> R:
    """Work out the span of a row again; unchanged where it has none, or nobody corrected an end of it."""
    if row.ends is None or not set(row.ends) & set(row.true):
        return row
    begun, ended = row.ends
    if getattr(row, begun) is None or getattr(row, ended) is None:
        return row
    return replace(row, again=between(row.when(begun), row.when(ended)))


def _of_entry(one: Correction) -> bool:
    """Say whether it corrects when an entry happened."""
    return one.time is not None and not one.since


def _of_spell(found: Iterable[Correction], row: Dated) -> list[Correction]:
    """
    Take of what people said of a finding what is of this time that it was found.

    It may have come again; since when it had been so was said of the first.
    """
    said: list[Correction] = []
    for one in found:
        if not one.since:
            said.append(one)
        elif row.of.get("found") == one.entry:
            said.append(replace(one, said=getattr(row, "since", None)))
        elif one.cause:
            said.append(replace(one, time=None, since=False))
    return said


def told(
    row: Dated, name: str, write: Callable[[Instant], str] = stamp, *, nothing: str = ""
) -> str:
    """Write an instant of a row, or *nothing* where it has none, and beside it what people corrected it to."""
    said: Instant | None = getattr(row, name)
    if said is not None:
        return both(said, row.when(name), write)
    return f"{nothing} [corrected: {write(row.true[name])}]" if name in row.true else nothing


def both(said: float, true: float, write: Callable[[float], str] = exact) -> str:
    """Write what the journal says, and beside it what is so by the instants that people corrected."""
    return write(said) if said == true else f"{write(said)} [corrected: {write(true)}]"
