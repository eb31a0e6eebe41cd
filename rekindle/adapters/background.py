"""What runs beside the deciding thread, as those see it that start and end it."""

from __future__ import annotations

from typing import Protocol


class Background(Protocol):
    """Something with threads of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """Ask to end."""

    def join(self, seconds: float) -> None:
        """Wait for the end, but not for ever."""
