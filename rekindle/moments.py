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

_SEQ = re.compile(r"[0-9]{1,12}")
_SINCE = re.compile(r"\+([0-9]+(?:\.[0-9]+)?)s?")
HINT = "a number is an entry's, `rekindle log` shows them; +90 is 90 seconds after the opening; else ISO 8601, in UTC"


@dataclass(frozen=True, slots=True)
class Moment:
    """Right after entry *seq*, or (*seq* None) at the instant *at*, all entries of that instant included."""

    seq: int | None = None
    at: float | None = None


def moment_of(text: str, opened_at: float) -> Moment:
    """
    Read a moment.

    :raises UsageWrong: when it is none.
    """
    said = text.strip()
    if _SEQ.fullmatch(said):
        return Moment(seq=int(said))
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
