"""
Lists and watches one kind, over raw bytes.

The client's own watch ends silently when the connection does; this one reconnects from the last resourceVersion, and
says when it has seen nothing for too long. A version is trusted on an unbroken server only: when a watch from it is
refused or finds nobody, or the API was away (``hurry``), the kind is listed again. A server with a new etcd would
drop all events up to the old version in silence. A watcher has one thread; it only hands over what it saw.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from rekindle.adapters.background import ODD, outliving
from rekindle.adapters.connection import Call, Stream, UnansweredError
from rekindle.adapters.decoding import EventFailedError, WatchEvent
from rekindle.adapters.kubernetes import RefusedError, code_of
from rekindle.adapters.lister import PAGE_SIZE, ForgottenError, Lister, NotInstalledError
from rekindle.adapters.reports import Changes, Report, Silence, Whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from rekindle.adapters.connection import Connection

IDLE_SECONDS = 30.0
WATCH_SECONDS = 240
NOT_INSTALLED_SECONDS = 5.0
BACKOFF_SECONDS = 0.25
BACKOFF_LIMIT_SECONDS = 8.0
_GONE = 410


class Watcher:
    """
    Keeps looking at one kind until it is stopped.

    *report* is called from this watcher's own thread and may block: that is how a slow reader slows us down.
    """

    def __init__(
        self,
        connection: Connection,
        kind: str,
        report: Callable[[Report], None],
        *,
        clock: Callable[[], float] = time.time,
        page_size: int = PAGE_SIZE,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """Prepare; ``start`` begins."""
        self.kind = kind
        self._connection = connection
        self._report = report
        self._clock = clock
        self._idle = idle_seconds
        self._stopping = threading.Event()
        self._lister = Lister(connection, kind, self._stopping.is_set, page_size=page_size)
        self._hurry = threading.Event()
        self._stream: Stream | None = None
        self._version = ""
        self._not_installed = False
        self._thread = threading.Thread(target=self._run, name=f"watch-{kind}", daemon=True)

    @property
    def started(self) -> bool:
        """Tell whether it was started."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def look_for_crd(self) -> None:
        """Look at once if all that we wait for is that the kind gets installed."""
        if self._not_installed:
            self._hurry.set()

    def stop(self) -> None:
        """Ask to end; ``join`` waits for it."""
        self._stopping.set()
        self.hurry()

    def hurry(self) -> None:
        """List at once: the API was away or is elsewhere, so neither connection nor version can be trusted."""
        self._hurry.set()
        stream = self._stream
        if stream is not None:
            stream.stop()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        """Go on for ever; wait longer after each failure, up to a limit."""
        failures = 0
        while not self._stopping.is_set():
            failures += 1
            pause = None
            with outliving(self._odd):
                pause = self._try()
            failures = failures if pause is None else 0
            self._rest(_backoff(failures) if pause is None else pause)

    def _try(self) -> float | None:
        """Look once; return the pause that is due, or None after a failure, which has been handed over."""
        try:
            self._cycle()
        except NotInstalledError:
            self._hand_over(Whole(self.kind, self._clock(), {}))
            self._not_installed = True
            return NOT_INSTALLED_SECONDS
        except ForgottenError:
            return None
        except (RefusedError, UnansweredError) as error:
            self._hand_over(Silence(self.kind, self._clock(), code_of(error), str(error)))
            return None
        return 0.0

    def _odd(self, why: str) -> None:
        """Say that something went wrong that nobody thought of; what was half taken in is not gone on from."""
        self._version = ""
        self._hand_over(Silence(self.kind, self._clock(), ODD, why))

    def _rest(self, seconds: float) -> None:
        """Wait, unless there is a reason to hurry: then no version is gone on from."""
        if seconds > 0:
            self._hurry.wait(seconds)
        if self._hurry.is_set():
            self._hurry.clear()
            self._version = ""

    def _cycle(self) -> None:
        """List if we must, then watch until the stream ends in a way that needs no pause."""
        if not self._version:
            listed = self._lister.list()
            self._not_installed = False
            self._version = listed.version
            self._hand_over(Whole(self.kind, self._clock(), listed.objects))
        self._watch()

    # --- watch -------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Follow the changes from the last version that we know; it is forgotten until the server has taken it."""
        version, self._version = self._version, ""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": WATCH_SECONDS,
        }
        stream = self._connection.stream(Call("GET", self._lister.place.path(), query), self._idle)
        self._stream = stream
        try:
            if self._stopping.is_set() or self._hurry.is_set():
                return
            self._lister.check(stream.status, None)
            self._version = version
            self._hand_over(Changes(self.kind, self._clock(), ()))
            self._follow(stream)
        except UnansweredError as error:
            if error.code != "silent" and not self._hurry.is_set():
                raise
        finally:
            self._stream = None
            stream.stop()

    def _follow(self, stream: Stream) -> None:
        """Hand over whole lines; an unfinished last one is never looked at."""
        rest = b""
        last_line = time.monotonic()
        for piece in stream.pieces():
            *lines, rest = (rest + piece).split(b"\n")
            if lines:
                last_line = time.monotonic()
                self._take([self._event(line) for line in lines if line.strip()])
            elif time.monotonic() - last_line > self._idle:
                raise UnansweredError("silent", "half a line, and then nothing", sent=True)
            if self._stopping.is_set():
                return
        self._connection_ended()

    def _connection_ended(self) -> None:
        """End without a pause only after a stream that lasted: a server that hangs up at once is not to be hurried."""
        self._hurry.wait(BACKOFF_SECONDS)

    def _event(self, line: bytes) -> WatchEvent:
        """Decode a line; after one that is not understood nothing of this stream can be trusted."""
        try:
            return self._lister.decoder.event(line)
        except EventFailedError as error:
            self._version = ""
            if error.status == _GONE:
                raise ForgottenError from error
            raise UnansweredError("odd", str(error), sent=True) from error

    def _take(self, events: list[WatchEvent]) -> None:
        """Hand over a batch and remember how far we are."""
        for event in events:
            self._version = event.version or self._version
        changes = tuple((event.key, event.object) for event in events if event.key)
        self._hand_over(Changes(self.kind, self._clock(), changes))

    def _hand_over(self, report: Report) -> None:
        """Report, unless nobody wants to know any more."""
        if not self._stopping.is_set():
            self._report(report)


def _backoff(failures: int) -> float:
    """Wait longer after each failure, and not all watchers at once."""
    if not failures:
        return 0.0
    span = min(BACKOFF_LIMIT_SECONDS, BACKOFF_SECONDS * 2 ** min(failures - 1, 10))
    return float(span * random.uniform(0.5, 1.0))  # noqa: S311  spread, not secrecy
