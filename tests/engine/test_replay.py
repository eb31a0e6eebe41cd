"""
A journal is a regression test.

Mutants that turn one of these red: compare no moves; do not look whether a turn that decides would have moved; tell a
standing difference at every decision; ask the journal's plan in the place of the one that was given; compare only turns
that have a ``decided``; compare a turn that was cut short; ask with what a turn wrote after its answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.answer import Answer, Wait
from engine.folding import fold_all
from engine.memory import Deed, Memory
from engine.parted import Difference, What, Why
from engine.plan import Plan
from engine.recipe import Judgement, Verdict
from engine.replay import Replayer, replay
from engine.traces import Left
from journal import entries as e
from journal.entries import AnyEntry, Fact, Finding
from tests.engine.making import (
    STANDING,
    START,
    Look,
    Site,
    act,
    begun,
    look,
    opened,
    settled,
    turn,
)


def journal(site: Site) -> list[AnyEntry]:
    rules = site.rules()
    first = turn(rules, begun(rules), look(ground="broken"))
    second = turn(rules, first.memory, look(ground="ok", walls="broken"), START + 5)
    return [
        opened(rules),
        *[entry for done in (first, second) for commit in done.commits for entry in commit.entries],
    ]


def test_the_same_rules_decide_the_same() -> None:
    site = Site({"ground": {"s": Wait("dig")}, "walls": {"s": Wait("lay")}})

    assert (2, ()) == replay(site.recipe(), journal(site))


def test_rules_that_changed_are_found_at_their_entry() -> None:
    site = Site({"ground": {"s": Wait("dig")}, "walls": {"s": Wait("lay")}})
    entries = journal(site)
    site.wishes["walls"] = {"s": Wait("lay bricks")}

    compared, differences = replay(site.recipe(), entries)

    assert (2, 1) == (compared, len(differences))
    found = differences[0]
    assert isinstance(entries[found.position - 1], e.Decided)
    assert {"s": {"answer": "wait", "reason": "lay"}} == found.journaled
    assert {"s": {"answer": "wait", "reason": "lay bricks"}} == found.today


def test_a_changed_plan_is_replayed_with_its_own_limits() -> None:
    site = Site({"ground": {"s": Wait("dig")}})
    entries = journal(site)
    changed = site.rules(regress={"damping": 5, "limit": [1, 60]})
    entry = e.PlanChanged(
        at=START + 6,
        plan=changed.plan.compiled(),
        plan_digest=changed.plan.digest(),
        previous_digest="",
        verdict="compatible",
    )

    assert () == replay(site.recipe(), [*entries, entry])[1]


def test_what_a_preflight_found_is_decided_upon_again() -> None:
    """Mutant: do not fold ``Preflighted``."""
    site = Site({"ground": {"s": act("paint", "door")}})
    rules = site.rules()
    row = e.Objection("a.b", "red", "brush", "is gone", "buy one", ("paint",))
    preflight = e.Preflighted(at=START, checked=1, objections=(row,))
    done = turn(rules, begun(rules, preflight), look(ground="broken"))
    written = [entry for commit in done.commits for entry in commit.entries]

    assert (1, ()) == replay(site.recipe(), [opened(rules), preflight, *written])
    assert 1 == len(replay(site.recipe(), [opened(rules), *written])[1])


def moved_on() -> tuple[Site, list[AnyEntry]]:
    """A journal in which the machine leaves its first state."""
    site = Site({"ground": {"s": Wait("dig")}, "walls": {"s": Wait("lay")}})
    found = journal(site)
    assert any(isinstance(entry, e.Moved) for entry in found)
    return site, found


def walked(replayer: Replayer, found: list[AnyEntry | None]) -> list[Difference]:
    return [d for n, entry in enumerate(found, start=1) for d in replayer.see(n, entry)]


def test_a_move_that_would_not_be_made_today_is_found() -> None:
    site, found = moved_on()
    never = {"ground": lambda _plan, _facts: Judgement(Verdict.UNKNOWN, "who knows")}
    today = replace(site.recipe(), guards={**site.recipe().guards, **never})

    first = walked(Replayer(today), list(found))[0]

    assert (first.what, first.why) == (What.MOVE, Why.CODE)
    assert first.today == {"machine": None}
    assert first.journaled["machine"]["target"] == "walls"


def test_a_move_that_would_be_made_today_already_is_found() -> None:
    site = Site({"ground": {"s": Wait("dig")}, "walls": {"s": Wait("lay")}})
    rules = site.rules()
    done = turn(rules, begun(rules), look(ground="broken"))
    found = [opened(rules), *[entry for commit in done.commits for entry in commit.entries]]
    always = {"ground": lambda _plan, _facts: Judgement(Verdict.HOLDS, "as ever")}
    today = replace(site.recipe(), guards={**site.recipe().guards, **always})

    moves = [d for d in walked(Replayer(today), list(found)) if d.what is What.MOVE]

    assert [(d.journaled, d.today["machine"]["why"]) for d in moves] == [
        ({"machine": None}, "as ever")
    ]


def test_a_difference_that_stands_is_told_once_and_again_when_it_comes_back() -> None:
    site = Site({"ground": {"s": Wait("dig"), "t": Wait("one")}})
    rules = site.rules()
    memory = begun(rules)
    found: list[AnyEntry] = [opened(rules)]
    for number, said in enumerate(["one", "two", "one"]):
        site.wishes["ground"] = {"s": Wait("dig"), "t": Wait(said)}
        done = turn(rules, memory, look(ground="broken"), START + number)
        memory = done.memory
        found += [entry for commit in done.commits for entry in commit.entries]
    site.wishes["ground"] = {"s": Wait("drill"), "t": Wait("two")}

    subjects = [sorted(d.today) for d in walked(Replayer(site.recipe()), list(found))]

    assert subjects == [["s", "t"], ["t"]]


def test_another_plan_is_told_from_other_code() -> None:
    site, found = moved_on()
    plan = site.rules(regress={"damping": 5, "limit": [1, 60]}).plan
    wishes: dict[str, dict[str, Answer]] = {
        "ground": {"s": Wait("dig")},
        "walls": {"s": Wait("lay")},
    }

    def decide(asked: Plan, facts: Any, findings: Any, memory: Any) -> dict[str, Answer]:  # noqa: ANN401
        del facts, findings
        if asked.machine.regress.damping == 5:
            return {"s": Wait("hurry")}
        return dict(wishes[memory.state])

    today = replace(site.recipe(), phases=dict.fromkeys(site.recipe().phases, decide))

    assert walked(Replayer(today), list(found)) == []
    different = walked(Replayer(today, plan), list(found))
    assert {d.why for d in different} == {Why.PLAN}
    assert different[0].today == {"s": {"answer": "wait", "reason": "hurry"}}
    assert "the plan's machine.regress.damping" in different[0].because


def test_what_was_withdrawn_is_named_where_it_parts_a_decision() -> None:
    site, found = moved_on()
    seen = max(n for n, entry in enumerate(found) if isinstance(entry, e.Observed))
    kept: list[AnyEntry | None] = list(found)
    kept[seen] = None

    different = walked(Replayer(site.recipe()), kept)

    assert different
    assert {d.why for d in different} == {Why.FACTS}
    assert different[0].because == ("1 entries before it were withdrawn",)


# --- turns in which nothing new was decided ------------------------------------------------------


def going_on(
    site: Site, *looks: Look, memory: Memory | None = None, at: float = START
) -> list[AnyEntry]:
    """Take a turn for each look, five seconds apart; return what they wrote."""
    rules = site.rules()
    known, found = memory or begun(rules), []
    for number, seen in enumerate(looks):
        done = turn(rules, known, seen, at + 5.0 * number)
        known = done.memory
        found += [entry for commit in done.commits for entry in commit.entries]
    return found


def digging(otherwise: Callable[[Memory], bool]) -> Callable[[Memory], dict[str, Answer]]:
    return lambda memory: {"s": Wait("wait for everything" if otherwise(memory) else "dig")}


def test_a_turn_that_decided_nothing_new_is_held_against_what_was_decided_before() -> None:
    site = Site({"ground": {"s": Wait("dig")}})
    quiet = look(ground="broken", walls="broken")
    found = [opened(site.rules()), *going_on(site, look(ground="broken"), quiet, quiet)]
    assert isinstance(found[-1], e.Observed)
    site.wishes["ground"] = digging(lambda memory: "walls" in memory.facts)

    replayer = Replayer(site.recipe())
    different = [*walked(replayer, list(found)), *replayer.ended()]

    assert [(d.what, d.why, d.at, d.position) for d in different] == [
        (What.DECISION, Why.CODE, START + 5, len(found))
    ]
    assert different[0].journaled == {"s": {"answer": "wait", "reason": "dig"}}
    assert different[0].today == {"s": {"answer": "wait", "reason": "wait for everything"}}
    assert (replayer.counted.turns, replayer.counted.decisions) == (2, 1)


def test_a_turn_that_would_have_moved_is_found_though_it_decided_nothing() -> None:
    site = Site({"ground": {"s": Wait("dig")}})
    found = [
        opened(site.rules()),
        *going_on(site, look(ground="broken"), look(ground="broken", walls="ok")),
    ]
    usual = site.recipe().guards["ground"]

    def guard(plan: Plan, facts: Any) -> Judgement:  # noqa: ANN401
        return Judgement(Verdict.HOLDS, "so be it") if "walls" in facts else usual(plan, facts)

    today = replace(site.recipe(), guards={**site.recipe().guards, "ground": guard})

    moves = [d for d in replay(today, found)[1] if d.what is What.MOVE]

    assert [(d.at, d.today["machine"]["target"]) for d in moves] == [(START + 5, "walls")]


def test_a_turn_after_an_action_settled_is_compared_though_it_only_cancels_a_timer() -> None:
    site = Site({"ground": {"s": act("paint", "door")}})
    first = [opened(site.rules()), *going_on(site, look(ground="broken"))]
    site.wishes["ground"] = {"s": Wait("paint door is running")}
    second = going_on(site, look(ground="broken"), memory=fold_all(Memory(), first), at=START + 1)
    over = settled("paint", "door", "done", at=START + 9)
    known = fold_all(Memory(), [*first, *second, over])
    third = going_on(site, look(ground="broken"), memory=known, at=START + 9)
    assert [type(entry) for entry in third] == [e.TimerCancelled]
    entries = [*first, *second, over, *third]
    site.wishes["ground"] = lambda memory: {
        "s": act("paint", "door")
        if not memory.last
        else Wait("paint door is running" if memory.open else "let it dry")
    }

    different = replay(site.recipe(), entries)[1]

    assert [(d.position, d.at, d.today["s"]["reason"]) for d in different] == [
        (len(entries), START + 9, "let it dry")
    ]


def test_two_turns_of_one_instant_are_two() -> None:
    site = Site({"ground": {"s": Wait("dig")}})
    first = [opened(site.rules()), *going_on(site, look(ground="broken"))]
    quiet = [
        e.Observed(at=START, changed={"walls": Fact("broken")}),
        e.Observed(at=START, changed={"walls": Fact("ok")}),
    ]
    replayer = Replayer(site.recipe())
    site.wishes["ground"] = digging(
        lambda memory: "walls" in memory.facts and memory.facts["walls"].code == "broken"
    )

    different = [*walked(replayer, [*first, *quiet]), *replayer.ended()]

    assert [d.position for d in different] == [len(first) + 1]
    assert replayer.counted.turns == 3


def test_two_turns_of_two_instants_are_two_though_their_entries_are_in_order() -> None:
    site = Site({"ground": {"s": Wait("dig")}})
    first = [opened(site.rules()), *going_on(site, look(ground="broken"))]
    quiet: list[AnyEntry] = [
        e.Observed(at=START + 5, changed={"walls": Fact("ok")}),
        e.FindingsChanged(at=START + 9, changed={"m1": Finding("s", "mud", "the ground is wet")}),
    ]
    site.wishes["ground"] = digging(lambda memory: "walls" in memory.facts and not memory.findings)

    assert [d.at for d in replay(site.recipe(), [*first, *quiet])[1]] == [START + 5]


def test_a_large_look_in_parts_is_one_turn() -> None:
    site = Site({"ground": {"s": Wait("dig")}})
    first = [opened(site.rules()), *going_on(site, look(ground="broken"))]
    parts = [
        e.Observed(at=START + 5, changed={name: Fact("ok")}, part=part, parts=2)
        for part, name in enumerate(("walls", "roof"), start=1)
    ]
    site.wishes["ground"] = digging(
        lambda memory: "walls" in memory.facts and "roof" not in memory.facts
    )

    assert replay(site.recipe(), [*first, *parts])[1] == ()


def test_what_a_turn_writes_after_its_answers_is_none_of_what_they_were_made_of() -> None:
    """Mutant: ask with the memory right before ``decided``; a ``by.hand`` stands there."""
    site = Site({"ground": digging(lambda memory: bool(memory.deeds))})
    hand = Deed(verb="paint", target="door", subject="walls", old="", new="ok")
    site.deeds = lambda _plan, before, after, _wished: (
        [hand] if "walls" in after.facts and "walls" not in before.facts else []
    )
    found = going_on(
        site,
        look(ground="broken"),
        look(ground="broken", walls="ok"),
        look(ground="broken", walls="broken"),
    )
    assert [type(entry) for entry in found][-4:] == [e.Observed, e.ByHand, e.Observed, e.Decided]

    assert replay(site.recipe(), [opened(site.rules()), *found]) == (2, ())


@pytest.mark.parametrize(
    "after", [None, e.LeaseTaken(at=START + 5, epoch=2, holder="me")], ids=["end", "another holder"]
)
def test_a_turn_that_was_cut_by_a_kill_is_counted_and_not_compared(after: AnyEntry | None) -> None:
    """Between a move and what is decided after it is a commit's end."""
    _, found = moved_on()
    moved = next(n for n, entry in enumerate(found) if isinstance(entry, e.Moved))
    site = Site({"ground": {"s": Wait("dig")}, "walls": {"s": Wait("lay")}})
    replayer = Replayer(site.recipe())
    kept = found[: moved + 1] + ([after] if after is not None else [])

    different = [*walked(replayer, list(kept)), *replayer.ended()]

    assert different == []
    assert (replayer.counted.turns, replayer.counted.left) == (1, {Left.CUT: 1})


