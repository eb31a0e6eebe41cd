"""
Promise: the machine of any legal plan reaches done in a world without faults, its states in their order.

Method: machines of one to six states in any order and of any name, with stability windows, deadlines, limits and verbs
of any legal size, over a house of lights (``toy``): what a state wants shows itself some time after its verb. Some
lights are on from the start; nothing is done about those.

Mutant, killed here: a state without a stability window waits for one.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from journal import entries as e
from tests.properties.clusters import examples
from tests.properties.toy import House, chain, recipe_of, story_of

NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12).filter(
    lambda name: name != "done"
)
SECONDS = st.sampled_from([0.0, 0.001, 1.0, 29.5, 30.0, 119.0])


@st.composite
def plans(draw: st.DrawFn) -> tuple[dict[str, Any], House, dict[str, str]]:
    """A machine, a house that its goals are of, and the verb of each state."""
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    states = {
        name: {
            "stable": draw(SECONDS),
            "deadline": {
                "after": draw(st.sampled_from([601.0, 1800.0, 7 * 86_400.0])),
                "policy": draw(st.sampled_from(["wall", "active", "restart"])),
            },
        }
        for name in names
    }
    regress = {
        "damping": draw(st.sampled_from([0.5, 30.0, 600.0])),
        "limit": f"{draw(st.integers(1, 5))} per {draw(st.sampled_from(['1m', '30m', '24h']))}",
    }
    verbs = {name: draw(st.sampled_from(["switch", "once"])) for name in names}
    lights: dict[str, bool | None] = {name: draw(st.booleans()) for name in names}
    house = House(
        lights=lights,
        delays={name: draw(SECONDS) for name in names},
    )
    return chain(names, states, regress=regress), house, verbs


@given(made=plans())
@settings(max_examples=examples(2))
def test_any_legal_plan_reaches_done_in_a_kind_world(
    made: tuple[dict[str, Any], House, dict[str, str]],
) -> None:
    machine, house, verbs = made
    off = [name for name, shown in house.lights.items() if not shown]
    run = story_of(recipe_of(list(verbs), verbs), machine, house)
    run.most_wakeups = 200

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    moves = [entry for entry in run.book.entries() if isinstance(entry, e.Moved)]
    assert [move.source for move in moves] == list(verbs)
    assert [move.target for move in moves] == [*list(verbs)[1:], "done"]
    assert sorted(told.intent.arguments["light"] for told in run.told) == sorted(off)
