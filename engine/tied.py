"""A world that can be looked at and not touched: the second of two guards of a run that only watches."""

from __future__ import annotations

from typing import Any

from engine.world import Identity, Intent, Question, Wakeup, World
from journal.entries import Instant, Json


class TiedWorld:
    """
    Passes on every look, begins nothing and asks nobody.

    The first guard is that a tied turn has no intents; whoever comes here in spite of it has a bug, and the run ends.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def identity(self) -> Identity:
        """Say which cluster this is."""
        return self._world.identity()

    def now(self) -> Instant:
        """Tell the world's time."""
        return self._world.now()

    def look(self) -> Any:  # noqa: ANN401  the domain's own look
        """Return the latest snapshot."""
        return self._world.look()

    def start(self, intent: Intent) -> None:
        """Refuse."""
        raise AssertionError(f"a run that watches was about to {intent.verb} {intent.target}")

    def adopt(self, intent: Intent) -> None:
        """Refuse: a run that begins nothing has nothing open."""
        raise AssertionError(f"a run that watches was about to adopt {intent.action}")

    def ask(self, question: Question) -> bool:
        """Tell nobody."""
        del question
        return False

    def expects(self) -> bool:
        """Say whether something happens there yet."""
        return self._world.expects()

    def next(self, until: Instant | None) -> Wakeup:
        """Wait for a change or the instant."""
        return self._world.next(until)

    def interrupt(self) -> None:
        """Make a blocked ``next`` return soon."""
        self._world.interrupt()

    def summary(self) -> dict[str, Json]:
        """Return what the world itself counted."""
        return self._world.summary()

    def close(self) -> None:
        """Let go of the world."""
        self._world.close()
