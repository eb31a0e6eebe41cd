"""
Ctrl-C, SIGTERM and SIGHUP, from the first line of ``main`` to the last.

Before a journal is held a signal ends the command as an exception does. While one is held the first signal only asks
(the session ends at its next safe point and closes the books), the second leaves at once. Standard library only: it
is there before anything else is imported.
"""

from __future__ import annotations

import _thread
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 75
CLOSING_SECONDS = 0.5  # a terminal is given back within this time, or left as it is
NOTHING_BEGUN = "interrupted: nothing was begun"


class Orders:
    """
    What people want of the session that holds a journal.

    *last_words*: what leaving at once prints; *document*: makes what it writes to stdout after them.
    """

    def __init__(self, last_words: str) -> None:
        self.asked = False
        self.last_words = last_words
        self.document: Callable[[], str] | None = None
        self._told: tuple[Callable[[], None], ...] = ()
        self._close: Callable[[], None] | None = None

    def listen(self, *told: Callable[[], None], close: Callable[[], None]) -> None:
        """Call *told* too at the first signal, also if that came already; *close* gives the terminal back."""
        self._close = close
        self._told = (*self._told, *told)
        if self.asked:
            self._tell()

    def take(self) -> None:
        """Take a signal; called from its handler."""
        if self.asked:
            self._leave()
        self.asked = True
        self._tell()

    def _tell(self) -> None:
        told, self._told = self._told, ()
        for call in told:
            call()

    def _leave(self) -> None:
        close, self._close = self._close, None
        if close is not None:
            _within(CLOSING_SECONDS, close)
        try:
            os.write(2, f"\n{self.last_words}\n".encode())
            if self.document is not None:
                _within(CLOSING_SECONDS, partial(_write, self.document))
        finally:
            os._exit(INTERRUPTED)


def _write(document: Callable[[], str]) -> None:
    """Write past ``sys.stdout``: the line that was interrupted may hold its lock."""
    rest = document().encode()
    with suppress(OSError):  # nobody reads any more
        while rest:
            rest = rest[os.write(1, rest) :]


def _within(seconds: float, call: Callable[[], None]) -> None:
    """
    Call from a thread of its own, and do not wait for it longer than that.

    Whoever was interrupted may hold the lock that *call* needs; ``threading`` itself has such locks.
    """
    done = _thread.allocate_lock()
    done.acquire()

    def run() -> None:
        try:
            call()
        finally:
            done.release()

    _thread.start_new_thread(run, ())
    done.acquire(timeout=seconds)


class _Handling:
    """The one handler: signals are the whole process's, so that this is too."""

    def __init__(self) -> None:
        self.orders: Orders | None = None
        self.code: int | None = None

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """Do what the moment asks for."""
        if self.code is not None:
            os._exit(self.code)
        if self.orders is None:
            raise KeyboardInterrupt
        self.orders.take()


_HANDLING = _Handling()


def install() -> None:
    """Take the signals. A hang-up that somebody chose to ignore (nohup) stays ignored."""
    for number in NUMBERS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _HANDLING.handle)


def ending_with(code: int) -> None:
    """Everything is said: from now on a signal only ends the process, with its own answer."""
    _HANDLING.code = code


@contextmanager
def held(last_words: str = NOTHING_BEGUN) -> Iterator[Orders]:
    """
    Hold signals for a session.

    They stay held when it has ended in order: what is left is to say so. An error lets them go again.
    """
    orders = _HANDLING.orders = Orders(last_words)
    try:
        yield orders
    except BaseException:
        _HANDLING.orders = None
        raise
