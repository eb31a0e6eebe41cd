"""What runs beside the deciding thread, as those see it that start and end it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ODD = "odd"


class Background(Protocol):
    """Something with threads of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """Ask to end."""

    def join(self, seconds: float) -> None:
        """Wait for the end, but not for ever."""


@contextlib.contextmanager
def outliving(tell: Callable[[str], None]) -> Iterator[None]:
    """
    Let a thread that looks outlive whatever it meets: what it looked at last would else stay Seen for ever.

    *tell* gets the class of what nobody thought of, never its text, which may quote a Secret.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001  any bug of ours must end as "unknown", not as an old look
        tell(f"our own mistake: {type(error).__name__}")
