"""When causes are looked for: a wait in which nothing changes is what a diagnosis is for."""

from __future__ import annotations

from journal.entries import Instant

# Of the world.
DIAGNOSIS_SECONDS = 10.0
BUSY_DIAGNOSIS_SECONDS = 30.0
QUIET_SECONDS = 5.0
# A session's first looks may not show everything yet, and somebody waits for the first word.
FIRST_DIAGNOSES = 4
FIRST_SECONDS = 2.5


class Cadence:
    """A session's diagnoses; time alone makes one due, since a wait in which nothing happens has no other news."""

    def __init__(self) -> None:
        self._last: Instant | None = None
        self._count = 0

    def diagnosed(self, now: Instant) -> None:
        """Remember that one was made."""
        self._last = now
        self._count += 1

    def due(self, changed: Instant) -> Instant:
        """Return when the next is due: ten seconds after the last; later while *changed*, the last change, is fresh."""
        if self._last is None:
            return float("-inf")
        if self._count < FIRST_DIAGNOSES:
            return self._last + FIRST_SECONDS
        soonest = self._last + DIAGNOSIS_SECONDS
        return min(self._last + BUSY_DIAGNOSIS_SECONDS, max(soonest, changed + QUIET_SECONDS))
