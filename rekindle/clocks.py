"""The host's clocks, behind the engine's port."""

from __future__ import annotations

import time


class HostClock:
    """Wall time may be set by people; monotonic time stands still while the machine sleeps."""

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()
