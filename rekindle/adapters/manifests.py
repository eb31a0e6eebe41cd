"""
YAML of Kubernetes objects, read and applied.

A key that stands twice in a mapping is an error here: parsers keep the last one in silence, and so hide what was meant.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import yaml

from engine.world import INVALID, NOT_FOUND
from journal.entries import Outcome
from journal.errors import Diagnosed
from rekindle.adapters import settling
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import (
    RefusedError,
    settle_look,
    settle_refusal,
    settle_silence,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.world import Intent, Settlement
    from rekindle.adapters.discovery import Discovery
    from rekindle.adapters.kubernetes import Api, ResourcePath

_FIRST_KINDS = ("Namespace", "CustomResourceDefinition")
_SUFFIXES = (".yaml", ".yml")
# A CRD takes a moment until its kind is served.
_SERVED_SECONDS = 10.0
_SERVED_POLL_SECONDS = 0.3


class Loader(yaml.CSafeLoader):
    """
    What is text to Kubernetes is text, where YAML 1.1 has a type for it: a date, a lone ``=``.

    kustomize writes 2024-02-31 without quotes, and so what has the mere shape of a number (``0x_``): neither is a date
    or a number to Go. PyYAML would end with a mistake of its own.
    """


def _text_of(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _value_of(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> object:
    """Make what its type says, or text where there is no such value."""
    try:
        return yaml.CSafeLoader.yaml_constructors[node.tag](loader, node)
    except (ValueError, LookupError):
        return _text_of(loader, node)


for _type in ("value", "timestamp"):
    Loader.add_constructor(f"tag:yaml.org,2002:{_type}", _text_of)
for _type in ("int", "float", "bool"):
    Loader.add_constructor(f"tag:yaml.org,2002:{_type}", _value_of)


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
        for found in (found for node in nodes for found in duplicates(node)):
            raise duplicate(found, source)
        documents = list(yaml.load_all(text, Loader=Loader))
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


class Duplicate(NamedTuple):
    """A key that stands twice in a mapping, with both lines."""

    key: str
    first: int
    line: int

    def where(self) -> str:
        """Name both lines, which may be one."""
        if self.first == self.line:
            return f"line {self.line}"
        return f"lines {self.first} and {self.line}"


def duplicates(node: yaml.Node | None) -> Iterator[Duplicate]:
    """Return the keys that a mapping has twice, and all that is in it."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from duplicates(item)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            line = key.start_mark.line + 1
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                yield Duplicate(key.value, seen[key.value], line)
            seen[key.value] = line
        yield from duplicates(value)


def duplicate(found: Duplicate, source: str) -> ManifestFailed:
    """Say which key stands where; parsers would not."""
    return ManifestFailed(
        f"{source}:{found.line}: the key {found.key!r} stands here and in line {found.first}",
        reference="duplicate-key",
        hint="keep one of the two; a parser would keep the last in silence",
    )


def apply(
    intent: Intent, api: Api, discovery: Discovery, documents: Iterable[dict[str, Any]]
) -> Settlement:
    """
    Apply objects server-side, namespaces and CRDs first, and stop at the first that is refused.

    Kinds are looked up before anything is sent. Once an object was applied nobody can promise that nothing happened.
    All of it shares the intent's deadline: after that the engine would begin a second time beside us.
    """
    api = api.within(intent.deadline_seconds)
    discovery = discovery.through(api)
    ordered = sorted(documents, key=lambda found: found.get("kind") not in _FIRST_KINDS)
    brought = {_kind_of_crd(found) for found in ordered if found.get("kind") == _FIRST_KINDS[1]}
    for document in ordered:
        refusal = _refuse(intent, discovery, document, brought)
        if refusal is not None:
            return refusal
    for applied, document in enumerate(ordered):
        settlement = _apply_one(intent, api, discovery, document)
        if settlement.outcome is Outcome.FAILED and applied:
            evidence = {**settlement.evidence, "applied": applied}
            return settling.unsettled(intent, settlement.code, **evidence)
        if settlement.outcome is not Outcome.DONE:
            return settlement
    return settling.done(intent, applied=len(ordered))


def _refuse(
    intent: Intent, discovery: Discovery, document: dict[str, Any], brought: set[tuple[str, str]]
) -> Settlement | None:
    """Refuse what is no object, and kinds that the API does not serve and that nobody here brings."""
    metadata = document.get("metadata")
    version, kind = str(document.get("apiVersion", "")), str(document.get("kind", ""))
    if not (version and kind and isinstance(metadata, dict) and metadata.get("name")):
        return settling.failed(intent, INVALID, why="an object without apiVersion, kind or name")
    if (version.rpartition("/")[0], kind) in brought:
        return None
    try:
        if discovery.of_kind(version, kind) is None:
            return settling.failed(intent, NOT_FOUND, why=f"{version} {kind} is not served")
    except (RefusedError, UnansweredError) as error:
        return settle_look(intent, error)
    return None


def _apply_one(
    intent: Intent, api: Api, discovery: Discovery, document: dict[str, Any]
) -> Settlement:
    """Apply one object."""
    version, kind, metadata = document["apiVersion"], document["kind"], document["metadata"]
    what = f"{kind} {metadata['name']}"
    try:
        place = _await_served(discovery, str(version), str(kind))
    except (RefusedError, UnansweredError) as error:
        return settle_look(intent, error)
    if place is None:
        return settling.failed(intent, NOT_FOUND, why=f"{what}: {version} is not served")
    try:
        namespace = str(metadata.get("namespace") or "default") if place.namespaced else ""
        api.apply(place.path(namespace, str(metadata["name"])), msgspec.json.encode(document))
    except RefusedError as error:
        return settle_refusal(intent, RefusedError(error.status, f"{what}: {error.message}"))
    except UnansweredError as error:
        return settle_silence(intent, error)
    return settling.done(intent)


def _await_served(discovery: Discovery, version: str, kind: str) -> ResourcePath | None:
    """Find a kind; if its CRD was just applied, it takes a moment until it is served."""
    until = time.monotonic() + _SERVED_SECONDS
    while (place := discovery.of_kind(version, kind)) is None and time.monotonic() < until:
        time.sleep(_SERVED_POLL_SECONDS)
    return place


def _kind_of_crd(document: dict[str, Any]) -> tuple[str, str]:
    """Return group and kind that a CRD brings."""
    spec = document.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(names, dict):
        return "", ""
    return str(spec.get("group")), str(names.get("kind"))


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
