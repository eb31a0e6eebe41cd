"""
``watch`` looks on and begins nothing; ``resume --take-over`` goes on with hands.

Mutants: give the session hands whatever the purpose says; take over without ``TakenOver``; let ``run`` or ``rehearse``
go on with an open watch; leave ``found.alive`` out of ``take_over``; forget the doubts of the run before.
"""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from journal import entries as e
from journal.reader import Reader
from rekindle import session
from rekindle.folding import newest
from rekindle.rehearsal import load
from tests.cli.conftest import SECONDS, Program
from tests.cli.forked import Forked
from tests.cli.terminal import on_terminal

pytestmark = pytest.mark.program

SPEED = "600"
STAGED = """
import rekindle.planfile, rekindle.rehearsal, rekindle.worlds
from msgspec.structs import replace
plan, world = rekindle.rehearsal.in_process("node-lost")
rekindle.planfile.read_plan = lambda path: plan
rekindle.worlds.real = lambda plan, journal: world
"""
# Somebody suspends a Kustomization between two looks, and resumes it a while later.
BY_HAND = """
looks, wait = [], world.next
def next_(until):
    looks.append(until)
    found = world.cluster.api.get("Kustomization", "media/jellyfin")
    spec = replace(found.spec, suspend=3 <= len(looks) < 20)
    if spec != found.spec:
        world.cluster.api.put("Kustomization", replace(found, spec=spec))
    return wait(until)
world.next = next_
"""


def kinds(journal: Path) -> list[str]:
    with Reader(journal) as reader:
        return [row.kind for row in reader.rows()]


def june(rekindle: Program, journal: Path) -> Forked:
    return rekindle.until(journal, "decided", "watch", "--scenario", "june-12", "--speed", SPEED)


def interrupted(process: Forked) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 75, err
    return out, err


