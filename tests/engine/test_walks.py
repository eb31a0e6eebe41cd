"""
Walks become states, goals end with later ones, and nothing is begun beside an item that is away.

Mutants, each tried: ``_away`` returns nothing; it asks the overridden verdict of what takes; ``held_back`` does not ask
what is running, or whether the goal is known to be open; ``_until`` takes an unknown later goal for an open one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.answer import Act, Answer, Stuck, Wait
from engine.errors import PlanInvalid, Problem
from engine.guests import behind, judgements, wishes
from engine.memory import Attempt, Memory
from engine.plan import Plan, from_compiled, load, of_parts
from engine.recipe import Facts, Findings, Judgement, Recipe, Verdict
from engine.walks import gated
from engine.yamlfile import Marks, YamlFile
from journal.entries import Fact
from tests.engine.making import Site

ROOMS = ("attic", "cellar")
VERDICTS = {"yes": Verdict.HOLDS, "no": Verdict.BROKEN}


class Broom:
    """A phase that is told its state: its goal is the fact of the state's name."""

    VERSION = "7"

    def check(self, plan: Plan, state: str) -> Sequence[str]:
        found = plan.machine.states[state].options.keys() - {"soap"}
        return [f"no option {name!r}" for name in sorted(found)]

    def guard(self, plan: Plan, state: str, facts: Facts) -> Judgement:
        del plan
        code = facts[state].code if state in facts else ""
        return Judgement(VERDICTS.get(code, Verdict.UNKNOWN), f"{state} says {code or 'nothing'}")

    def decide(
        self, plan: Plan, state: str, facts: Facts, findings: Findings, memory: Memory
    ) -> dict[str, Answer]:
        del plan, facts, findings, memory
        return {state: Act("build", state)}


def recipe() -> Recipe:
    return replace(
        Site().recipe(),
        own={"broom": Broom()},
        items=lambda section: {"rooms": tuple(section.get("rooms", ROOMS))},
    )


STEPS = {
    "empty": {"phase": "broom", "deadline": {"after": 60}, "until": "paint"},
    "wash": {"phase": "broom", "deadline": {"after": 60}, "until": "paint"},
    "paint": {"phase": "broom", "deadline": {"after": 60}},
    "fill": {"phase": "broom", "deadline": {"after": 60}},
}
MACHINE: dict[str, Any] = {
    "initial": "tidy",
    "states": {"tidy": {"over": "rooms", "steps": STEPS, "next": "done"}},
}
ORDER = tuple(f"{step}-{room}" for room in ROOMS for step in STEPS)


def plan(machine: dict[str, Any] | None = None) -> Plan:
    return of_parts("house", machine or MACHINE, {}, recipe())


def judged(**codes: str) -> dict[str, Judgement]:
    facts = {name.replace("_", "-"): Fact(code) for name, code in codes.items()}
    return judgements(recipe(), plan(), ORDER, facts)


def answer(state: str, open_target: str = "", **codes: str) -> Answer:
    running = Attempt("a1", "build", open_target, 1, 1, 0.0, 60.0)
    memory = Memory(state=state, open={"a1": running} if open_target else {})
    found = plan()
    wished = wishes(recipe(), found, state, {}, {}, memory)
    return gated(found.machine, memory, judged(**codes), wished)[state]


UNTOUCHED = {"empty": "no", "wash": "no", "paint": "no", "fill": "yes"}
AWAY = {"empty": "yes", "wash": "no", "paint": "no", "fill": "no"}
PAINTED = {"empty": "yes", "wash": "yes", "paint": "yes", "fill": "no"}
BACK = {"empty": "no", "wash": "no", "paint": "yes", "fill": "yes"}


def house(attic: dict[str, str], cellar: dict[str, str]) -> dict[str, str]:
    rooms = {"attic": attic, "cellar": cellar}
    return {f"{s}_{room}": code for room, codes in rooms.items() for s, code in codes.items()}


def test_a_walk_becomes_all_states_of_the_first_and_then_of_the_second() -> None:
    found = plan()

    assert found.states == ORDER
    assert found.machine.states["empty-attic"].until == "paint-attic"
    parts = [state.walked.part for state in found.machine.states.values() if state.walked]
    assert parts == ["takes", "", "turns", "returns"] * 2


def test_what_leads_to_a_walk_leads_to_its_first_state_and_back_from_a_journal() -> None:
    tidy = {**MACHINE["states"]["tidy"], "next": "end"}
    before = {"phase": "broom", "deadline": {"after": 60}, "next": "tidy"}
    end = {"phase": "broom", "deadline": {"after": 60}, "next": "done"}
    found = plan({"initial": "before", "states": {"before": before, "tidy": tidy, "end": end}})

    assert found.states == ("before", *ORDER, "end")
    again = from_compiled(found.compiled(), recipe())
    assert (again.states, again.digest()) == (found.states, found.digest())


@pytest.mark.parametrize(
    ("mine", "later", "said"),
    [
        ("yes", "no", "yes"),
        ("yes", "", "yes"),
        ("no", "yes", "yes"),
        ("", "yes", "yes"),
        ("no", "no", "no"),
        ("no", "", ""),
        ("", "no", ""),
    ],
)
def test_a_goal_is_needed_until_another_holds_in_three_values(
    mine: str, later: str, said: str
) -> None:
    found = judged(empty_attic=mine, paint_attic=later)["empty-attic"]

    assert found.verdict is VERDICTS.get(said, Verdict.UNKNOWN)


