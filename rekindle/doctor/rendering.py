"""
Whether the machine configurations can be rendered again: tried, into a folder that nobody else sees and that is gone.

What comes out has the cluster's secrets in clear, so only the exit code is kept. Both tools make *new* secrets where
theirs are missing, and succeed: no node of the cluster accepts what comes of that, and topf even writes them down. So
neither is begun without its secrets. Read in talhelper 3 (``genconfig.go``), topf 0.5 (``internal/topf/secrets.go``).
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rekindle.doctor.check import Check, ok, unknown, warning

if TYPE_CHECKING:
    from phases.section import Section
    from rekindle.doctor.host import Host

NAME = "machines.render"
TALHELPER, TOPF = "talhelper", "topf"
SOURCES = {"talconfig.yaml": TALHELPER, "topf.yaml": TOPF}
BY_HAND = {TALHELPER: "talhelper genconfig -o", TOPF: "topf render --output"}
_TALSECRETS = ("talsecret.yaml", "talsecret.sops.yaml", "talsecret.yml", "talsecret.sops.yml")


@dataclass(frozen=True, slots=True)
class Source:
    """What machine configurations are rendered from, and the *tool* that does it."""

    path: Path
    tool: str

    def argv(self, folder: str) -> tuple[str, ...]:
        """Offline, into *folder*, and asking before anything is made up: nobody is there to say yes."""
        if self.tool == TALHELPER:
            return (TALHELPER, "genconfig", "--offline-mode", "--no-gitignore", "--out-dir", folder)
        return (TOPF, "--confirm=true", "render", "--output", folder)

    @property
    def todo(self) -> str:
        """What a person would type to see why, and not into the repository."""
        return f"`cd {self.path.parent} && {BY_HAND[self.tool]} $(mktemp -d)` says why"


def rows(host: Host, section: Section) -> list[Check]:
    """Render what the plan's configurations come from."""
    found = sources(section)
    several = len({one.tool for one in found}) > 1
    return [tried(host, one, f"{NAME}/{one.tool}" if several else NAME) for one in found]


def sources(section: Section) -> list[Source]:
    """Find them as ``machines`` does: beside the rendered files, or one folder up."""
    folders = {
        folder: None
        for node in section.talos.nodes.values()
        for folder in Path(node.config).parents[:2]
    }
    return [
        Source(folder / name, tool)
        for folder in folders
        for name, tool in SOURCES.items()
        if (folder / name).is_file()
    ]


def tried(host: Host, source: Source, row: str) -> Check:
    """Render it once; what was written goes with its folder, and what was said goes nowhere."""
    subject = str(source.path)
    without = _without_secrets(source, row)
    if without is not None:
        return without
    if host.which(source.tool) is None:
        todo = f"install {source.tool}, then look again: without it nobody knows whether they can be made again"
        return unknown(row, subject, f"not tried: {source.tool} is not on PATH", todo)
    try:
        with tempfile.TemporaryDirectory(prefix="rekindle-", dir=_memory(host)) as folder:
            code = host.code(*source.argv(folder), directory=source.path.parent)
            written = sum(1 for _ in Path(folder).glob("*.y*ml"))
    except OSError as error:
        said = f"could not be tried: the folder for what is rendered: {error.strerror}"
        todo = "make room where temporary files go (TMPDIR), or let it be written to"
        return unknown(row, subject, said, todo)
    if code is None:
        return unknown(row, subject, f"{source.tool} gave no answer in time", source.todo)
    if code != 0:
        said = f"{source.tool} cannot render them (exit {code}): what is on the disk cannot be made again"
        return warning(row, subject, said, source.todo)
    if not written:
        return warning(row, subject, f"{source.tool} rendered nothing", source.todo)
    files = "1 file" if written == 1 else f"{written} files"
    return ok(row, subject, f"{source.tool} rendered {files}, which were thrown away")


def _memory(host: Host) -> str | None:
    """
    Name a place that is in memory and the user's own, if there is one: no disk needs to have seen this.

    Under sudo the name may be that of somebody else's.
    """
    place = host.environment.get("XDG_RUNTIME_DIR", "")
    usable = place and os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK)  # noqa: PTH112  it never raises
    return place if usable else None


def _without_secrets(source: Source, row: str) -> Check | None:
    """Say why it is not begun: new secrets would be made in the place of those that are not there."""
    folder = source.path.parent
    names: tuple[str, ...] = _TALSECRETS
    if source.tool == TOPF:
        config = _config(source.path)
        if config.get("secretsProvider"):
            said = "was not tried: its secrets come from a program of yours (secretsProvider)"
            return unknown(row, str(source.path), said, source.todo)
        names = (str(config.get("secretsPath") or "secrets.yaml"),)
    if any(_has_something(folder / name) for name in names):
        return None
    said = f"{names[min(1, len(names) - 1)]} is not there: {source.tool} would make new secrets, which no node accepts"
    todo = f"bring it back from Git, before anything is rendered: `git log -- {folder}`"
    return warning(row, str(source.path), said, todo)


def _config(path: Path) -> dict[str, Any]:
    """Read topf's own settings; what cannot be read says nothing, and topf says why."""
    try:
        found = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    except (OSError, ValueError, yaml.YAMLError):  # 2024-02-30 is no day
        return {}
    return found if isinstance(found, dict) else {}


def _has_something(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False
