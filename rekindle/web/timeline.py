"""
The moments of a run that matter, and the run folded up to any of them.

One pass finds them and keeps what was known every 2,000 entries, so that a step of the slider folds few. A run that
goes on is read on from where the last pass ended.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from journal.reader import Reader
from journal.row import RunSummary
from rekindle.folding import Found
from rekindle.lines import describe
from rekindle.past import Known, begins
from rekindle.retold import rows_of
from rekindle.spans import stamp
from rekindle.web.words import plain

EVERY = 2_000  # entries between two that are kept
RUNS = 8  # whose moments are kept
FIRST_CAUSE = "first cause"
# What only the machine needs, and what happens many times a minute.
DETAIL = frozenset(
    {
        "observed",
        "decided",
        "timer.set",
        "timer.cancelled",
        "timer.fired",
        "retry.scheduled",
        "lease.taken",
        "lease.lost",
        "redacted",
    }
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that matters: entry *seq* and its turn. *kind* is the entry's."""

    seq: int
    at: float
    kind: str
    text: str

    @property
    def sentence(self) -> str:
        """Say it with its instant, as a screen reader does."""
        return f"{stamp(self.at)}: {self.text}"


class Timeline:
    """A run's marks, and its moments. Use it from any thread."""

    def __init__(self, run: RunSummary) -> None:
        self.run = run
        self.marks: tuple[Mark, ...] = ()
        self._kept: list[Known] = [Known()]
        self._last = Known()
        self._lock = Lock()

    @property
    def last_seq(self) -> int:
        """The last entry that was read."""
        return self._last.seq

    def read_on(self, reader: Reader) -> None:
        """Take in what was written since."""
        with self._lock:
            known, found = self._last, []
            for row in reader.rows(self.run.run_id, known.seq):
                known = known.after(row)
                if row.kind not in DETAIL and row.entry is not None:
                    (told,) = rows_of([row])
                    found.append(Mark(row.seq, row.at, row.kind, plain(describe(told.entry))))
                if row.seq % EVERY == 0:
                    self._kept.append(known)
            self._last = known
            self.marks = (*self.marks, *found)

    def at(self, reader: Reader, seq: int) -> Found:
        """Return the run as it was known after entry *seq* and the rest of its turn."""
        with self._lock:
            kept = list(self._kept)
        known, instant = kept[bisect_left([known.seq for known in kept], seq) - 1], 0.0
        for row in reader.rows(self.run.run_id, known.seq):
            if row.seq > seq and begins(row, instant):
                break
            known, instant = known.after(row), row.at
        return known.found(self.run.opened)

    def index(self, seq: int) -> int:
        """Return the place of the newest mark that is not after entry *seq*."""
        return max(0, bisect_right([mark.seq for mark in self.marks], seq) - 1)

    def chapters(self) -> list[tuple[str, Mark]]:
        """Name the marks that people look for: the first cause, and each move of the machine."""
        cause = next((m for m in self.marks if m.kind == "findings.changed"), None)
        named = [(FIRST_CAUSE, cause)] if cause is not None else []
        named += [(mark.text, mark) for mark in self.marks if mark.kind == "moved"]
        return sorted(named, key=lambda item: item[1].seq)


class Timelines:
    """The timelines of the runs that were looked at last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: OrderedDict[tuple[str, str], Timeline] = OrderedDict()
        self._lock = Lock()

    def of(self, reader: Reader, run: RunSummary) -> Timeline:
        """Return a run's timeline, read up to now."""
        key = (reader.journal_id(), run.run_id)
        with self._lock:
            timeline = self._found.setdefault(key, Timeline(run))
            self._found.move_to_end(key)
            while len(self._found) > RUNS:
                self._found.popitem(last=False)
        timeline.read_on(reader)
        return timeline
