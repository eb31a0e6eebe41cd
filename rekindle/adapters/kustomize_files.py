"""
Which files kustomize reads when it builds a folder, and what stands twice in them.

Tried with kustomize 5.8 and with Flux's builder (fluxcd/pkg/kustomize v1.35): of a resource with a key twice nothing is
built. Of a ``kustomization.yaml`` and of a patch they take one of the two in silence (kustomize api v0.21,
types/kustomization.go: strict decoding is still to come). What nothing reads as YAML (a generator's files, those that
no kustomization names) may hold whatever it likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from rekindle.adapters import manifests

NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
# Fields whose entries are folders or files with objects; the plugins of a build are objects as well.
_OBJECTS: Final = ("resources", "bases", "components", "generators", "transformers", "validators")
_STRICT: Final = ("configurations",)
_PATCHES: Final = ("patches", "patchesStrategicMerge", "patchesJson6902", "replacements")


@dataclass(slots=True)
class Read:
    """
    What a build reads, each once, in the order in which it is met.

    *objects*: a key twice in one of these does not build. *lenient*: of two keys one is taken in silence.
    """

    objects: dict[Path, None] = field(default_factory=dict)
    lenient: dict[Path, None] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)


def of(folder: Path) -> str:
    """Return the name of a folder's own kustomization file; empty: it has none."""
    return next((name for name in NAMES if (folder / name).is_file()), "")


def read_by(folder: Path, tree: Path) -> Read:
    """Follow a folder's kustomization through all that is in *tree*."""
    found = Read()
    _follow(folder.resolve(), tree.resolve(), found)
    return found


def _follow(folder: Path, tree: Path, found: Read) -> None:
    name = of(folder)
    if folder in found.folders or not name:
        return
    found.folders.add(folder)
    found.lenient[folder / name] = None
    content = _content(folder / name)
    for path in _paths(folder, content, _OBJECTS, tree):
        if path.is_dir():
            _follow(path, tree, found)
        else:
            found.objects[path] = None
    found.objects.update(dict.fromkeys(_paths(folder, content, _STRICT, tree)))
    found.lenient.update(dict.fromkeys(_paths(folder, content, _PATCHES, tree)))


def content_of(text: bytes) -> dict[str, Any]:
    """Read a kustomization as kustomize does: its first document, whatever comes after."""
    content = next(iter(yaml.load_all(text, Loader=manifests.Loader)), None)
    return content if isinstance(content, dict) else {}


def _content(file: Path) -> dict[str, Any]:
    """Read one that is met on the way; whether it is YAML is for kustomize to judge."""
    try:
        return content_of(file.read_bytes())
    except (OSError, yaml.YAMLError):
        return {}


def _paths(
    folder: Path, content: dict[str, Any], fields: tuple[str, ...], tree: Path
) -> Iterator[Path]:
    """Return what fields name in the tree; a URL, and what is written out in place of a path, is no file."""
    for name in fields:
        entries = content.get(name)
        for entry in entries if isinstance(entries, list) else ():
            said = entry.get("path") if isinstance(entry, dict) else entry
            try:
                path = (folder / str(said)).resolve()
                there = said is not None and path.is_relative_to(tree) and path.exists()
            except (OSError, ValueError):
                continue
            if there:
                yield path


def duplicates(file: Path) -> list[manifests.Duplicate]:
    """Return the keys that stand twice in a mapping of a file; of what is no YAML, and of what is gone, none."""
    try:
        nodes = list(yaml.compose_all(file.read_bytes(), Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, OSError):
        return []
    return [found for node in nodes for found in manifests.duplicates(node)]
