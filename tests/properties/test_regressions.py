"""
Promise: a goal that is lost for less than the damping moves nothing; one that is lost too often is a question.

Method: a house of lights in which earlier ones go out and come back, or cannot be seen, at times that Hypothesis
invents. A move backwards needs its light to have been off for the whole damping before it, with no glimpse of it on
or out of sight between; a move forwards needs everything below to be not known broken; and within the window there
are never more moves backwards than the limit: the next one is asked.

Mutants, killed here: no damping; damping that survives a glimpse of the light; no limit; forwards over what is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.judging import MACHINE
from engine.memory import Memory
from engine.ports import Requests
from journal import entries as e
from journal.entries import AnyEntry, Instant
from tests.properties.clusters import examples
from tests.properties.harness import open_questions
from tests.properties.toy import START, House, chain, recipe_of, story_of

DAMPING_SECONDS = 30.0
LIMIT, WINDOW_SECONDS = 3, 1800.0
ROOMS = ("cellar", "hall", "attic")
# From when, for how long, which light, and whether it goes out or out of sight.
FLICKERS = st.lists(
    st.tuples(
        st.floats(5, 4000, width=32),
        st.sampled_from([0.5, 10.0, 29.0, 31.0, 45.0, 200.0]),
        st.sampled_from(ROOMS[:2]),
        st.sampled_from([False, False, None]),
    ),
    max_size=14,
)


def flickering(flickers: Sequence[tuple[float, float, str, bool | None]]) -> House:
    """A house whose attic stays dark for long, while what is below it flickers."""
    house = House(dict.fromkeys(ROOMS, False), {"cellar": 2.0, "hall": 40.0, "attic": 5000.0})
    for begin, length, name, shown in flickers:
        house.at(START + begin, lambda name=name, shown=shown: house.set(name, shown))  # type: ignore[misc]
        house.at(START + begin + length, lambda name=name: house.set(name, True))  # type: ignore[misc]
    return house


@given(flickers=FLICKERS)
@settings(max_examples=examples(1.5))
def test_backwards_only_after_the_damping_and_never_too_often(
    flickers: list[tuple[float, float, str, bool | None]],
) -> None:
    machine = chain(
        ROOMS,
        {"attic": {"deadline": {"after": "6h"}}},
        regress={"damping": "30s", "limit": "3 per 30m"},
    )
    run = story_of(recipe_of(ROOMS), machine, flickering(flickers))
    run.most_wakeups = 1_000

    ended = run.session()

    assert ended is not None
    dark: dict[str, float] = {}  # since when each light has been known to be off
    backwards: list[float] = []
    for entry in run.book.entries():
        if isinstance(entry, e.Observed):
            for subject, fact in entry.changed.items():
                name = subject.removeprefix("light/")
                if fact.code == "off":
                    dark.setdefault(name, entry.at)
                else:
                    dark.pop(name, None)
        if isinstance(entry, e.Moved) and is_back(entry):
            assert entry.at - dark[entry.target] >= DAMPING_SECONDS
            assert entry.target == next(name for name in ROOMS if name in dark)
            backwards.append(entry.at)
            recent = [at for at in backwards if at > entry.at - WINDOW_SECONDS]
            assert len(recent) <= LIMIT
        elif isinstance(entry, e.Moved):
            below = ROOMS[: ROOMS.index(entry.source)]
            assert not [name for name in below if name in dark], "built on what is broken"
    asks = [x for x in run.book.entries() if isinstance(x, e.ApprovalAsked)]
    if ended.outcome == "waiting":
        assert asks
        assert "lost 3 times" in asks[-1].question
    else:
        assert ended.outcome == "done"


def is_back(move: e.Moved) -> bool:
    """Tell a move backwards from one forwards."""
    order = [*ROOMS, "done"]
    return order.index(move.target) < order.index(move.source)


@given(length=st.floats(0.5, DAMPING_SECONDS - 1, width=32), begin=st.floats(20, 300, width=32))
@settings(max_examples=examples(0.5))
def test_a_short_loss_moves_nothing(length: float, begin: float) -> None:
    machine = chain(ROOMS, {"attic": {"deadline": {"after": "6h"}}})
    run = story_of(recipe_of(ROOMS), machine, flickering([(begin, length, "hall", False)]))

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "done"
    assert not [x for x in run.book.entries() if isinstance(x, e.Moved) and is_back(x)]


def test_a_light_that_goes_out_again_and_again_becomes_a_question() -> None:
    flickers = [(100.0 + 300 * n, 45.0, "hall", False) for n in range(3)]
    flickers.append((1000.0, 50_000.0, "hall", False))
    run = story_of(
        recipe_of(ROOMS),
        chain(ROOMS, {"attic": {"deadline": {"after": "10m"}}}),
        flickering(flickers),
    )

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "waiting"
    moves = [x for x in run.book.entries() if isinstance(x, e.Moved) and is_back(x)]
    assert len(moves) == LIMIT


def test_a_no_to_going_back_again_is_said_and_kept() -> None:
    flickers = [(100.0 + 300 * n, 45.0, "hall", False) for n in range(3)]
    flickers.append((1000.0, 50_000.0, "hall", False))
    run = story_of(
        recipe_of(ROOMS),
        chain(ROOMS, {"attic": {"deadline": {"after": "10m"}}}, regress={"limit": "3 per 24h"}),
        flickering(flickers),
    )
    run.session()

    def refuse(memory: Memory, now: Instant) -> list[tuple[AnyEntry, Callable[[], None]]]:
        return [
            (
                e.ApprovalRefused(
                    at=now, approval=item, digest=memory.approvals[item].digest, actor="me"
                ),
                lambda: None,
            )
            for item in open_questions(memory)
        ]

    run.requests = Requests(refuse)
    ended = run.session()

    assert ended is not None
    assert ended.outcome == "stuck"
    assert ended.memory.answers[MACHINE]["reference"] == "approval-refused"
    assert len([x for x in run.book.entries() if isinstance(x, e.Moved) and is_back(x)]) == LIMIT
