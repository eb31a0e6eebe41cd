"""
A journal is a regression test.

Mutants that turn one of these red: compare no moves; do not look whether a turn that decides would have moved; tell a
standing difference at every decision; ask the journal's plan in the place of the one that was given.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.answer import Answer, Wait
from engine.parted import Difference, What, Why
from engine.plan import Plan
from engine.recipe import Judgement, Verdict
from engine.replay import Replayer, replay
from journal import entries as e
from journal.entries import AnyEntry
from tests.engine.making import START, Site, act, begun, look, opened, turn


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
