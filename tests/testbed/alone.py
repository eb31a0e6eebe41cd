"""
One testbed at a time: the ports and the nodes' addresses are the same for all.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
from typing import TYPE_CHECKING

from tests.testbed import settings
from tests.testbed.build import cache
from tests.testbed.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 900.0
FREE_SECONDS = 60.0


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
        # A killed testbed's lock is free a few seconds before its keeper has ended its programs.
        until("what a killed testbed left has ended", _ports_are_free, FREE_SECONDS)
        yield


def _ports_are_free() -> bool:
    for port in (settings.GIT_PORT, settings.CONTROL_PORT, settings.API_PORT):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return False
    return True
