"""
Which vertices need each other.

Mutants, each tried: the second walk follows the needs as they stand; the order of leaving is not turned round.
"""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from phases.circles import knots

NAMES = st.sampled_from("abcdefg")


def groups(edges: dict[str, list[str]]) -> set[frozenset[str]]:
    found = sorted(knots(edges).items(), key=lambda pair: pair[1])
    return {frozenset(v for v, _ in pairs) for _, pairs in groupby(found, lambda pair: pair[1])}


def reached(edges: dict[str, list[str]], start: str) -> set[str]:
    """What *start* needs, by any way, and itself."""
    found, todo = {start}, [start]
    while todo:
        fresh = [v for v in edges.get(todo.pop(), ()) if v not in found]
        found.update(fresh)
        todo.extend(fresh)
    return found


def test_a_chain_is_no_knot_and_a_ring_is_one() -> None:
    assert groups({"a": ["b"], "b": ["c"]}) == {frozenset("a"), frozenset("b"), frozenset("c")}
    assert groups({"a": ["b"], "b": ["c", "d"], "c": ["a"]}) == {frozenset("abc"), frozenset("d")}


def test_no_chain_is_too_deep() -> None:
    deep = {str(n): [str(n + 1)] for n in range(20_000)}

    assert len(set(knots(deep).values())) == 20_001


@given(st.dictionaries(NAMES, st.lists(NAMES)))
def test_two_are_in_a_knot_if_each_needs_the_other(edges: dict[str, list[str]]) -> None:
    found = knots(edges)

    assert set(found) == set(edges).union(*edges.values())
    for one in found:
        for other in found:
            both = other in reached(edges, one) and one in reached(edges, other)
            assert (found[one] == found[other]) == both
