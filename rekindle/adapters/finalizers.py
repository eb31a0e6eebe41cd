"""
Takes named finalizers off one object that is being deleted.

What a finalizer stands for is then never done, so everything about the object must be as it was when a person or a
plan agreed: its uid, that it is on its way out, and that nothing changed between the look and the write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.world import CONFLICT, NOT_FOUND, PRECONDITION
from rekindle.adapters import settling
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import (
    RefusedError,
    ResourcePath,
    settle_look,
    settle_refusal,
    settle_silence,
)

if TYPE_CHECKING:
    from engine.world import Intent, Settlement
    from journal.entries import Json
    from phases.objects import Meta
    from rekindle.adapters.kubernetes import Api

_NOT_FOUND = 404
_TEST_FAILED = 422


def release(intent: Intent, api: Api) -> Settlement:
    """
    Remove exactly the named finalizers.

    CONFLICT and every other refusal promise that nothing changed: the patch is stored whole or not at all. Of a look
    that failed the same is certain; only a write without an answer is in doubt.
    """
    api = api.within(intent.deadline_seconds)
    wanted = intent.arguments
    place = ResourcePath(str(wanted["group"]), str(wanted["version"]), str(wanted["resource"]))
    path = place.path(str(wanted.get("namespace", "")), str(wanted["name"]))
    try:
        found = api.metadata(path)
    except RefusedError as error:
        if error.status == _NOT_FOUND:
            return settling.failed(intent, NOT_FOUND, why="it is gone")
        return settle_look(intent, error)
    except UnansweredError as error:
        return settle_look(intent, error)
    refusal = _refuse(intent, found)
    if refusal is not None:
        return refusal
    try:
        api.patch(path, operations(found, tuple(wanted["finalizers"])))
    except RefusedError as error:
        if error.status == _TEST_FAILED:
            return settling.failed(intent, CONFLICT, why="it changed in between")
        return settle_refusal(intent, error)
    except UnansweredError as error:
        return settle_silence(intent, error)
    return settling.done(intent, released=list(wanted["finalizers"]))


def _refuse(intent: Intent, found: Meta) -> Settlement | None:
    """Refuse another object, one that nobody deletes, and one that does not have these finalizers."""
    if found.uid != intent.arguments.get("uid"):
        return settling.failed(intent, CONFLICT, why="another object has this name by now")
    if found.deletion_timestamp is None:
        return settling.failed(intent, PRECONDITION, why="it is not being deleted")
    missing = set(intent.arguments["finalizers"]) - set(found.finalizers)
    if missing or not intent.arguments["finalizers"]:
        return settling.failed(intent, CONFLICT, why=f"its finalizers are {found.finalizers}")
    return None


def operations(found: Meta, named: tuple[str, ...]) -> list[Json]:
    """Write the patch: it fails whole unless uid and resourceVersion are those that were seen."""
    kept = [finalizer for finalizer in found.finalizers if finalizer not in named]
    return [
        {"op": "test", "path": "/metadata/uid", "value": found.uid},
        {"op": "test", "path": "/metadata/resourceVersion", "value": found.resource_version},
        {"op": "replace", "path": "/metadata/finalizers", "value": kept},
    ]
