"""
Promise: a push during the night is followed, a rewritten history is not without a person, and what nobody can tell
stops nothing.

Mutants: follow before git was asked; follow what is rewritten; take a no for a yes; ask while watching.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.allowing import asked
from engine.answer import Act, Ask, Wait
from engine.folding import fold_all
from engine.memory import Memory
from journal import entries as e
from journal.entries import Fact, Outcome
from phases.revisions import commit_of, goal, objection
from tests.phases.making import START, memory_of, plan

OLD, NEW = "a" * 40, "b" * 40
BEFORE, AFTER = f"main@sha1:{OLD}", f"main@sha1:{NEW}"
PLAN = plan()
TARGET = f"{OLD}..{NEW}"


def serving(revision: str, code: str = "Ready") -> dict[str, Fact]:
    return {PLAN.target.source: Fact(code, detail={"revision": revision})}


def night(revision: str = AFTER, *, before: str = BEFORE, code: str = "Ready") -> Memory:
    memory = memory_of(PLAN, serving(revision, code), {}, START)
    return fold_all(memory, [e.GoalMoved(at=START, revision=before)])


def told(memory: Memory, said: str, outcome: Outcome = Outcome.DONE) -> Memory:
    body = {"verb": "git.ancestry", "target": TARGET}
    return fold_all(
        memory,
        [
            e.ActionIntended(
                at=START + 1,
                action="a1",
                attempt=1,
                epoch=1,
                deadline_seconds=20.0,
                arguments={},
                **body,
            ),
            e.ActionSettled(
                at=START + 2, action="a1", outcome=outcome, code=said, evidence={}, **body
            ),
        ],
    )


def answered(memory: Memory, kind: type[e.ApprovalGiven | e.ApprovalRefused]) -> Memory:
    question = objection(PLAN, memory)
    assert isinstance(question, Ask)
    entry = asked(memory, "goal", question)
    reply = kind(at=START + 3, approval=entry.approval, digest=entry.digest, actor="anna")
    return fold_all(memory, [entry, reply])


def test_git_is_asked_before_another_revision_is_the_goal() -> None:
    wanted = objection(PLAN, night())

    assert isinstance(wanted, Act)
    assert (wanted.verb, wanted.target) == ("git.ancestry", TARGET)
    assert wanted.arguments == {"repository": PLAN.target.repository, "old": OLD, "new": NEW}
    assert goal(PLAN, night()) == BEFORE


@pytest.mark.parametrize("said", ["descends", "untold"])
def test_what_descends_is_followed_and_so_is_what_nobody_can_tell(said: str) -> None:
    memory = told(night(), said)

    assert objection(PLAN, memory) is None
    assert goal(PLAN, memory) == AFTER


def test_a_rewritten_history_asks_and_says_both() -> None:
    memory = told(night(), "rewritten")
    question = objection(PLAN, memory)

    assert isinstance(question, Ask)
    assert f"main@sha1:{NEW[:12]}, which does not descend from main@sha1:{OLD[:12]}" in (
        question.question
    )
    assert question.evidence == {"before": BEFORE, "now": AFTER}
    assert goal(PLAN, memory) == BEFORE


def test_a_yes_makes_it_the_goal_and_a_no_does_not() -> None:
    memory = told(night(), "rewritten")

    assert goal(PLAN, answered(memory, e.ApprovalGiven)) == AFTER
    assert goal(PLAN, answered(memory, e.ApprovalRefused)) == BEFORE
    assert isinstance(objection(PLAN, answered(memory, e.ApprovalRefused)), Ask)


def test_a_yes_to_one_revision_is_none_to_another() -> None:
    memory = answered(told(night(), "rewritten"), e.ApprovalGiven)
    third = replace(memory, facts=serving(f"main@sha1:{'c' * 40}"))

    assert goal(PLAN, third) == BEFORE
    assert isinstance(objection(PLAN, third), Act)


def test_a_question_that_was_never_answered_is_asked_again() -> None:
    assert isinstance(objection(PLAN, told(night(), "", Outcome.UNSETTLED)), Act)


def test_while_git_is_asked_nothing_is_asked_twice() -> None:
    body = {"verb": "git.ancestry", "target": TARGET}
    intent = e.ActionIntended(
        at=START, action="a1", attempt=1, epoch=1, deadline_seconds=20.0, arguments={}, **body
    )

    assert isinstance(objection(PLAN, fold_all(night(), [intent])), Wait)


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (night(before=""), AFTER),
        (night(BEFORE), BEFORE),
        (night(code="Failed"), BEFORE),
        (night("latest@sha256:1234"), "latest@sha256:1234"),
        (night(f"v2/{OLD}"), f"v2/{OLD}"),
        (replace(night(), purpose="watch"), AFTER),
    ],
    ids=["the first", "the same", "not served", "no commit", "a tag of it", "watching"],
)
def test_of_these_nobody_is_asked(memory: Memory, expected: str) -> None:
    assert objection(PLAN, memory) is None
    assert goal(PLAN, memory) == expected


@pytest.mark.parametrize(
    ("revision", "commit"),
    [
        (f"main@sha1:{OLD}", OLD),
        (f"refs/heads/main@sha1:{OLD}", OLD),
        (f"main/{OLD}", OLD),
        (f"sha1:{OLD}", OLD),
        (f"main@sha256:{'d' * 64}", "d" * 64),
        (f"main@sha1:{OLD[:-1]}", ""),
        ("main", ""),
    ],
)
def test_a_commit_is_read_from_every_form_of_a_revision(revision: str, commit: str) -> None:
    assert commit_of(revision) == commit


FORBIDDEN = e.Objection(
    check="tools", verdict="red", subject="git", said="missing", todo="", blocks=("git.ancestry",)
)


def unanswered(times: int) -> Memory:
    memory = night()
    for _ in range(times):
        memory = told(memory, "timeout", Outcome.UNSETTLED)
    return memory


@pytest.mark.parametrize("memory", [night(), unanswered(1)], ids=["never asked", "unanswered"])
def test_where_git_may_not_be_asked_nobody_can_tell_and_nothing_is_held_up(memory: Memory) -> None:
    """Mutants: look at neither the plan nor the preflight: a run would end at a verb that it may not begin."""
    without = plan(machine={"verbs": {"git.ancestry": {"enabled": False}}})
    forbidden = replace(memory, objections=(FORBIDDEN,))

    assert isinstance(objection(PLAN, memory), Act)
    assert (objection(without, memory), goal(without, memory)) == (None, AFTER)
    assert (objection(PLAN, forbidden), goal(PLAN, forbidden)) == (None, AFTER)


def test_a_git_that_never_answers_is_asked_as_often_as_its_verb_allows() -> None:
    often = PLAN.verbs["git.ancestry"].retry.attempts

    assert isinstance(objection(PLAN, unanswered(often - 1)), Act)
    assert objection(PLAN, unanswered(often)) is None


def test_an_answer_counts_even_where_git_may_not_be_asked_any_more() -> None:
    """Mutant: let what is forbidden be silent whatever was said."""
    memory = replace(told(night(), "rewritten"), objections=(FORBIDDEN,))

    assert isinstance(objection(PLAN, memory), Ask)
