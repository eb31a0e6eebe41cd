"""
A run is shown again in the time of then, which comes from outside: nothing here waits.

Mutants that turn one of these red: show everything at once; let the clock run ahead of what is shown; wait through the
night in which nobody was there; show an instant as one turn, so that the end comes before the last standing; write the
opening to the journal alone; show a turn's own memory and not the journal's (``engine/runner.py``); take what the world
settled for a part of a turn; leave ``-v`` unheard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.judging import Rules
from engine.turn import Turn
from journal import entries as e
from journal.codec import kind_of
from journal.entries import AnyEntry, RunResumed
from journal.row import Row
from phases.recipe import recipe
from rekindle.pace import HostPace
from rekindle.playing import Player, _turns
from tests.cli.conftest import Program
from tests.simulator.recordings import recorded

pytestmark = pytest.mark.program


@dataclass
class Passing:
    """A pace whose time passes by being waited for; somebody leaves at *leaves*."""

    now: float = 50.0
    leaves: float = float("inf")
    waited: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.waited.append(max(0.0, seconds))
        self.now += max(0.0, seconds)
        return self.now >= self.leaves


@dataclass
class Seen:
    """A watcher that remembers what it was shown, and what its clock said then."""

    pace: Passing
    rows: list[tuple[float, float, int]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock: Callable[[], float] = float

    def turned(self, rules: Rules, turn: Turn) -> None:
        del rules
        self.states.append(turn.memory.state)

    def wrote(self, rows: Sequence[Row]) -> None:
        self.rows += [(self.pace.now, self.clock(), row.seq) for row in rows]

    def say(self, text: str) -> None:
        self.said.append(text)

    def ending(self) -> None: ...

    def close(self) -> None: ...


def rows_of(entries: Sequence[AnyEntry]) -> Iterator[Row]:
    for seq, entry in enumerate(entries, start=1):
        yield Row(
            id=seq,
            run_id="r",
            seq=seq,
            kind=kind_of(entry),
            at=entry.at,
            wall_ns=0,
            epoch=1,
            entry=entry,
        )


def test_every_entry_is_shown_when_it_was_written() -> None:
    entries = recorded("june")
    pace = Passing()
    seen = Seen(pace)

    assert Player(recipe(), seen, pace, speed=10.0).play(rows_of(entries))

    assert [seq for _, _, seq in seen.rows] == list(range(1, len(entries) + 1))
    for shown, clock, seq in seen.rows:
        assert abs(shown - (50.0 + (entries[seq - 1].at - entries[0].at) / 10.0)) < 1e-6
        assert clock == entries[seq - 1].at
    assert seen.states[-1] == "done"
    assert set(seen.states) == {"cni-up", "flux-synced", "pods-healthy", "done"}


def test_whoever_leaves_has_left() -> None:
    entries = recorded("june")
    pace = Passing(leaves=55.0)
    seen = Seen(pace)

    assert not Player(recipe(), seen, pace, speed=10.0).play(rows_of(entries))

    assert 0 < len(seen.rows) < len(entries)
    assert all(shown < 55.0 for shown, _, _ in seen.rows)


def test_the_clock_never_runs_ahead_of_what_is_shown_next() -> None:
    entries = recorded("june")
    pace = Passing()
    player = Player(recipe(), Seen(pace), pace, speed=10.0)
    player.play(rows_of(entries[:3]))

    pace.now += 1_000_000.0

    assert player.now() == entries[2].at


def test_a_night_without_anybody_is_skipped_and_that_is_said() -> None:
    entries = recorded("june")
    later = entries[2].at + 28_800.0
    resumed = RunResumed(at=later, holder="me", idle_seconds=28_800.0)
    pace = Passing()
    seen = Seen(pace)

    Player(recipe(), seen, pace, speed=1.0).play(rows_of([*entries[:3], resumed]))

    assert sum(pace.waited) < 60.0
    assert seen.said == ["nobody held the run for 8 h: skipped"]
    assert seen.rows[-1][1] == later


def test_the_host_s_pace_is_left_at_once_and_for_good() -> None:
    pace = HostPace()
    assert pace.wait(0.0) is False

    pace.leave()

    assert pace.wait(3600.0) is True
    assert pace.wait(3600.0) is True
    pace.close()


@pytest.mark.parametrize(
    "words", [("june-12",), ("reboot-mid-sync",), ("june-12", "-v")], ids=" ".join
)
def test_a_run_is_shown_in_the_same_lines_as_then(
    rekindle: Program, tmp_path: Path, words: tuple[str, ...]
) -> None:
    journal = str(tmp_path / "j.db")
    live = rekindle("rehearse", *words, "--journal", journal)

    again = rekindle("replay", "--speed", "100000", *words[1:], journal)

    shown, told = live.err.splitlines(), again.err.splitlines()
    assert shown[0] == f"journal {journal}"
    assert told[-1].endswith("nothing was begun")
    assert ("run.opened" in told[0], "run.closed" in told[-2]) == (True, True)
    assert told[:-1] == shown[1:]
    assert any(line.startswith("  rule  ") for line in told) == ("-v" in words)


def test_one_instant_may_have_several_turns() -> None:
    """What the world said of its own accord was written before a turn, and looking begins one."""
    at, act = 100.0, {"action": "a1", "verb": "v", "target": "t"}
    decided = e.Decided(at=at, state="s", answers={})
    seen = e.Observed(at=at, changed={"x": e.Fact("Down")})
    ended = e.ActionSettled(at=at, outcome=e.Outcome.DONE, **act)  # type: ignore[arg-type]
    probed = e.ActionSettled(at=at, outcome=e.Outcome.DONE, by="probe", **act)  # type: ignore[arg-type]
    entries = (seen, seen, decided, ended, seen, probed, decided, seen, decided)
    closed = e.RunClosed(at=at, outcome=e.RunOutcome.DONE, state="s")

    parts = [([row.seq for row in rows], of) for rows, of in _turns(rows_of([*entries, closed]))]

    assert parts == [
        ([1, 2, 3], True), ([4], False), ([5, 6, 7], True), ([8, 9], True), ([10], False),
    ]  # fmt: skip
