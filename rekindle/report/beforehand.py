"""What the preflight found not in order: what nobody could look at, what was ill, and what was forbidden by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from journal import entries as e
from journal.entries import Instant, Objection
from rekindle.report.cleaning import clean
from rekindle.report.happenings import Beforehand

ROWS = 200
EVERYTHING = "*"
SAID = {
    "unknown": "Not looked at beforehand",
    "warning": "Doubtful beforehand",
    "red": "Not in order beforehand",
}
Key = tuple[str, str, str]


@dataclass(slots=True)
class Preflights:
    """Folded look by look: a row that a later look has no longer is kept, with the instant of that look."""

    rows: dict[Key, Beforehand] = field(default_factory=dict)
    looks: int = 0
    checked: int = 0
    _without: set[Key] = field(default_factory=set)  # for which there was no room

    @property
    def left_out(self) -> int:
        """How many rows are not kept, each counted once in however many looks it was."""
        return len(self._without)

    def see(self, entry: e.Preflighted, seq: int) -> None:
        """Take in a look: it takes the place of the one before."""
        self.looks += 1
        self.checked = max(self.checked, entry.checked)
        now = {(found.check, found.subject, found.target): found for found in entry.objections}
        for key, row in self.rows.items():
            if key not in now and row.gone is None:
                self.rows[key] = _gone(row, entry.at, seq)
        for key, found in now.items():
            known = self.rows.get(key)
            if known is None and len(self.rows) >= ROWS:
                self._without.add(key)
                continue
            row = _row(found, entry, seq)
            self.rows[key] = (
                row
                if known is None
                else replace(
                    row, found=known.found, of={"found": known.of["found"]}, entries=known.entries
                )
            )

    def unproven(self) -> Iterator[str]:
        """Say what was not in order at the latest look; and that there was none, where there was none."""
        if not self.looks:
            yield (
                "What a preflight looks at before a run (tools, rights, backups, room): there is none in this journal."
            )
        for row in self.rows.values():
            if row.gone is None:
                what = SAID.get(row.verdict, row.verdict)
                told = f"{what} ({row.check}): {row.subject}: {row.said}"
                yield clean(f"{told}; forbade {forbade(row)}" if row.blocks else told)


def forbade(row: Beforehand) -> str:
    """Say which actions could not be begun."""
    verbs = "every action" if EVERYTHING in row.blocks else ", ".join(row.blocks)
    return f"{verbs} of {row.target}" if row.target else verbs


def _row(found: Objection, entry: e.Preflighted, seq: int) -> Beforehand:
    return Beforehand(
        check=clean(found.check),
        verdict=clean(found.verdict),
        subject=clean(found.subject),
        said=clean(found.said),
        todo=clean(found.todo),
        blocks=tuple(clean(verb) for verb in found.blocks),
        target=clean(found.target),
        found=entry.at,
        of={"found": seq},
        entries=(seq,),
    )


def _gone(row: Beforehand, at: Instant, seq: int) -> Beforehand:
    return replace(row, gone=at, of={**row.of, "gone": seq}, entries=(*row.entries, seq))
