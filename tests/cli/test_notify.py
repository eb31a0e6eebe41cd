"""
Promise: what a person must hear of is told once: a question, what no waiting ends, the goal. A command that fails,
hangs or floods changes nothing of the run, and its words are nowhere.

Mutants: tell of what is stuck on every turn; tell while something is still done; no deadline; no ``finish``; a failure
that ends the run.
"""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.answer import Act, Answer, Stuck, Wait
from engine.judging import Rules
from engine.turn import Turn
from journal import entries as e
from journal.row import Row
from phases.section import Notify
from rekindle.notifying import Notifier
from tests.cli.conftest import Program
from tests.cli.terminal import on_terminal

pytestmark = pytest.mark.program

STUCK = Stuck(reference="cause-cannot-clear", message="the chart is gone", hint="mend it in Git")
RULES = cast("Rules", SimpleNamespace(plan=SimpleNamespace(cluster="anton")))


class Nobody:
    def turned(self, rules: Rules, turn: Turn) -> None:
        pass

    def wrote(self, rows: Sequence[Row]) -> None:
        pass


def script(folder: Path, text: str) -> str:
    path = folder / "tell.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def told(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    def read() -> list[dict[str, Any]]:
        file = tmp_path / "told"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    return read


def notifier(
    tmp_path: Path, said: list[str], text: str = "", more: dict[str, object] | None = None
) -> Notifier:
    program = script(tmp_path, text or f"cat >> '{tmp_path}/told'")
    known = {"argv": (program,), "directory": str(tmp_path), **(more or {})}
    notify = Notify.model_validate(known)
    return Notifier(notify, Nobody(), "night.db", said.append, ("anton", "cni-up"))


def turn(**answers: Answer) -> Turn:
    memory = SimpleNamespace(state="flux-synced", run_id="r1")
    return cast("Turn", SimpleNamespace(answers=answers, memory=memory))


def row(entry: e.AnyEntry) -> Row:
    return Row(id=1, run_id="r1", seq=1, kind="x", at=0.0, wall_ns=0, epoch=1, entry=entry)


def asked() -> e.ApprovalAsked:
    return e.ApprovalAsked(
        at=0.0,
        approval="q1",
        digest="d",
        subject="namespace/storage",
        question="release 3 finalizers?",
        consequence="what they guard leaks",
        typed="storage",
    )


def test_a_question_is_told_with_what_to_type(
    tmp_path: Path, told: Callable[[], list[dict[str, Any]]]
) -> None:
    said: list[str] = []
    one = notifier(tmp_path, said)
    moved = e.Moved(at=0.0, source="cni-up", target="flux-synced", why="it is up")
    one.wrote([row(moved), row(asked())])
    one.finish()

    [notice] = told()
    assert notice["schema"] == "rekindle.notice/1"
    assert notice["event"] == "approval"
    assert notice["message"] == "release 3 finalizers?: what they guard leaks"
    assert notice["next"] == "rekindle approve --journal night.db"
    assert (notice["cluster"], notice["run"], notice["state"]) == ("anton", "r1", "flux-synced")
    assert not said


def test_a_question_of_the_first_turn_says_whose_it_is(
    tmp_path: Path, told: Callable[[], list[dict[str, Any]]]
) -> None:
    """Mutant: know cluster and state only after a turn."""
    one = notifier(tmp_path, [])
    one.wrote([row(asked())])
    one.finish()

    [notice] = told()
    assert (notice["cluster"], notice["state"]) == ("anton", "cni-up")


def test_a_message_that_no_system_takes_is_said_and_the_next_one_is_told(
    tmp_path: Path, told: Callable[[], list[dict[str, Any]]]
) -> None:
    """A NUL is in no environment. Mutant: catch OSError alone; the thread dies, and nobody hears of anything."""
    said: list[str] = []
    one = notifier(tmp_path, said)
    one.turned(RULES, turn(a=Stuck(reference="x", message="nu\0l", hint="h")))
    one.wrote([row(asked())])
    one.finish()

    assert [notice["event"] for notice in told()] == ["approval"]
    assert len(said) == 1
    assert "nobody may have heard" in said[0]


def test_what_is_stuck_is_told_once_and_again_when_it_comes_back(
    tmp_path: Path, told: Callable[[], list[dict[str, Any]]]
) -> None:
    one = notifier(tmp_path, [])
    for answers in ({"a": STUCK}, {"a": STUCK}, {"a": Wait("goes on")}, {"a": STUCK, "b": STUCK}):
        one.turned(RULES, turn(**answers))
    one.finish()

    assert [notice["message"] for notice in told()] == [
        "the chart is gone; mend it in Git",
        "the chart is gone (and 1 more); mend it in Git",
    ]
    assert {notice["event"] for notice in told()} == {"blocked"}


