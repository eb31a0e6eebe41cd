"""A terminal that was closed must not end a recovery; mutant: take the suppression out of ``PlainLines``."""

from __future__ import annotations

import io
import re
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from engine.memory import Approval, Attempt, Memory
from journal.entries import Fact, Note
from journal.row import Row
from rekindle.panel import RECENT, panel
from rekindle.view import headline, view
from rekindle.watchers import LivePanel, PlainLines, watcher_for


class Closed(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_watcher_survives_its_terminal() -> None:
    show = PlainLines(Closed())
    note = Note(at=1.0, text="said", actor="somebody")

    show.say("hello")
    show.wrote([Row(id=1, run_id="r", seq=1, kind="note", at=1.0, wall_ns=0, epoch=1, entry=note)])
    show.close()


def test_a_line_of_our_own_is_not_indented() -> None:
    stream = io.StringIO()

    PlainLines(stream).say("resuming")

    assert stream.getvalue() == "resuming\n"


def test_what_must_be_typed_names_the_journal() -> None:
    answers = {"holder/1": {"answer": "ask"}}
    asked = Approval("1a2b", "1a2b", "holder/1", "off?", "gone", "a/b", 0.0)
    memory = Memory(state="flux-synced", answers=answers, approvals={"1a2b": asked})

    seen = view(memory, ("flux-synced", "done"), "night.db")

    assert seen.must_do == "answer: rekindle approve 1a2b --type a/b --journal night.db"


@pytest.mark.parametrize("more", [0, 1])
def test_what_a_yes_means_stands_beside_the_command_that_gives_it(more: int) -> None:
    """Mutants: take it out of the panel, or of the line; leave out whose it is of several; say it in a watch."""
    subjects = [f"holder/{number}" for number in range(1 + more)]
    asked = [
        Approval(f"1a2{s}", "1a2b", s, f"off {s}?", f"{s} is lost", "a/b", 0.0) for s in subjects
    ]
    answers = {subject: {"answer": "ask"} for subject in subjects}
    memory = Memory(answers=answers, approvals={item.approval: item for item in asked})
    seen = view(memory, ("flux-synced", "done"), "night.db")
    stream = io.StringIO()
    Console(file=stream, width=200).print(panel(seen, []))

    said = "off holder/0? holder/0 is lost" if more else "holder/0 is lost"
    assert re.search(
        rf"you must +answer: .*\n *a yes means +{re.escape(said)} *\n", stream.getvalue()
    )
    assert f"; a yes means: {said}" in headline(seen)
    assert "a yes means" not in headline(replace(seen, watches=True))
    assert "a yes means" not in headline(replace(seen, approvals=()))


def _turned(show: PlainLines | LivePanel, memory: Memory) -> None:
    rules: Any = SimpleNamespace(plan=SimpleNamespace(states=("cni-up",)))
    turn: Any = SimpleNamespace(memory=memory)
    show.turned(rules, turn)


def test_plain_lines_say_where_it_stands_although_no_turn_comes() -> None:
    """Mutant: do not start the thread."""
    stream = io.StringIO()
    show = PlainLines(stream, every_seconds=0.05)
    show.clock = lambda: 190.0
    _turned(show, Memory(state="cni-up", now=10.0, entered_at=10.0))
    end = time.monotonic() + 10

    while stream.getvalue().count("standing") < 3 and time.monotonic() < end:
        time.sleep(0.01)
    show.close()

    assert "cni-up for 0 s" in stream.getvalue()
    assert "cni-up for 3 m" in stream.getvalue()


def test_the_panel_grows_older_between_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: draw in ``turned`` what ``_picture`` draws."""
    monkeypatch.setenv("COLUMNS", "160")
    instants = iter((10.0, 100.0))
    written = io.StringIO()
    show = LivePanel("night.db")
    show._live.stop()
    show._console.file = written
    show.clock = lambda: next(instants)
    attempt = Attempt("a7", "command.run", "command/cni", 1, 1, 10.0, 600.0)
    _turned(show, Memory(state="cni-up", now=10.0, entered_at=10.0, open={"a7": attempt}))

    shown = []
    for _ in range(2):
        show._console.print(show._picture())
        shown.append(written.getvalue())
    show.close()

    assert "a7 command.run command/cni for 0 s" in shown[0]
    assert "a7 command.run command/cni for 1 m 30 s" in shown[1]
    assert "1 m 30 s in this state" in shown[1]


def test_an_age_is_the_difference_of_the_instants_that_are_shown() -> None:
    """47.3 s from 100.9 to 148.2 are 48 s on a clock. Mutants: round them, of the state or of the action."""
    attempt = Attempt("a7", "command.run", "command/cni", 1, 1, 100.9, 600.0)
    memory = Memory(state="cni-up", now=148.2, entered_at=100.9, open={"a7": attempt})
    seen = view(memory, ("cni-up", "done"))
    written = io.StringIO()
    Console(file=written, width=160).print(panel(seen, []))

    assert headline(seen).startswith("cni-up for 48 s;")
    assert "00:02:28  48 s in this state" in written.getvalue()
    assert "a7 command.run command/cni for 48 s, until" in written.getvalue()


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({"TERM": "xterm"}, LivePanel),
        ({"TERM": "dumb"}, PlainLines),
        ({"TERM": "xterm", "NO_COLOR": "1"}, PlainLines),
        ({"TERM": "xterm", "NO_COLOR": ""}, LivePanel),
    ],
)
def test_who_wants_no_colour_gets_lines(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], kind: type
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]

    show = watcher_for(terminal, "night.db")
    show.close()

    assert type(show) is kind


def _drawn(memory: Memory, recent: list[str]) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=160, color_system=None)
    console.print(panel(view(memory, ("cni-up", "done"), "night.db"), recent))
    return [line.strip() for line in stream.getvalue().splitlines()]


def test_the_panel_says_how_many_of_each_are_good() -> None:
    """Mutants: leave the figures out; count all as good."""
    nodes = {f"node/n{n}": Fact("running" if n else "maintenance") for n in range(3)}
    pods = {"pods": Fact("counted", detail={"ready": 23, "expected": 104})}
    memory = Memory(state="cni-up", now=10.0, entered_at=10.0, facts={**nodes, **pods})

    assert "there are    node 2/3   pods 23/104" in _drawn(memory, [])
    assert "there are    no figures yet" in _drawn(Memory(state="cni-up"), [])


def test_the_panel_ends_with_the_last_entries_that_people_follow() -> None:
    """Mutants: leave them out; keep the first ones; show what nobody follows."""
    stream = io.StringIO()
    show = LivePanel("night.db")
    show._live.stop()
    show._console.file = stream
    _turned(show, Memory(state="cni-up", now=10.0, entered_at=10.0))
    notes = [Note(at=60.0 * n, text=f"said {n}", actor="somebody") for n in range(RECENT + 2)]
    show.wrote(
        [
            Row(id=n, run_id="r", seq=n, kind="note", at=note.at, wall_ns=0, epoch=1, entry=note)
            for n, note in enumerate(notes)
        ]
    )

    show._console.print(show._picture())
    show.close()

    assert show._picture().fits
    shown = [line for line in stream.getvalue().splitlines() if "said" in line]
    assert [line.split("said ")[1].split()[0] for line in shown] == [
        str(n) for n in range(2, RECENT + 2)
    ]
