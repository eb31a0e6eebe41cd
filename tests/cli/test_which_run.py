"""
Which run of a journal a command is about: the newest, or the one that is meant, and never another one.

Mutants of ``runs.pick``: the newest of several that begin so; no way to name one whose id begins another's.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageWrong
from journal.entries import RunOpened
from journal.row import RunSummary
from rekindle.runs import pick

JOURNAL = Path("night.db")


def run(run_id: str) -> RunSummary:
    opened = RunOpened(
        at=0.0,
        run_id=run_id,
        purpose="run",
        cluster="c",
        identity={},
        plan={},
        plan_digest="",
        version="1",
        initial="a",
    )
    return RunSummary(
        run_id=run_id,
        opened=opened,
        first_id=1,
        last_id=2,
        last_seq=2,
        last_at=0.0,
        last_kind="run.closed",
        outcome=None,
        lease=None,
    )


RUNS = [run("20250612-a"), run("20250612-ab"), run("20250613-c")]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, "20250613-c"),
        ("20250613", "20250613-c"),
        ("20250612-a", "20250612-a"),
        ("20250612-ab", "20250612-ab"),
    ],
)
def test_it_is_the_newest_or_the_one_that_is_meant(given: str | None, found: str) -> None:
    assert pick(RUNS, JOURNAL, given).run_id == found


@pytest.mark.parametrize(
    ("given", "reference"),
    [("2025", "run-ambiguous"), ("20250612", "run-ambiguous"), ("x", "no-run"), ("", "no-run")],
)
def test_what_may_be_another_one_is_refused(given: str, reference: str) -> None:
    with pytest.raises(UsageWrong) as refused:
        pick(RUNS, JOURNAL, given)

    assert refused.value.reference == reference


def test_a_journal_without_a_run_has_none() -> None:
    with pytest.raises(UsageWrong, match="no such run"):
        pick([], JOURNAL, None)
