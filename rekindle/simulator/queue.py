"""A controller: a queue of keys, some workers, and one process at a time for each key."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from rekindle.simulator.api import Api
from rekindle.simulator.events import Loop, Process, Steps, Timer

START_SECONDS = 4.0  # from its pod being ready until it holds its leader lease and has its caches


class Controller:
    """
    Reconciles keys while it runs.

    A key that is asked for while a worker holds it is done again afterwards, never beside. *reconcile* returns the
    seconds until the key is due again, or None.
    """

    def __init__(
        self, loop: Loop, api: Api, workers: int, reconcile: Callable[[str], Steps]
    ) -> None:
        self._loop = loop
        self._api = api
        self._workers = workers
        self._reconcile = reconcile
        self._queue: deque[str] = deque()
        self._again: set[str] = set()
        self._timers: dict[str, Timer] = {}
        self.active: dict[str, Process] = {}
        self.running = False

    def start(self, keys: list[str]) -> None:
        """Begin with everything there is, as a controller that lists."""
        self.running = True
        for key in keys:
            self.enqueue(key)

    def stop(self) -> None:
        """Die: what a worker held stays as it is."""
        self.running = False
        for process in list(self.active.values()):
            process.stop()
        for timer in self._timers.values():
            timer.cancel()
        self.active.clear()
        self._queue.clear()
        self._again.clear()
        self._timers.clear()

    def enqueue(self, key: str) -> None:
        """Ask for a key to be done soon."""
        if not self.running:
            return
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
        if key in self.active:
            self._again.add(key)
        elif key not in self._queue:
            self._queue.append(key)
            self._loop.after(0.01, self._pump)

    def later(self, key: str, seconds: float) -> None:
        """Ask for a key to be done in some seconds."""
        if not self.running:
            return
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
        self._timers[key] = self._loop.after(seconds, lambda: self.enqueue(key))

    def forget(self, key: str) -> None:
        """Drop what is planned for a key: its object is gone."""
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()

    def _pump(self) -> None:
        while self.running and self._queue and len(self.active) < self._workers:
            key = self._queue.popleft()

            def done(seconds: float | None, key: str = key) -> None:
                self._ended(key, seconds)

            process = Process(self._loop, self._reconcile(key), ready=self._api.ready, done=done)
            self.active[key] = process
            process.go()

    def _ended(self, key: str, seconds: float | None) -> None:
        self.active.pop(key, None)
        if key in self._again:
            self._again.discard(key)
            self.enqueue(key)
        elif seconds is not None:
            self.later(key, seconds)
        if self._queue:
            self._loop.after(0.0, self._pump)
