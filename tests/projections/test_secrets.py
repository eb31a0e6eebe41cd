"""
Promise: a secret that somebody let into the world is in neither projection, whatever entry brought it.

Method: the real store writes each planted secret into every text of every entry that a projection reads, and the
commands' own functions read the file back. Mutant: drop ``redact_payload`` in ``journal/writer.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import entries as e
from journal.entries import AnyEntry, Finding
from journal.reader import Reader
from journal.store import Journal
from rekindle.projections.metrics import metrics
from rekindle.projections.trace import trace
from tests.journal.making import ALICE, QUICK
from tests.journal.test_redactor import PLANTED
from tests.projections.making import opened


def entries(text: str) -> list[AnyEntry]:
    """Everything that has a text, with *text* in it."""
    found = Finding(subject=text, cause=text, message=text, rule="N1", root=True)
    return [
        e.FindingsChanged(at=1.0, changed={"f": found}),
        e.ApprovalAsked(
            at=2.0, approval="a", digest="d", subject=text, question=text, consequence=text
        ),
        e.ApprovalGiven(at=3.0, approval="a", digest="d", actor=text),
        e.ActionIntended(
            at=4.0,
            action="a1",
            verb="command.run",
            target=text,
            attempt=1,
            epoch=1,
            deadline_seconds=1,
        ),
        e.ActionSettled(
            at=5.0,
            action="a1",
            verb="command.run",
            target=text,
            outcome=e.Outcome.FAILED,
            code=text,
        ),
        e.RunInterrupted(at=6.0, why=text),
        e.RunResumed(at=7.0, holder=text, idle_seconds=1.0),
        e.ByHand(at=8.0, verb="node.wipe", target=text),
        e.TakenOver(at=9.0, actor=text),
        e.Note(at=10.0, text=text, actor=text),
        e.GoalMoved(at=11.0, revision=text),
        e.Moved(at=12.0, source="ground", target="roof", why=text),
        e.CancelRequested(at=13.0, actor=text),
    ]


@pytest.mark.parametrize("planted", sorted(PLANTED))
def test_a_planted_secret_is_in_neither(tmp_path: Path, planted: str) -> None:
    text, secret = PLANTED[planted]
    path = tmp_path / "j.db"
    with Journal.open_run(path, opened(at=0.0), holder=ALICE, options=QUICK) as journal:
        journal.append(entries(text))

    with Reader(path) as reader:
        made = metrics(reader.rows("run-1"), reader.lease(), held=False) + trace(
            reader.rows("run-1")
        )

    assert "cause found" in made
    assert "redacted" in made
    assert secret not in made
