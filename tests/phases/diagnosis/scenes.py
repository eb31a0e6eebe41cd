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


def stamp(at: float) -> str:
    """Write an instant as the API does."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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


def rules_of(looked_at: Scene) -> list[str]:
    """Name the rules that find something in a scene."""
    return [rule for rule in BY_ID if found_by(rule, looked_at)]


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
