"""Durations, backoff and jitter: pure arithmetic on seconds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.recipe import Retry

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_WHOLE = re.compile(r"^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$")


def seconds(text: str) -> float:
    """
    Read a duration such as ``30s``, ``1h30m`` or Go's ``59m30s``, in seconds.

    :raises ValueError: when it is none.
    """
    if not _WHOLE.match(text):
        message = f"{text!r} is no duration; write it like 30s, 15m or 1h30m"
        raise ValueError(message)
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def spoken(span: float) -> str:
    """Say a duration as an operator would: ``45 s``, ``2 h 6 m``."""
    whole = max(0, round(span))
    if whole < 60:  # noqa: PLR2004  seconds in a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004  minutes in an hour
        return f"{minutes} m {rest} s" if rest and minutes < 10 else f"{minutes} m"  # noqa: PLR2004
    hours, minutes = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004  two days are better said in days
        return f"{hours} h {minutes} m" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"


def backoff(retry: Retry, attempt: int, chance: float) -> float:
    """
    Return how many seconds to wait after the failed *attempt* (from 1).

    *chance* is in [0, 1): full jitter spreads the delay over the upper half of what exponential growth allows, so
    that it is random and still never immediate.
    """
    ceiling = min(
        retry.backoff_limit_seconds,
        retry.backoff_seconds * float(2 ** min(attempt - 1, 30)),
    )
    if not retry.full_jitter:
        return ceiling
    return ceiling * (0.5 + chance / 2)
