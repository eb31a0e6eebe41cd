"""
Waiting for something to become true, with a deadline, without sleeping longer than needed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL_SECONDS = 0.1


def until(what: str, true: Callable[[], bool], seconds: float) -> None:
    """
    Ask until the answer is yes; when the time is up, say what it was that did not come.
    """
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(INTERVAL_SECONDS)
