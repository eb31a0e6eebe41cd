"""
A report reads its journal once; only a run with more entries than the tape takes is read again, and comes out the same.

Mutants: keep a tape of what it cannot hold (``whole`` stays true); forget the last entry; read on past what was told;
class the steps of a closed run by a tape that is not whole, or by the last of its two plans.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from engine.errors import UsageWrong
from journal import entries as e
from journal.entries import Fact, RunOutcome
from journal.reader import Reader, row_of
from journal.row import Record, Row
from journal.store import Journal
from phases.hindsight import Course
from phases.ledger import ledger_of, pieces_along
from rekindle.report import gather as gathering
from rekindle.report.gather import gather
from rekindle.report.kept import Tape
from tests.journal.making import QUICK
from tests.phases.making import plan
from tests.phases.test_path import TREE, finished
from tests.properties.clusters import story as story_on
from tests.properties.harness import Death
from tests.properties.sqlite_book import SqliteBook
from tests.report.nights import ALICE, AT, written

LONG = 5_100


@pytest.fixture(scope="module")
def left_open(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("open") / "j.db"
    run, _ = story_on("june", book=SqliteBook(path))
    run.session(Death("after-start", 3, "flux.nudge"))
    return path


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose rows were read beside the verification of the chain."""
    found: list[str] = []
    real = Reader.rows

    def rows(self: Reader, run_id: str | None = None, after: int = 0) -> Iterator[Row]:
        found.append(str(run_id))
        return real(self, run_id, after)

    monkeypatch.setattr(Reader, "rows", rows)
    return found


def test_an_open_run_is_read_once(left_open: Path, readings: list[str]) -> None:
    story = gather(left_open)

    assert readings == []
    assert story.ledger is not None
    assert story.ledger.useful > 0


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_while_a_run_is_read_and_goes_on_as_before(
    left_open: Path, monkeypatch: pytest.MonkeyPatch, *, enabled: bool
) -> None:
    """Mutants: let it rest for good (of a run that there is, or that there is not); enable what was not."""
    seen: set[bool] = set()

    def watched(record: Record) -> Row:
        seen.add(gc.isenabled())
        return row_of(record)

    monkeypatch.setattr(gathering, "row_of", watched)
    if not enabled:
        gc.disable()
    try:
        gather(left_open)
        after = gc.isenabled()
        with pytest.raises(UsageWrong):
            gather(left_open, "no-such-run")
        assert (seen, after, gc.isenabled()) == ({False}, enabled, enabled)
    finally:
        gc.enable()


def test_a_run_that_is_longer_than_the_tape_is_told_the_same(
    left_open: Path, readings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = gather(left_open)
    monkeypatch.setattr(gathering, "TAPE", whole.run.entries - 1)

    assert gather(left_open) == whole
    assert readings == [whole.run.run_id]


def test_the_ledger_of_an_open_run_is_that_of_a_reading_of_its_own(left_open: Path) -> None:
    """Mutant of ``phases.ledger``: let ``_book`` forget questions that were answered, or namespaces that are gone."""
    with Reader(left_open) as reader:
        entries = [row.entry for row in reader.rows() if row.entry is not None]
        chosen = reader.runs()[-1]
    plan = gathering.plan_of(chosen.opened.plan)
    assert plan is not None

    told = gather(left_open).ledger

    assert told is not None
    ledger = ledger_of(plan, lambda: entries).as_json()
    assert (told.seconds, told.useful, told.unknown) == (
        ledger["seconds"],
        ledger["useful"],
        ledger["unknown"],
    )
    assert {wait.code: wait.seconds for wait in told.waits if not wait.beside} == ledger["dead"]


@pytest.mark.parametrize(
    ("replanned", "tape", "classed"),
    [(False, 10, True), (False, 3, False), (True, 10, False)],
    ids=["one plan", "too long", "two plans"],
)
def test_the_steps_of_a_closed_run_have_classes_where_all_its_entries_tell_them(
    *,
    replanned: bool,
    tape: int,
    classed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = plan(TREE)
    at_work = {"deployment/apps/web": Fact("Progressing", detail={"ready": 0, "expected": 2})}
    compiled = found.compiled()
    changed = e.PlanChanged(
        at=AT + 5, plan=compiled, plan_digest="d2", previous_digest="d1", verdict="compatible"
    )
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT + 1, changed={**finished(found), **at_work}),
        *([changed] if replanned else []),
        e.Observed(at=AT + 20, changed=finished(found)),
        e.RunClosed(
            at=AT + 30,
            outcome=RunOutcome.DONE,
            state="done",
            summary={"ledger": {"seconds": 30.0, "useful": 19.0}},
        ),
    ]
    monkeypatch.setattr(gathering, "TAPE", tape)

    ledger = gather(written(tmp_path / "j.db", entries, plan=compiled)).ledger

    assert ledger is not None
    assert (ledger.seconds, ledger.useful) == (30.0, 19.0)
    assert [step.subject for step in ledger.path][-2:] == ["deployment/apps/web", ""]
    assert [bool(step.code) for step in ledger.path] == [classed] * len(ledger.path)


def test_a_closed_run_of_hours_has_classes_and_its_work_is_not_added_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: a shorter tape for closed runs; the whole ledger for its pieces; read on when there are too many."""

    def added(*_: object) -> NoReturn:
        raise AssertionError

    found = plan(TREE)
    at_work = {"deployment/apps/web": Fact("Progressing", detail={"ready": 0, "expected": 2})}
    looks = [
        e.Observed(at=AT + 2 + number / 1000, changed={"node/cp-1": Fact("running", str(number))})
        for number in range(LONG)
    ]
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT + 1, changed={**finished(found), **at_work}),
        *looks,
        e.Observed(at=AT + 20, changed=finished(found)),
        e.RunClosed(
            at=AT + 30, outcome=RunOutcome.DONE, state="done", summary={"ledger": {"seconds": 30.0}}
        ),
    ]
    path = written(tmp_path / "j.db", entries[:1], plan=found.compiled())
    with Journal.resume(path, holder=ALICE, options=QUICK) as journal:
        journal.append(entries[1:])
    monkeypatch.setattr("phases.ledger.Worked", added)

    told = gather(path).ledger

    assert told is not None
    assert all(step.code for step in told.path)
    course = Course(found.target)
    for entry in entries:
        course.see(entry)
    read = 0

    def counted() -> Iterator[e.AnyEntry]:
        nonlocal read
        for entry in entries:
            read += 1
            yield entry

    monkeypatch.setattr("phases.ledger.PIECES", 0)
    assert pieces_along(found, course, counted, AT, AT + 30) == ()
    assert read < len(entries)


def test_a_tape_has_all_or_nothing() -> None:
    tape = Tape[int](2)
    for number in (1, 2):
        tape.add(number)
    assert (tape.whole, tape.items) == (True, [1, 2])

    for number in (3, 4):
        tape.add(number)
    assert (tape.whole, tape.items) == (False, [])
