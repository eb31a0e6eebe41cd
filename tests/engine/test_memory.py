"""The fold: what each entry leaves behind."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from engine.folding import fold, fold_all
from engine.memory import Memory, Resumed, Retrial
from journal import entries as e
from journal.entries import AnyEntry, Fact, Finding, RunOutcome
from tests.engine.making import START, Site, begun, intended, opened, settled, tried

RULES = Site().rules()


def memory(*entries: AnyEntry) -> Memory:
    return begun(RULES, *entries)


def timer(name: str, due: float, policy: str = "wall", span: float = 60.0) -> e.TimerSet:
    return e.TimerSet(at=START, name=name, due=due, span=span, policy=policy)


def resumed(*, idle: float = 0.0, fresh: bool = False) -> e.RunResumed:
    return e.RunResumed(at=START + 500, holder="h", idle_seconds=idle, fresh_deadlines=fresh)


def test_a_run_begins_with_nothing_of_the_one_before() -> None:
    old = memory(*tried("paint", "door", "done"), e.GoalMoved(at=START, revision="main@1"))

    assert fold(Memory(), opened(RULES, START + 9)) == fold(old, opened(RULES, START + 9))


def test_now_never_goes_back() -> None:
    after = memory(
        e.Note(at=START + 50, text="", actor=""), e.Note(at=START + 10, text="", actor="")
    )

    assert START + 50 == after.now
    assert after.passed(START + 50)
    assert not after.passed(START + 50.001)


def test_facts_appear_change_and_go() -> None:
    after = memory(
        e.Observed(at=START, changed={"a": Fact("x"), "b": Fact("y")}),
        e.Observed(at=START, changed={"a": Fact("z")}, removed=("b", "never")),
    )

    assert {"a": Fact("z")} == after.facts


def test_findings_appear_change_and_clear() -> None:
    one, two = Finding("s", "c", "one"), Finding("s", "c", "two")
    after = memory(
        e.FindingsChanged(at=START, changed={"f": one, "g": one}),
        e.FindingsChanged(at=START, changed={"f": two}, cleared=("g",)),
    )

    assert {"f": two} == after.findings


def test_the_verdict_is_the_first_moment_at_which_a_root_can_never_clear() -> None:
    """Mutants: take any finding, or any root; before the last part was read; never add; add for ever."""
    lasting = Finding("s", "c", "m", root=True, clears_itself="no", victims=("v",))
    passing = replace(lasting, clears_itself="unknown")
    symptom = replace(lasting, root=False)
    looked = e.Observed(at=START, changed={"a": Fact("x")})
    first = e.FindingsChanged(at=START + 1, changed={"f": passing, "s": symptom})
    part = e.FindingsChanged(at=START + 5, changed={"g": lasting}, part=1, parts=2)
    last = e.FindingsChanged(at=START + 5, changed={"h": lasting}, part=2, parts=2)
    later = e.FindingsChanged(at=START + 9, changed={"i": lasting})

    assert memory(looked, first).sentence is None
    assert memory(looked, first, part).sentence is None
    said = memory(looked, first, part, last, later)
    assert said.looked_at == START
    assert said.sentence is not None
    assert (said.sentence.at, set(said.sentence.roots)) == (START + 9, {"f", "g", "h", "i"})
    again = e.FindingsChanged(at=START + 9.5, changed={"h": lasting})
    late = e.FindingsChanged(at=START + 11, changed={"j": lasting})
    assert memory(looked, first, part, last, later, again, late).sentence == said.sentence


def test_answers_are_laid_over_each_other() -> None:
    after = memory(
        e.Decided(at=START, state="ground", answers={"a": {"answer": "wait"}, "b": {}}),
        e.Decided(at=START, state="ground", answers={"c": {}}, removed=("b", "never")),
    )

    assert {"a": {"answer": "wait"}, "c": {}} == after.answers


def test_an_action_is_open_until_it_settles() -> None:
    open_ = memory(intended("paint", "door"))
    ended = fold(open_, settled("paint", "door", "failed", "busy"))

    assert open_.busy("door") is not None
    assert open_.busy("gate") is None
    assert ended.busy("door") is None
    last = ended.last_of("paint", "door")
    assert last is not None
    assert (e.Outcome.FAILED, "busy") == (last.outcome, last.code)
    assert 1 == ended.attempts["paint door"]
    assert 1 == ended.tries("paint", "door", {})


def test_a_report_of_an_earlier_attempt_does_not_settle_a_later_one() -> None:
    """Mutant: without the comparison of actions the second attempt would look done."""
    after = memory(
        intended("paint", "door", "a1"),
        settled("paint", "door", "unsettled", action="a1"),
        intended("paint", "door", "a2"),
        settled("paint", "door", "done", action="a1"),
    )

    last = after.last_of("paint", "door")
    assert last is not None
    assert (["a2"], "a2", None) == (list(after.open), last.action, last.outcome)


def test_a_late_report_settles_a_doubt() -> None:
    after = memory(*tried("paint", "door", "unsettled"), settled("paint", "door", "done"))

    last = after.last_of("paint", "door")
    assert last is not None
    assert e.Outcome.DONE is last.outcome


def test_attempts_at_a_verb_come_oldest_first() -> None:
    after = memory(
        *tried("pour", "b", "failed", action="a1", at=START + 2),
        *tried("pour", "a", "failed", action="a2", at=START + 1),
    )

    assert ["a", "b"] == [attempt.target for attempt in after.attempts_at("pour")]


def test_an_intent_takes_its_retrial_and_leaves_its_key() -> None:
    retry = e.RetryScheduled(
        at=START, verb="paint", target="door", attempt=2, delay=1, due=START + 1, code="busy"
    )
    scheduled = memory(retry)
    after = fold(scheduled, intended("paint", "door", once="u1/g1/c1"))

    assert ["paint door"] == list(scheduled.retrials)
    assert ({}, {"u1/g1/c1": "a1"}) == (after.retrials, after.keys)


def test_a_move_begins_a_new_deadline_and_a_new_count() -> None:
    after = memory(
        *tried("paint", "door", "failed"),
        timer("deadline/ground", START + 9),
        timer("stable/ground", START + 9),
        timer("deadline/walls", START + 9),
        e.Moved(at=START + 5, source="ground", target="walls", why=""),
    )

    assert ("walls", START + 5, {}) == (after.state, after.entered_at, after.attempts)
    assert ["deadline/walls"] == list(after.timers)
    assert () == after.regressions


def test_only_a_move_after_its_damping_is_a_regression() -> None:
    back = memory(
        timer("damping/ground", START + 30),
        e.TimerFired(at=START + 30, name="damping/ground", due=START + 30),
        e.Moved(at=START + 31, source="walls", target="ground", why=""),
    )

    assert ((START + 31,), {}) == (back.regressions, back.fired)


def test_a_timer_fires_once_and_may_be_set_anew() -> None:
    fired = memory(timer("t", START + 5), e.TimerFired(at=START + 5, name="t", due=START + 5))
    again = fold(fired, timer("t", START + 9))
    gone = fold(fired, e.TimerCancelled(at=START, name="t"))

    assert ([], ["t"]) == (list(fired.timers), list(fired.fired))
    assert (["t"], []) == (list(again.timers), list(again.fired))
    assert ([], []) == (list(gone.timers), list(gone.fired))


@pytest.mark.parametrize(
    ("policy", "idle", "fresh", "due"),
    [
        ("wall", 100, False, START + 60),
        ("active", 100, False, START + 160),
        ("active", 100, True, START + 560),
        ("restart", 100, False, START + 560),
        ("wall", 100, True, START + 60),
    ],
)
def test_deadlines_over_a_pause(policy: str, idle: float, fresh: bool, due: float) -> None:  # noqa: FBT001
    after = memory(timer("deadline/ground", START + 60, policy), resumed(idle=idle, fresh=fresh))

    assert due == after.timers["deadline/ground"].due


@pytest.mark.parametrize("fresh", [False, True])
def test_fresh_deadlines_forgive_what_was_late_and_tried(fresh: bool) -> None:  # noqa: FBT001
    after = memory(
        *tried("paint", "door", "failed"),
        timer("deadline/ground", START + 1),
        e.TimerFired(at=START + 1, name="deadline/ground", due=START + 1),
        resumed(fresh=fresh),
    )

    assert (not fresh) is ("deadline/ground" in after.fired)
    assert ({} if fresh else {"paint door": 1}) == after.attempts


def test_a_jump_of_the_clock_moves_active_deadlines_only() -> None:
    after = memory(
        timer("a", START + 60, "active"),
        timer("w", START + 60, "wall"),
        e.ClockJumped(at=START + 3600, seconds=3600),
    )

    assert {"a": START + 3660, "w": START + 60} == {n: t.due for n, t in after.timers.items()}


def test_an_answer_counts_only_for_the_digest_that_was_asked() -> None:
    ask = e.ApprovalAsked(
        at=START, approval="ab", digest="abcd", subject="s", question="?", consequence=""
    )
    other = e.ApprovalGiven(at=START, approval="ab", digest="abXX", actor="p")
    unknown = e.ApprovalGiven(at=START, approval="zz", digest="abcd", actor="p")
    right = e.ApprovalGiven(at=START + 1, approval="ab", digest="abcd", actor="p")

    assert "" == memory(ask, other, unknown).approvals["ab"].answer
    answered = memory(ask, right).approvals["ab"]
    assert ("given", "p", START + 1) == (answered.answer, answered.actor, answered.answered_at)
    no = e.ApprovalRefused(at=START, approval="ab", digest="abcd", actor="p")
    assert "refused" == memory(ask, no).approvals["ab"].answer


def test_the_rest_of_a_runs_life() -> None:
    after = memory(
        e.LeaseTaken(at=START, epoch=7, holder="h"),
        e.LeaseLost(at=START, epoch=7),
        e.GoalMoved(at=START, revision="main@2"),
        e.PlanChanged(at=START, plan={}, plan_digest="d2", previous_digest="d1", verdict="same"),
        e.Redacted(at=START, seq=1, why=""),
        e.CancelRequested(at=START, actor="p"),
        e.RunInterrupted(at=START, why="signal"),
        e.RunClosed(at=START, outcome=RunOutcome.CANCELLED, state="ground", summary={"n": 1}),
    )

    assert (7, "main@2", "d2") == (after.epoch, after.goal, after.plan_digest)
    assert (True, "signal", "cancelled") == (
        after.cancel_requested,
        after.interrupted,
        after.outcome,
    )
    assert {"n": 1} == after.summary
    assert "" == fold(after, resumed()).interrupted


def test_a_checkpoint_is_the_memory() -> None:
    before = memory(*tried("paint", "door", "done"), timer("t", START + 1))

    again = msgspec.json.decode(msgspec.json.encode(before), type=Memory)

    assert before == again
    assert fold_all(before, [resumed()]) == fold_all(again, [resumed()])


def test_a_clock_that_was_set_back_leaves_nothing_in_the_future() -> None:
    """
    What was done a moment ago is waited for from now on, not for hours; and no deadline has passed.

    Mutants: keep ``now``; keep ``settled_at``; keep the due instant of a retrial.
    """
    back = e.ClockJumped(at=START + 10 - 3600, seconds=-3600)
    before = memory(
        *tried("paint", "door", "failed", "transient"), timer("a", START + 60, "active")
    )
    before = replace(before, retrials={"paint door": Retrial(attempt=2, due=START + 30)})
    after = fold(before, back)

    assert (after.now, after.timers["a"].due) == (START + 10 - 3600, START + 60 - 3600)
    assert (after.opened_at, after.set_back) == (before.opened_at, 3600)
    assert fold(after, e.ClockJumped(at=START + 9, seconds=3600)).set_back == 3600
    assert after.retrials["paint door"].due == START + 30 - 3600
    (attempt,) = after.last.values()
    assert attempt.settled_at == after.now
    assert attempt.intended_at <= after.now
    assert after.entered_at <= after.now


def test_a_clock_that_was_set_back_leaves_what_came_first_first() -> None:
    """Mutants: clamp each instant to now; leave out ``earlier``, the answers, what was found, or the moves back."""
    asked = e.ApprovalAsked(
        at=START + 20, approval="q", digest="d", subject="s", question="?", consequence="", typed=""
    )
    given = e.ApprovalGiven(at=START + 30, approval="q", digest="d", actor="p")
    before = memory(
        *tried("paint", "door", "done", at=START + 10),
        asked,
        given,
        *tried("paint", "wall", "unsettled", action="a2", at=START + 40),
        *tried("paint", "door", "unsettled", action="a3", at=START + 50),
        intended("paint", "roof", "a4", START + 60),
    )
    dated = {"far": Fact("ready", "", START + 50), "old": Fact("ready", "", START - 9000)}
    before = replace(before, regressions=(START + 5,), facts=dated, found_at={"x": START + 55})

    after = fold(before, e.ClockJumped(at=START + 60 - 3600, seconds=-3600))

    def instants(known: Memory) -> list[float | None]:
        (answer,) = known.approvals.values()
        return [
            known.now,
            known.entered_at,
            answer.asked_at,
            answer.answered_at,
            *known.regressions,
            *(at for a in known.attempts_at("paint") for at in (a.intended_at, a.settled_at)),
            *(a.intended_at for a in known.open.values()),
            known.facts["far"].since,
            *known.found_at.values(),
        ]

    assert instants(after) == [at and at - 3600 for at in instants(before)]
    assert [a.action for a in after.attempts_at("paint")] == ["a1", "a2", "a3", "a4"]
    assert after.facts["old"] == dated["old"], (
        "an instant that is past may be of the cluster's own clock"
    )


def stuck(why: str = "stuck") -> tuple[AnyEntry, ...]:
    """A session that was stuck for *a*, of which a finding says that it blocks *b*; and how it ended."""
    answers: dict[str, Any] = {"a": {"answer": "stuck"}, "c": {"answer": "wait"}}
    found = {
        "f": Finding("a", "c", "one", blocks=("b",)),
        "g": Finding("c", "c", "two", blocks=("d",)),
    }
    told = (
        e.FindingsChanged(at=START, changed=found),
        e.Decided(at=START, state="painted", answers=answers),
    )
    return (*told, e.RunInterrupted(at=START, why=why)) if why else told


@pytest.mark.parametrize("why", ["stuck", "waiting", "signal"])
def test_what_was_stuck_and_is_resumed_is_remembered_with_what_it_blocked(why: str) -> None:
    """Mutants: the subjects alone; all that findings block; only a session that ended by itself; keep the instant."""
    after = memory(*stuck(why), resumed())

    assert after.resumed == Resumed(START + 500, ("a", "b"))
    jumped = fold(after, e.ClockJumped(at=START + 500 - 3600, seconds=-3600))
    assert jumped.resumed == Resumed(START - 3100, ("a", "b"))


def test_a_deadline_told_nobody_to_mend_what_was_waited_for() -> None:
    """
    It ends all waits of its state at once: to wake what it named would be a blanket reconcile.

    Mutants: look at the answer and not at what it refers to; what the finding of such a one blocks; forget the others.
    """
    answers: dict[str, Any] = {
        "a": {"answer": "stuck", "reference": "state-deadline-passed"},
        "c": {"answer": "stuck", "reference": "attempts-exhausted"},
    }
    late = e.Decided(at=START, state="painted", answers=answers)
    only = e.Decided(at=START, state="painted", answers={}, removed=("c",))
    ended = e.RunInterrupted(at=START, why="stuck")

    assert memory(*stuck(""), late, ended, resumed()).resumed == Resumed(START + 500, ("c", "d"))
    assert memory(*stuck(""), late, only, ended, resumed()).resumed is None

    again = replace(resumed(), at=START + 900)
    before = (*stuck(), resumed(), late, only, ended)
    assert memory(*before, again).resumed == Resumed(START + 500, ("a", "b")), "as it was"


def test_a_process_that_died_told_nobody_to_mend_anything() -> None:
    """Mutants: look at the answers alone; forget what was resumed before."""
    assert memory(*stuck(""), resumed()).resumed is None

    again = replace(resumed(), at=START + 900)
    assert memory(*stuck(), resumed(), again).resumed == Resumed(START + 500, ("a", "b"))


def test_figures_are_not_remembered_one_by_one() -> None:
    """Mutant: remember every code: a count of restarts would grow for as long as a run is open."""
    seen = [e.Observed(at=START, changed={"restarts": Fact(str(n))}, removed=()) for n in range(9)]
    seen.append(e.Observed(at=START, changed={"etcd": Fact("healthy")}, removed=()))

    assert memory(*seen).met == {"etcd": ("healthy",)}
