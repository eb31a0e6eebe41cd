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
from rekindle.spans import whole

_SEQ = re.compile(r"[0-9]{1,12}")
_SINCE = re.compile(r"\+([0-9]+(?:\.[0-9]+)?)s?")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9](?:\.[0-9]+)?))?Z?")
DAY_SECONDS = 86_400
HINT = (
    "a number is an entry's, `rekindle log` shows them; +90 is 90 seconds after the opening; else ISO 8601, in UTC; "
    "HH:MM:SS alone only where a moment is looked at"
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


def moment_of(text: str, opened_at: float) -> Moment:
    """
    Read a moment; a time of day is the first one after the opening.

    :raises UsageWrong: when it is none.
    """
    said = text.strip()
    if _SEQ.fullmatch(said):
        return Moment(seq=int(said))
    time = _CLOCK.fullmatch(said)
    if time is not None:
        hours, minutes, seconds = (float(part or 0) for part in time.groups())
        at = opened_at - opened_at % DAY_SECONDS + hours * 3600 + minutes * 60 + seconds
        return Moment(at=at if at >= whole(opened_at) else at + DAY_SECONDS)
    return Moment(at=instant_of(said, opened_at))


def instant_of(text: str, opened_at: float) -> float:
    """
    Read an instant: ISO 8601 (without a zone: UTC), or +SECONDS since the opening.

    :raises UsageWrong: when it is none.
    """
    said = text.strip()
    since = _SINCE.fullmatch(said)
    if since is not None:
        return opened_at + float(since[1])
    try:
        found = datetime.fromisoformat(said)
        instant = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        instant = math.nan
    if not math.isfinite(instant):
        raise UsageWrong(f"{text!r} is no moment", reference="moment-unreadable", hint=HINT)
    return instant