def test_a_watch_is_killed_and_resumed_and_taken_over_to_the_end(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = tmp_path / "j.db"
    named = ("--journal", str(journal))
    process = june(rekindle, journal)
    process.kill()
    process.communicate()
    killed = rekindle("status", "--json", *named)
    assert (killed.code, killed.document["purpose"]) == (1, "watch")
    assert killed.document["must_do"].startswith("I would: command.run command/cni (absent: ")

    process = rekindle.until(journal, "run.resumed", "resume")
    out, err = interrupted(process)
    assert '"schema": "rekindle.watch/1"' in out
    assert "resume --take-over --journal" in err
    assert not {"action.intended", "approval.asked", "taken.over"} & set(kinds(journal))

    answer = rekindle("resume", "--take-over", "--json", *named)

    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err
    assert answer.document["schema"] == "rekindle.rehearsal/1"
    assert answer.document["pods"] == {"ready": 104, "expected": 104}
    found = kinds(journal)
    assert found.count("taken.over") == found.count("run.opened") == 1
    assert found.index("taken.over") < found.index("action.intended")
    assert rekindle("log", "--verify", *named).out.startswith("whole")
    assert "from here on it acts" in rekindle("log", *named).out


def test_a_watch_says_what_it_would_do_and_why_waiting_does_not_help(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = tmp_path / "j.db"
    process = june(rekindle, journal)
    time.sleep(1)
    held = rekindle("status", "--journal", str(journal))
    out, err = interrupted(process)

    assert f"(pid {process.pid})" in held.out
    assert ", which only watches" in held.out
    assert "you must      I would: command.run command/cni (absent: daemonset/" in held.out
    assert "you are in cni-up, for " in err
    assert "can it succeed: this wait cannot succeed because " in err
    assert "I would: command.run command/cni" in err
    document: dict[str, Any] = json.loads(out)
    assert (document["outcome"], document["state"]) == ("interrupted", "cni-up")
    assert [wish["verb"] for wish in document["would"]] == ["command.run"]
    assert {cause["rule"] for cause in document["causes"]} == {"C4", "N6", "T16"}
    assert document["by_hand"] == []


def test_resume_without_take_over_goes_on_watching(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    interrupted(june(rekindle, journal))

    process = rekindle.until(journal, "run.resumed", "resume")
    interrupted(process)
    again = rekindle.until(journal, "run.resumed", "watch", "--scenario", "june-12", times=2)
    interrupted(again)

    assert "action.intended" not in kinds(journal)
    assert kinds(journal).count("run.opened") == 1


def test_what_somebody_still_watches_is_not_taken_over(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    process = june(rekindle, journal)

    answer = rekindle("resume", "--take-over", "--journal", str(journal))
    interrupted(process)

    assert (answer.code, "lease-held" in answer.err) == (76, True), answer.err
    assert "end that process first" in answer.err
    assert f"pid {process.pid}" in answer.err
    assert "taken.over" not in kinds(journal)


def test_a_watch_may_be_told_to_watch_on(rekindle: Program, tmp_path: Path) -> None:
    """Mutant: leave ``lasting`` out of what a run is opened with."""
    journal = tmp_path / "j.db"
    words = ("watch", "--scenario", "healthy", "--speed", SPEED, "--keep-watching")
    process = rekindle.until(journal, "decided", *words, times=3)
    time.sleep(2)
    still = process.poll()
    told = rekindle("status", "--journal", str(journal))
    interrupted(process)

    assert still is None
    assert "everything that should run, runs" in told.out
    assert "moved" in kinds(journal)
    assert "run.closed" not in kinds(journal)


@pytest.mark.parametrize("words", [("recovery.yaml",), ("--kubeconfig", "k"), ()])
def test_a_real_cluster_has_no_speed(rekindle: Program, words: tuple[str, ...]) -> None:
    answer = rekindle("watch", *words, "--speed", "600")

    assert (answer.code, "error (watch-what): " in answer.err) == (64, True), answer.err


def test_an_open_watch_keeps_its_speed(rekindle: Program, tmp_path: Path) -> None:
    """Mutant: take another speed for the same."""
    named = ("--scenario", "june-12", "--journal", str(tmp_path / "j.db"))
    interrupted(june(rekindle, tmp_path / "j.db"))

    other = rekindle("watch", *named, "--speed", "60")
    same = rekindle.until(tmp_path / "j.db", "run.resumed", "watch", *named[:2], "--speed", SPEED)
    interrupted(same)

    assert (other.code, "error (run-open): " in other.err) == (64, True), other.err


def test_nobody_acts_in_a_watch_by_another_name(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    named = ("--journal", str(journal))
    interrupted(june(rekindle, journal))

    rehearsed = rekindle("rehearse", "june-12", *named)
    ran = rekindle("run", *named, code=STAGED)
    other = rekindle("watch", "--scenario", "node-lost", *named)

    for answer in (rehearsed, ran, other):
        assert (answer.code, "run-open" in answer.err) == (64, True), answer.err
        assert "rekindle resume --take-over --journal" in answer.err
    assert "action.intended" not in kinds(journal)


def test_a_run_that_acts_is_not_watched_in_its_place(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    process = rekindle.until_entry(journal, "action.intended")
    process.kill()
    process.communicate()

    answer = rekindle("watch", "--scenario", "june-12", "--journal", str(journal))

    assert (answer.code, "run-open" in answer.err) == (64, True), answer.err
    assert "--take-over" not in answer.err


def test_a_watch_of_a_real_cluster_ends_with_what_was_done_by_hand(
    rekindle: Program, tmp_path: Path
) -> None:
    """The cluster is a scenario's, said to be real; it heals by itself."""
    journal = tmp_path / "j.db"

    answer = rekindle(
        "watch", "recovery.yaml", "--json", "--journal", str(journal), code=STAGED + BY_HAND
    )

    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err
    document = answer.document
    assert document["schema"] == "rekindle.watch/1"
    assert document["would"] == []
    (deed,) = document["by_hand"]
    assert (deed["verb"], deed["target"]) == ("flux.suspend", "kustomization/media/jellyfin")
    assert (deed["old"], deed["new"]) == ("Ready", "Suspended")
    assert "not by this run: flux.suspend kustomization/media/jellyfin" in answer.err
    assert "action.intended" not in kinds(journal)


@pytest.mark.parametrize("typed", ["n", "y"])
def test_taking_over_a_real_cluster_asks_a_terminal_once(
    rekindle: Program, tmp_path: Path, typed: str
) -> None:
    journal = tmp_path / "j.db"
    stopped = f"{STAGED}\nimport rekindle.session\nworld.next = lambda until: quit_()\n"
    stopped += "def quit_():\n    import os, signal\n    os.kill(os.getpid(), signal.SIGINT)\n"
    stopped += "    from engine.world import Wakeup\n    return Wakeup()\n"
    assert rekindle("watch", "recovery.yaml", "--journal", str(journal), code=stopped).code == 75

    words = ("resume", "--take-over", "--journal", str(journal))
    terminal = on_terminal(rekindle, *words, code=STAGED)
    terminal.until("begin? [y/N]")
    assert "anton: a run would begin in " in terminal.plain
    assert "taken.over" not in kinds(journal)
    terminal.type(f"{typed}\r")

    assert terminal.ended() == (0 if typed == "y" else 5)
    assert kinds(journal).count("taken.over") == (1 if typed == "y" else 0)
    found = newest(journal)
    assert found is not None
    assert found.memory.purpose == ("run" if typed == "y" else "watch")


def test_help_says_that_nothing_is_changed(rekindle: Program) -> None:
    text = " ".join(rekindle("watch", "--help").out.split())

    assert "changes nothing" in text
    assert "begins no action and asks nobody" in text


def test_a_scenario_has_a_plan_of_its_own(rekindle: Program) -> None:
    answer = rekindle("watch", "mine.yaml", "--scenario", "june-12")

    assert (answer.code, "plan-twice" in answer.err) == (64, True)


@pytest.mark.parametrize(
    ("before", "opening", "same"),
    [
        ("run", ("watch", {}), True),
        ("watch", ("run", {}), True),
        ("watch", ("watch", {"world": "w"}), False),
        ("rehearse", ("run", {}), False),
    ],
)
def test_a_watch_remembers_the_doubts_of_the_run_before(
    before: str, opening: tuple[str, dict[str, str]], *, same: bool
) -> None:
    """It may be taken over: a bootstrap that may have happened must not be forgotten on the way."""
    from engine.folding import fold
    from engine.memory import Memory
    from rekindle.folding import Found

    _, _, plan = load("node-lost")
    opened = e.RunOpened(
        at=1.0,
        run_id="r",
        purpose=before,
        cluster="anton",
        identity={},
        plan={},
        plan_digest="",
        version="",
        initial="node-maintenance",
    )
    found = Found(fold(Memory(), opened), opened, {}, None, False, 1)
    next_ = session.Opening(opening[0], plan, 2.0, {}, opening[1])

    assert session._same(found, next_) is same
