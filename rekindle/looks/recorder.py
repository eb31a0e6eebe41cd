"""
Recording while a session runs: the world and the recipe, each with somebody who looks over its shoulder.

Nothing of it may end a recovery: what cannot be written is said once, and the run goes on without.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.plan import Plan
from engine.recipe import Findings, Recipe
from engine.world import Identity, Intent, Question, Wakeup, World
from journal.entries import Instant, Json
from rekindle.looks.film import FILM_BYTES, Film, FilmFull
from rekindle.looks.frames import Diagnosed, Differ

Say = Callable[[str], None]
MEBIBYTE = 1024 * 1024
WITHOUT_THE_LAST = 0


class Recorder:
    """
    Writes each look of a session. *position* tells the seq of the journal's last entry.

    The first error, of the disk or of the limit, ends the recording and not the run.
    """

    def __init__(
        self, path: Path, position: Callable[[], int], say: Say, *, limit: int = FILM_BYTES
    ) -> None:
        self._path = path
        self._position = position
        self._say = say
        self._differ = Differ()
        self._film: Film | None = None
        try:
            self._film = Film(path, limit=limit)
        except OSError as error:
            self._give_up(error)
        else:
            say(f"looks are recorded in {path}, {limit / MEBIBYTE:g} MiB at most")

    def looked(self, snapshot: Any) -> None:  # noqa: ANN401  the engine does not know its type
        """Write a look."""
        if self._film is None:
            return
        after = self._position()
        try:
            self._film.write(self._differ.frame(snapshot, after))
        except FilmFull:
            self._full(self._film, after)
        except OSError as error:
            self._give_up(error)

    def diagnosed(self) -> None:
        """Write that the last look was diagnosed."""
        if self._film is None:
            return
        try:
            self._film.write(Diagnosed())
        except FilmFull:
            self._full(self._film, WITHOUT_THE_LAST)
        except OSError as error:
            self._give_up(error)

    def done(self) -> None:
        """Say that the session ended in order: all that belongs to its last look is in the journal."""
        if self._film is not None:
            with suppress(OSError):
                self._film.end("closed", self._position())
        self.close()

    def close(self) -> None:
        """Let go of the file; without ``done`` the last look counts for nothing."""
        self._let_go()

    def _full(self, film: Film, after: int) -> None:
        with suppress(OSError):
            film.end("full", after)
        self._let_go()
        self._say(f"{self._path} is full: from here on looks are not recorded, the run goes on")

    def _give_up(self, error: OSError) -> None:
        self._let_go()
        self._say(f"looks are not recorded in {self._path}: {error.strerror or error}")

    def _let_go(self) -> None:
        if self._film is not None:
            with suppress(OSError):
                self._film.close()
        self._film = None

    def over(self, recipe: Recipe) -> Recipe:
        """Return the recipe, with each diagnosis noted."""
        diagnose = recipe.diagnose

        def noted(plan: Plan, snapshot: Any) -> Findings:  # noqa: ANN401  as the recipe has it
            self.diagnosed()
            return diagnose(plan, snapshot)

        return replace(recipe, diagnose=noted)


class RecordedWorld:
    """A world of which each look is recorded; everything else passes through."""

    def __init__(self, world: World, recorder: Recorder) -> None:
        self._world = world
        self._recorder = recorder

    def identity(self) -> Identity:
        """Say which cluster this is."""
        return self._world.identity()

    def now(self) -> Instant:
        """Tell the world's time."""
        return self._world.now()

    def look(self) -> Any:  # noqa: ANN401  the domain's own look
        """Return the latest snapshot, and record it."""
        snapshot = self._world.look()
        self._recorder.looked(snapshot)
        return snapshot

    def start(self, intent: Intent) -> None:
        """Begin an action."""
        self._world.start(intent)

    def adopt(self, intent: Intent) -> None:
        """Take over an action."""
        self._world.adopt(intent)

    def ask(self, question: Question) -> bool:
        """Tell the world of a question."""
        return self._world.ask(question)

    def expects(self) -> bool:
        """Say whether something happens there yet."""
        return self._world.expects()

    def next(self, until: Instant | None) -> Wakeup:
        """Wait for a change, a settlement or the instant."""
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
