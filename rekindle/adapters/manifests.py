"""
YAML of Kubernetes objects, read and applied.

A key that stands twice in a mapping is an error here: parsers keep the last one in silence, and so hide what was meant.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from engine.world import INVALID, NOT_FOUND
from journal.entries import Outcome
from journal.errors import Diagnosed
from rekindle.adapters import settling
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import RefusedError, settle_refusal, settle_silence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.world import Intent, Settlement
    from rekindle.adapters.discovery import Discovery
    from rekindle.adapters.kubernetes import Api

_FIRST_KINDS = ("Namespace", "CustomResourceDefinition")
_SUFFIXES = (".yaml", ".yml")


class ManifestFailed(Diagnosed):
    """A manifest cannot be read as it stands."""

    exit_code = 78


def read(path: Path) -> list[dict[str, Any]]:
    """Read all objects of a file, or of all YAML files below a folder."""
    return [document for file in files(path) for document in parse(_text(file), str(file))]


def files(path: Path) -> list[Path]:
    """List the YAML files that a path stands for, in order."""
    if path.is_dir():
        found = (file for file in sorted(path.rglob("*")) if file.suffix in _SUFFIXES)
        return [file for file in found if file.is_file()]
    return [path]


def parse(text: str | bytes, source: str) -> Iterator[dict[str, Any]]:
    """Parse a stream of documents; members of a List come one by one."""
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
        for node in nodes:
            refuse_duplicates(node, source)
        documents = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        raise ManifestFailed(
            f"{place}: {getattr(error, 'problem', None) or 'no YAML'}",
            reference="manifest-unreadable",
            hint="repair the file and push it; nothing was applied",
        ) from error
    for document in documents:
        if isinstance(document, dict) and document:
            yield from _members(document)


def refuse_duplicates(node: yaml.Node | None, source: str) -> None:
    """Raise on the first key that a mapping has twice."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            refuse_duplicates(item, source)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            line = key.start_mark.line + 1
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise ManifestFailed(
                    f"{source}:{line}: the key {key.value!r} stands here and in line "
                    f"{seen[key.value]}",
                    reference="duplicate-key",
                    hint="keep one of the two; a parser would keep the last in silence",
                )
            seen[key.value] = line
        refuse_duplicates(value, source)


def apply(
    intent: Intent, api: Api, discovery: Discovery, documents: Iterable[dict[str, Any]]
) -> Settlement:
    """
    Apply objects server-side, namespaces and CRDs first, and stop at the first that is refused.

    Once one was applied nobody can promise that nothing happened.
    """
    ordered = sorted(documents, key=lambda found: found.get("kind") not in _FIRST_KINDS)
    applied = 0
    for document in ordered:
        settlement = _apply_one(intent, api, discovery, document)
        if settlement.outcome is not Outcome.DONE:
            if not applied or settlement.outcome is Outcome.UNSETTLED:
                return settlement
            evidence = {**settlement.evidence, "applied": applied}
            return settling.unsettled(intent, settlement.code, **evidence)
        applied += 1
    return settling.done(intent, applied=applied)


def _apply_one(
    intent: Intent, api: Api, discovery: Discovery, document: dict[str, Any]
) -> Settlement:
    """Apply one object."""
    version, kind = str(document.get("apiVersion", "")), str(document.get("kind", ""))
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not (version and kind and isinstance(metadata, dict) and name):
        return settling.failed(intent, INVALID, why="an object without apiVersion, kind or name")
    what = f"{kind} {name}"
    try:
        place = discovery.of_kind(version, kind)
        if place is None:
            return settling.failed(intent, NOT_FOUND, why=f"{what}: {version} is not served")
        namespace = str(metadata.get("namespace") or "default") if place.namespaced else ""
        api.apply(place.path(namespace, str(name)), msgspec.json.encode(document))
    except RefusedError as error:
        return settle_refusal(intent, RefusedError(error.status, f"{what}: {error.message}"))
    except UnansweredError as error:
        return settle_silence(intent, error)
    return settling.done(intent)


def _members(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Open a List."""
    if document.get("kind") == "List" and isinstance(document.get("items"), list):
        for item in document["items"]:
            if isinstance(item, dict):
                yield from _members(item)
        return
    yield document


def _text(file: Path) -> bytes:
    """Read a file, or say which one could not be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ManifestFailed(
            f"{file}: {error.strerror or error}",
            reference="manifest-unreadable",
            hint="check the path in the plan",
        ) from error
