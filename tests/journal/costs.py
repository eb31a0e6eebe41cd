"""What a text costs, held against what half of it costs: a slow machine is no slower than itself."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 5


def cost(work: Callable[[str], object], text: str) -> float:
    """Return the seconds of the processor that a text takes."""
    start = time.process_time()
    work(text)
    return time.process_time() - start


def is_linear(work: Callable[[str], object], once: str, longer: str) -> bool:
    """
    Say whether the longer text costs as many times more as it is longer, and half as much again.

    What disturbs one try does not disturb each of them.
    """
    limit = 1.5 * len(longer) / len(once)
    return any(cost(work, longer) < limit * cost(work, once) + 0.001 for _ in range(TRIES))
