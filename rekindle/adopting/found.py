"""
A repository, walked once: which of its files may say something for a plan.

The walk has limits, follows no link to a folder (so a loop of links is none for it), and opens nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import EnvironmentWrong, UsageWrong

MAXIMUM_ENTRIES = 50_000
MAXIMUM_DEPTH = 24
# What is made, fetched or put away (`.private` is where the template's `tidy` moves what it no longer needs).
NOT_ENTERED = frozenset(
    {
        ".cache",
        ".direnv",
        ".git",
        ".private",
        ".task",
        ".terraform",
        ".venv",
        "node_modules",
        "venv",
    }
)
_TALHELPER = frozenset({"talconfig.yaml", "talconfig.yml"})
_TOPF = frozenset({"topf.yaml", "topf.yml"})
# The template's own inputs have ordinary names, and mean what we think only at the top.
_AT_THE_TOP = frozenset({"nodes.yaml", "cluster.toml"})
_MANIFESTS = (".yaml", ".yml")
# Files of secrets are never opened, whatever they are called besides: encrypted ones, and Talos' bundles.
_SECRET = (".sops.", "talsecret", "secrets.yaml", "secrets.yml", "secret.yaml", "secret.yml")


@dataclass(slots=True)
class Found:
    """
    Names relative to *root*, each list in the order of the walk.

    *sources* describe nodes; *manifests* may hold Flux objects or a helmfile; *notes* say what was not looked into.
    """

    root: Path
    sources: list[str] = field(default_factory=list)
    talosconfigs: list[str] = field(default_factory=list)
    kubeconfigs: list[str] = field(default_factory=list)
    manifests: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    entries: int = 0

    def has(self, file: str) -> bool:
        """Say whether a file is there; a link counts as what it leads to."""
        with suppress(OSError):
            return (self.root / file).is_file()
        return False

    def first(self, *files: str) -> str:
        """Return the first of these files that is there; empty: none is."""
        return next((file for file in files if self.has(file)), "")


def walk(root: Path) -> Found:
    """
    Look at every name below a folder.

    :raises UsageWrong: when it is no folder that can be listed.
    :raises EnvironmentWrong: when it has more than we look at.
    """
    found = Found(root)
    try:
        left = [("", 0, sorted(os.listdir(root)))]  # noqa: PTH208  names are what is needed
    except OSError as error:
        raise UsageWrong(
            f"{root}: {error.strerror or error}",
            reference="repository-unreadable",
            hint="name the folder that your cluster's Git repository lies in: `rekindle init FOLDER`",
        ) from error
    while left:
        folder, depth, names = left.pop()
        below = [name for name in names if _take_in(found, folder, name)]
        for name in reversed(below):
            here = f"{folder}{name}"
            with _noting(found, here):
                if depth >= MAXIMUM_DEPTH:
                    found.notes.append(f"what is in {here}, deeper than {MAXIMUM_DEPTH} folders")
                    continue
                left.append((f"{here}/", depth + 1, sorted(os.listdir(root / here))))  # noqa: PTH208
    return found


def _take_in(found: Found, folder: str, name: str) -> bool:
    """Sort a file in; say whether it is a folder to be entered."""
    found.entries += 1
    if found.entries > MAXIMUM_ENTRIES:
        raise EnvironmentWrong(
            f"{found.root} has more than {MAXIMUM_ENTRIES} files and folders; {folder or '.'} was reached",
            reference="repository-too-large",
            hint="name the cluster's own folder: `rekindle init FOLDER`",
        )
    path = found.root / folder / name
    with _noting(found, f"{folder}{name}"):
        if path.is_dir():
            return name not in NOT_ENTERED and not path.is_symlink()
        if path.is_file():
            _sort(found, folder, name)
        elif path.is_symlink():
            found.notes.append(f"what {folder}{name} is, a link that leads nowhere")
    return False


def _sort(found: Found, folder: str, name: str) -> None:
    file = f"{folder}{name}"
    if name in _TALHELPER or name in _TOPF or (not folder and name in _AT_THE_TOP):
        found.sources.append(file)
    elif name == "talosconfig":
        found.talosconfigs.append(file)
    elif name == "kubeconfig":
        found.kubeconfigs.append(file)
    elif name.endswith(_MANIFESTS) and not any(part in name for part in _SECRET):
        found.manifests.append(file)


class _noting:  # noqa: N801  a context manager that reads as a word
    """What the system does not let us look at is a note, not the end."""

    def __init__(self, found: Found, name: str) -> None:
        self._found, self._name = found, name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, OSError):
            return False
        self._found.notes.append(f"what is in {self._name}: {error.strerror or error}")
        return True


def is_talhelper(file: str) -> bool:
    """Say whether a source is talhelper's."""
    return Path(file).name in _TALHELPER


def is_topf(file: str) -> bool:
    """Say whether a source is topf's."""
    return Path(file).name in _TOPF


def names_of(files: list[str]) -> Iterator[str]:
    """Write files as lines of a message."""
    return (f"  {file}" for file in files)
