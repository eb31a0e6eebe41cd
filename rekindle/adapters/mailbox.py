"""
Where threads put what they found, and where the one deciding thread waits.

Bounded: a thread that is faster than the deciding one waits. Waking goes through a pipe, so that a signal handler may
do it, and so that waiting ends at an instant and not at the next poll.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

T = TypeVar("T")
ITEMS_LIMIT = 1000
_FULL_SECONDS = 0.5
_READ_BYTES = 4096
# Waiting is cut into pieces of this length, so that a wall clock that jumps is noticed.
_LOOK_UP_SECONDS = 5.0


class Mailbox(Generic[T]):
    """Many threads put, one takes."""

    def __init__(self, stopping: threading.Event, limit: int = ITEMS_LIMIT) -> None:
        """Open the pipe."""
        self._items: queue.Queue[T] = queue.Queue(limit)
        self._stopping = stopping
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        self._open = True

    def put(self, item: T) -> None:
        """Hand over; wait while it is full, unless everything ends."""
        while not self._stopping.is_set():
            try:
                self._items.put(item, timeout=_FULL_SECONDS)
            except queue.Full:
                continue
            self.wake()
            return

    def wake(self) -> None:
        """End a wait. Nothing here locks: a signal handler may call it."""
        if self._open:
            with contextlib.suppress(BlockingIOError, OSError):
                os.write(self._writing, b"!")

    def wait(self, until: float | None, clock: Callable[[], float]) -> None:
        """Wait until something was put, somebody woke us, or the instant *until* has come by *clock*."""
        span = _LOOK_UP_SECONDS if until is None else until - clock()
        readable, _, _ = select.select(
            [self._reading], [], [], min(max(span, 0.0), _LOOK_UP_SECONDS)
        )
        if readable:
            with contextlib.suppress(BlockingIOError):
                while len(os.read(self._reading, _READ_BYTES)) == _READ_BYTES:
                    pass

    def take(self) -> list[T]:
        """Take what is there now, without waiting."""
        taken: list[T] = []
        with contextlib.suppress(queue.Empty):
            while len(taken) < ITEMS_LIMIT:
                taken.append(self._items.get_nowait())
        return taken

    def close(self) -> None:
        """Close the pipe."""
        self._open = False
        os.close(self._reading)
        os.close(self._writing)
