"""
What Talos itself finds wrong with a machine, asked seldom: ``get`` takes one kind at a time, so that it is a process.

A Talos that does not know the resource, does not let us read it, or says nothing in time did not tell, which says
nothing of the machine.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rekindle.adapters import talos_text
from rekindle.adapters.programs import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.entries import Instant
    from rekindle.adapters.talos import Talosctl
    from rekindle.adapters.talos_text import Diagnostics

EVERY_SECONDS = 60.0  # Talos itself looks as often (v1.12 controllers/runtime/diagnostics.go)
LIMIT_SECONDS = 3.0  # the look waits for it, and must not be old when it is told


class TalosDiagnostics:
    """Asks one machine, once in so many looks. Not for two threads at a time."""

    def __init__(self, talosctl: Talosctl, address: str, clock: Callable[[], Instant]) -> None:
        """Remember nothing yet."""
        self._talosctl = talosctl
        self._address = address
        self._clock = clock
        self._boot = ""
        self._asked: Instant | None = None
        self._told: Diagnostics | None = None

    def of_boot(self, boot_id: str) -> Diagnostics | None:
        """
        Return what was told last in this boot; None: it did not tell.

        Nothing is asked beside the first look of a boot, which a run waits for: Talos publishes only what it has seen
        for half a minute.
        """
        now = self._clock()
        if not boot_id:
            return self._told  # one that could not be read is no other boot
        if self._boot != boot_id:
            self._boot, self._asked, self._told = boot_id, None, None
        elif self._asked is None or not 0 <= now - self._asked < EVERY_SECONDS:
            self._asked, self._told = now, self._ask()
        return self._told

    def _ask(self) -> Diagnostics | None:
        with contextlib.suppress(ProgramFailed, talos_text.NotUnderstood):
            words = ("get", "diagnostics", "-o", "json")
            answer = self._talosctl.call(self._address, *words, seconds=LIMIT_SECONDS)
            if answer.code == 0:
                return talos_text.diagnostics(answer.stdout)
        return None
