"""One turn: what is written, in which commit, and what may start."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from engine.allowing import asked
from engine.answer import Act, Ask, Wait
from engine.folding import fold_all
from engine.memory import Memory
from engine.observing import ENTRY_BYTES, PROBE_SETTLE_SECONDS
from engine.turn import MARGIN_SECONDS, Turn
from journal import entries as e
from journal.entries import Fact, Finding
from tests.engine.making import (
    STANDING,
    START,
    Look,
    Site,
    act,
    begun,
    entries,
    intended,
    look,
    settled,
    tried,
    turn,
)

RULES = Site().rules()
SURFACES = Site({"ground": {"s": Wait("x")}}).rules()


def names(done: Turn) -> list[list[str]]:
    return [[type(entry).__name__ for entry in commit.entries] for commit in done.commits]


def timers(done: Turn) -> set[str]:
    return set(done.memory.timers)


# --- observing -----------------------------------------------------------------------------------


def test_only_what_changed_is_observed() -> None:
    first = turn(SURFACES, begun(SURFACES), look(a="1", b="1"))
    second = turn(SURFACES, first.memory, look(a="2", b="1"), START + 2)
    third = turn(SURFACES, second.memory, look(b="1"), START + 3)

    assert [{"a", "b"}, {"a"}, set()] == [
        set(entries(t, e.Observed)[0].changed) for t in (first, second, third)
    ]
    assert ("a",) == entries(third, e.Observed)[0].removed


def test_a_look_that_shows_nothing_new_writes_nothing() -> None:
    first = turn(SURFACES, begun(SURFACES), look(a="1"))

    assert () == turn(SURFACES, first.memory, look(a="1"), START + 2).commits


def test_a_verdict_keeps_its_since_while_its_code_is_the_same() -> None:
    first = turn(SURFACES, begun(SURFACES), Look({"a": Fact("x", "one")}), START + 1)
    reason = turn(SURFACES, first.memory, Look({"a": Fact("x", "two")}), START + 5)
    code = turn(SURFACES, reason.memory, Look({"a": Fact("y", "two")}), START + 9)
    told = turn(SURFACES, code.memory, Look({"a": Fact("y", "two", 77.0)}), START + 10)

    sinces = [t.memory.facts["a"].since for t in (first, reason, code, told)]
    assert [START + 1, START + 1, START + 9, 77.0] == sinces


def test_a_redacted_reason_is_not_new_on_every_turn() -> None:
    secret = Look({"a": Fact("x", "password: hunter2!")})
    first = turn(SURFACES, begun(SURFACES), secret)

    assert "hunter2" not in first.memory.facts["a"].reason
    assert () == turn(SURFACES, first.memory, secret, START + 2).commits


def test_a_large_look_becomes_several_entries_of_one_commit() -> None:
    facts = {f"subject/{n}": Fact("Blocked", "x" * 150) for n in range(500)}

    done = turn(SURFACES, begun(SURFACES), Look(facts))
    parts = entries(done, e.Observed)

    assert 1 == len(done.commits)
    assert list(range(1, len(parts) + 1)) == [part.part for part in parts]
    assert {len(parts)} == {part.parts for part in parts}
    assert all(len(msgspec.json.encode(part)) <= ENTRY_BYTES + 100 for part in parts)
    assert facts.keys() == set().union(*(part.changed for part in parts))


def test_findings_appear_and_clear() -> None:
    found = {"f": Finding("s", "c", "m")}
    first = turn(SURFACES, begun(SURFACES), Look({}, found))
    same = turn(SURFACES, first.memory, Look({}, found), START + 2)
    gone = turn(SURFACES, first.memory, Look({}), START + 2)

    assert found == entries(first, e.FindingsChanged)[0].changed
    assert [] == entries(same, e.FindingsChanged)
    assert ("f",) == entries(gone, e.FindingsChanged)[0].cleared


def test_the_goal_follows_its_source_and_stays_when_it_cannot_be_seen() -> None:
    first = turn(SURFACES, begun(SURFACES), Look({"goal": Fact("ok", "main@1")}))
    blind = turn(SURFACES, first.memory, Look({}), START + 2)
    moved = turn(SURFACES, blind.memory, Look({"goal": Fact("ok", "main@2")}), START + 3)

    assert ["main@1", "main@1", "main@2"] == [t.memory.goal for t in (first, blind, moved)]
    assert "main@1" == entries(moved, e.GoalMoved)[0].previous


# --- moving --------------------------------------------------------------------------------------


def test_a_healthy_house_passes_through_to_done_without_an_action() -> None:
    done = turn(RULES, begun(RULES), STANDING)

    moves = [(move.source, move.target) for move in entries(done, e.Moved)]
    assert [("ground", "walls"), ("walls", "roof"), ("roof", "done")] == moves
    assert ("done", (), {}) == (done.memory.state, done.intents, done.answers)


def test_each_move_is_a_commit_of_its_own_with_a_checkpoint_of_that_moment() -> None:
    memory = begun(RULES)
    done = turn(RULES, memory, STANDING)

    moving = [commit for commit in done.commits if isinstance(commit.entries[-1], e.Moved)]
    assert 3 == len(moving)
    for commit in done.commits:
        memory = fold_all(memory, commit.entries)
        if isinstance(commit.entries[-1], e.Moved):
            assert memory == commit.checkpoint


def test_the_memory_of_a_turn_is_the_fold_of_its_commits() -> None:
    site = Site({"ground": {"s": act("paint", "door")}})
    rules = site.rules()
    memory = begun(rules)

    done = turn(rules, memory, look(ground="broken"))

    for commit in done.commits:
        memory = fold_all(memory, commit.entries)
    assert memory == done.memory


def test_a_state_is_left_backwards_after_the_damping_only() -> None:
    lost = look(ground="broken", walls="ok", roof="broken")
    first = turn(RULES, begun(RULES, state="roof"), lost, START + 1)
    early = turn(RULES, first.memory, lost, START + 30)
    late = turn(RULES, first.memory, lost, START + 31)

    assert ["roof", "roof", "ground"] == [t.memory.state for t in (first, early, late)]
    assert {"damping/ground"} <= timers(first)
    assert (START + 31,) == late.memory.regressions


def test_what_comes_back_within_the_damping_is_no_regression() -> None:
    lost = look(ground="broken", walls="ok", roof="broken")
    back = look(ground="ok", walls="ok", roof="broken")
    first = turn(RULES, begun(RULES, state="roof"), lost, START + 1)
    well = turn(RULES, first.memory, back, START + 20)
    lost_again = turn(RULES, well.memory, lost, START + 40)

    assert not any(name.startswith("damping") for name in timers(well))
    assert START + 70 == lost_again.memory.timers["damping/ground"].due


def test_what_cannot_be_seen_is_no_regression() -> None:
    blind = look(ground="hidden", walls="ok", roof="broken")

    assert not any(
        n.startswith("damping") for n in timers(turn(RULES, begun(RULES, state="roof"), blind))
    )


def test_a_regression_ends_the_moves_of_its_turn() -> None:
    lost = look(ground="broken", walls="ok", roof="ok")
    first = turn(RULES, begun(RULES, state="walls"), lost)
    back = turn(RULES, first.memory, lost, START + 99)

    assert ["ground"] == [move.target for move in entries(back, e.Moved)]


def test_a_goal_is_held_for_its_window_and_begins_anew_when_lost() -> None:
    states = {"roof": {"next": "done", "deadline": {"after": 600}, "stable": 30}}
    site = Site()
    rules = site.rules(
        states={**{n: s.model_dump() for n, s in RULES.plan.machine.states.items()}, **states}
    )
    lost = look(ground="ok", walls="ok", roof="broken")

    first = turn(rules, begun(rules, state="roof"), STANDING, START + 1)
    shaky = turn(rules, first.memory, lost, START + 20)
    again = turn(rules, shaky.memory, STANDING, START + 25)
    early = turn(rules, again.memory, STANDING, START + 54)
    late = turn(rules, again.memory, STANDING, START + 55)

    assert "stable/roof" not in timers(shaky)
    assert ["roof", "roof", "roof", "done"] == [t.memory.state for t in (first, again, early, late)]


# --- timers --------------------------------------------------------------------------------------


def test_a_wait_with_an_instant_sets_a_timer_that_fires_once() -> None:
    rules = Site({"ground": {"s": Wait("x", START + 10)}}).rules()
    first = turn(rules, begun(rules), look())
    again = turn(rules, first.memory, look(), START + 5)
    fired = turn(rules, first.memory, look(), START + 10)

    assert START + 10 == first.wake_at
    assert () == again.commits
    assert ["wait/s"] == [entry.name for entry in entries(fired, e.TimerFired)]
    assert "wait/s" not in timers(fired)


def test_a_timer_is_cancelled_with_its_reason() -> None:
    site = Site({"ground": {"s": Wait("x", START + 10)}})
    rules = site.rules()
    first = turn(rules, begun(rules), look())
    site.wishes["ground"] = {"s": Wait("x")}

    cancelled = turn(rules, first.memory, look(), START + 5)

    assert ["wait/s"] == [entry.name for entry in entries(cancelled, e.TimerCancelled)]


def test_the_deadline_of_a_state_is_set_once_when_it_is_entered() -> None:
    first = turn(SURFACES, begun(SURFACES), look(), START + 1)
    later = turn(SURFACES, first.memory, look(a="1"), START + 50)

    assert START + 601 == first.memory.timers["deadline/ground"].due
    assert [] == entries(later, e.TimerSet)


def test_time_reaches_decisions_as_a_fired_timer() -> None:
    def wish(memory: Memory) -> dict[str, Act | Wait | Ask]:
        return {"s": act("paint", "door") if memory.passed(START + 10) else Wait("x", START + 10)}

    rules = Site({"ground": wish}).rules()  # type: ignore[dict-item]
    first = turn(rules, begun(rules), look())
    due = turn(rules, first.memory, look(), START + 10)

    assert ["paint"] == [intent.verb for intent in due.intents]


# --- acting --------------------------------------------------------------------------------------


def test_an_intent_shares_the_commit_of_what_justifies_it() -> None:
    rules = Site({"ground": {"s": act("paint", "door", colour="red")}}).rules()

    done = turn(rules, begun(rules), look(ground="broken"))

    assert 1 == len(done.commits)
    written = names(done)[0]
    assert written.index("Observed") < written.index("Decided") < written.index("ActionIntended")
    assert [("a1", {"colour": "red"})] == [(i.action, i.arguments) for i in done.intents]


def test_an_action_may_have_a_deadline_of_its_own() -> None:
    """Mutant: with the verb's, a command that may take an hour is ended after its verb's fifteen minutes."""
    rules = Site({"ground": {"s": replace(act("paint", "door"), deadline_seconds=3600.0)}}).rules()

    done = turn(rules, begun(rules), look(), START)

    assert [3600.0] == [intent.deadline_seconds for intent in done.intents]
    assert START + 3600 + MARGIN_SECONDS == done.memory.timers["action/a1"].due


def test_actions_are_counted_over_the_whole_run() -> None:
    rules = Site({"ground": {"s": act("paint", "door")}}).rules()
    memory = begun(rules, *tried("paint", "gate", "done", action="a1"))

    assert ["a2"] == [intent.action for intent in turn(rules, memory, look()).intents]


def test_draining_begins_nothing_and_still_writes() -> None:
    rules = Site({"ground": {"s": act("paint", "door")}}).rules()

    done = turn(rules, begun(rules), look(a="1"), draining=True)

    assert () == done.intents
    assert [] == entries(done, e.ActionIntended)
    assert entries(done, e.Observed)


def test_an_approved_intent_carries_the_approval() -> None:
    question = Ask("burn it?", "gone", {})
    rules = Site({"ground": {"s": replace(act("paint", "door"), approval=question)}}).rules()
    first = turn(rules, begun(rules), look())
    entry = entries(first, e.ApprovalAsked)[0]
    given = e.ApprovalGiven(at=START + 2, approval=entry.approval, digest=entry.digest, actor="p")

    second = turn(rules, fold_all(first.memory, [given]), look(), START + 3)

    assert () == first.intents
    assert [entry.approval] == [intent.arguments["approval"] for intent in second.intents]


def test_a_question_is_asked_once_and_anew_when_it_changes() -> None:
    site = Site({"ground": {"s": Ask("burn it?", "gone", {"uid": 1})}})
    rules = site.rules()
    first = turn(rules, begun(rules), look())
    same = turn(rules, first.memory, look(a="1"), START + 2)
    site.wishes["ground"] = {"s": Ask("burn it?", "gone", {"uid": 2})}
    other = turn(rules, same.memory, look(), START + 3)

    assert [1, 0, 1] == [len(entries(t, e.ApprovalAsked)) for t in (first, same, other)]
    assert (
        asked(other.memory, "s", Ask("burn it?", "gone", {"uid": 2})).approval
        in other.memory.approvals
    )


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(60 + MARGIN_SECONDS - 1, None), (60 + MARGIN_SECONDS, "unsettled")]
)
def test_an_overdue_action_is_in_doubt_not_failed(seconds: float, outcome: str | None) -> None:
    rules = Site({"ground": {"s": act("paint", "door")}}).rules()
    first = turn(rules, begun(rules), look(), START)

    late = turn(rules, first.memory, look(), START + seconds)

    ends = [entry.outcome.value for entry in entries(late, e.ActionSettled)]
    assert ([outcome] if outcome else []) == ends


def test_a_settled_action_keeps_no_timer() -> None:
    rules = Site({"ground": {"s": act("paint", "door")}}).rules()
    first = turn(rules, begun(rules), look(), START)
    ended = fold_all(first.memory, [settled("paint", "door", "failed", "denied")])

    assert "action/a1" in timers(first)
    assert "action/a1" not in timers(turn(rules, ended, look(), START + 1))


# --- doubt ---------------------------------------------------------------------------------------

DOUBT = (intended("pour", "door"), settled("pour", "door", "unsettled", at=START))


def probed(word: str, seconds: float) -> list[tuple[str, str, str]]:
    seen = Look({"probe/door": Fact(word)})
    done = turn(SURFACES, begun(SURFACES, *DOUBT), seen, START + seconds)
    return [(s.outcome.value, s.code, s.by) for s in entries(done, e.ActionSettled)]


def test_a_probe_that_says_happened_settles_at_once() -> None:
    assert [("done", "happened", "probe")] == probed("happened", 0.1)


def test_not_happened_counts_only_once_the_look_must_be_newer_than_the_action() -> None:
    """Mutant: at once, a look from before the action would allow a second one."""
    assert [] == probed("not-happened", PROBE_SETTLE_SECONDS - 0.1)
    assert [("failed", "not-happened", "probe")] == probed("not-happened", PROBE_SETTLE_SECONDS)


def test_while_a_probe_is_not_yet_believed_a_timer_runs() -> None:
    seen = Look({"probe/door": Fact("not-happened")})
    waiting = turn(SURFACES, begun(SURFACES, *DOUBT), seen, START + 1)
    known = turn(SURFACES, waiting.memory, Look({"probe/door": Fact("happened")}), START + 2)

    assert START + PROBE_SETTLE_SECONDS == waiting.memory.timers["probe/a1"].due
    assert "probe/a1" not in timers(known)


def test_a_probe_that_does_not_know_settles_nothing() -> None:
    assert [] == probed("unknown", 9999)


def retries(verb: str, outcome: str, code: str, times: int = 1) -> list[float]:
    entries_: list[e.AnyEntry] = []
    for n in range(1, times + 1):
        entries_ += tried(verb, "door", outcome, code, action=f"a{n}")
    done = turn(SURFACES, begun(SURFACES, *entries_), look(), START + 1)
    return [entry.due for entry in entries(done, e.RetryScheduled)]


@pytest.mark.parametrize(
    ("verb", "outcome", "code", "expected"),
    [
        ("paint", "failed", "transient", [START + 11]),
        ("paint", "failed", "not-happened", [START + 11]),
        ("paint", "unsettled", "no-answer", [START + 11]),
        ("paint", "failed", "denied", []),
        ("paint", "done", "", []),
        ("pour", "failed", "transient", [START + 11]),
        ("pour", "unsettled", "no-answer", []),  # a doubt is never retried
        ("pour", "done", "", []),
    ],
)
def test_what_is_retried(verb: str, outcome: str, code: str, expected: list[float]) -> None:
    assert expected == retries(verb, outcome, code)


def test_a_retry_is_scheduled_while_attempts_are_left() -> None:
    assert ([START + 11], []) == (
        retries("paint", "failed", "transient", 2),
        retries("paint", "failed", "transient", 3),
    )


def test_what_is_done_once_per_key_is_retried_by_the_count_of_its_key() -> None:
    """Mutants: the pause, or the number, by the target's count, which has none of these, or those of other keys."""
    keyed = [
        entry
        for number, (key, code) in enumerate([("red", ""), ("red", ""), ("blue", "transient")], 1)
        for entry in (
            intended("paint", "door", f"a{number}", once=key),
            settled("paint", "door", "failed" if code else "done", code, f"a{number}"),
        )
    ]
    rules = Site({"ground": {"s": act("paint", "door", once="blue")}}).rules()

    tried_ = turn(rules, begun(rules, *keyed), look(), START + 1)
    again = turn(rules, tried_.memory, look(), START + 11)

    (retry,) = entries(tried_, e.RetryScheduled)
    (intent,) = entries(again, e.ActionIntended)
    assert (retry.attempt, retry.due, intent.attempt) == (2, START + 11, 2)


def test_what_failed_in_the_state_before_is_not_retried_in_this_one() -> None:
    """Mutant: schedule it all the same; a state's first attempt would wait for the pause of another's last."""
    moved = e.Moved(at=START, source="walls", target="ground", why="")
    memory = begun(SURFACES, *tried("paint", "door", "failed", "transient"), moved)

    assert [] == entries(turn(SURFACES, memory, look(), START + 1), e.RetryScheduled)


def test_a_retry_is_scheduled_once() -> None:
    memory = begun(SURFACES, *tried("paint", "door", "failed", "transient"))
    first = turn(SURFACES, memory, look(), START + 1)

    assert [] == entries(turn(SURFACES, first.memory, look(), START + 2), e.RetryScheduled)
