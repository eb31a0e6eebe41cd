"""
The virtual clock: what will happen, in order of its instant, and nothing in between.

Two runs with the same seed and the same commands at the same instants do the same, event by event, however the time
between was cut into pieces.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Generator

from journal.entries import Instant

Steps = Generator[float, None, float | None]
Ready = Callable[[Callable[[], None]], bool]


class Timer:
    """Something that will be done at *when*, unless it is cancelled."""

    __slots__ = ("do", "when")

    def __init__(self, when: Instant, do: Callable[[], None]) -> None:
        self.when = when
        self.do: Callable[[], None] | None = do

    def cancel(self) -> None:
        """Forget it."""
        self.do = None


class Loop:
    """The queue of events, the clock that they move, and the dice they throw."""

    def __init__(self, start: Instant, seed: int) -> None:
        self.now = start
        self.random = random.Random(seed)  # noqa: S311  a seed reproduces a failure; no secret depends on it
        self._heap: list[tuple[Instant, int, Timer]] = []
        self._count = 0

    def at(self, when: Instant, do: Callable[[], None]) -> Timer:
        """Do something at an instant; at once if it has passed."""
        timer = Timer(max(when, self.now), do)
        self._count += 1
        heapq.heappush(self._heap, (timer.when, self._count, timer))
        return timer

    def after(self, seconds: float, do: Callable[[], None]) -> Timer:
        """Do something some seconds from now."""
        return self.at(self.now + seconds, do)

    def around(self, seconds: float) -> float:
        """Return a duration within a quarter of *seconds*."""
        return seconds * (0.75 + 0.5 * self.random.random())

    def due(self) -> Instant | None:
        """Tell when the next event is due, if there is any."""
        while self._heap and self._heap[0][2].do is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def step(self) -> None:
        """Move the clock to the next event and let it happen."""
        when, _, timer = heapq.heappop(self._heap)
        do, timer.do = timer.do, None
        if do is not None:
            self.now = max(self.now, when)
            do()


class Process:
    """
    Something that takes time: a generator that yields the seconds until it goes on.

    *ready* may hold it back: asked before each step, it takes the step for later and answers no. *done* is told what
    the generator returned; a process that was stopped tells nobody.
    """

    def __init__(
        self,
        loop: Loop,
        steps: Steps,
        *,
        ready: Ready | None = None,
        done: Callable[[float | None], None] | None = None,
    ) -> None:
        self._loop = loop
        self._steps = steps
        self._ready = ready
        self._done = done
        self._timer: Timer | None = None
        self._inside = False
        self.running = True

    def go(self) -> None:
        """Take the next step."""
        if not self.running or (self._ready is not None and not self._ready(self.go)):
            return
        self._inside = True
        try:
            seconds = next(self._steps)
        except StopIteration as end:
            self.running = False
            if self._done is not None:
                self._done(end.value)
        else:
            if self.running:
                self._timer = self._loop.after(seconds, self.go)
        finally:
            self._inside = False

    def stop(self) -> None:
        """End it where it stands, as a killed process ends."""
        if not self.running:
            return
        self.running = False
        if self._timer is not None:
            self._timer.cancel()
        if not self._inside:
            self._steps.close()
