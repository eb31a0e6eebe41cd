"""What the checks are made with: programs, environment, clock and disk of this machine, handed in so that tests can."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from journal.filesystem import filesystem_of
from rekindle.adapters import programs
from rekindle.adapters.programs import Answer, ProgramFailed, ask, tried
from rekindle.there import home

ASK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Free:
    """What a file system has left for us: bytes, and files where it counts them."""

    bytes: int
    files: int | None = None


def free_of(folder: Path) -> Free:
    """Ask the file system. Raises OSError."""
    found = os.statvfs(folder)
    return Free(found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)


@dataclass(frozen=True, slots=True)
class Host:
    """The machine that we run on. Files are read where they lie."""

    which: Callable[[str], str | None] = shutil.which
    ask: Callable[..., Answer] = ask
    tried: Callable[..., int] = tried
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    home: Path = field(default_factory=home)
    now: Callable[[], float] = time.time
    free: Callable[[Path], Free] = free_of
    filesystem: Callable[[Path], str] = filesystem_of

    def said(self, *argv: str, directory: Path | None = None) -> str | None:
        """Return what a program prints; None where it is not there, fails or takes too long."""
        try:
            answer = self.ask(argv, seconds=ASK_SECONDS, directory=directory)
        except ProgramFailed:
            return None
        return answer.stdout.decode(errors="replace").strip() if answer.code == 0 else None

    def code(
        self,
        *argv: str,
        given: bytes = b"",
        directory: Path | None = None,
        added: Mapping[str, str] | None = None,
    ) -> int | None:
        """
        Return how a program ends, whose answer nobody may keep; None where it gives none in time.

        *added* is put into its environment.
        """
        try:
            return self.tried(
                argv,
                seconds=ASK_SECONDS,
                given=given,
                directory=directory,
                environment={**self.environment, **(added or {})},
            )
        except ProgramFailed as error:
            if error.reason == programs.MISSING:
                return 127
            return None
