"""
Whether the rooms that are imported are ours, and as they were installed.

``phases`` and ``journal`` are names of other distributions as well: whichever was installed last, or stands first on
the path, is what gets imported. Nothing but the standard library is needed to see that.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import rekindle
from rekindle.doctor.check import EVERYTHING, Check, Verdict, ok, warning

DISTRIBUTION = "kubectl-rekindle"
ROOMS = ("rekindle", "phases", "engine", "journal")
AGAIN = f"install it into an environment of its own: `pipx reinstall {DISTRIBUTION}`, or `uv tool install --force`"
SHOWN = 3
OURS = Path(rekindle.__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file of the installation: *wanted* is the SHA-256 of its record, *found* that of the disk (empty: gone)."""

    name: str
    wanted: str
    found: str


def rows(ours: Path = OURS) -> list[Check]:
    """Look where the rooms come from, and hold them against the record of their installation."""
    return [*(place(room, _origin(room), ours) for room in ROOMS), installed(*_recorded(ours))]


def _origin(room: str) -> Path | None:
    spec = find_spec(room)
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None


def place(room: str, origin: Path | None, ours: Path) -> Check:
    """Judge where a room is imported from: all four lie side by side."""
    name = f"packages.{room}"
    if origin is None:
        return Check(name, room, Verdict.RED, "is not there as a package", AGAIN, EVERYTHING)
    if origin.parents[1] != ours:
        said = f"comes from {origin.parent}, and rekindle from {ours}: another distribution has that name"
        return Check(name, room, Verdict.RED, said, AGAIN, EVERYTHING)
    return ok(name, room, "ours")


def _recorded(ours: Path) -> tuple[str | None, list[Recorded]]:
    """
    Return the installed version, and our files as its record has them: modules, and what they read beside them.

    None of an editable installation: its record has no module, only copies that nothing of ours reads.
    """
    try:
        found = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return None, []
    mine = [file for file in found.files or () if file.parts[0] in ROOMS]
    if not any(file.suffix == ".py" for file in mine):
        return found.version, []
    return found.version, [  # what was compiled while it was installed has no hash
        Recorded(str(file), file.hash.value, digest(ours / file)) for file in mine if file.hash
    ]


def digest(path: Path) -> str:
    """Write the SHA-256 of a file as a wheel's record does; empty where there is none."""
    try:
        found = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return ""
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()


def installed(
    version: str | None, files: Iterable[Recorded], running: str = rekindle.__version__
) -> Check:
    """Judge an installation by its record."""
    name, subject = "packages.installed", DISTRIBUTION
    changed = [file for file in files if file.found != file.wanted]
    if changed:
        told = ", ".join(
            f"{file.name} {'is gone' if not file.found else 'is another'}"
            for file in changed[:SHOWN]
        )
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        said = f"not as it was installed: {told}{more}"
        return Check(name, subject, Verdict.RED, said, AGAIN, EVERYTHING)
    if version is None:
        return warning(
            name,
            subject,
            "runs without having been installed",
            "`make venv`, or install the package",
        )
    if version != running:
        said = f"{version} is installed, {running} runs"
        return warning(name, subject, said, AGAIN)
    return ok(name, subject, f"{version}, as installed")


def broken(found: Iterable[Check] | None = None) -> list[Check]:
    """Return the rows that forbid everything."""
    return [check for check in (rows() if found is None else found) if check.verdict is Verdict.RED]
