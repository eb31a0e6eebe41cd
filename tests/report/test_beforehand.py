"""
What the preflight could not look at, or had against the run, is in every format.

Mutants: leave ``preflights`` out of ``unproven``; forget what a later look has no longer; leave out ``forbade``; count
what there is no room for at every look.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec.structs import replace

from journal import entries as e
from journal.entries import Objection
from rekindle.report import html
from rekindle.report.beforehand import ROWS
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.story import Story
from tests.report.nights import AT, written

BACKUP = Objection("backups.etcd", "unknown", "k8s-1", "no snapshot could be asked for", "mend it")
RED = Objection(
    "rights.flux", "red", "cluster", "patch is refused", "give the right", ("flux.nudge",), "a/b"
)
ALL = Objection("tools.talosctl", "red", "talosctl", "is not there", "install it", ("*",))
CLOCK = Objection("host.clock", "warning", "this machine", "is 3 s off", "set it")


def told(folder: Path, *looks: tuple[Objection, ...]) -> Story:
    entries = [
        e.Preflighted(at=AT + 10 * number, checked=12, objections=found)
        for number, found in enumerate(looks)
    ]
    return gather(written(folder / "j.db", entries))


def formats(story: Story) -> dict[str, str]:
    return {
        "markdown": page(story).replace("\\", ""),
        "html": html.page(story),
        "json": msgspec.json.encode(story).decode(),
    }


def test_what_was_not_known_ill_or_forbidden_is_in_every_format(tmp_path: Path) -> None:
    story = told(tmp_path, (BACKUP, RED, ALL, CLOCK))
    said = (
        "Not looked at beforehand (backups.etcd): k8s-1: no snapshot could be asked for",
        "Not in order beforehand (rights.flux): cluster: patch is refused; forbade flux.nudge of a/b",
        "Not in order beforehand (tools.talosctl): talosctl: is not there; forbade every action",
        "Doubtful beforehand (host.clock): this machine: is 3 s off",
    )

    assert set(said) <= set(story.unproven)
    for name, text in formats(story).items():
        for sentence in said:
            assert sentence in text, name
    rows = [line for line in page(story).splitlines() if line.startswith("| rights.flux")]
    row = "| rights.flux | **red** | cluster | patch is refused; to do: give the right | flux.nudge of a/b | "
    assert rows == [f"{row}2025-06-12 08:16:00Z | not seen to be |"]


def test_what_was_mended_is_told_with_its_end_and_is_no_doubt_any_more(tmp_path: Path) -> None:
    story = told(tmp_path, (RED, CLOCK), (CLOCK,))
    red, clock = story.preflight

    assert (red.found, red.gone, clock.gone) == (AT, AT + 10, None)
    assert not any("rights.flux" in one for one in story.unproven)
    assert any("host.clock" in one for one in story.unproven)
    for name in ("markdown", "html"):
        assert "rights.flux" in formats(story)[name]
    assert "2025-06-12 08:16:10Z" in page(story)


def test_a_preflight_in_order_and_none_at_all_are_two_things(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    well, none = told(tmp_path / "a", ()), told(tmp_path / "b")

    assert "12 rows, all in order" in page(well)
    assert "12 rows, all in order" in html.page(well)
    assert not any("preflight" in one for one in well.unproven)
    assert "no preflight is in this journal" in page(none)
    assert "no preflight is in this journal" in html.page(none)
    assert any("there is none in this journal" in one for one in none.unproven)


def test_what_there_is_no_room_for_is_counted_once(tmp_path: Path) -> None:
    many = tuple(replace(CLOCK, subject=f"m{number}") for number in range(ROWS + 3))

    story = told(tmp_path, many[:-1], many[:-1], (), many[1:])

    assert len(story.preflight) == ROWS
    assert story.left_out["preflight"] == 3