def test_a_last_turn_that_moved_and_had_nothing_to_say_is_whole() -> None:
    site = Site({})
    found = [opened(site.rules()), *going_on(site, STANDING)]
    assert isinstance(found[-1], e.Moved)
    closed = e.RunClosed(at=START, outcome=e.RunOutcome.DONE, state="done")
    replayer = Replayer(site.recipe())

    assert walked(replayer, [*found, closed]) == []
    assert (replayer.counted.turns, replayer.counted.left) == (1, {})


def test_a_turn_whose_decision_may_have_been_withdrawn_is_counted_and_not_compared() -> None:
    site, found = moved_on()
    kept: list[AnyEntry | None] = list(found)
    decided = [n for n, entry in enumerate(found) if isinstance(entry, e.Decided)]
    kept[decided[-1]] = None
    replayer = Replayer(site.recipe())

    different = [*walked(replayer, kept), *replayer.ended()]

    assert different == []
    assert (replayer.counted.turns, replayer.counted.left) == (1, {Left.WITHDRAWN: 1})

    quiet = e.Observed(at=START + 50, changed={"roof": Fact("broken")})
    replayer = Replayer(site.recipe())
    walked(replayer, [*kept, quiet])
    replayer.ended()
    assert (replayer.counted.turns, replayer.counted.left) == (2, {Left.WITHDRAWN: 1})


def test_an_entry_that_this_code_does_not_know_parts_no_turn() -> None:
    site = Site({"ground": {"s": Wait("dig")}})
    found = [opened(site.rules()), *going_on(site, look(ground="broken"))]
    decided = next(n for n, entry in enumerate(found) if isinstance(entry, e.Decided))
    strange = e.TimerSet(at=START, name="moon/full", due=START + 60, span=60)

    assert replay(site.recipe(), [*found[:decided], strange, *found[decided:]]) == (1, ())
