"""Scenes made of recorded objects and of objects written by hand."""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.catalogue import BY_ID
from phases.diagnosis.scene import Scene
from phases.inventory import Inventory
from phases.objects import key_of
from phases.pod_logs import LogLook
from phases.snapshot import ALL_KINDS, LISTED_KINDS, Holder, NodeLook, Seen, Snapshot, Unseen

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
DANGERS = frozenset({"look", "nudge", "reversible", "destructive", "never"})
AT = 1_800_000_000.0
# ``node/`` is a machine of the plan: the Node object has a name of its own.
KIND_OF = {
    **{codes.subject(kind, "").removesuffix("/"): kind for kind in LISTED_KINDS if kind != "Node"},
    codes.k8s_node("").removesuffix("/"): "Node",
}


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
    nodes: Mapping[str, NodeLook | None] | None = None,
    logs: Mapping[str, LogLook | None] | None = None,
    at: float = AT,
) -> Scene:
    """
    A snapshot of these objects (API JSON with ``kind``).

    Every other kind is seen and empty; a Talos node or a log without a look is unseen. Each object has a UID.
    """
    listed: dict[str, dict[str, Any]] = {kind: {} for kind in ALL_KINDS}
    listed |= {given["kind"]: {} for given in objects}
    for given in objects:
        named = {"uid": f"uid-{given['kind']}-{given['metadata'].get('name')}", **given["metadata"]}
        whole = {**given, "metadata": named}
        found = msgspec.convert(whole, LISTED_KINDS[given["kind"]], strict=False)
        listed[given["kind"]][key_of(found.metadata)] = found
    return Scene(
        Snapshot(
            at=at,
            objects={
                kind: Seen(found, at) for kind, found in listed.items() if kind not in unlisted
            },
            nodes={
                name: Seen(look, at) if look is not None else Unseen(0.0, "silent")
                for name, look in (nodes or {}).items()
            },
            holders={name: Seen(held, at) for name, held in (holders or {}).items()},
            logs={
                name: Seen(look, at) if look is not None else Unseen(0.0, "denied")
                for name, look in (logs or {}).items()
            },
        ),
        Inventory.model_validate({"schema": "rekindle.inventory/1", **inventory})
        if inventory is not None
        else None,
    )


def rules_of(looked_at: Scene) -> list[str]:
    """
    Name the rules that find something in a scene.

    Not by ``found_by``: a rule that is silent because it has nothing to do with the scene has no case against it yet.
    """
    return [rule for rule, known in BY_ID.items() if list(known.find(looked_at))]


def found_by(rule: str, looked_at: Scene) -> list[Finding]:
    """
    Run one rule; what every rule promises of whatever it finds is tried by every case.

    It has the UID of its subject, evidence, what will clear it, and something that can be done, each with its class.
    """
    findings = list(BY_ID[rule].find(looked_at))
    for found in findings:
        assert found.uid == uid_of(looked_at, found.subject), f"not the UID of its subject: {found}"
        assert found.rule == rule
        assert found.cause
        assert found.message
        assert found.evidence, f"no evidence: {found}"
        assert all(found.evidence), f"empty evidence: {found}"
        assert found.clears_when, f"nothing clears it: {found}"
        assert found.clears_itself in {"yes", "no", "unknown"}
        assert found.remedies, f"nothing can be done: {found}"
        assert {remedy.danger for remedy in found.remedies} <= DANGERS
    return findings


def uid_of(looked_at: Scene, subject: Subject) -> str:
    """Return the UID of what a finding is about; empty where that is no object, or none that is listed."""
    family, _, key = subject.partition("/")
    found = looked_at.get(KIND_OF.get(family, ""), key)
    return "" if found is None else str(found.metadata.uid)


def holder(name: str, resource: str = "things", **more: Any) -> Holder:
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


def made(kind: str, name: str, *conditions: Mapping[str, Any], **more: Any) -> dict[str, Any]:
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


def said(type_: str, status: str, reason: str = "", message: str = "", at: float = AT - 300) -> Any:
    """A condition that is what it is since five minutes."""
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": datetime.fromtimestamp(at, UTC).isoformat(),
    }


def failed(kind: str, name: str, message: str, **more: Any) -> dict[str, Any]:
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


def pod(
    name: str, *conditions: Any, owner: tuple[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """A pod; *owner* is a kind and a name, a Deployment by way of its ReplicaSet."""
    metadata: dict[str, Any] = dict(more.pop("metadata", {}))
    if owner is not None:
        kind, owned_by = owner
        if kind == "Deployment":
            kind, owned_by = "ReplicaSet", f"{owned_by}-5b88cdbdcd"
            metadata["labels"] = {"pod-template-hash": "5b88cdbdcd", **metadata.get("labels", {})}
        metadata["ownerReferences"] = [{"kind": kind, "name": owned_by}]
    return made("Pod", name, *conditions, metadata=metadata, **more)


def waits(reason: str, message: str = "", name: str = "c", **more: Any) -> dict[str, Any]:
    """The status of a container that waits."""
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}, **more}
