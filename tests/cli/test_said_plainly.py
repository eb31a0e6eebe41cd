"""
Answers to what was not meant: a speed that is no number, a plan that is not taken, an inventory that is not there.

And what a file is called says nothing to the terminal.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rekindle import output
from rekindle.cli import resume
from rekindle.rehearsal import abandon_world, world_again
from rekindle.simulator.client import WorldAddress
from tests.cli.conftest import Program
from tests.phases.test_section import INVENTORY, PLAN

pytestmark = pytest.mark.program


@pytest.mark.parametrize("speed", ["nan", "-NaN", "inf"])
@pytest.mark.parametrize("words", ["rehearse healthy", "watch --scenario healthy", "replay j.db"])
def test_a_speed_is_a_number(rekindle: Program, words: str, speed: str) -> None:
    """Mutant: click's own range, which lets NaN through; a journal has no such number, and its run had no end."""
    answer = rekindle(*words.split(), "--speed", speed, "--journal", "j.db")

    assert (answer.code, "'--speed': " in answer.err) == (64, True), answer.err
    assert f"{speed} is not in the range 0" in answer.err
    assert not (rekindle.folder / "j.db").exists()


@pytest.mark.parametrize("words", ["rehearse healthy --speed 0", "rehearse healthy --speed 1e5"])
def test_both_ends_of_the_range_are_speeds(rekindle: Program, words: str) -> None:
    assert rekindle(*words.split(), "--journal", "j.db").code == 0


@pytest.mark.parametrize(
    "words",
    [
        "log --verify --at 41",
        "log --verify --all",
        "log --all --at 41",
        "replay --speed 5 --json",
        "replay --speed 5 --all",
        "replay --speed 5 --plan recovery.yaml",
    ],
)
def test_what_would_not_be_heard_is_refused(rekindle: Program, words: str) -> None:
    """Mutant: take both; a chain that nobody looked at was answered with 0."""
    answer = rekindle(*words.split(), "--journal", "j.db")

    assert (answer.code, answer.out) == (64, "")
    assert "\nError: --" in answer.err


def opened_with(purpose: str = "rehearse", **world: Any) -> Any:  # noqa: ANN401
    return SimpleNamespace(opened=SimpleNamespace(purpose=purpose, world=world))


ADDRESS = {"world": "w1", "scenario": "healthy", "seed": 1, "socket": "/x/world", "log": "/x/log"}


def test_a_rehearsal_that_says_nothing_of_its_world_can_be_ended() -> None:
    """Mutant: let msgspec's error through."""
    assert abandon_world(opened_with()) == {}


@pytest.mark.parametrize(
    ("purpose", "world", "speed"),
    [
        ("rehearse", {"speed": None}, 0.0),
        ("watch", {"speed": None}, 60.0),
        ("watch", {"speed": 5.0}, 5.0),
        ("rehearse", {}, 0.0),
    ],
)
def test_a_speed_that_was_no_number_is_that_of_the_command(
    monkeypatch: pytest.MonkeyPatch, purpose: str, world: dict[str, Any], speed: float
) -> None:
    """Mutant: take one of the two for the other."""
    found: list[WorldAddress] = []
    monkeypatch.setattr("rekindle.simulator.client.connect_or_spawn", found.append)

    world_again(opened_with(purpose, **ADDRESS, **world))

    assert [address.speed for address in found] == [speed]


AS_BEFORE = """
import os
from dataclasses import replace
from rekindle import worlds
from rekindle.cli import rehearse
now = rehearse.opening_of
def then(*words):
    opening = now(*words)
    return replace(opening, world={**opening.world, "speed": None})
rehearse.opening_of, worlds.world_of = then, lambda *_: os._exit(70)
"""


@pytest.mark.parametrize(
    ("words", "again", "outcome"),
    [
        (("rehearse",), ("resume", "--json"), "done"),
        (("rehearse",), ("rehearse", "healthy", "--json"), "done"),
        (("watch", "--scenario"), ("watch", "--scenario", "healthy", "--speed", "60"), ""),
    ],
    ids=["resumed", "rehearsed", "watched"],
)
def test_a_run_whose_speed_was_no_number_is_gone_on_with(
    rekindle: Program, tmp_path: Path, words: tuple[str, ...], again: tuple[str, ...], outcome: str
) -> None:
    """As an earlier version journaled NaN, and ended there. Mutant: read the address as it stands."""
    journal = ("--journal", str(tmp_path / "j.db"))
    assert rekindle(*words, "healthy", *journal, code=AS_BEFORE).code == 70

    if outcome:
        answer = rekindle(*again, *journal)
        assert (answer.code, answer.document["outcome"]) == (0, outcome), answer.err
        return
    process = rekindle.until(tmp_path / "j.db", "observed", *again)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 75


