"""
Runs the plan's own probes again and again: commands that only look, each with its pace and its deadline.

What a probe prints is not kept: it may be anything. A probe that cannot be started, or does not end in time, is Unseen;
so is one whose code is neither of the two that its plan knows, but that is for the facts to say. Probes change nothing,
so they are ended with us; one that outlives a kill of ours harms nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phases.snapshot import Seen, Unseen
from rekindle.adapters.background import ODD, outliving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from journal.entries import Instant
    from phases.probing import Wanted

AT_ONCE = 4  # probes beside each other: a plan may walk over fifty nodes
_POLL_SECONDS = 0.05
_END_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What one probe said: its exit code, or why it said none."""

    key: str
    look: Seen[int] | Unseen


class ProbePoller:
    """
    Asks every wanted probe, in a few threads; *environment* is added to ours, below what the plan says.

    ``hurry`` asks all of them again soon: something was just done.
    """

    def __init__(
        self,
        probes: Sequence[Wanted],
        report: Callable[[ProbeReport], None],
        *,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], Instant] = time.time,
    ) -> None:
        """Prepare; ``start`` begins."""
        self._report = report
        self._environment = dict(environment or {})
        self._clock = clock
        self._stopping = threading.Event()
        self._since: dict[str, Instant] = {}
        self._hurried = [threading.Event() for _ in range(min(AT_ONCE, len(probes)))]
        self._threads = [
            threading.Thread(
                target=self._run,
                args=(probes[number :: len(self._hurried)], hurried),
                name=f"probes-{number}",
                daemon=True,
            )
            for number, hurried in enumerate(self._hurried)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask to end; ``join`` waits for it."""
        self._stopping.set()
        self.hurry()

    def hurry(self) -> None:
        """Ask again at once."""
        for event in self._hurried:
            event.set()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))

    def _run(self, probes: Sequence[Wanted], hurried: threading.Event) -> None:
        """Ask those that are due, wait for the next, ask again."""
        due = dict.fromkeys((probe.key for probe in probes), 0.0)
        while not self._stopping.is_set():
            for probe in probes:
                if self._stopping.is_set():
                    return
                if time.monotonic() >= due[probe.key]:
                    self._ask(probe)
                    due[probe.key] = time.monotonic() + probe.every_seconds
            if hurried.wait(max(0.0, min(due.values()) - time.monotonic())):
                hurried.clear()
                due = dict.fromkeys(due, 0.0)

    def _ask(self, probe: Wanted) -> None:
        """Run one, and report it, whatever happens."""
        with outliving(lambda why: self._tell(probe, self._unseen(probe, ODD, why))):
            self._tell(probe, self._look(probe))

    def _tell(self, probe: Wanted, look: Seen[int] | Unseen) -> None:
        if isinstance(look, Seen):
            self._since[probe.key] = look.at
        if not self._stopping.is_set():
            self._report(ProbeReport(probe.key, look))

    def _unseen(self, probe: Wanted, code: str, why: str) -> Unseen:
        return Unseen(self._since.get(probe.key, 0.0), code, why)

    def _look(self, probe: Wanted) -> Seen[int] | Unseen:
        try:
            process = subprocess.Popen(
                list(probe.argv),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=probe.directory,
                env={**os.environ, **self._environment, **probe.environment},
                start_new_session=True,
            )
        except OSError as error:
            why = f"{probe.argv[0]} cannot be started: {error.strerror or 'odd'}"
            return self._unseen(probe, ODD, why)
        try:
            code = self._wait(process, time.monotonic() + probe.deadline_seconds)
        finally:
            _end(process)
        if code is None:
            why = f"no answer within {probe.deadline_seconds:g} s"
            return self._unseen(probe, "silent", why)
        if code < 0:
            return self._unseen(probe, ODD, f"ended by signal {-code}")
        return Seen(code, self._clock())

    def _wait(self, process: subprocess.Popen[bytes], until: float) -> int | None:
        """Return its exit code; None: it did not end in time, or we are to end."""
        while time.monotonic() < until and not self._stopping.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_POLL_SECONDS)
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of it: a probe only looks, and nobody waits for it any more."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)
