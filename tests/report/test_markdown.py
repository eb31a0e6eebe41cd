"""
Promise: what a cluster says is text in a report: no heading, list, link, image, table cell or HTML of its own.

Mutants that turn it red: take a character out of ``_INLINE``; take ``_LINK`` or ``_BLOCK`` out of ``escaped``; render
without ``finalize``; take ``StrictUndefined`` away; take ``_HIDDEN`` out of ``clean``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.errors import UsageWrong
from journal import entries as e
from rekindle.report.cleaning import TEXT, clean
from rekindle.report.gather import gather
from rekindle.report.markdown import escaped, page
from rekindle.spans import span
from tests.report.conftest import Night
from tests.report.nights import AT, written

FOREIGN = {
    "HTML": ("<script>alert(1)</script>", "<script>"),
    "an entity": ("&lt;b&gt;", " &lt;b"),
    "a link": ("[click](https://evil.example)", "[click]("),
    "an image": ("![x](https://evil.example/x.png)", "![x]("),
    "a bare address": ("see https://evil.example/x", "https://evil"),
    "a bare name": ("see www.evil.example", "www.evil"),
    "a cell": ("a | b | c", "a | b"),
    "code": ("`rm -rf`", " `rm"),
    "strong": ("**all is well**", "**all"),
    "struck": ("~~failed~~", "~~failed"),
    "a line of its own": ("x\n# Validation\nproven", "\n# Validation"),
    "a rule": ("a\r\n---\r\nb", "\n---"),
    "a formula": ("$x$", " $x$"),
    "a line separator": ("x\u2028# Validation", "\u2028"),
    "text from right to left": ("x\u202etxet", "\u202e"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_text_is_text(tmp_path: Path, kind: str) -> None:
    text, sign = FOREIGN[kind]
    path = written(tmp_path / "j.db", [e.Note(at=AT, text=text, actor="mallory")])

    note = next(line for line in page(gather(path)).splitlines() if "mallory" in line)

    assert sign not in page(gather(path))
    assert note.startswith("- 2025-06-12 08:16:00Z, mallory: ")


@pytest.mark.parametrize("text", ["# x", "- x", "+ x", "= x", "1. x", "12) x"])
def test_a_beginning_of_a_line_begins_no_block(text: str) -> None:
    shown = escaped(text)

    assert "\\" in shown
    assert not re.match(r"[#+=-]|\d+[.)] ", shown)
    assert shown.replace("\\", "") == text


def test_ordinary_text_stays_readable() -> None:
    for text in ("1.36", "0.1.0", "6 m 59 s", "helmrelease/a/b: not ready", "a (root)"):
        assert escaped(text) == text


def test_a_table_row_has_as_many_cells_whatever_stands_in_it(night: Night) -> None:
    widths: set[int] = set()
    for line in page(night.story).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        if line.startswith("|---"):
            widths = {cells}
        elif line.startswith("|") and widths:
            assert {cells} == widths, line
        else:
            widths = set()


def test_every_section_of_the_milestone_and_of_the_operator_is_there(night: Night) -> None:
    headings = re.findall(r"^#+ (.+)$", page(night.story), re.MULTILINE)

    assert headings == [
        "Milestone: Rehearsed Recovery of Cluster anton",
        "Summary",
        "Goals",
        "Implementation Details",
        "Background",
        "Root causes",
        "Process",
        "Actions",
        "What was destroyed or given up, and who allowed it",
        "Doubtful effects, and how they were settled",
        "Configuration Changes",
        "Where the time went",
        "Validation",
        "Tests Performed",
        "Metrics",
        "Not proven",
        "Lessons Learned",
        "What Went Well",
        "Challenges",
        "Next Steps",
        "References",
    ]


def test_durations_are_said_to_the_second() -> None:
    told = {0.4: "0 s", 59.6: "1 m 0 s", 419.62: "7 m 0 s", 7562.0: "2 h 6 m 2 s", -3.0: "-3 s"}

    assert {seconds: span(seconds) for seconds in told} == told


def test_a_long_text_is_cut_after_it_was_redacted() -> None:
    secret = "ghp_" + "planted0123456789" * 2
    text = "x" * (TEXT - 20) + " " + secret

    assert "ghp_" not in clean(text)
    assert len(clean(text)) <= TEXT


def test_a_template_in_place_of_ours_is_used_and_escaped(night: Night, tmp_path: Path) -> None:
    mine = tmp_path / "mine.md.j2"
    mine.write_text("{{ story.run.cluster }} {{ '<b>' }} {{ story.run.seconds|span }}\n")

    assert page(night.story, mine) == f"anton \\<b\\> {span(night.story.run.seconds)}\n"


@pytest.mark.parametrize("kind", ["a file", "a folder"])
def test_one_part_of_our_template_can_be_replaced(night: Night, tmp_path: Path, kind: str) -> None:
    mine = tmp_path / "report.md.j2"
    mine.write_text(
        '{% extends "rekindle/report.md.j2" %}{% block next_steps %}\nRing the night shift\n'
        "{% endblock %}"
    )

    text = page(night.story, mine if kind == "a file" else tmp_path)

    assert "Ring the night shift" in text
    assert "## Next Steps" not in text
    assert "## Validation" in text


@pytest.mark.parametrize(
    "source",
    [
        "{{ story.pod }}",
        "{% if %}",
        "{{ nobody }}",
        "{{ story.__class__.__mro__ }}",
        "{% include 'gone.j2' %}",
        "{{ story.run.opened + 'x' }}",
    ],
)
def test_a_template_that_does_not_fit_is_an_error_and_no_blank(
    night: Night, tmp_path: Path, source: str
) -> None:
    mine = tmp_path / "mine.md.j2"
    mine.write_text(source)

    with pytest.raises(UsageWrong) as caught:
        page(night.story, mine)
    assert caught.value.reference == "template-invalid"