@pytest.mark.parametrize(
    ("cellar", "said"),
    [
        (UNTOUCHED, Act),
        (BACK, Act),
        ({**BACK, "empty": "yes"}, Act),  # as empty as it was, and back for all that
        (AWAY, Wait),
        (PAINTED, Wait),
        ({**PAINTED, "fill": ""}, Wait),
        ({**AWAY, "empty": ""}, Wait),
        (
            {**UNTOUCHED, "fill": "no"},
            Act,
        ),  # nobody took it away: what is still to be done there is no doubt
        ({**UNTOUCHED, "paint": "yes", "fill": "no"}, Act),
    ],
)
def test_nothing_is_taken_away_beside_another_that_is_or_may_be(
    cellar: dict[str, str], said: type
) -> None:
    found = answer("empty-attic", **house(UNTOUCHED, cellar))

    assert isinstance(found, said)
    if isinstance(found, Wait):
        assert found.reason.startswith("cellar is not back: ")


def test_what_brings_an_item_back_is_never_held_up_by_another() -> None:
    assert isinstance(answer("fill-attic", **house(PAINTED, AWAY)), Act)
    assert isinstance(answer("paint-attic", **house(AWAY, AWAY)), Wait)


def test_nothing_is_begun_in_a_walk_while_anything_runs() -> None:
    codes = house(UNTOUCHED, UNTOUCHED)

    assert isinstance(answer("empty-attic", "empty-cellar", **codes), Wait)
    assert isinstance(answer("empty-attic", "empty-attic", **codes), Act)


@pytest.mark.parametrize("paint", ["", "yes"])
def test_nothing_is_begun_for_a_goal_that_may_not_be_needed_any_more(paint: str) -> None:
    said = answer("empty-attic", **house({**UNTOUCHED, "paint": paint}, UNTOUCHED))

    assert isinstance(said, Wait)


HEAD = "cluster: house\nmachine:\n  initial: tidy\n  states:\n"
CASES = {
    "nothing of that name": (
        "    tidy: {over: doors, steps: {a: {phase: broom, deadline: {after: 1m}}}, next: done}\n",
        "5:12: machine.states.tidy.over: there is nothing to walk over called 'doors'; there is rooms",
    ),
    "no step of the walk": (
        (
            "    tidy:\n      over: rooms\n      next: done\n      steps:\n"
            "        a: {phase: broom, deadline: {after: 1m}, until: b}\n"
        ),
        "9:50: machine.states.tidy.steps.a.until: 'b' is no step of this walk",
    ),
    "a step with a next": (
        "    tidy: {over: rooms, next: done, steps: {a: {deadline: {after: 1m}, next: done}}}\n",
        "5:72: machine.states.tidy.steps.a.next: unknown key",
    ),
    "no such phase, once": (
        (
            "    tidy:\n      over: rooms\n      next: done\n      steps:\n"
            "        a: {phase: mop, deadline: {after: 1m}}\n"
        ),
        "9:9: machine.states.a-attic: no phase 'mop'",
    ),
    "a name that is taken": (
        (
            "    tidy: {over: rooms, next: a-attic, steps: {a: {phase: broom, deadline: {after: 1m}}}}\n"
            "    a-attic: {phase: broom, deadline: {after: 1m}, next: done}\n"
        ),
        "5:5: machine.states.tidy: 'a-attic' is a state of its own already",
    ),
    "until what comes before": (
        (
            "    tidy: {phase: broom, deadline: {after: 1m}, next: end}\n"
            "    end: {phase: broom, deadline: {after: 1m}, next: done, until: tidy}\n"
        ),
        "6:60: machine.states.end.until: 'tidy' is no state that comes after this one",
    ),
    "what only the loader writes": (
        "    tidy: {phase: broom, deadline: {after: 1m}, next: done, walked: {}}\n",
        "5:61: machine.states.tidy.walked: is written by the loader",
    ),
    "what the phase refuses, once": (
        (
            "    tidy:\n      over: rooms\n      next: done\n      steps:\n"
            "        a: {phase: broom, deadline: {after: 1m}, options: {sope: 1}}\n"
        ),
        "9:50: machine.states.a-attic.options: no option 'sope'",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_error_is_said_at_its_place(case: str) -> None:
    text, said = CASES[case]

    def finish(section: dict[str, Any], marks: Marks, problems: list[Problem]) -> dict[str, Any]:
        del marks, problems
        return section

    with pytest.raises(PlanInvalid) as caught:
        load(YamlFile("p.yaml", HEAD + text), recipe(), lambda _: YamlFile("", ""), finish)

    found = [str(problem) for problem in caught.value.problems]
    assert any(line.startswith(f"p.yaml:{said}") for line in found), found
    assert len(found) == 1 or case == "what only the loader writes", found


class Knowing(Broom):
    """A phase that knows what of its own is in vain."""

    def behind(self, plan: Plan, memory: Memory, answers: Mapping[str, Answer]) -> set[str]:
        del plan
        return {subject for subject in answers if subject != memory.state}


@pytest.mark.parametrize(
    ("phase", "state", "found"),
    [
        (Knowing(), "empty-attic", {"sun"}),
        (Broom(), "empty-attic", set()),
        (Knowing(), "ground", {"of the domain"}),
    ],
)
def test_what_a_phase_of_others_waits_for_in_vain_only_that_phase_says(
    phase: Broom, state: str, found: set[str]
) -> None:
    """Mutants: the domain is asked about everybody's subjects; a phase has to have a ``behind``."""
    table = replace(
        recipe(), own={"broom": phase}, behind=lambda _plan, _memory, _answers: {"of the domain"}
    )
    ground = {"next": "tidy", "deadline": {"after": 60}}
    machine = {"initial": "ground", "states": {**MACHINE["states"], "ground": ground}}
    house = of_parts("house", machine, {}, table)
    answers: dict[str, Answer] = {state: Stuck("r", "m", "h"), "sun": Wait("x")}

    assert set(behind(table, house, Memory(state=state), answers)) == found
