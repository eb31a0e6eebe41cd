"""
Promise: the screen answers the three questions on any terminal: narrow, wide, resized, dumb, without colour, or none.

Mutants: a column that is not folded; a panel that keeps the width of its beginning; escapes in a pipe.
"""

from __future__ import annotations

import fcntl
import io
import signal
import struct
import termios
import time
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console
from rich.live_render import LiveRender

from rekindle.folding import newest
from rekindle.panel import RECENT, ROOMS, panel
from rekindle.view import View, view, yes_means
from tests.cli.conftest import Program, alone
from tests.cli.terminal import ESCAPE, Terminal, on_terminal

pytestmark = pytest.mark.program

ASKED = ("waits for", "can succeed", "you must")
# As long as they are, whatever the folder of the tests is called.
JOURNAL = "/home/operator/.local/state/rekindle/clusters/night shift's.db"
STATES = ("node-maintenance", "talos-ready", "cni-up", "flux-synced", "pods-healthy", "done")


def seen(journal: Path) -> View:
    found = newest(journal)
    assert found is not None
    return view(found.memory, STATES, JOURNAL)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_panel_fits_and_loses_nothing(waiting: Path, columns: int) -> None:
    shown = seen(waiting)
    stream = io.StringIO()
    console = Console(file=stream, width=columns, force_terminal=True, color_system=None)

    console.print(panel(shown, ["03:00:00  asked"]))

    lines = ESCAPE.sub("", stream.getvalue()).splitlines()
    assert max(map(len, lines)) <= columns
    text = "".join("".join(line.split()) for line in lines)
    for sentence in (shown.waits_for, shown.can_succeed, shown.must_do):
        assert "".join(sentence.split()) in text
    assert all(any(name in line for line in lines) for name in ASKED)
    if columns >= 80:
        assert all(any(state in line for line in lines) for state in STATES)


def fitted(shown: View, columns: int, rows: int, entries: int = RECENT) -> list[str]:
    """What a live panel leaves on such a screen, cropped as rich crops it; its entries are longer than a line."""
    console = Console(
        file=io.StringIO(), width=columns, height=rows, force_terminal=True, color_system=None
    )
    recent = [f"03:00:0{n}  action.intended {'x' * 100}" for n in range(entries)]
    live = LiveRender(panel(shown, recent, fits=True))
    lines = console.render_lines(live, console.options, pad=False)
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


def has(lines: list[str], sentence: str) -> bool:
    return "".join(sentence.split()) in "".join("".join(line.split()) for line in lines)


@pytest.fixture(params=["june-12", "quorum-lost"])
def asking(request: pytest.FixtureRequest, rekindle: Program, tmp_path: Path) -> View:
    """A run that waits for a person: with questions open, or with the long way out of a lost quorum."""
    if request.param == "june-12":
        return seen(request.getfixturevalue("waiting"))
    journal = tmp_path / "q.db"
    scenario = str(alone(request.param, tmp_path))
    assert rekindle("rehearse", scenario, "--journal", str(journal)).code in {2, 4}
    return seen(journal)


def test_on_a_small_screen_what_a_person_must_do_comes_first(asking: View) -> None:
    """
    Of 24 lines rich cropped the last ones: figures were cut, and entries never shown.

    Mutants: draw all whatever the height; let the sentences give way first; leave the entries out at once.
    """
    lines = fitted(asking, 80, 24)

    assert len(lines) <= 24
    assert "..." not in [line.strip() for line in lines]
    for sentence in (asking.must_do, yes_means(asking), asking.can_succeed):
        assert has(lines, sentence)
    assert any(line.startswith("there are") for line in lines)
    assert lines[-1].startswith(f"03:00:0{RECENT - 1}  action.intended")


LOW = [(80, 8), (80, 10), (80, 12), (80, 16), (60, 8), (60, 12), (40, 16), (30, 20)]


def test_on_the_lowest_screen_what_a_person_must_do_is_all_that_is_left(asking: View) -> None:
    """
    The command was cut in the middle of its journal's path, and with it what a yes means.

    Mutants: give nothing up but entries and causes; keep the names beside the texts; give the two up first.
    """
    for columns, rows in LOW:
        lines = fitted(asking, columns, rows)

        assert len(lines) <= rows, (columns, rows)
        assert max(map(len, lines)) <= columns
        assert "..." not in [line.strip() for line in lines]
        for sentence in (asking.must_do, yes_means(asking)):
            assert has(lines, sentence), (columns, rows)


