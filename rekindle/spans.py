"""
Instants and durations as people read them: to the second, and so that what stands in a table adds up.

An instant is written with its fraction cut off, as a clock does. A span is therefore the difference of the seconds that
are shown, and never of what was cut off: who subtracts two printed instants must get the span that is printed beside.
Where the host's clock was set back between the two (``journal.steady``), each is written as it showed it, and the span
is of the time that passed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from journal.steady import as_written

_MICROSECONDS = 6  # a sum of floats that is a hair below a second is that second
_MINUTE, _HOUR = 60, 3600


def whole(instant: float) -> int:
    """Return the second that is shown for an instant."""
    return math.floor(round(instant, _MICROSECONDS))


def clock(instant: float) -> str:
    """Write an instant as the time of day in UTC."""
    return datetime.fromtimestamp(whole(as_written(instant)), UTC).strftime("%H:%M:%S")


def stamp(instant: float) -> str:
    """Write an instant with its date, in UTC."""
    return datetime.fromtimestamp(whole(as_written(instant)), UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def between(begun: float, ended: float) -> int:
    """Return the seconds between two instants as they are shown."""
    return whole(ended) - whole(begun)


def span(seconds: float | None) -> str:
    """Write a duration to the second, all its units: ``6 m 59 s``, ``7 m 0 s``."""
    if seconds is None:
        return ""
    count = round(seconds)
    if count < 0:
        return f"-{span(-seconds)}"
    hours, rest = divmod(count, _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    parts = [f"{hours} h"] if hours else []
    parts += [f"{minutes} m"] if minutes or hours else []
    return " ".join((*parts, f"{left} s"))


def exact(seconds: float) -> str:
    """Say a duration to the second in a sentence, without units that are nothing: ``10 m 39 s``, ``2 h 6 m``."""
    hours, rest = divmod(max(0, round(seconds)), _HOUR)
    minutes, left = divmod(rest, _MINUTE)
    parts = [f"{hours} h"] if hours else []
    parts += [f"{minutes} m"] if minutes else []
    parts += [f"{left} s"] if left or not parts else []
    return " ".join(parts)


def shares(total: int, parts: Sequence[float]) -> tuple[int, ...]:
    """
    Round the *parts* of a whole to seconds that add up to *total*.

    The largest remainders are rounded up. Where the parts are not those of that whole (they differ by more than a
    second a part), each is rounded by itself: nothing is made to fit.
    """
    down = [math.floor(round(part, _MICROSECONDS)) for part in parts]
    left = total - sum(down)
    if not -len(parts) <= left <= len(parts):
        return tuple(round(part) for part in parts)
    order = sorted(
        range(len(parts)), key=lambda place: parts[place] - down[place], reverse=left > 0
    )
    changed = order[: abs(left)] if left > 0 else [p for p in order if down[p] > 0][: abs(left)]
    for place in changed:
        down[place] += 1 if left > 0 else -1
    return tuple(down)
