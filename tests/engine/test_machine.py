"""The table of states: passing through, going back, and what done claims."""

from __future__ import annotations

import pytest

from engine.machine import Machine, Move, mermaid
from engine.recipe import Judgement, Verdict
from tests.engine.making import STATES, Site

PLAN = Site().rules().plan
TABLE = Machine(PLAN)


def step(state: str, verdicts: str, broken_long: str = "", held: str = "") -> Move | None:
    """*verdicts*: one letter a state, h(olds), b(roken), u(nknown)."""
    meaning = {"h": Verdict.HOLDS, "b": Verdict.BROKEN, "u": Verdict.UNKNOWN}
    judged = {
        name: Judgement(meaning[letter], f"{name} {letter}")
        for name, letter in zip(STATES, verdicts, strict=True)
    }
    return TABLE.next_move(
        state,
        judged,
        held=frozenset(held.split() if held else STATES),
        broken_long=frozenset(broken_long.split()),
    )


@pytest.mark.parametrize(
    ("state", "verdicts", "broken_long", "expected"),
    [
        ("ground", "hbb", "", "walls"),
        ("ground", "uhh", "", None),
        ("ground", "bhh", "", None),
        ("walls", "hhb", "", "roof"),
        (
            "walls",
            "uhb",
            "",
            "roof",
        ),  # unknown behind us moves nothing, and forbids nothing but done
        ("walls", "bhb", "", None),  # something before it is broken: not forwards
        ("walls", "bhb", "ground", "ground"),
        ("roof", "bbh", "ground walls", "ground"),  # the lowest first
        ("roof", "bbh", "walls", "walls"),
        ("roof", "hbh", "walls", "walls"),
        ("roof", "hbh", "", None),  # not broken for long enough
        ("roof", "huh", "walls", None),  # broken needs evidence now, not only then
        ("roof", "hhh", "", "done"),
        ("roof", "uhh", "", None),  # done is a claim about everything
        ("roof", "huh", "", None),
        ("done", "bbb", "ground", None),
    ],
)
def test_moves(state: str, verdicts: str, broken_long: str, expected: str | None) -> None:
    move = step(state, verdicts, broken_long)

    assert expected == (move.target if move is not None else None)


def test_a_goal_must_have_held_for_its_window() -> None:
    assert step("roof", "hhh", held="ground walls") is None


def test_a_move_says_why() -> None:
    forward, back = step("ground", "hhh"), step("roof", "bhh", "ground")

    assert Move("ground", "walls", "ground h", "advance") == forward
    assert Move("roof", "ground", "ground b", "regress") == back


def test_the_table_is_drawn_from_the_plan() -> None:
    assert """stateDiagram-v2
    [*] --> ground
    ground --> walls: goal holds
    walls --> roof: goal holds
    walls --> ground: lowest broken goal
    roof --> done: goal holds
    roof --> ground: lowest broken goal
    done --> [*]""" == mermaid(PLAN)
