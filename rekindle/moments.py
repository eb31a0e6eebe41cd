"""
A moment of a run, as people name it: an entry's number, an instant, or seconds since the opening.

Instants are of the world's time, as ``log`` shows them: in a rehearsal the cluster's.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.errors import UsageWrong
from rekindle.spans import stamp, whole

_SEQ = re.compile(r"[0-9]{1,12}")
_SINCE = re.compile(r"\+([0-9]+(?:\.[0-9]+)?)(s|m|h)?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_CLOCK = re.compile(
    r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9](?:\.[0-9]+)?))?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))?"
)
DAY_SECONDS = 86_400
NEAR_SECONDS = 6 * 3600  # a time of day that is further from what it corrects may be of either day
HINT = (
    "a number is an entry's, `rekindle log` shows them; +90 is 90 seconds after the opening (+2m, +1h); else HH:MM:SS "
    "or ISO 8601, in UTC or with its offset (+02:00)"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """
    Right after entry *seq*, or (*seq* None) at the instant *at*, all entries of that instant included.

    Instants are shown with their fractions cut off: a whole second is all that is shown as that second.
    """

    seq: int | None = None
    at: float | None = None

    def is_before(self, row_seq: int, row_at: float) -> bool:
        """Say whether an entry came later."""
        if self.at is None:
            return row_seq > (self.seq or 0)
        return (whole(row_at) if self.at.is_integer() else row_at) > self.at


def is_since(finding: str, said: float | None, time: float | None) -> bool:
    """
    Say whether a correction is of since when something has been so, and not of when the run *said* that it found it.

    It names a finding or an object, and an instant before that: what is found was so before.
    """
    return bool(finding) and said is not None and time is not None and time < said


def moment_of(text: str, opened_at: float) -> Moment:
    """
    Read a moment; a time of day is the first one after the opening.

    :raises UsageWrong: when it is none.
    """
    said = text.strip()
    if _SEQ.fullmatch(said):
        return Moment(seq=int(said))
    time = _of_day(said)
    if time is not None:
        at = opened_at - opened_at % DAY_SECONDS + time
        return Moment(at=at if at >= whole(opened_at) else at + DAY_SECONDS)
    return Moment(at=instant_of(said, opened_at))


def corrected_of(text: str, opened_at: float, said_at: float) -> float:
    """
    Read what an instant is corrected to; a time of day is the one nearest to *said_at*, which it corrects.

    Not the first one after the opening: what is corrected may have happened before the run began.

    :raises UsageWrong: when it is no instant, or a time of day that may be of two days.
    """
    time = _of_day(text.strip())
    if time is None:
        return instant_of(text, opened_at)
    midnight = said_at - said_at % DAY_SECONDS
    days = (midnight + time + day * DAY_SECONDS for day in (-1, 0, 1))
    nearest, next_one = sorted(days, key=lambda at: abs(at - said_at))[:2]
    if abs(nearest - said_at) > NEAR_SECONDS:
        raise UsageWrong(
            f"{text!r} may be {stamp(nearest)} or {stamp(next_one)}: neither is near {stamp(said_at)}, which it "
            "corrects",
            reference="moment-unreadable",
            hint=f"say the day as well: {stamp(nearest)}",
        )
    return nearest


def is_of_day(text: str) -> bool:
    """Say whether it is a time of day, which may be of any day."""
    return _CLOCK.fullmatch(text.strip()) is not None


def _of_day(said: str) -> float | None:
    """Return the seconds of a time of day since midnight, in UTC; None: it is none."""
    time = _CLOCK.fullmatch(said)
    if time is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in time.groups()[:3])
    sign, ahead, beside = time.groups()[3:]
    offset = (int(ahead) * 3600 + int(beside) * 60) * (-1 if sign == "-" else 1) if sign else 0
    return (hours * 3600 + minutes * 60 + seconds - offset) % DAY_SECONDS


def instant_of(text: str, opened_at: float) -> float:
    """
    Read an instant: ISO 8601 (without a zone: UTC), or +SECONDS (+2m, +1h) since the opening.

    :raises UsageWrong: when it is none.
    """
    said = text.strip()
    since = _SINCE.fullmatch(said)
    try:
        if since is not None:
            instant = opened_at + float(since[1]) * _UNITS[since[2] or "s"]
        else:
            found = datetime.fromisoformat(said)
            instant = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
        datetime.fromtimestamp(instant, UTC)  # what no calendar has, in UTC, could not be shown
    except (ValueError, OverflowError, OSError):
        instant = math.nan
    if not math.isfinite(instant):
        raise UsageWrong(f"{text!r} is no moment", reference="moment-unreadable", hint=HINT)
    return instant
