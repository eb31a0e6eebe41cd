"""
A night whose host clock was set back is told as the same night: in its order, and with the spans that passed.

What a clock showed is printed as it showed it. Mutants, each tried: tell the rows as they are; let the ledger read them
as they are; take the ledger of an older rekindle, which went by the clock; print the steady instants; leave out the
sentence; leave the picture's axis without a word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace as replaced
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.folding import fold_all
from engine.memory import Memory
from engine.plan import from_compiled
from journal import entries as e
from journal.reader import Reader
from journal.row import Row
from journal.steady import as_written
from journal.store import Journal
from rekindle import ending, parting
from rekindle.cli.report import _text
from rekindle.courses import Choice, Course, course_of
from rekindle.document import of_run
from rekindle.ending import closing_of
from rekindle.parting import document
from rekindle.projections.metrics import metrics
from rekindle.projections.trace import trace
from rekindle.recipes import recipe
from rekindle.report.drawn import gantt_of, pods_of
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.story import Story
from rekindle.runs import took_of
from tests.journal.making import QUICK
from tests.report.conftest import Night
from tests.report.nights import ALICE, is_intent, set_back

HALF_HOUR = 1_800.0
PLACE = 150
APART = {"change", "action"}  # the jump is a line of its own, and parts a group of actions


@pytest.fixture(scope="module")
def pair(night: Night, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The night as a real cluster's, and the same by a clock that was set back, closed by an older rekindle."""
    folder = tmp_path_factory.mktemp("back")
    with Reader(night.path) as reader:
        first, _, *entries = [row.entry for row in reader.rows() if row.entry is not None]
    assert isinstance(first, e.RunOpened)
    first = replace(first, purpose="run", world={})
    closed = next(n for n, one in enumerate(entries) if isinstance(one, e.RunClosed))
    entries = entries[: closed + 1]
    back = set_back(entries, PLACE, HALF_HOUR)
    wrong = back[-1]
    assert isinstance(wrong, e.RunClosed)
    ledger = {**wrong.summary["ledger"], "seconds": 171.0, "useful": 100.0}
    back[-1] = replace(wrong, summary={**wrong.summary, "ledger": ledger})
    found = []
    for name, told in (("even", entries), ("back", back)):
        path = folder / f"{name}.db"
        with Journal.open_run(path, first, holder=ALICE, options=QUICK) as journal:
            for entry in told:
                journal.append([entry], lease_seconds=60.0 if is_intent(entry) else None)
        found.append(path)
    return found[0], found[1]


@pytest.fixture(scope="module")
def stories(pair: tuple[Path, Path]) -> tuple[Story, Story]:
    return gather(pair[0]), gather(pair[1])


def test_order_and_spans_are_those_of_the_night(stories: tuple[Story, Story]) -> None:
    even, back = stories

    assert back.run.took == even.run.took
    told, same = (
        [one.text for one in story.events if one.kind not in APART] for story in (back, even)
    )
    assert told == same
    assert [s.ended and s.ended - s.begun for s in back.stays] == pytest.approx(
        [s.ended and s.ended - s.begun for s in even.stays]
    )
    for one, other in zip(back.causes, even.causes, strict=True):
        assert one.end is not None
        assert other.end is not None
        assert one.end - one.found == pytest.approx(other.end - other.found)
    assert back.went_well == even.went_well
    assert back.challenges == even.challenges
    assert [(m.name, m.value) for m in back.metrics] == [(m.name, m.value) for m in even.metrics]


def test_its_time_is_booked_as_that_of_the_night(stories: tuple[Story, Story]) -> None:
    even, back = (one.ledger for one in stories)
    assert even is not None
    assert back is not None

    assert (back.seconds, back.useful, back.critical_path) == pytest.approx(
        (even.seconds, even.useful, even.critical_path), abs=0.01
    )
    assert [(step.subject, step.code) for step in back.path] == [
        (step.subject, step.code) for step in even.path
    ]


def test_instants_are_printed_as_the_clock_showed_them(stories: tuple[Story, Story]) -> None:
    even, back = stories
    text = page(back)

    assert even.set_back == ()
    ((seq, seconds),) = [(one.entry, one.seconds) for one in back.set_back]
    assert (seq, seconds) == (PLACE + 3, HALF_HOUR)
    assert "reached its goal at 2025-06-12 07:53:12Z, 7 m 12 s later." in text
    assert "The host's clock was set back by 30 m, to 2025-06-12 07:4" in text
    assert "the host's clock jumped by -1800 s" in text
    assert "08:23:12" not in text
    for drawn in (pods_of(back), gantt_of(back)):
        assert drawn is not None
        assert "The clock was set back: the axis goes on" in drawn.told


