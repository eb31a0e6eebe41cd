"""
Rehearsals killed at random entries and resumed until done: what the README promises first.

Promise: ``kill -9`` at any instant loses nothing; it goes on and arrives; a cold start bootstraps etcd once.
Mutants that turn it red: take the adoption of open actions out of ``Runner.resume``; let ``_in_doubt`` act at once.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from journal.errors import Diagnosed
from journal.reader import Reader
from tests.cli.conftest import SECONDS, Program
from tests.cli.forked import Forked

SCENARIOS = {"june-12": 0, "cold-start": 1}
FEW, MANY = 10, 100  # of each scenario
KILLS, MORE_KILLS = 2, 5
ENTRIES = 500  # each scenario writes more: whoever is to be killed within so many is killed before it is done
POLL_SECONDS = 0.005


def _written(journal: Path) -> int:
    """Count the entries; a journal that is not there yet has none."""
    try:
        with Reader(journal) as reader:
            return reader.head().id
    except Diagnosed:
        return 0


def _killed(process: Forked, journal: Path, entries: int, seconds: float) -> bool:
    """Kill it a moment after so many entries are in the journal; False: it ended before."""
    end = time.monotonic() + SECONDS
    while _written(journal) < entries and time.monotonic() < end:
        if process.poll() is not None:
            return False
        time.sleep(POLL_SECONDS)
    time.sleep(seconds)  # also between an entry and what follows it, and before the first one
    if process.poll() is not None:
        return False
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return True


def _until_done(
    rekindle: Program, scenario: str, journal: Path, seed: int, most: int = KILLS
) -> None:
    chance = random.Random(seed)
    kills = 0
    while True:
        words = ("resume",) if journal.exists() else ("rehearse", scenario)
        process = rekindle.start(*words, "--journal", str(journal), "--json")
        if kills == most:
            break
        entries = _written(journal) + chance.randint(0, ENTRIES // most)
        if not _killed(process, journal, entries, chance.uniform(0.0, 0.05)):
            break
        kills += 1
    out, err = process.communicate(timeout=SECONDS)
    assert kills, "it was never killed: nothing was shown"
    assert process.returncode == 0, err
    assert '"outcome": "done"' in out
    assert '"pods": {"expected": 104, "ready": 104}' in out
    assert f'"bootstraps": {SCENARIOS[scenario]},' in out
    assert rekindle("log", "--verify", "--journal", str(journal)).code == 0


@pytest.mark.parametrize("seed", range(FEW))
@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_a_killed_rehearsal_arrives(
    rekindle: Program, tmp_path: Path, scenario: str, seed: int
) -> None:
    _until_done(rekindle, scenario, tmp_path / "j.db", seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(FEW, FEW + MANY))
@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_many_killed_rehearsals_arrive(
    rekindle: Program, tmp_path: Path, scenario: str, seed: int
) -> None:
    _until_done(rekindle, scenario, tmp_path / "j.db", seed, MORE_KILLS)


@pytest.mark.program
def test_one_interrupt_closes_the_books_and_says_how_to_go_on(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = tmp_path / "j.db"
    process = rekindle.until_entry(journal, "approval.asked")

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)

    assert process.returncode == 75, err
    assert '"outcome": "interrupted"' in out
    assert f"rekindle resume --journal {journal}" in err
    answer = rekindle("resume", "--journal", str(journal), "--json")
    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err
    assert "looked at everything; of the actions " in answer.err


@pytest.mark.program
def test_two_interrupts_leave_at_once_and_lose_nothing(rekindle: Program, tmp_path: Path) -> None:
    """Mutant: no document at the second signal."""
    journal = tmp_path / "j.db"
    process = rekindle.until_entry(journal, "action.intended")

    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)

    assert process.returncode == 75, err
    assert "rekindle resume" in err
    document = json.loads(out)
    assert (document["schema"], document["outcome"]) == ("rekindle.rehearsal/1", "interrupted")
    answer = rekindle("resume", "--journal", str(journal), "--json")
    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err


@pytest.mark.program
def test_a_second_operator_is_refused_and_told_who_holds_the_run(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = tmp_path / "j.db"
    process = rekindle.until_entry(journal, "action.intended")
    try:
        answer = rekindle("resume", "--journal", str(journal))
    finally:
        process.kill()
        process.communicate()

    assert answer.code == 76
    assert str(process.pid) in answer.err


@pytest.mark.program
def test_an_answer_from_another_terminal_reaches_the_running_session(
    rekindle: Program, tmp_path: Path, scenario_without_operator: Callable[[str], Path]
) -> None:
    journal = tmp_path / "j.db"
    scenario = str(scenario_without_operator("june-12"))
    process = rekindle.until_entry(journal, "approval.asked", scenario, speed=15)
    approvals = rekindle("status", "--journal", str(journal), "--json").document["approvals"]

    answering = [
        rekindle.start("approve", item["id"], "--type", item["typed"], "--journal", str(journal))
        for item in approvals
    ]
    said = [answer.communicate(timeout=SECONDS)[1] for answer in answering]
    out, err = process.communicate(timeout=SECONDS)

    assert [answer.returncode for answer in answering] == [0, 0, 0]
    assert "left for the running session" in said[0]
    assert process.returncode == 0, err
    assert '"outcome": "done"' in out


@pytest.mark.program
def test_a_cancelled_session_finishes_what_is_in_flight_and_closes(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = tmp_path / "j.db"
    process = rekindle.until_entry(journal, "action.intended")

    assert rekindle("cancel", "--journal", str(journal)).code == 0
    out, err = process.communicate(timeout=SECONDS)

    assert process.returncode == 5, err
    assert '"outcome": "cancelled"' in out
