"""A journal is a regression test."""

from __future__ import annotations

from engine.answer import Wait
from engine.replay import replay
from journal import entries as e
from journal.entries import AnyEntry
from tests.engine.making import START, Site, begun, look, opened, turn


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
