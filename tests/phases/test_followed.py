"""
Looks that share what has not changed, beside plain dicts that are copied each time.

Mutants that turn one of these red: see a change that a later look has made; go on from what another look has gone on
from; forget what is gone; count what is replaced as new; copy at each change; never begin anew; go on from what has
been put together already; share what small kinds have; put together what is only asked for one key.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases import followed
from phases.followed import CHANGES_PER_BASE, FOLLOWED_AT_LEAST, Change, Followed
from rekindle.adapters.reports import Cache, Changes, Whole
from rekindle.looks.frames import _changed

MANY = 50_000
KEYS = [f"k{number}" for number in range(12)]
CHANGE: st.SearchStrategy[Change] = st.tuples(
    st.sampled_from(KEYS), st.none() | st.integers(0, 9).map(lambda n: ("pod", n))
)
STEP = st.tuples(st.integers(0, 3), st.booleans(), st.lists(CHANGE, max_size=4))


def many(count: int = MANY) -> dict[str, Any]:
    return {f"apps/p{number:05}": ("pod", number) for number in range(count)}


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many objects were copied, time by time."""
    made: list[int] = []
    real = followed._changed

    def counted(base: dict[str, Any], changes: list[Change]) -> dict[str, Any]:
        made.append(len(base))
        return real(base, changes)

    monkeypatch.setattr(followed, "_changed", counted)
    return made


@given(
    first=st.sets(st.sampled_from(KEYS)),
    steps=st.lists(STEP, max_size=30),
    at_least=st.sampled_from([0, 5]),
)
def test_looks_are_what_copied_dicts_are(first: set[str], steps: list[Any], at_least: int) -> None:
    """Of the last four looks any may be gone on from, and any may be gone through at any time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(followed, "FOLLOWED_AT_LEAST", at_least)
        patch.setattr(followed, "CHANGES_PER_BASE", 1)  # so that these few are shared for a while
        begun = dict.fromkeys(sorted(first), ("pod", 0))
        looks, models = [Followed(begun)], [begun]
        parents: list[int] = [0]
        for back, goes_through, changes in steps:
            parent = max(0, len(looks) - 1 - back)
            looks.append(looks[parent].after(iter(changes)))
            models.append(_model(models[parent], changes))
            parents.append(parent)
            if goes_through:
                assert list(looks[-1].items()) == list(models[-1].items())
        for look, model in zip(looks, models, strict=True):
            _is_the_same(look, model)
        for place, parent in enumerate(parents):
            _knows_what_differs(looks[place], looks[parent], models[place], models[parent])


def _model(before: dict[str, Any], changes: list[Change]) -> dict[str, Any]:
    model = dict(before)
    for key, found in changes:
        model.pop(key, None) if found is None else model.update({key: found})
    return model


def _is_the_same(look: Followed, model: dict[str, Any]) -> None:
    assert len(model) == len(look)
    for key in [*KEYS, "other"]:
        assert model.get(key, "none") is look.get(key, "none")
        assert (key in model) == (key in look)
    assert list(model) == list(look) == list(look.keys())  # in a dict's order
    assert list(model.values()) == list(look.values())
    assert model == look
    assert repr(model) == repr(look)


def _knows_what_differs(now: Followed, before: Followed, new: Any, old: Any) -> None:  # noqa: ANN401
    told = now.changed_since(before)
    if told is not None:
        assert {key for key in new.keys() | old.keys() if new.get(key) is not old.get(key)} <= told


def test_two_futures_of_one_look_have_nothing_of_one_another() -> None:
    """Mutant: go on from what another look has gone on from."""
    first = Followed(many(FOLLOWED_AT_LEAST)).after([("new", 1)])
    one = first.after([("one", 1), ("new", 2)])
    other = first.after([("other", 1)])

    assert [1, None, None] == [first.get(key) for key in ("new", "one", "other")]
    assert [2, 1, None] == [one.get(key) for key in ("new", "one", "other")]
    assert [1, None, 1] == [other.get(key) for key in ("new", "one", "other")]


def test_what_is_not_there_is_an_error() -> None:
    look = Followed(many(FOLLOWED_AT_LEAST)).after([("apps/p00000", None), ("new", 1)])

    assert look["new"] == 1
    with pytest.raises(KeyError):
        look["apps/p00000"]


def test_a_change_of_many_copies_nothing(copies: list[int]) -> None:
    """Neither making the look, nor asking it, nor comparing it, nor recording it goes through all."""
    look = first = Followed(many())
    for number in range(100):
        before, look = look, look.after([("apps/p00007", ("pod", -number)), ("new", None)])
        assert ("pod", -number) == look["apps/p00007"]
        assert "new" not in look
        assert len(look) == MANY
        assert {"apps/p00007", "new"} == look.changed_since(before)
        recorded = _changed(before, look)
        assert recorded is not None
        assert b'{"apps/p00007":["pod",%d]}' % -number == bytes(recorded.found)

    assert [] == copies
    assert look._shared.base is first._whole


def test_a_watch_event_copies_nothing(copies: list[int]) -> None:
    """Mutant: let the cache copy before it changes."""
    cache = Cache(("Pod",))
    cache.take(Whole("Pod", 1.0, many()))
    copies.clear()
    for number in range(20):
        cache.take(Changes("Pod", 2.0, ((f"apps/p{number:05}", ("pod", -1)),)))
        cache.objects(2.0)

    assert [] == copies


def test_all_is_put_together_again_once_an_eighth_has_changed(copies: list[int]) -> None:
    """So a change costs as much as eight objects of a copy, however many there are."""
    count = 2 * FOLLOWED_AT_LEAST
    look = Followed(many(count))
    for number in range(3 * count):
        look = look.after([(f"apps/p{number % count:05}", ("pod", -number))])
        assert len(look._shared.changes) <= count // CHANGES_PER_BASE

    assert 3 * CHANGES_PER_BASE - 1 <= len(copies) <= 3 * CHANGES_PER_BASE


def test_what_was_gone_through_is_put_together_once_and_gone_on_from(copies: list[int]) -> None:
    look = Followed(many(FOLLOWED_AT_LEAST)).after([("new", 1)])
    for _ in range(3):
        assert FOLLOWED_AT_LEAST + 1 == len(list(look.items()))
    following = look.after([("new", 2)])

    assert [FOLLOWED_AT_LEAST] == copies
    assert (1, 2) == (look["new"], following["new"])
    assert 1 == len(following._shared.changes)  # what was replaced before is let go of


def test_few_are_a_plain_dict_at_each_look() -> None:
    look = Followed(many(FOLLOWED_AT_LEAST - 1)).after([("apps/p00000", ("pod", 5))])

    assert look._whole is not None
    assert [] == look._shared.changes
