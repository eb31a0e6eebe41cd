"""Polls the Talos nodes: one thread a node, so that a dead one delays nobody."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phases.snapshot import NodeLook, Seen, Unseen
from rekindle.adapters.background import ODD, outliving

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.entries import Instant
    from rekindle.adapters.talos import NodeEye

POLL_SECONDS = 2.0
# A node that said the same twice is probed as often, but asked less: each question is a process.
STEADY_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class NodeReport:
    """A look at one node."""

    node: str
    look: Seen[NodeLook] | Unseen


class NodePoller:
    """Looks at one node until it is stopped."""

    def __init__(self, node: str, eye: NodeEye, report: Callable[[NodeReport], None]) -> None:
        """Prepare; ``start`` begins."""
        self._node = node
        self._eye = eye
        self._report = report
        self._asked = 0.0
        self._kind = ""
        self._steady = False
        self._value: NodeLook | None = None
        self._seen: Instant = 0.0
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"node-{node}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def hurry(self) -> None:
        """Look soon: something was done to this node."""
        self._hurry.set()

    def stop(self) -> None:
        """Ask to end; ``join`` waits for it."""
        self._stopping.set()
        self._hurry.set()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        """Look, wait, look again."""
        while not self._stopping.is_set():
            hurried = self._hurry.is_set()
            self._hurry.clear()
            with outliving(self._odd):
                self._look(hurried=hurried)
            if not self._stopping.is_set():
                self._hurry.wait(POLL_SECONDS)

    def _look(self, *, hurried: bool) -> None:
        """Probe often; ask when the port says something else, or the last answer grows old."""
        probed = self._eye.probe()
        old = time.monotonic() - self._asked >= STEADY_SECONDS
        if hurried or old or not self._steady or probed.kind != self._kind:
            self._asked = time.monotonic()
            look = self._eye.look(probed)
            self._steady = isinstance(look, Seen) and look.value == self._value
            self._value = look.value if isinstance(look, Seen) else None
            self._seen = look.at if isinstance(look, Seen) else self._seen
            self._report(NodeReport(self._node, look))
        self._kind = probed.kind

    def _odd(self, why: str) -> None:
        """Say that this node cannot be told about, and ask it afresh the next time."""
        self._steady, self._value = False, None
        self._report(NodeReport(self._node, Unseen(self._seen, ODD, why)))