def test_while_something_is_done_nobody_is_woken(
    tmp_path: Path, told: Callable[[], list[dict[str, Any]]]
) -> None:
    one = notifier(tmp_path, [])
    one.turned(RULES, turn(a=STUCK, b=Act("flux.nudge", "b", {}, "")))
    one.finish()

    assert told() == []


@pytest.mark.parametrize(("outcome", "times"), [("done", 1), ("cancelled", 0)])
def test_the_goal_is_told(
    tmp_path: Path, told: Callable[[], list[dict[str, Any]]], outcome: str, times: int
) -> None:
    one = notifier(tmp_path, [])
    closed = e.RunClosed(at=0.0, outcome=e.RunOutcome(outcome), state="done", summary={})
    one.wrote([row(closed)])
    one.finish()

    assert [notice["event"] for notice in told()] == ["done"] * times


def test_a_goal_that_ends_nothing_is_told_whenever_it_is_reached(
    tmp_path: Path, told: Callable[[], list[dict[str, Any]]]
) -> None:
    one = notifier(tmp_path, [])
    for body in ({"answer": "done"}, {"answer": "wait", "reason": "lost"}, {"answer": "done"}):
        one.wrote([row(e.Decided(at=0.0, state="pods-healthy", answers={"machine": body}))])
    one.finish()

    assert [notice["event"] for notice in told()] == ["done", "done"]


def test_only_what_the_plan_names_is_told(
    tmp_path: Path, told: Callable[[], list[dict[str, Any]]]
) -> None:
    one = notifier(tmp_path, [], more={"on": ["done"]})
    one.wrote([row(asked())])
    one.finish()

    assert told() == []


def test_the_environment_says_the_same(tmp_path: Path) -> None:
    text = f'echo "$REKINDLE_EVENT $REKINDLE_CLUSTER $MINE" >> {tmp_path}/seen'
    one = notifier(tmp_path, [], text, {"environment": {"MINE": "yes"}})
    one.turned(RULES, turn())
    one.wrote([row(asked())])
    one.finish()

    assert (tmp_path / "seen").read_text() == "approval anton yes\n"


@pytest.mark.parametrize(
    ("text", "deadline", "why"),
    [
        ("echo a secret >&2; exit 3", "30s", "ended with 3"),
        ("sleep 600 & echo $! > {}/pid; wait", "300ms", "did not end within 300ms"),
        ("yes flood; exit 0", "300ms", "did not end within 300ms"),
    ],
)
def test_a_command_that_fails_is_said_once_and_leaves_nothing(
    tmp_path: Path, text: str, deadline: str, why: str
) -> None:
    said: list[str] = []
    one = notifier(tmp_path, said, text.format(tmp_path), {"deadline": deadline})
    one.wrote([row(asked()), row(asked())])
    end = time.monotonic() + 30
    while not said and time.monotonic() < end:
        time.sleep(0.02)
    one.finish()

    assert len(said) == 1
    assert why in said[0]
    assert "secret" not in said[0]
    if (tmp_path / "pid").exists():
        status = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/status")
        end = time.monotonic() + 30
        while _runs(status) and time.monotonic() < end:
            time.sleep(0.02)
        assert not _runs(status), "it outlived its deadline"


def _runs(status: Path) -> bool:
    try:
        return "State:\tZ" not in status.read_text()
    except OSError:
        return False


def test_a_command_that_does_not_exist_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    notify = Notify(argv=(str(tmp_path / "none"),), directory=str(tmp_path))
    one = Notifier(notify, Nobody(), "night.db", said.append)
    one.wrote([row(asked())])
    one.finish()

    assert len(said) == 1
    assert "cannot be started: No such file" in said[0]


STAGED = """
import os
import rekindle.cli.run, rekindle.planfile, rekindle.rehearsal, rekindle.worlds
from dataclasses import replace
from phases.section import Notify
plan, world = rekindle.rehearsal.in_process("node-lost")
notify = Notify(argv=("/bin/sh", "-c", "cat >> " + os.environ["TOLD"]))
plan = replace(plan, target=plan.target.model_copy(update={"notify": notify}))
rekindle.planfile.read_plan = lambda path: plan
rekindle.worlds.real = lambda plan, journal: world
"""


def test_a_run_tells_of_its_goal_before_it_ends(rekindle: Program, tmp_path: Path) -> None:
    told = tmp_path / "told"
    terminal = on_terminal(
        rekindle, "run", "--yes", "--journal", str(tmp_path / "j.db"), code=STAGED, TOLD=str(told)
    )

    assert terminal.ended() == 0
    [notice] = [json.loads(line) for line in told.read_text().splitlines()]
    assert (notice["event"], notice["cluster"]) == ("done", "anton")
    assert notice["next"].startswith("rekindle report")