@pytest.mark.parametrize("tape", [150_000, 100])
def test_an_open_run_is_reckoned_alike_and_its_path_told_by_the_clock(
    pair: tuple[Path, Path], tmp_path: Path, tape: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: read a long run's rows again as they are; tell what is reckoned (when nobody held it) as it is."""
    monkeypatch.setattr("rekindle.report.gather.TAPE", tape)
    with Reader(pair[1]) as reader:
        first, _, *entries = [row.entry for row in reader.rows() if row.entry is not None]
    assert isinstance(first, e.RunOpened)
    begun = entries[PLACE].at
    gaps = range(PLACE + 2, len(entries))
    place = max(gaps, key=lambda place: entries[place].at - entries[place - 1].at)
    resumed = e.RunResumed(at=entries[place].at, holder="bob", idle_seconds=5.0)
    entries[place:] = [resumed, *entries[place:-1]]
    path = tmp_path / "open.db"
    with Journal.open_run(path, first, holder=ALICE, options=QUICK) as journal:
        for entry in entries:
            journal.append([entry], lease_seconds=60.0 if is_intent(entry) else None)

    story = gather(path)

    assert story.ledger is not None
    assert sum(one.ended - one.begun for one in story.ledger.path) == pytest.approx(
        story.run.seconds
    )
    (nobody,) = (one for one in story.ledger.path if one.subject == "(no session)")
    assert as_written(nobody.begun) == pytest.approx(resumed.at - 5.0, abs=0.01)
    late = [as_written(at) for one in story.ledger.path for at in (one.begun, one.ended)]
    assert [at for at in late if at > begun + HALF_HOUR] == []


def test_documents_have_what_the_journal_says(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parting, "FACTS", 10_000)
    story = json.loads(_text(gather(pair[1]), "json", None))
    with Reader(pair[1]) as reader:
        at = {row.seq: row.at for row in reader.rows()}
        a = course_of(reader.rows())
    told = [
        (row[name], at[seq])
        for row in (story["run"], *story["stays"], *story["actions"])
        for name, seq in row["of"].items()
    ]
    assert len(told) >= 90
    assert [said for said, written in told if said != written] == []

    late = [one for known in a.choices.values() for one in known.values()][-1]
    choices = {visit: without(known, late) for visit, known in a.choices.items()}
    b = replaced(a, choices=choices, left={key: {} for key in a.left}, findings={})
    parted = document(a, b, ("a", "b"))["parted"]
    assert (parted["seq"], parted["at"]) == (late.seq, at[late.seq])
    dated = {one.since for one in late.facts.values() if one.since is not None}
    said = {fact["a"]["since"] for fact in parted["facts"].values()}
    assert said == {as_written(since) for since in dated}
    assert said != dated


def without(known: dict[str, Choice], left: Choice) -> dict[str, Choice]:
    return {key: one for key, one in known.items() if one is not left}


def test_a_document_of_a_session_counts_the_time_that_passed(pair: tuple[Path, Path]) -> None:
    documents = []
    for path in pair:
        with Reader(path) as reader:
            memory = fold_all(Memory(), [row.entry for row in reader.rows() if row.entry])
        documents.append(of_run(memory, outcome="done", counted={}, journal="j"))

    assert documents[1]["cluster_seconds"] == pytest.approx(
        documents[0]["cluster_seconds"], abs=1.0
    )


class Written:
    """A journal that is read from its beginning, as at a run's end."""

    def __init__(self, told: list[Row]) -> None:
        self.told = told

    def rows(self, run_id: str | None = None, after: int = 0) -> Iterator[Row]:
        del run_id, after
        return iter(self.told)


@pytest.mark.parametrize("kept", [5_000, 100])
def test_a_run_is_closed_with_the_ledger_of_the_night(
    pair: tuple[Path, Path], kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: read the rows as they are; take the clock's own instant of the end, or the last entry's."""
    monkeypatch.setattr(ending, "KEPT_ENTRIES", kept)
    ledgers = []
    for path in pair:
        with Reader(path) as reader:
            (run,) = reader.runs()
            told = [row for row in reader.rows() if row.kind not in {"run.closed", "moved"}]
        plan = from_compiled(run.opened.plan, recipe())
        closed = closing_of(Written(told), run.run_id, plan, run.ended_at + 7.0)
        ledgers.append(closed["ledger"])

    even, back = ledgers
    assert back["dead"] == pytest.approx(even["dead"], abs=0.01)
    names = ("seconds", "useful", "unknown", "critical_path_seconds")
    assert [back[name] for name in names] == pytest.approx([even[name] for name in names], abs=0.01)


def test_the_other_commands_say_the_same(pair: tuple[Path, Path], night: Night) -> None:
    took, courses, traces, stayed = [], [], [], []
    for path in pair:
        with Reader(path) as reader:
            (run,) = reader.runs()
            told = list(reader.rows())
            took.append(took_of(reader, run))
        courses.append(course_of(told))
        traces.append(lasted(trace(told)))
        stayed.append(seconds_in(metrics(told)))

    assert took == [night.story.run.took] * 2
    even, back = courses
    assert back.took == even.took
    assert {k: s.whole for k, s in back.stays.items()} == {
        k: s.whole for k, s in even.stays.items()
    }
    assert elapsed(back) == pytest.approx(elapsed(even), abs=0.01)
    assert traces[1] == pytest.approx(traces[0], abs=0.01)
    assert stayed[1] == pytest.approx(stayed[0], abs=0.01)
    with Reader(pair[1]) as reader:
        last = [line for line in metrics(reader.rows()).splitlines() if "_run_last_" in line]
    assert float(last[-1].rpartition(" ")[2]) == pytest.approx(run.ended_at, abs=0.01), (
        "as the clock showed it"
    )


def elapsed(course: Course) -> list[float]:
    return [one.elapsed for known in course.choices.values() for one in known.values()]


def lasted(text: str) -> list[float]:
    (resource,) = json.loads(text)["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    return [
        (int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])) / 1e9
        for span in scope["spans"]
    ]


def seconds_in(text: str) -> list[float]:
    lines = [line for line in text.splitlines() if line.startswith("rekindle_state_seconds")]
    return [float(line.rpartition(" ")[2]) for line in lines]
