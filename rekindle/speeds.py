"""How fast a simulated cluster's time passes where nobody says it: seconds of it in one of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journal.entries import Json, RunOpened

REHEARSED = 0.0  # as fast as possible
WATCHED = 60.0


def speed_of(opened: RunOpened) -> Json:
    """
    Return the speed of the world that a run was opened with.

    An earlier version took NaN for one, of which JSON keeps ``null``. It meant no speed, so it is what is taken without
    any.
    """
    from engine.memory import WATCH

    speed = opened.world.get("speed", REHEARSED)
    if speed is None:
        return WATCHED if opened.purpose == WATCH else REHEARSED
    return speed
