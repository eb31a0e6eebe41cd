"""Durations, backoff and jitter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.patience import backoff, seconds, spoken
from engine.recipe import Retry


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500ms", 0.5),
        ("30s", 30.0),
        ("15m", 900.0),
        ("1h30m", 5400.0),
        ("59m30s", 3570.0),
        ("1.5h", 5400.0),
        ("2d", 172_800.0),
    ],
)
def test_a_duration_is_read_as_go_and_people_write_it(text: str, expected: float) -> None:
    assert expected == seconds(text)


@pytest.mark.parametrize("text", ["", "30", "s", "-5s", "1h 30m", "5 minutes", "1h30", "m5", "٣s٣"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 30s"):
        seconds(text)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 m"),
        (61, "1 m 1 s"),
        (660, "11 m"),
        (7560, "2 h 6 m"),
        (7200, "2 h"),
        (200_000, "2 d 7 h"),
    ],
)
def test_a_duration_is_said_as_an_operator_would(span: float, expected: str) -> None:
    assert expected == spoken(span)


RETRIES = st.builds(
    Retry,
    backoff_seconds=st.floats(0.01, 100),
    backoff_limit_seconds=st.floats(0.01, 1000),
    full_jitter=st.booleans(),
)


@given(RETRIES, st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_backoff_is_never_immediate_and_never_above_its_limit(
    retry: Retry, attempt: int, chance: float
) -> None:
    delay = backoff(retry, attempt, chance)

    lowest = min(retry.backoff_seconds, retry.backoff_limit_seconds) / 2
    assert lowest <= delay <= retry.backoff_limit_seconds


@given(RETRIES, st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_a_backoff_does_not_shrink_from_attempt_to_attempt(
    retry: Retry, attempt: int, chance: float
) -> None:
    assert backoff(retry, attempt, chance) <= backoff(retry, attempt + 1, chance)


def test_without_jitter_the_delays_double_up_to_the_limit() -> None:
    retry = Retry(backoff_seconds=2, backoff_limit_seconds=9, full_jitter=False)

    assert [2, 4, 8, 9, 9] == [backoff(retry, n, 0.3) for n in range(1, 6)]
