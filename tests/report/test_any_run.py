"""
Promise: every run can be told: an open one, one that was killed, one that only watched, one whose journal is damaged.

Mutants that turn it red: take the limit out of ``_followed``; count no session as killed in ``Sessions._end_by_force``;
call every open run "In progress"; believe a withdrawn entry to be none.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ChainBroken, UsageWrong
from engine.memory import Memory
from journal import entries as e
from journal.entries import Fact, Finding, Outcome, RunOutcome
from journal.reader import Reader
from rekindle.report.drawn import blocked_of
from rekindle.report.following import remark
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.roots import Causes
from rekindle.report.story import BROKEN, FAILED, NOT_PROVEN, Story
from tests.journal.making import tamper
from tests.properties.clusters import NOBODY
from tests.properties.clusters import story as story_on
from tests.properties.harness import Death
from tests.properties.sqlite_book import SqliteBook
from tests.report.conftest import Night
from tests.report.nights import AT, small, written


class CorrectingNote(e.Note, frozen=True, kw_only=True, tag="note"):
    """A note that corrects an entry, whichever fields of it this journal's version knows."""

    corrects: int = 0
    said: float | None = None
    time: float | None = None
    finding: str = ""


def verdicts(story: Story) -> dict[str, str]:
    return {check.what: check.verdict for check in story.validation}


def test_an_open_run_says_that_it_is_open_and_what_it_waits_for(tmp_path: Path) -> None:
    small(tmp_path / "j.db", operator=NOBODY)

    story = gather(tmp_path / "j.db")

    assert story.run.ended is None
    assert story.run.outcome == "open"
    assert story.run.status == "Interrupted (waiting)"
    assert story.verdict.at is not None
    (answer,) = (step for step in story.next_steps if "rekindle approve" in step)
    (question,) = story.approvals
    assert f"(rekindle approve {question.approval} --type {question.typed} --journal " in answer
    assert any("the run is open" in sentence for sentence in story.unproven)
    assert verdicts(story)["Pod count restoration"] == FAILED
    assert story.ledger is not None
    assert abs(story.ledger.seconds - story.run.seconds) < 0.001
    assert not all(goal.reached for goal in story.goals)


def test_a_killed_run_tells_of_each_session_and_of_what_was_in_doubt(tmp_path: Path) -> None:
    life = [(Death("after-start", 1, "command.run"), 40.0)]
    small(tmp_path / "j.db", life)

    story = gather(tmp_path / "j.db")
    first, second = story.sessions

    assert (first.begun_as, first.ended_as) == ("opened", "killed")
    assert (second.begun_as, second.ended_as) == ("resumed", "closed")
    assert second.idle_seconds >= 40.0
    assert second.open_actions
    doubts = [action for action in story.actions if action.doubtful]
    assert doubts
    assert all(action.settled_how for action in doubts)
    assert doubts[0].action in page(story)


