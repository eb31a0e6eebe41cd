"""
The runs of a journal in a line each, with the span that a report of the run says.

Mutants that turn one of these red: round the span; let it last until the latest entry.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import entries as e
from journal.store import Journal
from tests.cli.conftest import Program
from tests.journal.making import ALICE, BOB, QUICK, opened

pytestmark = pytest.mark.program


def test_a_span_is_between_the_seconds_of_opening_and_closing(
    rekindle: Program, tmp_path: Path
) -> None:
    """47.3 s of which a clock shows 48; what was noted in the morning does not make the night longer."""
    path = tmp_path / "j.db"
    with Journal.open_run(path, opened(at=100.9), holder=ALICE, options=QUICK) as journal:
        closed = e.RunClosed(at=148.2, outcome=e.RunOutcome.DONE, state="done")
        journal.append([closed, e.Note(at=9000.0, text="the switch", actor="ada")])
    with Journal.open_run(path, opened("run-2", at=10_000.9), holder=BOB, options=QUICK) as journal:
        journal.append([e.Note(at=10_700.1, text="still there", actor="ada")])

    first, second = rekindle("history", "--journal", str(path)).out.splitlines()

    assert "1970-01-01 00:01:40Z 48 s 4 entries done" in " ".join(first.split())
    assert "1970-01-01 02:46:40Z 11 m 40 s 3 entries open" in " ".join(second.split())
