"""
Promise: the run at a moment is what was known then, whichever way it was come to, and a step folds little.

Mutants that turn it red: ``bisect_right`` in ``at``; ``_begins`` that says True, or asks only for the instant;
``_kept`` never filled; ``read_on`` that begins at the first entry again; ``held`` left as it was by ``LeaseLost``;
``after`` that forgets ``PlanChanged``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.folding import fold
from engine.memory import Memory
from journal import entries as e
from journal.reader import Reader
from journal.store import Journal
from rekindle.past import Known, past
from rekindle.web import timeline as timelines
from rekindle.web.timeline import DETAIL, Timeline, Timelines
from tests.web.conftest import OPENED, Browser, browser_of
from tests.web.test_pages import page


def read(path: Path, run_id: str) -> Timeline:
    with Reader(path) as reader:
        run = next(run for run in reader.runs() if run.run_id == run_id)
        return Timelines(path).of(reader, run)


def test_every_moment_is_the_fold_up_to_it(
    rehearsed: Path, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelines, "EVERY", 50)
    timeline = read(rehearsed, run_id)
    memory, folded, instants = Memory(), dict[int, Memory](), dict[int, float]()

    with Reader(rehearsed) as reader:
        for row in list(reader.rows(run_id)):
            assert row.entry is not None
            memory = fold(memory, row.entry)
            folded[row.seq], instants[row.seq] = memory, row.at
        for seq in (
            1,
            2,
            49,
            50,
            51,
            99,
            100,
            101,
            *range(7, timeline.last_seq, 37),
            timeline.last_seq,
        ):
            found = timeline.at(reader, seq)
            assert found.memory == folded[found.last_seq]
            assert found.last_seq >= seq
            assert instants[found.last_seq] == instants[seq]


def test_a_moment_is_what_log_at_says_of_it(rehearsed: Path, run_id: str) -> None:
    timeline = read(rehearsed, run_id)

    with Reader(rehearsed) as reader:
        for mark in timeline.marks[:: len(timeline.marks) // 7]:
            found = timeline.at(reader, mark.seq)
            told = past(rehearsed, run_id, str(found.last_seq)).found
            assert msgspec.structs.asdict(found.memory) == msgspec.structs.asdict(told.memory)
            assert found == told


def test_a_step_folds_no_more_than_what_is_between_two_that_are_kept(
    rehearsed: Path, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelines, "EVERY", 50)
    timeline = read(rehearsed, run_id)
    folded: list[int] = []
    real = Known.after

    def counted(self: Known, row: Any) -> Known:  # noqa: ANN401  a row
        folded.append(row.seq)
        return real(self, row)

    monkeypatch.setattr(Known, "after", counted)
    with Reader(rehearsed) as reader:
        for seq in (49, 99, 100, 149):
            folded.clear()
            timeline.at(reader, seq)
            assert len(folded) <= 50 + timeline.at(reader, seq).last_seq - seq


def test_a_moment_is_a_whole_turn_and_no_more_than_one(writing: Journal) -> None:
    writing.append(
        [
            e.Observed(at=OPENED, changed={"root": e.Fact("Ready")}, part=1, parts=2),
            e.Observed(at=OPENED, changed={"kubeconfig": e.Fact("Ready")}, part=2, parts=2),
            e.Moved(at=OPENED, source="node-maintenance", target="talos-ready", why="x"),
            e.Decided(at=OPENED, state="talos-ready", answers={}),
            e.Observed(at=OPENED, changed={"root": e.Fact("absent")}),
            e.Decided(at=OPENED, state="talos-ready", answers={}),
            e.TimerSet(at=OPENED + 1, name="x", due=OPENED + 2, span=1.0),
        ]
    )
    timeline = read(writing.path, "run-1")

    with Reader(writing.path) as reader:
        ends = [timeline.at(reader, seq).last_seq for seq in range(1, 10)]

    assert ends == [2, 2, 6, 6, 6, 6, 8, 8, 9]


def test_the_first_cause_is_shown_with_what_was_decided_about_it(
    browser: Browser, run_id: str
) -> None:
    found = page(browser, f"/runs/{run_id}/at").text

    assert "Waits for command.run command/cni, begun" in found


def test_marks_are_what_matters_and_chapters_are_what_people_look_for(
    rehearsed: Path, run_id: str
) -> None:
    timeline = read(rehearsed, run_id)
    with Reader(rehearsed) as reader:
        kinds = {row.seq: row.kind for row in reader.rows(run_id)}

    assert [mark.seq for mark in timeline.marks] == [
        seq for seq, kind in kinds.items() if kind not in DETAIL
    ]
    assert {"run.opened", "findings.changed", "moved", "action.intended", "approval.asked"} <= {
        mark.kind for mark in timeline.marks
    }
    names = [name for name, _ in timeline.chapters()]
    assert names[0] == "first cause"
    assert any("→ done" in name for name in names)


def test_a_run_that_goes_on_is_read_on(writing: Journal) -> None:
    browser = browser_of(writing.path)
    before: Any = browser.get("/runs/run-1/marks").json
    writing.append([e.Note(at=OPENED + 1, text="one more", actor="alice")])

    after: Any = browser.get("/runs/run-1/marks").json

    assert after[: len(before)] == before
    assert [text for _, text in after[len(before) :]] == [
        "2026-05-28 20:26:41Z: note by alice: one more"
    ]


def test_who_held_it_and_how_it_ended_are_of_the_moment(writing: Journal) -> None:
    writing.append([e.CancelRequested(at=OPENED + 1, actor="bob")])
    closed = e.RunClosed(at=OPENED + 2, outcome=e.RunOutcome.CANCELLED, state="node-maintenance")
    writing.append([closed])
    writing.close(e.LeaseLost(at=OPENED + 3, epoch=1))
    timeline = read(writing.path, "run-1")

    with Reader(writing.path) as reader:
        early, late = timeline.at(reader, 2), timeline.at(reader, timeline.last_seq)

    assert (early.alive, early.closed) == (True, None)
    assert early.lease is not None
    assert early.lease.holder.startswith("alice@")
    assert late.alive is False
    assert late.closed is not None
    assert (late.closed.outcome, late.closed.by) == ("cancelled", "bob")


def test_a_plan_is_that_of_the_moment(writing: Journal) -> None:
    changed = e.PlanChanged(
        at=OPENED + 1, plan={"other": 1}, plan_digest="d2", previous_digest="d1", verdict="x"
    )
    writing.append([changed])
    timeline = read(writing.path, "run-1")

    with Reader(writing.path) as reader:
        assert "machine" in timeline.at(reader, 2).plan
        assert timeline.at(reader, 3).plan == {"other": 1}


def test_the_page_steps_without_a_script(browser: Browser, rehearsed: Path, run_id: str) -> None:
    marks = read(rehearsed, run_id).marks
    middle = len(marks) // 2

    text = browser.get(f"/runs/{run_id}/at?seq={marks[middle].seq}").text

    assert f'rel="prev" href="?seq={marks[middle - 1].seq}"' in text
    assert f'rel="next" href="?seq={marks[middle + 1].seq}"' in text
    assert f'value="{middle}"' in text
    assert 'id="slider" hidden' in text


def test_the_page_begins_at_the_first_cause(browser: Browser, rehearsed: Path, run_id: str) -> None:
    cause = next(m for m in read(rehearsed, run_id).marks if m.kind == "findings.changed")

    text = browser.get(f"/runs/{run_id}/at").text

    assert f'value="{read(rehearsed, run_id).index(cause.seq)}"' in text
    assert "Because" in text


@pytest.mark.parametrize("seq", ["0", "-1", "999999", "x", "1.5", "²"])
def test_a_moment_that_never_was_is_not_found(browser: Browser, run_id: str, seq: str) -> None:
    for name in ("at", "moment"):
        answer = browser.get(f"/runs/{run_id}/{name}?seq={seq}")
        assert answer.status_code == 404
        assert "this run has the entries 1 to" in answer.text


def test_the_timelines_of_few_runs_are_kept(
    writing: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelines, "RUNS", 0)
    kept = Timelines(writing.path)
    with Reader(writing.path) as reader:
        kept.of(reader, reader.runs()[0])

    assert kept._found == {}