def test_what_is_given_up_first_weighs_least(asking: View) -> None:
    """Mutants: all of it at once; the state before the figures."""
    names = ("there are", "eta", asking.cluster, "waits for", "can succeed", "you must")
    shown = [
        [name for name in names if any(line.startswith(name) for line in fitted(asking, 80, rows))]
        for rows in range(6, 25)
    ]

    assert all(set(less) <= set(more) for less, more in pairwise(shown))
    assert shown[-1] == list(names)
    for one in shown:
        assert [*names[len(names) - len(one) :]] == one
    assert 3 < len({len(one) for one in shown})


def test_what_gives_way_comes_back_with_the_room_for_it(asking: View) -> None:
    """Mutant: the least that there is, as soon as not all fits."""
    heights = [len(fitted(asking, 80, rows)) for rows in (16, 24, 32, 48, 100)]
    entries = [
        sum("action.intended" in line for line in fitted(asking, 80, rows))
        for rows in (16, 24, 32, 48, 100)
    ]

    assert heights == sorted(heights)
    assert entries == sorted(entries)
    assert entries[-1] == RECENT
    assert fitted(asking, 80, 100) == fitted(asking, 80, 200)


def test_a_room_is_lower_than_the_one_before_it(asking: View) -> None:
    """The search halves, so that no less room may be higher."""
    console = Console(file=io.StringIO(), width=80, color_system=None)
    whole = panel(asking, [f"03:00:0{n}  {'x' * 100}" for n in range(RECENT)])
    heights = [len(console.render_lines(whole.drawn(room))) for room in ROOMS]

    assert heights == sorted(heights, reverse=True)


def resize(terminal: Terminal, columns: int, rows: int) -> None:
    size = struct.pack("HHHH", rows, columns, 0, 0)
    fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, size)


def widest(text: str) -> int:
    lines = ESCAPE.sub("", text).replace("\r", "\n").split("\n")
    return max((len(line.rstrip()) for line in lines), default=0)


def widest_until(terminal: Terminal, wanted: int, seconds: float) -> int:
    """The widest line of what is drawn from now on, until one is as wide as wanted."""
    terminal.seen = ""
    end = time.monotonic() + seconds
    while widest(terminal.seen) < wanted and time.monotonic() < end:
        terminal._read(0.5)
    return widest(terminal.seen)


def test_a_terminal_that_grows_is_used(rekindle: Program, tmp_path: Path) -> None:
    words = ("rehearse", "june-12", "--speed", "4", "--journal", str(tmp_path / "j.db"))
    terminal = on_terminal(rekindle, *words, COLUMNS="", LINES="")
    resize(terminal, 80, 40)
    terminal.until("you must")

    narrow = widest_until(terminal, 81, 2.0)
    resize(terminal, 200, 40)
    wide = widest_until(terminal, 101, 30.0)
    for _ in range(2):
        terminal.process.send_signal(signal.SIGINT)
        time.sleep(0.5)

    assert terminal.ended() == 75
    assert 40 < narrow <= 80
    assert 100 < wide <= 200


def drawn_for(terminal: Terminal, seconds: float) -> str:
    """What is drawn from now on."""
    terminal.seen = ""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal._read(0.2)
    return terminal.seen


def test_a_terminal_that_shrinks_is_not_overrun(rekindle: Program, tmp_path: Path) -> None:
    """Mutant: a console that is told its width once, at its beginning."""
    words = ("rehearse", "june-12", "--speed", "4", "--journal", str(tmp_path / "j.db"))
    terminal = on_terminal(rekindle, *words, COLUMNS="", LINES="")
    resize(terminal, 200, 40)
    terminal.until("you must")

    wide = widest_until(terminal, 101, 30.0)
    resize(terminal, 80, 40)
    drawn_for(terminal, 2.0)  # what was drawn already, or was about to be
    narrow = drawn_for(terminal, 4.0)
    for _ in range(2):
        terminal.process.send_signal(signal.SIGINT)
        time.sleep(0.5)

    assert terminal.ended() == 75
    assert 100 < wide <= 200
    assert 40 < widest(narrow) <= 80
    text = "".join(ESCAPE.sub("", narrow).split())
    assert all("".join(name.split()) in text for name in ASKED), "and nothing is lost"


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_a_terminal_that_cannot_or_must_not_be_redrawn_gets_lines(
    rekindle: Program, tmp_path: Path, environment: dict[str, str]
) -> None:
    words = ("rehearse", "node-lost", "--journal", str(tmp_path / "j.db"))
    terminal = on_terminal(rekindle, *words, **environment)

    assert terminal.ended() == 0
    assert not ESCAPE.search(terminal.seen)
    assert "standing" in terminal.seen


def test_a_pipe_gets_lines_without_escapes(rekindle: Program, tmp_path: Path) -> None:
    journal = str(tmp_path / "j.db")
    answer = rekindle("rehearse", "node-lost", "--journal", journal, env={"NO_COLOR": ""})

    assert answer.code == 0
    assert "standing" in answer.err
    assert "\x1b" not in answer.err + answer.out
