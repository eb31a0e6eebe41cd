"""
Promise: what is kept of a long run is bounded, says how much it left out, and keeps the extremes.

Mutants that turn it red: take the lowest or the highest out of ``thinned``; count nothing as left out; keep a point
that says nothing new; look at those on their way out only when the existing ones are counted, too.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from journal.entries import Fact, Observed
from phases import codes
from rekindle.report.happenings import Pods
from rekindle.report.kept import POINTS, Curve, Ends, Existing


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=6_000))
def test_a_curve_is_short_and_keeps_its_ends_and_its_extremes(counts: list[int]) -> None:
    curve = Curve()
    for at, ready in enumerate(counts):
        curve.add(float(at), ready, 10_000)

    drawn = curve.drawn()

    assert len(drawn) <= POINTS
    assert (drawn[0].at, drawn[0].ready) == (0.0, counts[0])
    assert drawn[-1].ready == counts[-1]
    assert min(point.ready for point in drawn) == min(counts)
    assert max(point.ready for point in drawn) == max(counts)
    assert [point.at for point in drawn] == sorted(point.at for point in drawn)


def test_a_long_curve_keeps_a_dip_of_one_point() -> None:
    curve = Curve()
    for at in range(20_000):
        curve.add(float(at), 50 + at % 2, 104)
        if at in {4_321, 15_000}:
            curve.add(at + 0.5, at % 7, 104)

    drawn = curve.drawn()

    assert len(drawn) <= POINTS
    assert Pods(4_321.5, 4_321 % 7, 104) in drawn
    assert Pods(15_000.5, 15_000 % 7, 104) in drawn


def test_a_count_that_says_nothing_new_is_no_point() -> None:
    curve = Curve()
    for at in range(5):
        curve.add(float(at), 3, 4)

    assert curve.drawn() == (Pods(0.0, 3, 4),)


def test_of_many_the_first_and_the_last_stay_and_the_others_are_counted() -> None:
    ends: Ends[int] = Ends(5)
    for number in range(9):
        ends.add(number)

    assert ends.items == (0, 1, 6, 7, 8)
    assert ends.left_out == 4


def test_of_the_pods_that_exist_those_on_their_way_out_are_taken_whenever_they_are_counted() -> (
    None
):
    existing = Existing()
    existing.observe(Observed(at=1.0, changed={codes.EXISTING: Fact("9")}), 1)
    existing.observe(Observed(at=2.0, changed={"crd/a": Fact("Ready")}), 2)
    existing.observe(Observed(at=3.0, changed={codes.LEAVING: Fact("2")}), 3)

    assert existing.first == (1.0, 9, 1, None)
    assert existing.last == (3.0, 7, 3, 2)
