"""The time in which a run is shown again: it passes as fast as was asked for, and stops at once for whoever leaves."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from typing import Protocol


class Pace(Protocol):
    """Time that passes outside, in seconds."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    def wait(self, seconds: float) -> bool:
        """Let so much time pass; True: somebody wants to leave, and it is not over."""


class HostPace:
    """The host's time. ``leave`` may be called by a signal handler: it only writes a byte."""

    def __init__(self) -> None:
        self._heard, self._told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def wait(self, seconds: float) -> bool:
        """Let so much time pass, or less if somebody leaves."""
        return bool(select.select([self._heard], [], [], max(0.0, seconds))[0])

    def leave(self) -> None:
        """End each wait, now and from now on."""
        with suppress(OSError):
            os.write(self._told, b"x")

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._heard)
        os.close(self._told)
