"""Polls which commit the operator's Git tree is at."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rekindle.adapters import gitops
from rekindle.adapters.background import outliving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POLL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RevisionReport:
    """The commit; empty when it cannot be told."""

    revision: str


class RevisionPoller:
    """Asks git now and then, until it is stopped."""

    def __init__(self, tree: Path, report: Callable[[RevisionReport], None]) -> None:
        """Prepare; ``start`` begins."""
        self._tree = tree
        self._report = report
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="revision", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask to end; ``join`` waits for it."""
        self._stopping.set()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        """Ask, wait, ask again."""
        while not self._stopping.is_set():
            with outliving(lambda _: self._report(RevisionReport(""))):
                self._report(RevisionReport(gitops.revision(self._tree)))
            self._stopping.wait(POLL_SECONDS)