def test_a_run_that_was_killed_for_good_says_so(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    run, _ = story_on("june", book=SqliteBook(path))
    assert run.session(Death("after-start", 1, "command.run")) is None

    story = gather(path)

    assert run.endings == ["died"]
    assert story.run.status == "Killed, and not resumed"
    assert story.sessions[-1].ended_as == "killed"
    left = [action for action in story.actions if action.outcome == "open"]
    assert left
    assert any(left[0].action in sentence for sentence in story.unproven)
    assert any("rekindle resume" in step for step in story.next_steps)
    assert not any("resumed" in sentence for sentence in story.went_well)


def test_a_watch_has_no_actions_and_names_what_was_done_by_hand(tmp_path: Path) -> None:
    deed = e.ByHand(
        at=AT + 60,
        verb="command.run",
        target="command/cni",
        evidence={"subject": "daemonset/kube-system/cilium", "old": "Absent", "new": "Ready"},
    )
    path = written(tmp_path / "j.db", [deed], purpose="watch")

    story = gather(path)
    text = page(story)

    assert story.actions == ()
    assert "This run began no action." in text
    assert "command.run command/cni" in text
    assert "Absent to Ready" in text
    assert "Watched Recovery" in story.title


def test_of_a_damaged_journal_only_what_was_before_the_damage_is_told(
    night: Night, tmp_path: Path
) -> None:
    path, entry = damaged(night.path, tmp_path / "j.db", "action.settled")

    story = gather(path)

    assert story.chain.verdict == BROKEN
    assert story.chain.entry == entry
    assert story.run.entries == entry - 1
    assert all(action.outcome == "open" for action in story.actions)
    assert any("damaged" in sentence for sentence in story.unproven)
    assert f"damaged at entry {entry}" in page(story)


def test_a_run_of_which_nothing_is_whole_is_not_told(night: Night, tmp_path: Path) -> None:
    path, _ = damaged(night.path, tmp_path / "j.db", "run.opened")

    with pytest.raises(ChainBroken):
        gather(path)


def damaged(source: Path, target: Path, kind: str) -> tuple[Path, int]:
    """Copy a journal and change the time of the first entry of a kind, as a disk or a person may."""
    shutil.copyfile(source, target)
    with closing(sqlite3.connect(target)) as database:
        found = database.execute("SELECT MIN(id) FROM entries WHERE kind = ?", (kind,)).fetchone()
    tamper(target, "UPDATE entries SET at = at + 1 WHERE id = ?", found[0])
    return target, int(found[0])


def test_a_journal_that_lost_its_end_is_told_and_called_damaged(
    night: Night, tmp_path: Path
) -> None:
    path = tmp_path / "j.db"
    shutil.copyfile(night.path, path)
    shutil.copyfile(f"{night.path}.head", f"{path}.head")
    last = gather(path).run.entries
    tamper(path, "DELETE FROM payloads WHERE id = ?", last)
    tamper(path, "DELETE FROM entries WHERE id = ?", last)

    story = gather(path)

    assert (story.chain.verdict, story.chain.entry) == (BROKEN, last)
    assert story.run.entries == last - 1


def test_a_withdrawn_entry_is_counted_and_named(tmp_path: Path) -> None:
    path = written(
        tmp_path / "j.db",
        [e.Note(at=AT, text="a slip", actor="alice"), e.Redacted(at=AT, seq=3, why="private")],
    )

    story = gather(path)

    assert story.remarks == ()
    assert any("1 entry was withdrawn" in sentence for sentence in story.unproven)
    assert [change.kind for change in story.changes] == ["withdrawn"]


def test_what_was_not_seen_is_not_proven_and_what_was_seen_ill_has_failed(tmp_path: Path) -> None:
    facts = {
        "node/a": Fact("running", since=AT),
        "node/b": Fact("unseen", since=AT + 5),
        "etcd": Fact("unknown"),
        "api": Fact("up"),
        "kind/Pod": Fact("Unobservable", "forbidden"),
        "store/weak": Fact("Ready", "ValidationUnknown: not verified", detail={"verified": False}),
        "crd/x": Fact("Unobservable", "its kind cannot be listed"),
    }
    section: dict[str, Any] = {"talos": {"nodes": {"a": {}, "b": {}}}}
    path = written(
        tmp_path / "j.db",
        [e.Observed(at=AT + 5, changed=facts)],
        plan={"section": section},
    )

    story = gather(path)

    assert verdicts(story) == {
        "Node connectivity": FAILED,
        "Talos health check": FAILED,
        "Kubernetes API availability": "proven",
        "Pod count restoration": NOT_PROVEN,
        "Secret stores": NOT_PROVEN,
        "Custom resource definitions": NOT_PROVEN,
    }
    told = " ".join(story.unproven)
    assert "weak (Ready: ValidationUnknown: not verified)" in told
    assert "its kind cannot be listed" in told
    assert "no inventory" in told


def test_etcd_of_which_a_node_was_not_seen_has_the_members_that_the_others_name(
    tmp_path: Path,
) -> None:
    """Its own fact then counts the nodes that name any. Mutant: take the length of that."""
    facts = {
        "node/a": Fact("running", detail={"members": ["a", "b"]}),
        "node/b": Fact("unseen"),
        "etcd": Fact("unknown", "not seen: b", detail={"members": 1}),
    }
    section: dict[str, Any] = {"talos": {"nodes": {"a": {}, "b": {}}}}
    seen = e.Observed(at=AT, changed=facts)

    story = gather(written(tmp_path / "j.db", [seen], plan={"section": section}))

    (row,) = (row for row in story.validation if row.what == "Talos health check")
    assert row.evidence.startswith("nodes: 1 running, 1 unseen; etcd: unknown, 2 members")


def test_a_run_that_saw_nothing_proves_nothing(tmp_path: Path) -> None:
    story = gather(written(tmp_path / "j.db", []))

    assert set(verdicts(story).values()) == {NOT_PROVEN}
    assert all(row.value and row.why for row in story.metrics)
    assert any("never saw it" in sentence for sentence in story.unproven)
    assert page(story)


def test_what_an_action_that_failed_would_have_cost_is_not_called_destroyed(tmp_path: Path) -> None:
    asked = e.ApprovalAsked(
        at=AT,
        approval="abcd1234",
        digest="d",
        subject="holder/u",
        question="take it off?",
        consequence="the pool stays on the disks",
        typed="storage/x",
    )
    given = e.ApprovalGiven(at=AT + 5, approval="abcd1234", digest="d", actor="bob at desk")

    def tried(number: str, outcome: Outcome) -> list[e.AnyEntry]:
        about: dict[str, Any] = {
            "action": number,
            "verb": "finalizer.release",
            "target": "holder/u",
        }
        intent = e.ActionIntended(
            at=AT + 6,
            attempt=1,
            epoch=1,
            deadline_seconds=30.0,
            arguments={"approval": "abcd1234"},
            **about,
        )
        return [intent, e.ActionSettled(at=AT + 7, outcome=outcome, **about)]

    entries = [asked, given, *tried("a1", Outcome.FAILED), *tried("a2", Outcome.DONE)]
    story = gather(written(tmp_path / "j.db", entries))

    assert [action.destroys for action in story.actions] == ["", "the pool stays on the disks"]
    assert story.approvals[0].actions == ("a1", "a2")
    text = page(story)
    assert "a2, finalizer.release" in text.partition("What was destroyed")[2]
    assert "Allowed by bob at desk" in text


def test_only_a_run_that_exists_can_be_told(night: Night) -> None:
    with pytest.raises(UsageWrong):
        gather(night.path, "nobody")
    with Reader(night.path) as reader:
        name = reader.runs()[0].run_id
    assert gather(night.path, name[:1]).run.run_id == name


def test_a_note_after_the_end_moves_no_end(tmp_path: Path) -> None:
    """Mutant: take the latest entry for the end in ``run_of``."""
    closed = e.RunClosed(at=AT + 60, outcome=RunOutcome.DONE, state="done")
    note = e.Note(at=AT + 900, text="the switch had been unplugged", actor="bob")

    story = gather(written(tmp_path / "j.db", [closed, note]))

    assert (story.run.ended, story.run.seconds) == (AT + 60, 60.0)
    assert "bob: the switch had been unplugged" in page(story)


def test_a_correction_stands_beside_what_it_corrects() -> None:
    """Mutant: forget ``corrects`` in ``remark``, or the finding in ``Follower._told``."""
    cause = Finding(subject="cni", cause="none", message="no CNI is installed", root=True)
    causes = Causes()
    causes.see(e.FindingsChanged(at=AT, changed={"T16:cni": cause}), Memory(), Memory(), Memory())
    note = CorrectingNote(
        at=AT,
        text="it was the MTU",
        actor="bob",
        corrects=7,
        said=AT,
        time=AT - 60,
        finding="T16:cni",
    )

    said = remark(note)
    causes.correct(said)

    assert said.corrects == (
        "since when T16:cni was so, which entry 7 found 2025-06-12 08:16:00Z: it was 2025-06-12 08:15:00Z"
    )
    assert causes.found[0].message == "no CNI is installed"
    assert causes.found[0].corrected == "it was the MTU (bob)"


def test_nodes_that_were_reset_before_the_run_are_a_sign_and_no_reset_of_this_run(
    tmp_path: Path,
) -> None:
    """Mutant: leave the stages out of ``Causes.look``."""
    bare = {"node/a": Fact("maintenance", since=AT), "node/b": Fact("unseen", since=AT)}
    pods = {"pods": Fact("counted", detail={"ready": 0, "expected": 9})}
    entries = [e.Observed(at=AT, changed=bare), e.Observed(at=AT + 9, changed=pods)]

    story = gather(written(tmp_path / "j.db", entries))

    assert [sign.subject for sign in story.first_signs] == ["node/a", "node/b"]
    reset = next(row for row in story.metrics if row.name == "Post-reset pod count")
    assert "1 node had been reset, or never configured" in reset.why


def test_without_a_verdict_it_is_drawn_what_was_held_up_when_most_was(tmp_path: Path) -> None:
    """Mutants: draw the latest; draw nothing without a verdict."""

    def holds(*victims: str) -> dict[str, Finding]:
        found = Finding(
            rule="R",
            subject="crd/x",
            cause="late",
            message="x is late",
            clears_itself="yes",
            root=True,
            victims=victims,
            blocks=victims,
        )
        return {"R:x": found}

    entries: list[e.AnyEntry] = [
        e.Observed(at=AT, changed={"crd/x": Fact("Absent")}),
        e.FindingsChanged(at=AT + 1, changed=holds("a")),
        e.FindingsChanged(at=AT + 2, changed=holds("a", "b", "c")),
        e.FindingsChanged(at=AT + 3, changed=holds("c")),
    ]
    story = gather(written(tmp_path / "j.db", entries))

    assert story.verdict.at is None
    assert [edge.blocked for edge in story.verdict.edges] == ["a", "b", "c"]
    assert "What held what up when most was held up:" in page(story)
    assert blocked_of(story) is not None
