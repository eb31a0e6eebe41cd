"""
What a course skips, because it changes nothing that is done, leaves it as if everything were asked anew at every entry.

Mutants, each tried: codes of one footing are not told apart from those of two; of one footing nobody is looked at
again, whose look is over; who goes on from another plan's course skips as well.
"""

from __future__ import annotations

import random

import pytest

from engine.plan import Plan
from journal import entries as e
from journal.entries import Fact
from phases import codes
from phases.hindsight import SPELLS, Course, Spell
from phases.vertices import Vertex
from tests.phases.making import START, plan
from tests.phases.test_path import TREE, WELL, finished

CODES = ("Ready", "Progressing", "Failed", "Blocked", "Terminating", "Absent", *WELL.values())
APPS = "kustomization/flux-system/apps"
WEB = "helmrelease/apps/web"


def seen(second: float, **changed: str) -> e.Observed:
    names = {"apps": APPS, "web": WEB}
    return e.Observed(
        at=START + second, changed={names[name]: Fact(code) for name, code in changed.items()}
    )


def by_hand(of: Plan, entries: list[e.Observed]) -> dict[Vertex, list[Spell]]:
    """The spells of every vertex, each of which is asked at every entry."""
    course = Course(of.target)
    spells: dict[Vertex, list[Spell]] = {}
    facts: dict[str, Fact] = {}
    for entry in entries:
        facts.update(entry.changed)
        for subject in entry.removed:
            facts.pop(subject, None)
        for vertex in course.needs:
            known = spells.setdefault(vertex, [])
            was, now = bool(known) and known[-1][1] is None, course.standing.is_done(vertex, facts)
            if now and not was:
                known.append((entry.at, None))
            elif was and not now:
                known[-1] = (known[-1][0], entry.at)
    return {vertex: found[-SPELLS:] for vertex, found in spells.items() if found}


@pytest.mark.parametrize("seed", range(20))
def test_what_is_skipped_changes_no_spell(seed: int) -> None:
    chance, of = random.Random(seed), plan(TREE)
    names = [*finished(of)]
    entries = [
        e.Observed(
            at=START + second,
            changed={name: Fact(chance.choice(CODES)) for name in chance.choices(names, k=9)},
            removed=tuple(chance.choices(names, k=chance.random() < 0.1)),
        )
        for second in range(800)
    ]

    course = Course(of.target)
    for entry in entries:
        course.see(entry)

    assert {vertex: found for vertex, found in course.spells.items() if found} == by_hand(
        of, entries
    )


@pytest.mark.parametrize(
    ("between", "looks"),
    [
        pytest.param((), True, id="looked at"),
        pytest.param((codes.FAILED,), False, id="fails"),
        pytest.param((codes.FAILED, codes.PROGRESSING), False, id="fails, and is tried again"),
    ],
)
def test_a_look_that_ends_in_anything_else_was_none(
    between: tuple[str, ...], *, looks: bool
) -> None:
    course = Course(plan(TREE).target)
    turns = (codes.READY, codes.PROGRESSING, *between, codes.READY)
    for second, code in enumerate(turns):
        course.see(seen(second, apps=code))

    assert ((APPS, START + len(turns) - 1) in course.looks) is looks


def test_what_another_plan_saw_is_asked_again_when_it_turns() -> None:
    """The plan before knew nothing of what the Kustomization brings, and called it not applied."""
    before, now = Course(plan().target), Course(plan(TREE).target)
    before.see(seen(0, apps=codes.FAILED, web=codes.FAILED))
    assert before.done(f"{APPS}#applied") is None

    now.go_on_from(before)
    now.see(seen(10, apps=codes.BLOCKED))

    assert now.done(f"{APPS}#applied") == START + 10
