"""
Takes our field manager off objects that we applied, where their owner owns the same fields by now.

To apply less than before gives up what is left out (Kubernetes, server-side apply, "transferring ownership"): a field
that somebody else owns as well stays as it is, one that only we own would be removed. So first it is looked at who owns
what, and the write is of the version that was looked at, and of no other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from engine.recipe import OWED
from rekindle.adapters import settling
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import (
    FIELD_MANAGER,
    RefusedError,
    settle_look,
    settle_refusal,
    settle_silence,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.world import Intent, Settlement
    from rekindle.adapters.discovery import Discovery
    from rekindle.adapters.kubernetes import Api

_NOT_FOUND = 404
_SHOWN = 5


@dataclass(slots=True)
class _Books:
    """What became of each object."""

    released: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    nothing: int = 0


def give_back(
    intent: Intent, api: Api, discovery: Discovery, documents: Iterable[dict[str, Any]]
) -> Settlement:
    """
    Release each object that its owner has taken up; *kept* are those of which something is only ours.

    That is the end of it where everything is there; where only its *owner* is, that one may take it up later.
    """
    api = api.within(intent.deadline_seconds)
    discovery = discovery.through(api)
    books = _Books()
    for document in documents:
        try:
            _one(api, discovery, document, books)
        except RefusedError as error:
            return settle_refusal(intent, error)
        except UnansweredError as error:
            return settle_silence(intent, error) if error.sent else settle_look(intent, error)
    return settling.done(
        intent,
        OWED if books.kept and intent.arguments.get("owner") else "",
        released=list(books.released),
        kept=list(books.kept),
        not_ours=books.nothing or None,
    )


def _one(api: Api, discovery: Discovery, document: dict[str, Any], books: _Books) -> None:
    version, kind, metadata = document["apiVersion"], document["kind"], document["metadata"]
    place = discovery.of_kind(str(version), str(kind))
    if place is None:
        books.nothing += 1
        return
    namespace = str(metadata.get("namespace") or "default") if place.namespaced else ""
    name = str(metadata["name"])
    path = place.path(namespace, name)
    try:
        found = msgspec.json.decode(api.get(path))
    except RefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        books.nothing += 1
        return
    alone = only_ours(found["metadata"].get("managedFields") or [])
    what = f"{kind} {name}"
    if alone is None:
        books.nothing += 1
    elif alone:
        books.kept.append(f"{what}: {', '.join(sorted(alone)[:_SHOWN])}")
    else:
        less: dict[str, Any] = {
            "name": name,
            "resourceVersion": found["metadata"]["resourceVersion"],
        }
        if namespace:
            less["namespace"] = namespace
        body = {"apiVersion": version, "kind": kind, "metadata": less}
        api.apply(path, msgspec.json.encode(body))
        books.released.append(what)


def only_ours(managed: list[dict[str, Any]]) -> set[str] | None:
    """Return the fields that nobody else owns (``.spec.group``); None: none is ours at all."""
    ours: set[str] = set()
    theirs: set[str] = set()
    is_ours = False
    for entry in managed:
        mine = entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply"
        is_ours = is_ours or mine
        (ours if mine else theirs).update(_paths(entry.get("fieldsV1") or {}))
    return ours - theirs if is_ours else None


def _paths(fields: dict[str, Any], before: str = "") -> Iterator[str]:
    """Yield the leaves; the item of a list is a leaf of its own (``.``) beside what is in it."""
    for key, inner in fields.items():
        path = before if key == "." else f"{before}.{key.removeprefix('f:')}"
        if key == "." or not inner:
            yield path
        else:
            yield from _paths(inner, path)
