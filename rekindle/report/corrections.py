"""
What people corrected, beside the rows that it is about: who, when, what the journal says, and what is true.

A note about a finding stands beside that cause alone; any other beside each row that is told from the entry it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.structs import replace

from journal import entries as e
from journal.entries import Instant
from rekindle.report.cleaning import clean
from rekindle.report.happenings import Correction, Row
from rekindle.spans import between

MOST = 500


R = TypeVar("R", bound=Row)


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
        )
        if note.finding:
            name = clean(note.finding)
            self.by_finding[name] = (*self.by_finding.get(name, ()), found)
        else:
            known = self.by_entry.get(note.corrects, ())
            self.by_entry[note.corrects] = (*known, found)

    def beside(self, rows: Iterable[R], finding: str = "") -> tuple[R, ...]:
        """Put them beside rows; *finding* names the field by which rows are of a finding."""
        return tuple(self._beside(row, str(getattr(row, finding, ""))) for row in rows)

    def _beside(self, row: R, finding: str) -> R:
        found = [*self.by_finding.get(finding, ())]
        found += [one for seq in row.entries for one in self.by_entry.get(seq, ())]
        # Two entries of a row may be one (a state that was left at once): each correction is told once.
        return replace(row, corrections=tuple(dict.fromkeys(found))) if found else row

    def again(self, row: R, begun: tuple[int, Instant], ended: tuple[int, Instant]) -> R:
        """Work out the span of a row again, between two entries and what they say; unchanged where nobody corrected."""
        told = {one.entry: one.time for one in row.corrections if one.time is not None}
        true = tuple(told.get(seq, self.true(seq, at)) for seq, at in (begun, ended))
        if true == (begun[1], ended[1]):
            return row
        return replace(row, again=between(*true))

    def of(self, entry: int) -> tuple[Correction, ...]:
        """Return what people corrected of an entry."""
        return self.by_entry.get(entry, ())

    def true(self, entry: int, said: Instant) -> Instant:
        """Return when an entry happened: as last corrected, else as it says."""
        times = [one.time for one in self.by_entry.get(entry, ()) if one.time is not None]
        return times[-1] if times else said
