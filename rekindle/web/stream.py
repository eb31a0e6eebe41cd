"""
A run as server-sent events: what is new, from where a browser was cut off.

The number of the last entry is the event's id, which browsers hand back.

The journal is a file, and a file tells nobody that it grew: it is looked at twice a second, and its size and time come
first. Something is sent every few seconds whatever happens, as an event and not as a comment: a script cannot hear
comments, and so could not tell a quiet run from a dead connection.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Protocol

from journal import files
from journal.errors import Diagnosed
from rekindle.web import words
from rekindle.web.following import Following

POLL_SECONDS = 0.5
ALIVE_SECONDS = 5.0  # also how often is looked at what no file's time tells: who holds the run
RETRY_MILLISECONDS = 1_000


class Pace(Protocol):
    """Time as a stream needs it."""

    def now(self) -> float:
        """Seconds that only grow."""

    def wait(self, seconds: float) -> bool:
        """Wait; True: the server ends."""


class HostPace:
    """The host's time; *stop* ends every wait."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop

    def now(self) -> float:
        """Seconds that only grow."""
        return monotonic()

    def wait(self, seconds: float) -> bool:
        """Wait; True: the server ends."""
        return self._stop.wait(seconds)


def event(kind: str, document: dict[str, Any], identity: int | None = None) -> bytes:
    """Write one event. JSON has no line ends of its own, so that it is one line of data."""
    named = f"id: {identity}\n" if identity is not None else ""
    body = json.dumps(document, ensure_ascii=False)
    return f"event: {kind}\n{named}data: {body}\n\n".encode()


class Stream:
    """
    The events of one connection, for whoever sends them.

    *after* is the entry that the browser had last. *left* says whether it is gone; *let_go* is called once, at the end,
    also if nothing was ever sent.
    """

    def __init__(
        self,
        following: Following,
        after: int,
        pace: Pace,
        left: Callable[[], bool],
        let_go: Callable[[], None],
    ) -> None:
        self._following = following
        self._after = after
        self._pace = pace
        self._left = left
        self._let_go: Callable[[], None] | None = let_go
        self._events = self._made()

    def __iter__(self) -> Iterator[bytes]:
        """Be what WSGI sends."""
        return self

    def __next__(self) -> bytes:
        """Wait for the next event."""
        return next(self._events)

    def close(self) -> None:
        """End."""
        self._events.close()
        let_go, self._let_go = self._let_go, None
        if let_go is not None:
            let_go()

    def _made(self) -> Generator[bytes]:
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        yield self._first()
        sent = looked = self._pace.now()
        marks = _marks(self._following.path)
        while not self._closed():
            if self._pace.wait(POLL_SECONDS) or self._left():
                return
            now = self._pace.now()
            before, marks = marks, _marks(self._following.path)
            if marks != before or now - looked >= ALIVE_SECONDS:
                looked = now
                news = self._news()
                if news is not None:
                    sent = now
                    yield news
            if now - sent >= ALIVE_SECONDS:
                sent = now
                yield event("alive", {})
        yield event("end", {})

    def _closed(self) -> bool:
        return self._following.found.closed is not None

    def _first(self) -> bytes:
        """Say all that the browser may have missed."""
        following = self._following
        missed = words.recent(following.path, following.found, self._after)
        return self._event(missed)

    def _news(self) -> bytes | None:
        """Say what is new; None: nothing is. Trouble with the file passes or stays: the next look tells."""
        before = self._following.found
        try:
            rows = self._following.look()
        except Diagnosed as error:
            return event("trouble", {"text": words.plain(error.message)})
        found = self._following.found
        if not rows and (found.alive, found.lease) == (before.alive, before.lease):
            return None
        return self._event(words.log_lines(rows))

    def _event(self, lines: list[dict[str, Any]]) -> bytes:
        following = self._following
        eta = ""
        with suppress(Diagnosed):
            eta = following.eta()
        shown = words.moment(following.found, following.path, eta)
        return event("news", {"moment": shown, "lines": lines}, following.found.last_seq)


def _marks(path: Path) -> list[tuple[int, int]]:
    """Return what changes when a journal grows."""
    found = []
    for suffix in ("", "-wal"):
        with suppress(OSError):
            status = files.beside(path, suffix).stat()
            found.append((status.st_size, status.st_mtime_ns))
    return found
