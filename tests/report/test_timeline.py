"""
The events of a run in the order of time, each once, those of one kind together, and never more lines than people read.

Mutants: sort by kind and not by instant; merge over another event; keep every line of a long run; call every move one
back; call a note a session.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from journal import entries as e
from journal.entries import Outcome
from journal.store import Journal
from rekindle.report import html
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.timeline import LINES
from tests.journal.making import BOB, QUICK
from tests.report.conftest import Night
from tests.report.nights import AT, written


def nudge(number: int, verb: str = "flux.nudge") -> list[e.AnyEntry]:
    action, at = f"a{number}", AT + number
    return [
        e.ActionIntended(
            at=at, action=action, verb=verb, target="x", attempt=1, epoch=1, deadline_seconds=9.0
        ),
        e.ActionSettled(at=at + 0.5, action=action, verb=verb, target="x", outcome=Outcome.DONE),
    ]


def test_the_night_is_told_in_the_order_of_time(night: Night) -> None:
    told = night.story.events
    texts = [event.text for event in told]
    actions = night.story.actions
    released = [one.action for one in actions if one.verb == "finalizer.release"]
    asked = f"{night.story.approvals[0].approval} to {night.story.approvals[-1].approval}"
    (applied,) = (one.action for one in actions if one.verb == "root.apply")

    assert all(one.at <= two.at for one, two in pairwise(told))
    assert texts[0].startswith("the run begins")
    assert texts[-1] == "the run is closed: done"
    for said in (
        "in flux-synced",
        f"3 questions asked ({asked})",
        f"3 questions: given by the scenario's operator ({asked})",
        f"finalizer.release, 3 times: done ({released[0]} to {released[2]})",
        "gone: N6, namespace/storage",
        f"{applied} root.apply root: done",
    ):
        assert said in texts
        assert said in page(night.story)
        assert said in html.page(night.story).replace("&#39;", "'")
    order = [texts.index(said) for said in ("in cni-up", "gone: T16, cni", "in flux-synced")]
    assert order == sorted(order)


def test_of_one_kind_in_a_row_are_one_line_until_something_else_happens(tmp_path: Path) -> None:
    entries = [*nudge(1), *nudge(2), *nudge(3, "root.apply"), *nudge(4), *nudge(5), *nudge(6)]

    told = gather(written(tmp_path / "j.db", entries)).events

    actions = [(event.at, event.until, event.text) for event in told if event.kind == "action"]
    assert actions == [
        (AT + 1, AT + 2.5, "flux.nudge, 2 times: done (a1 to a2)"),
        (AT + 3, AT + 3.5, "a3 root.apply x: done"),
        (AT + 4, AT + 6.5, "flux.nudge, 3 times: done (a4 to a6)"),
    ]


def test_a_long_run_keeps_its_ends_and_counts_the_rest(tmp_path: Path) -> None:
    entries = [
        entry
        for number in range(LINES * 2)
        for entry in nudge(number, "flux.nudge" if number % 2 else "root.apply")
    ]

    story = gather(written(tmp_path / "j.db", entries))

    assert len(story.events) == LINES
    assert story.events[0].kind == "run"
    assert story.events[-1].text.startswith(f"a{LINES * 2 - 1} ")
    left = story.left_out["events"]
    assert left == LINES * 2 + 2 - LINES
    assert f"{left} more lines were left out of the middle" in page(story)


def test_a_step_back_is_told_and_a_step_forwards_is_the_state_alone(tmp_path: Path) -> None:
    states = {"node-maintenance": {"next": "talos-ready"}, "talos-ready": {"next": "done"}}
    plan = {"machine": {"initial": "node-maintenance", "states": states}}
    moves = [
        e.Moved(at=AT + 1, source="node-maintenance", target="talos-ready", why="all answer"),
        e.Moved(at=AT + 2, source="talos-ready", target="node-maintenance", why="one is gone"),
        e.Moved(at=AT + 3, source="node-maintenance", target="talos-ready", why="all answer"),
    ]

    told = gather(written(tmp_path / "j.db", moves, plan=plan)).events

    assert [event.text for event in told if event.kind == "state"] == [
        "in node-maintenance",
        "in talos-ready",
        "back to node-maintenance: one is gone",
        "in node-maintenance",
        "in talos-ready",
    ]


def test_who_only_noted_something_held_no_run(tmp_path: Path) -> None:
    path = written(tmp_path / "j.db", [e.Note(at=AT + 1, text="x", actor="bob")])
    with Journal.resume(path, holder=BOB, options=QUICK) as journal:
        journal.append([e.Note(at=AT + 9, text="late", actor="bob")])

    story = gather(path)

    assert [one.begun_as for one in story.sessions] == ["opened"]
    assert not [event for event in story.events if event.kind == "session"]

    with Journal.resume(path, holder=BOB, options=QUICK) as journal:
        journal.append([e.RunResumed(at=AT + 20, holder="bob", idle_seconds=11.0)])

    told = [event.text for event in gather(path).events if event.kind == "session"]
    assert [text.partition("@")[0] for text in told] == [
        "opened by alice",
        "session of alice",
        "resumed by bob",
        "session of bob",
    ]
