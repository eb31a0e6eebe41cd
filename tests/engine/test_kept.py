"""
What rules keep between turns makes turns cheap and changes nothing: each comparison that was skipped was one of equals.

Mutants, all killed here: in ``observing._changed`` leave out ``reduced`` or ``recalled``, or keep what has changed in
``compared``; in ``judging.news_in`` take an answer for the kept one without comparing, or leave out ``is remembered``;
in ``Machine.next_move`` leave any part out of the question, or keep ``why``.
"""

from __future__ import annotations

import pytest

from engine.answer import Wait
from engine.machine import Machine
from engine.recipe import Judgement, Verdict
from journal import entries as e
from journal.entries import Fact
from tests.engine.making import START, STATES, Look, Site, begun, entries, turn


def changed(facts: dict[str, Fact], *memories_facts: dict[str, Fact]) -> list[set[str]]:
    """Look at the same facts with the same rules, remembering other things each time: what was new each time?"""
    rules = Site().rules()
    observed = []
    for remembered in memories_facts:
        memory = begun(rules, e.Observed(at=START, changed=remembered))
        told = entries(turn(rules, memory, Look(facts)), e.Observed)
        observed.append({subject for entry in told for subject in entry.changed})
    return observed


ONE, TWO = Fact("1", since=START), Fact("2", since=START)


def test_the_same_look_is_new_to_another_memory() -> None:
    assert [set(), {"a"}, {"a"}] == changed({"a": ONE}, {"a": ONE}, {"a": TWO}, {"b": ONE})


def test_a_turn_that_was_never_written_is_told_again() -> None:
    assert [{"a"}, {"a"}, set()] == changed({"a": ONE}, {"a": TWO}, {"a": TWO}, {"a": ONE})
    assert [{"a"}, {"a"}] == changed({"a": ONE}, {}, {})


def test_another_look_is_new_to_the_same_memory() -> None:
    rules = Site().rules()
    memory = begun(rules, e.Observed(at=START, changed={"a": ONE}))
    looks = [{"a": ONE}, {"a": TWO}, {"a": ONE}, {"a": ONE, "b": ONE}]
    told = [entries(turn(rules, memory, Look(facts)), e.Observed) for facts in looks]

    assert [set(), {"a"}, set(), {"b"}] == [
        {subject for entry in found for subject in entry.changed} for found in told
    ]


def test_an_answer_is_written_until_it_is_remembered_and_again_when_it_changes() -> None:
    reasons = iter(("rain", "rain", "rain", "snow", "rain"))
    site = Site({"ground": lambda _memory: {"a": Wait(next(reasons))}})
    rules = site.rules()
    empty = begun(rules)
    first = turn(rules, empty, Look({}))
    told = [
        first,
        turn(rules, empty, Look({})),  # the first was never written
        turn(rules, first.memory, Look({})),
        turn(rules, first.memory, Look({})),
    ]
    told.append(turn(rules, told[-1].memory, Look({})))
    decided = [entries(done, e.Decided) for done in told]

    assert ["rain", "rain", None, "snow", "rain"] == [
        found[0].answers["a"]["reason"] if found else None for found in decided
    ]


BROKEN, HOLDS = Verdict.BROKEN, Verdict.HOLDS


@pytest.mark.parametrize(
    ("state", "verdicts", "held", "broken_long"),
    [
        ("ground", (HOLDS, HOLDS, HOLDS), STATES, ()),
        ("walls", (BROKEN, HOLDS, HOLDS), STATES, ("ground",)),
        ("walls", (HOLDS, HOLDS, HOLDS), (), ("ground",)),
        ("walls", (BROKEN, HOLDS, HOLDS), STATES, ()),
    ],
)
def test_a_machine_that_was_asked_before_answers_as_a_new_one(
    state: str, verdicts: tuple[Verdict, ...], held: tuple[str, ...], broken_long: tuple[str, ...]
) -> None:
    """*asked before*: the same question but for one part of it."""
    plan = Site().rules().plan
    machine = Machine(plan)

    def ask(
        of: Machine,
        state: str,
        verdicts: tuple[Verdict, ...],
        held: tuple[str, ...],
        long: tuple[str, ...],
    ) -> object:
        judged = {
            name: Judgement(verdict, f"{name} {len(judgements)}")
            for name, verdict in zip(STATES, verdicts, strict=True)
        }
        judgements.append(judged)
        found = of.next_move(state, judged, held=frozenset(held), broken_long=frozenset(long))
        return (found.target, found.trigger, found.why) if found else None

    judgements: list[object] = []
    flipped = tuple(HOLDS if verdict is BROKEN else BROKEN for verdict in verdicts)
    for other in STATES:
        ask(machine, other, verdicts, held, broken_long)
    ask(machine, state, flipped, held, broken_long)
    ask(machine, state, verdicts, () if held else STATES, broken_long)
    ask(machine, state, verdicts, held, () if broken_long else ("ground",))
    ask(machine, state, verdicts, held, broken_long)  # the same, but for why
    judgements.clear()
    asked = ask(machine, state, verdicts, held, broken_long)
    judgements.clear()

    assert ask(Machine(plan), state, verdicts, held, broken_long) == asked
