"""Polls the Talos nodes: one thread a node, so that a dead one delays nobody."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phases.snapshot import NodeLook, Seen, Unseen

if TYPE_CHECKING:
    from collections.abc import Callable

    from rekindle.adapters.talos import NodeEye
    from rekindle.adapters.tls_probe import Probed

POLL_SECONDS = 2.0
# A node at rest is probed as often, but asked less: each question is a process.
STEADY_SECONDS = 5.0


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
        """Probe often, ask when the port says something else or the last answer grows old."""
        asked, last, last_probe = 0.0, None, None
        while not self._stopping.is_set():
            probed = self._eye.probe()
            if self._is_due(asked, last, last_probe, probed):
                asked = time.monotonic()
                last = self._eye.look(probed)
                self._report(NodeReport(self._node, last))
            last_probe = probed
            self._hurry.wait(POLL_SECONDS)

    def _is_due(
        self,
        asked: float,
        last: Seen[NodeLook] | Unseen | None,
        last_probe: Probed | None,
        probed: Probed,
    ) -> bool:
        """Tell whether the node is to be asked now."""
        hurried = self._hurry.is_set() and not self._stopping.is_set()
        self._hurry.clear()
        if hurried or last is None or last_probe is None or probed.kind != last_probe.kind:
            return True
        return not _is_steady(last) or time.monotonic() - asked >= STEADY_SECONDS


def _is_steady(look: Seen[NodeLook] | Unseen) -> bool:
    """Tell whether a node is where it should be."""
    return isinstance(look, Seen) and look.value.stage == "running" and look.value.ready