@pytest.mark.parametrize(
    ("simulated", "watches", "said"),
    [
        (True, True, "leave it away: the plan of a rehearsal is its scenario's"),
        (True, False, "leave it away: the plan of a rehearsal is its scenario's"),
        (
            False,
            True,
            "leave it away to watch on; `rekindle resume --take-over 'my plan.yaml'` lets",
        ),
        (False, False, "leave it away; `rekindle run 'my plan.yaml'` goes on with an open run"),
    ],
)
def test_what_takes_a_plan_is_told(*, simulated: bool, watches: bool, said: str) -> None:
    """Mutants: any of these for another; `run` for all, which refuses a watch."""
    found: Any = SimpleNamespace(simulated=simulated, memory=SimpleNamespace(watches=watches))
    assert resume._instead(found, "my plan.yaml").startswith(said)


@pytest.mark.parametrize(
    "words", ["run", "plan", "graph", "watch", "inventory --plan", "replay --plan"]
)
def test_who_only_looks_is_not_told_to_run(
    rekindle: Program, journal_of_a_night: Path, words: str
) -> None:
    """Mutant: name `run` whatever was typed."""
    kept = {"REKINDLE_JOURNAL": str(journal_of_a_night)}
    answer = rekindle(*words.split(), "nothere.yaml", env=kept)

    assert answer.code == 64
    assert f"hint: name the plan file: `rekindle {words} PLAN" in answer.err


@pytest.mark.parametrize("words", ["watch --inventory", "diagnose --scenario healthy --inventory"])
def test_an_inventory_that_is_not_there_has_no_place(rekindle: Program, words: str) -> None:
    """Mutant: call it a plan that is wrong in its first line."""
    (rekindle.folder / "latin").write_bytes(b"schema: \xe9")
    for name, why in (
        ("nothere.yaml", "No such file or directory"),
        ("latin", "not UTF-8 at byte 8"),
    ):
        answer = rekindle(*words.split(), name)

        assert f"error (plan-unreadable): {name}: {why}\n" in answer.err, answer.err
        assert (answer.code, "`rekindle inventory -o FILE`" in answer.err) == (64, True)


def test_what_a_file_is_called_says_nothing_to_the_terminal(rekindle: Program) -> None:
    """Mutants: tell it as it is; print it as it is (a row of doctor)."""
    text = PLAN.replace("talosconfig: talosconfig", 'talosconfig: "\\e[31m\\u009b1mmauve\\u202e"')
    (rekindle.folder / "recovery.yaml").write_text(text)
    (rekindle.folder / "inventory.yaml").write_text(INVENTORY)

    refused, looked = rekindle("plan", "--check", "recovery.yaml"), rekindle("doctor")

    assert (refused.code, looked.code) == (64, 2), refused.err + looked.err
    for told in (refused.err, looked.out):
        assert "mauve" in told
        assert not {"\x1b", "\x9b", "\u202e"} & set(told)
    assert len(refused.err.splitlines()) > 3


def test_tabs_and_lines_are_no_commands() -> None:
    told = "a\tb\nc \N{NO-BREAK SPACE}\udcff é \N{WAVING HAND SIGN}"
    assert output.plain(told) == told
    assert output.plain("a\rb\0c\x7f\ufeff") == "a b c  "


def test_a_kubeconfig_that_nobody_writes_does_not_outlive_its_reader(rekindle: Program) -> None:
    """A pipe, as shells hand one over. Mutant: an executor, for whose threads the program waits at its end."""
    pipe = rekindle.folder / "pipe"
    os.mkfifo(pipe, 0o600)
    process = rekindle.start("diagnose", "--kubeconfig", str(pipe))
    writer = _once_read(pipe)
    try:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(20.0)
    finally:
        process.kill()
        os.close(writer)

    assert (process.returncode, out) == (75, "")
    assert "interrupted: nothing was begun" in err


def _once_read(pipe: Path) -> int:
    """Open it for writing, once there is a reader: who reads then waits for us."""
    until = time.monotonic() + 60.0
    while time.monotonic() < until:
        with suppress(OSError):
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.02)
    pytest.fail("nobody read it within a minute")
