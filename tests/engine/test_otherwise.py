"""
What another plan would have made of a run, when: its deadlines, windows and damping run by its own spans.

Mutants that turn one of these red: leave the journal's timers to the other plan; tell a deadline again at every turn
after it; look for instants that passed only where the journal has a turn; count the time in which nobody was there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.answer import Wait
from engine.folding import fold_all
from engine.judging import Rules
from engine.memory import Memory
from engine.parted import Difference, What, Why
from engine.plan import merged
from engine.replay import Replayer
from journal import entries as e
from journal.entries import AnyEntry
from tests.engine.making import MACHINE, STANDING, START, Look, Site, look, opened, turn

BROKEN = look(ground="broken", walls="broken", roof="broken")
GROUND = look(ground="ok", walls="broken", roof="broken")
SITE = Site(
    {"ground": {"s": Wait("dig")}, "walls": {"s": Wait("lay")}, "roof": {"s": Wait("cover")}}
)


def by(**states: Any) -> Rules:  # noqa: ANN401
    """Judge by a plan in which some of the states are others."""
    return SITE.rules(**merged(MACHINE, {"states": states}))


def until(seconds: float, policy: str = "active") -> dict[str, Any]:
    return {"deadline": {"after": seconds, "policy": policy}}


def lived(rules: Rules, *looks: tuple[float, Look] | AnyEntry) -> list[AnyEntry]:
    """Take a turn at each look, so many seconds after the start; other entries stand between them."""
    found: list[AnyEntry] = [opened(rules)]
    for one in looks:
        if isinstance(one, tuple):
            at, seen = one
            done = turn(rules, fold_all(Memory(), found), seen, START + at)
            found += [entry for commit in done.commits for entry in commit.entries]
        else:
            found.append(one)
    return found


def asked_of(rules: Rules, found: Sequence[AnyEntry]) -> list[Difference]:
    replayer = Replayer(SITE.recipe(), rules.plan)
    told = [d for n, entry in enumerate(found, start=1) for d in replayer.see(n, entry)]
    return [*told, *replayer.ended()]


def summary(found: list[Difference]) -> list[tuple[What, float]]:
    assert {one.why for one in found} <= {Why.PLAN}
    return [(one.what, one.at - START) for one in found]


def stirred(code: str) -> Look:
    """Something that changes, and no decision rests on."""
    return Look(
        {**BROKEN.facts, "wind": msgspec.structs.replace(BROKEN.facts["ground"], code=code)}
    )


def test_a_deadline_that_would_have_passed_between_two_turns_is_told_once_and_when() -> None:
    found = lived(by(), (0, BROKEN), (47, stirred("north")), (60, stirred("south")), (70, GROUND))

    different = asked_of(by(ground=until(10)), found)

    assert summary(different) == [(What.DECISION, 10.0)]
    first = different[0]
    assert first.today["s"]["reference"] == "state-deadline-passed"
    assert first.journaled["s"] == {"answer": "wait", "reason": "dig"}
    assert first.because == (
        "ground would have been out of time: by this plan it has 10 s",
        "the plan's machine.states.ground.deadline.after",
    )
    before = found[first.position - 1], found[first.position]
    assert (before[0].at, before[1].at) == (START, START + 47)


def test_a_deadline_that_would_not_have_passed_is_none() -> None:
    found = lived(by(), (0, BROKEN), (47, GROUND), (60, STANDING))

    assert asked_of(by(ground=until(48)), found) == []


def test_what_else_the_plan_changes_is_told_beside_a_deadline_that_passed() -> None:
    found = lived(by(), (0, BROKEN), (47, stirred("north")), (60, GROUND), (70, STANDING))

    different = asked_of(by(ground=until(10), walls=until(5)), found)

    assert summary(different) == [(What.DECISION, 10.0), (What.DECISION, 65.0)]
    assert different[1].state == "walls"


def test_a_deadline_that_only_the_journal_s_plan_had_passed_is_told() -> None:
    found = lived(by(), (0, BROKEN), (600, BROKEN))

    different = asked_of(by(ground=until(3000)), found)

    assert summary(different) == [(What.DECISION, 600.0)]
    assert different[0].today == {"s": {"answer": "wait", "reason": "dig"}}
    assert different[0].journaled["s"]["reference"] == "state-deadline-passed"


def test_a_deadline_that_both_plans_had_passed_parts_nothing() -> None:
    found = lived(by(), (0, BROKEN), (600, BROKEN), (610, stirred("north")))

    assert asked_of(by(roof=until(700)), found) == []


def test_a_state_that_the_plan_does_not_have_is_told_and_nothing_else_of_it() -> None:
    found = lived(by(), (0, BROKEN), (700, GROUND), (710, stirred("north")))
    states = {name: MACHINE["states"][name] for name in ("walls", "roof")}

    different = asked_of(SITE.rules(initial="walls", states=states), found)

    assert summary(different)[0] == (What.DECISION, 0.0)
    assert different[0].journaled == {"machine": {"state": "ground"}}
    assert {one.state for one in different} == {"ground"}
    assert {one.what for one in different} == {What.DECISION}


def test_a_change_that_may_have_been_seen_at_the_deadline_already_is_in_time() -> None:
    found = lived(by(), (0, BROKEN), (10.3, GROUND))

    assert asked_of(by(ground=until(10)), found) == []


def test_a_longer_window_would_not_have_moved_then() -> None:
    found = lived(by(), (0, BROKEN), (47, GROUND), (60, STANDING))

    different = asked_of(by(ground={"stable": 600}), found)

    assert summary(different) == [(What.MOVE, 47.0)]
    assert different[0].today == {"machine": None}
    assert different[0].because == ("the plan's machine.states.ground.stable",)


def test_a_shorter_window_would_have_moved_before_between_two_turns() -> None:
    long = by(ground={"stable": 60})
    found = lived(long, (0, GROUND), (60, GROUND), (70, STANDING))
    assert next(entry.at for entry in found if isinstance(entry, e.Moved)) == START + 60

    different = asked_of(by(ground={"stable": 20}), found)

    moves = [one for one in different if one.what is What.MOVE]
    assert summary(moves) == [(What.MOVE, 20.0)]
    assert moves[0].today["machine"]["target"] == "walls"
    assert moves[0].journaled == {"machine": None}


def test_the_same_window_is_the_same_however_late_the_turn_came() -> None:
    """Mutant: look for an instant that passed also where the journal has that timer itself."""
    found = lived(by(ground={"stable": 60}), (0, GROUND), (65, GROUND), (70, STANDING))

    assert asked_of(by(ground={"stable": 60}, roof=until(700)), found) == []


def test_another_damping_would_have_gone_back_at_another_turn() -> None:
    found = lived(by(), (0, GROUND), (10, BROKEN), (40, BROKEN), (50, GROUND))
    moved = [entry for entry in found if isinstance(entry, e.Moved)]
    assert [entry.target for entry in moved] == ["walls", "ground", "walls"]

    slower = asked_of(SITE.rules(regress={"damping": 300, "limit": [3, 1800]}), found)
    faster = asked_of(SITE.rules(regress={"damping": 5, "limit": [3, 1800]}), found)

    assert summary(slower) == [(What.MOVE, 40.0)]
    assert (What.MOVE, 15.0) in summary(faster)


GONE = (
    e.LeaseTaken(at=START + 2, epoch=2, holder="me"),
    e.RunResumed(at=START + 102, holder="me", idle_seconds=100.0),
)


@pytest.mark.parametrize(("policy", "told"), [("active", []), ("wall", [(What.DECISION, 103.0)])])
def test_time_in_which_nobody_was_there_counts_as_the_deadline_says(
    policy: str, told: list[tuple[What, float]]
) -> None:
    found = lived(by(), (0, BROKEN), *GONE, (103, stirred("north")), (104, GROUND))

    assert summary(asked_of(by(ground=until(10, policy)), found)) == told


def test_a_resumption_that_gives_fresh_deadlines_gives_them_to_this_plan_too() -> None:
    found = lived(
        by(),
        (0, BROKEN),
        (20, stirred("north")),
        e.RunInterrupted(at=START + 21, why="signal"),
        e.LeaseTaken(at=START + 21, epoch=2, holder="me"),
        e.RunResumed(at=START + 30, holder="me", idle_seconds=9.0, fresh_deadlines=True),
        (31, stirred("south")),
        (50, GROUND),
    )

    assert summary(asked_of(by(ground=until(10)), found)) == [
        (What.DECISION, 10.0),
        (What.DECISION, 41.0),
    ]


def test_a_session_that_left_was_there_until_then() -> None:
    left = e.RunInterrupted(at=START + 21, why="signal")
    found = lived(by(), (0, BROKEN), left)

    assert summary(asked_of(by(ground=until(10)), found)) == [(What.DECISION, 10.0)]


def test_a_run_that_only_watches_has_no_deadline_by_any_plan() -> None:
    rules = by()
    found: list[AnyEntry] = [opened(rules)]
    for at, seen in ((0, BROKEN), (47, stirred("north"))):
        done = turn(rules, fold_all(Memory(), found), seen, START + at, tied=True)
        found += [entry for commit in done.commits for entry in commit.entries]

    assert asked_of(by(ground=until(10)), found) == []
