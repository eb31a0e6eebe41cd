"""
One testbed at a time: the ports and the nodes' addresses are the same for all.
"""

from __future__ import annotations

import contextlib
import fcntl
from typing import TYPE_CHECKING

from tests.testbed.build import cache
from tests.testbed.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 900.0


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """
    Wait until no other testbed runs on this machine, and keep others waiting.
    """
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "testbed.lock").open("w") as lock:

        def taken() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        until("no other testbed runs on this machine", taken, PATIENCE_SECONDS)
        yield
