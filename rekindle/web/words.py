"""
What the pages say: plain values, the same for the templates and for the script.

Texts are redacted once more and without characters that could make them read otherwise than they are written. They
are not escaped: templates escape, and the script writes text only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from journal.reader import Reader
from journal.row import Row, RunSummary
from rekindle.causes import because
from rekindle.folding import Found
from rekindle.ledger import sentence
from rekindle.lines import describe
from rekindle.report.cleaning import clean
from rekindle.retold import memory_of, rows_of
from rekindle.shown import holder, seen_of
from rekindle.spans import clock, span, stamp
from rekindle.view import View

LONGEST = 4_000  # characters of a text
LINES = 100  # of the log, on a page
READ = 5_000  # entries, to find those
TITLES = {
    "held_by": "Held by",
    "as_of": "As of",
    "waits_for": "Waits for",
    "can_succeed": "Can it succeed",
    "must_do": "You must",
    "because": "Because",
    "doing": "Doing",
    "asked": "Asked",
    "eta": "ETA",
    "took": "It took",
}
QUIET = frozenset({"observed", "decided", "timer.set", "timer.cancelled", "timer.fired"})


def plain(text: object) -> str:
    """Return a text on one line, without secrets and hidden characters."""
    return clean(text, LONGEST)


def moment(found: Found, journal: Path, eta: str = "") -> dict[str, Any]:
    """Say how a run stands (or stood): ``rekindle.moment/1``."""
    found = replace(found, memory=memory_of(found.memory))
    seen = seen_of(found, journal)
    time = " cluster time" if seen.simulated else ""
    until = f", until {clock(seen.deadline)} at the latest" if seen.deadline is not None else ""
    text = {
        "held_by": holder(seen, found, journal),
        "as_of": f"{stamp(seen.now)}{time}, {seen.age} in {seen.state}{until}",
        "waits_for": seen.waits_for,
        "can_succeed": seen.can_succeed,
        "must_do": seen.must_do,
        "because": list(because(seen.causes, seen.now)),
        "doing": list(seen.doing),
        "asked": [_asked(*question) for question in seen.approvals],
        "eta": eta,
        "took": sentence(found.memory.summary, seen.now),
    }
    return {
        "schema": "rekindle.moment/1",
        "run_id": seen.run_id,
        "cluster": plain(seen.cluster),
        "seq": found.last_seq,
        "at": stamp(seen.now),
        "state": plain(seen.state),
        "closed": plain(seen.closed),
        "states": _states(seen),
        "said": {name: _lines(value) for name, value in text.items()},
        "counts": [
            {"name": plain(name), "good": good, "all": total}
            for name, (good, total) in seen.counts.items()
        ],
    }


def _lines(value: str | Sequence[str]) -> list[str]:
    """Each of them is a list: of none, one or many lines."""
    lines = [value] if isinstance(value, str) else value
    return [plain(line) for line in lines if line]


def _asked(approval: str, question: str, consequence: str, typed: str) -> str:
    wanted = f"; to type: {typed}" if typed else ""
    return f"{approval}: {question} {consequence}{wanted}"


def _states(seen: View) -> list[dict[str, str]]:
    """Each state with its mark, in words: colours alone say nothing to many."""
    here = seen.states.index(seen.state) if seen.state in seen.states else 0
    reached = seen.state == "done"
    marks = []
    for index, name in enumerate(seen.states):
        passed = index < here or (index == here and reached)
        mark = "reached" if passed else "here" if index == here else "ahead"
        marks.append({"name": plain(name), "mark": mark})
    return marks


def log_lines(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Write the last entries that people read, oldest first."""
    told = [row for row in rows if row.kind not in QUIET]
    return [
        {
            "seq": row.seq,
            "at": stamp(row.at),
            "kind": row.kind,
            "text": plain(describe(row.entry)),
        }
        for row in rows_of(told[-LINES:])
    ]


def run_line(run: RunSummary, took: int) -> dict[str, Any]:
    """Say a run in a line of the first page; *took*: so many seconds so far."""
    return {
        "run_id": run.run_id,
        "purpose": plain(run.opened.purpose),
        "cluster": plain(run.opened.cluster),
        "opened": stamp(run.opened.at),
        "span": span(took),
        "entries": run.last_seq,
        "outcome": str(run.outcome) if run.outcome is not None else "open",
    }


def recent(journal: Path, found: Found, after: int) -> list[dict[str, Any]]:
    """Write the last lines of a run that come after an entry."""
    begin = max(after, found.last_seq - READ)
    with Reader(journal) as reader:
        rows = reader.rows(found.memory.run_id, begin)
        return log_lines(row for row in rows if row.seq <= found.last_seq)
