"""Scenes made of recorded objects and of objects written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from journal.entries import Finding
from phases.diagnosis.catalogue import BY_ID
from phases.diagnosis.scene import Scene
from phases.inventory import Inventory
from phases.objects import key_of
from phases.snapshot import ALL_KINDS, Holder, Seen, Snapshot

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
AT = 1_800_000_000.0


def recorded(name: str) -> dict[str, Any]:
    """Read a recorded object."""
    found: dict[str, Any] = json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def scene(
    *objects: Mapping[str, Any],
    holders: Mapping[str, tuple[Holder, ...]] | None = None,
    unlisted: tuple[str, ...] = (),
    inventory: Mapping[str, Any] | None = None,
    at: float = AT,
) -> Scene:
    """A snapshot of these objects (API JSON with ``kind``); every other kind is seen and empty."""
    listed: dict[str, dict[str, Any]] = {kind: {} for kind in ALL_KINDS}
    for given in objects:
        found = msgspec.convert(given, ALL_KINDS[given["kind"]], strict=False)
        listed[given["kind"]][key_of(found.metadata)] = found
    return Scene(
        Snapshot(
            at=at,
            objects={
                kind: Seen(found, at) for kind, found in listed.items() if kind not in unlisted
            },
            holders={name: Seen(held, at) for name, held in (holders or {}).items()},
        ),
        Inventory.model_validate({"schema": "rekindle.inventory/1", **inventory})
        if inventory is not None
        else None,
    )


def found_by(rule: str, looked_at: Scene) -> list[Finding]:
    """Run one rule."""
    return list(BY_ID[rule].find(looked_at))


def holder(name: str, resource: str = "things", **more: Any) -> Holder:  # noqa: ANN401
    """An object with a finalizer, in namespace storage."""
    given = {
        "group": "example.com",
        "version": "v1",
        "resource": resource,
        "kind": "Thing",
        "namespace": "storage",
        "name": name,
        "uid": f"uid-{name}",
        "finalizers": ("example.com/keep",),
        **more,
    }
    return Holder(**given)


def made(kind: str, name: str, *conditions: Mapping[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Write an object by hand: *name* is ``namespace/name`` or a bare name; *more* goes next to its metadata."""
    namespace, _, bare = name.rpartition("/")
    metadata = {
        "name": bare,
        "namespace": namespace,
        "uid": f"uid-{kind}-{bare}",
        "creationTimestamp": "2020-01-01T00:00:00Z",  # years before anything else: an age is no instant
        **more.pop("metadata", {}),
    }
    status = {"conditions": list(conditions), **more.pop("status", {})}
    return {"kind": kind, "metadata": metadata, "status": status, **more}


def said(type_: str, status: str, reason: str = "", message: str = "", at: float = AT - 300) -> Any:  # noqa: ANN401
    """A condition that is what it is since five minutes."""
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": datetime.fromtimestamp(at, UTC).isoformat(),
    }


def failed(kind: str, name: str, message: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """An object of Flux whose last attempt ended with this message."""
    return made(kind, name, said("Ready", "False", "ReconciliationFailed", message), **more)


def dangers(found: Finding) -> set[str]:
    """Return the classes of the remedies."""
    return {remedy.danger for remedy in found.remedies}


def endpoints(service: str, *ready: bool | None) -> dict[str, Any]:
    """A slice of a Service, ``namespace/name``, with these endpoints."""
    namespace, _, name = service.partition("/")
    labels = {"kubernetes.io/service-name": name}
    found = made(
        "EndpointSlice", f"{namespace}/{name}-{len(ready)}abc", metadata={"labels": labels}
    )
    return {**found, "endpoints": [{"conditions": {"ready": one}} for one in ready]}
