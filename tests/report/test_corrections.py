"""
What a person corrected stands beside the row that it corrects, in every format, and changes nothing of the row.

Mutants that turn one of these red: leave ``beside`` out of ``told`` for stays, for causes or for metrics; put a note
about a finding beside every cause of its entry; take ``said`` for the true instant; keep one entry of a row only;
include ``corrected.md.j2`` with another number of cells.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from journal import entries as e
from journal.entries import Finding, Outcome, RunOutcome
from rekindle.report import html
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.story import Story
from tests.report.nights import AT, written

OPENED, FOUND, MOVED, CLOSED = 1, 3, 4, 5  # seqs; 2 is the lease
CNI = Finding(subject="cni", cause="none", message="no CNI is installed", root=True, rule="T16")
DNS = Finding(subject="dns", cause="none", message="DNS is gone", root=True, rule="T17")
WHO = "bob | **b**"


def noted(
    corrects: int, *, time: float | None = None, finding: str = "", cause: str = ""
) -> e.Note:
    said = {OPENED: AT, FOUND: AT + 5, MOVED: AT + 60, CLOSED: AT + 90}[corrects]
    return e.Note(
        at=AT + 90,
        text="so it was",
        actor=WHO,
        corrects=corrects,
        said=said,
        time=time,
        finding=finding,
        cause=cause,
    )


def told(folder: Path, *notes: e.Note) -> Story:
    entries: list[e.AnyEntry] = [
        e.FindingsChanged(at=AT + 5, changed={"T16:cni": CNI, "T17:dns": DNS}),
        e.Moved(
            at=AT + 60, source="node-maintenance", target="talos-ready", why="every node answers"
        ),
        e.RunClosed(at=AT + 90, outcome=RunOutcome.CANCELLED, state="talos-ready"),
        *notes,
    ]
    return gather(written(folder / "j.db", entries))


def after(text: str, beginning: str) -> str:
    """The line after the first one that begins so."""
    lines = text.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith(beginning))
    return lines[place + 1]


def words(markup: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", markup))


def test_a_time_is_corrected_beside_each_row_that_is_told_from_its_entry(tmp_path: Path) -> None:
    story = told(tmp_path, noted(MOVED, time=AT + 45))
    sentence = "it was 2025-06-12 08:16:45Z, not 2025-06-12 08:17:00Z (bob"
    document = to_builtins(story)["stays"]

    assert [stay["ended"] for stay in document] == [AT + 60, AT + 90]
    assert [stay["corrections"][0]["time"] for stay in document] == [AT + 45, AT + 45]
    assert [stay["corrections"][0]["said"] for stay in document] == [AT + 60, AT + 60]
    assert [stay["entries"] for stay in document] == [(OPENED, MOVED), (MOVED,)]
    assert story.metrics[5].corrections == ()

    text, markup = page(story), html.page(story)
    for row in ("node-maintenance", "talos-ready"):
        assert after(text, f"| {row}").startswith(f"| ↳ **corrected** | {sentence}")
        below = after(markup, f'<tr><th scope="row">{row}</th><td class="time">')
        assert below.startswith('<tr class="corrected"><td colspan="6">')
        assert sentence in words(below)
    assert f"of entry {MOVED})" in after(text, "| node-maintenance")


def test_a_cause_is_corrected_beside_itself_and_beside_no_other(tmp_path: Path) -> None:
    story = told(tmp_path, noted(FOUND, finding="T16:cni", cause="somebody wiped it"))
    sentence = "the cause was: somebody wiped it (bob"
    cni, dns = story.causes

    assert (cni.message, cni.corrections[0].cause) == (CNI.message, "somebody wiped it")
    assert dns.corrections == ()
    assert [bool(sign.corrections) for sign in story.first_signs] == [True, False]

    text, markup = page(story), html.page(story)
    assert sentence in after(text, f"- **{CNI.message}**")
    assert "corrected" not in after(text, f"- **{DNS.message}**").lower()
    assert sentence in words(after(markup, '<h3 id="cause-1">'))
    assert "corrected" not in after(markup, '<h3 id="cause-2">')


def test_a_cause_of_what_an_entry_says_as_a_whole_stands_beside_its_rows(tmp_path: Path) -> None:
    story = told(tmp_path, noted(FOUND, cause="the switch"))

    assert [cause.corrections[0].cause for cause in story.causes] == ["the switch", "the switch"]


@pytest.mark.parametrize(
    ("note", "named"),
    [
        (noted(FOUND, time=AT + 4), [False, False]),
        (noted(FOUND, cause="the switch"), [True, True]),
        (noted(FOUND, finding="T16:cni", cause="somebody wiped it"), [True, False]),
    ],
)
def test_a_cause_is_named_by_a_person_who_says_what_it_was(
    note: e.Note, named: list[bool], tmp_path: Path
) -> None:
    """Mutants: take a time for a cause; look at one of the two places only."""
    story = told(tmp_path, note)

    assert [cause.named for cause in story.causes] == named
    assert replace(story.causes[1], corrected="a reset (bob)").named


@pytest.mark.parametrize(
    ("entry", "time", "value"), [(OPENED, AT - 60, "150 s"), (CLOSED, AT + 50, "50 s")]
)
def test_a_figure_is_worked_out_again_from_the_corrected_instant(
    tmp_path: Path, entry: int, time: float, value: str
) -> None:
    story = told(tmp_path, noted(entry, time=time))
    (row,) = (one for one in story.metrics if one.name == "Time of the run")

    assert (row.value, row.corrected) == ("90 s", value)
    below = after(page(story), "| Time of the run | 90 s")
    assert below.startswith(f"| ↳ **corrected** | {value} | ")
    shown = words(after(html.page(story), '<tr><th scope="row">Time of the run'))
    assert shown.startswith(f"↳ corrected{value}")


def test_the_last_of_several_corrections_counts_and_all_are_told(tmp_path: Path) -> None:
    story = told(tmp_path, noted(CLOSED, time=AT + 50), noted(CLOSED, time=AT + 40))
    (row,) = (one for one in story.metrics if one.name == "Time of the run")

    assert row.corrected == "40 s"
    assert [one.time for one in row.corrections] == [AT + 50, AT + 40]


def test_a_mere_remark_corrects_nothing(tmp_path: Path) -> None:
    story = told(tmp_path, e.Note(at=AT + 90, text="hm", actor="bob", corrects=MOVED))

    assert "corrected" not in page(story).lower()
    assert story.remarks[0].text == "hm"


def test_a_row_of_a_correction_has_the_cells_of_its_table_and_its_text_is_text(
    tmp_path: Path,
) -> None:
    notes = (noted(seq, time=AT + 1, cause="x") for seq in (OPENED, FOUND, MOVED, CLOSED))
    width, rows = 0, 0
    for line in page(told(tmp_path, *notes)).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        width = width if width and cells else cells
        assert cells == width
        if line.startswith("| ↳"):
            rows += 1
            assert r"bob \| \*\*b\*\*" in line
    assert rows >= 8


def test_a_state_and_its_neighbour_say_how_long_they_took_by_a_corrected_instant(
    tmp_path: Path,
) -> None:
    """Mutants: leave ``_stay`` out of ``stays_of``; take one end of the span only."""
    story = told(tmp_path, noted(MOVED, time=AT + 45))

    assert [stay.again for stay in story.stays] == [45, 45]
    assert [stay.ended for stay in story.stays] == [AT + 60, AT + 90]
    text, markup = page(story), html.page(story)
    for row in ("node-maintenance", "talos-ready"):
        assert "; by that it took 45 s |" in after(text, f"| {row}")
        below = after(markup, f'<tr><th scope="row">{row}</th><td class="time">')
        assert words(below).endswith("; by that it took 45 s")
    assert [stay["again"] for stay in to_builtins(story)["stays"]] == [45, 45]


def test_the_last_state_ends_with_the_run_also_where_that_was_corrected(tmp_path: Path) -> None:
    """Mutant: leave the corrections of the closing entry out of ``stays_of``."""
    first, last = told(tmp_path, noted(CLOSED, time=AT + 80)).stays

    assert (first.again, first.corrections) == (None, ())
    assert last.again == 20
    assert [one.time for one in last.corrections] == [AT + 80]


def test_the_last_correction_of_several_is_worked_out_and_said_once(tmp_path: Path) -> None:
    story = told(tmp_path, noted(MOVED, time=AT + 45), noted(MOVED, time=AT + 30))

    assert [stay.again for stay in story.stays] == [30, 60]
    assert page(story).count("; by that it took 30 s") == 1
    assert html.page(story).count("; by that it took 1 m 0 s") == 1


def test_an_action_and_a_cause_are_worked_out_again_too(tmp_path: Path) -> None:
    """Mutant: leave ``acted_again``, or the end of ``mended``, out of ``told``."""
    act: dict[str, Any] = {"action": "a1", "verb": "root.apply", "target": "root"}
    entries: list[e.AnyEntry] = [
        e.FindingsChanged(at=AT + 5, changed={"T16:cni": CNI}),
        e.ActionIntended(at=AT + 10, attempt=1, epoch=1, deadline_seconds=9.0, **act),
        e.ActionSettled(at=AT + 20, outcome=Outcome.DONE, **act),
        e.FindingsChanged(at=AT + 30, cleared=("T16:cni",)),
        e.Note(at=AT + 30, text="x", actor="bob", corrects=4, said=AT + 10, time=AT + 15),
        e.Note(at=AT + 30, text="x", actor="bob", corrects=6, said=AT + 30, time=AT + 25),
    ]

    story = gather(written(tmp_path / "j.db", entries))

    assert story.actions[0].again == 5
    assert story.causes[0].again == 20
    assert "; by that it took 5 s |" in after(page(story), "| a1 ")
    assert "by that it stood 20 s after it was found" in page(story)
    assert "by that it stood 20 s after it was found" in words(html.page(story))


def test_a_correction_of_a_cause_alone_changes_no_span(tmp_path: Path) -> None:
    story = told(tmp_path, noted(MOVED, cause="the switch"))

    assert [stay.again for stay in story.stays] == [None, None]
    assert "by that it took" not in page(story)
