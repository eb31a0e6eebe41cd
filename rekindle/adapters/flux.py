"""
Flux, asked to look again at one object.

Status is read through the watch; this is the only thing that is ever written to a Flux object: an annotation, never
the spec, and never more than one object at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.world import CONFLICT, INVALID, NOT_FOUND, PRECONDITION
from phases.api_struct import ApiStruct
from phases.objects import Condition, Meta, condition
from phases.readiness.flux import is_held
from phases.readiness.saying import is_true
from rekindle.adapters import settling
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import (
    RefusedError,
    decode,
    settle_look,
    settle_refusal,
    settle_silence,
)
from rekindle.adapters.resources import RESOURCES

if TYPE_CHECKING:
    from engine.world import Intent, Settlement
    from rekindle.adapters.kubernetes import Api

REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
RESET_AT = "reconcile.fluxcd.io/resetAt"
FORCE_SYNC = "force-sync"
NUDGED_KINDS = frozenset(
    {
        *("Kustomization", "HelmRelease", "ExternalSecret", "ClusterSecretStore"),
        *("GitRepository", "OCIRepository", "HelmRepository", "HelmChart"),
    }
)
_NOT_FOUND = 404


class _Spec(ApiStruct, frozen=True, rename="camel"):
    """The one field that forbids a nudge."""

    suspend: bool = False


class _Status(ApiStruct, frozen=True, rename="camel"):
    """Whether it is Ready, and whether a worker holds it."""

    conditions: tuple[Condition, ...] = ()


class _Object(ApiStruct, frozen=True, rename="camel"):
    """What is checked before a nudge."""

    metadata: Meta
    spec: _Spec | None = None
    status: _Status | None = None


def nudge(intent: Intent, api: Api) -> Settlement:
    """
    Set the annotation, if the object is still the one that was meant.

    Done means that the annotation is there; that a controller took it up is for the next look to tell.
    """
    kind = str(intent.arguments.get("kind", ""))
    if kind not in NUDGED_KINDS:
        return settling.failed(intent, INVALID, why=f"{kind} is not nudged")
    try:
        return _nudge(intent, api, kind)
    except RefusedError as error:
        return settle_refusal(intent, error)
    except UnansweredError as error:
        return settle_silence(intent, error)


def _nudge(intent: Intent, api: Api, kind: str) -> Settlement:
    """Look, check, write."""
    namespace, name = str(intent.arguments.get("namespace", "")), str(intent.arguments["name"])
    for place in RESOURCES[kind]:
        path = place.path(namespace, name)
        try:
            found = decode(api.get(path), _Object)
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                continue
            return settle_look(intent, error)
        except UnansweredError as error:
            return settle_look(intent, error)
        refusal = _refuse(intent, found)
        if refusal is not None:
            return refusal
        version = found.metadata.resource_version
        change = {"resourceVersion": version, "annotations": marks(intent, kind)}
        api.merge(path, {"metadata": change})
        return settling.done(intent, requested_at=str(intent.arguments["requested_at"]))
    return settling.failed(intent, NOT_FOUND, why=f"no {kind} {namespace}/{name}")


def _refuse(intent: Intent, found: _Object) -> Settlement | None:
    """Refuse another object, another generation, and what is suspended, on its way out, held or Ready by now."""
    metadata = found.metadata
    if metadata.uid != intent.arguments.get("uid"):
        return settling.failed(intent, CONFLICT, why="another object has this name by now")
    if metadata.generation != intent.arguments.get("generation"):
        why = f"generation is {metadata.generation} by now"
        return settling.failed(intent, CONFLICT, why=why)
    if metadata.deletion_timestamp is not None:
        return settling.failed(intent, PRECONDITION, why="it is being deleted")
    if found.spec is not None and found.spec.suspend:
        return settling.failed(intent, PRECONDITION, why="it is suspended")
    if is_held(str(intent.arguments.get("kind", "")), _conditions(found)):
        # A nudge would queue behind the worker, or cancel its health check: either way it helps nobody.
        return settling.failed(intent, CONFLICT, why="a worker of its controller holds it just now")
    if is_true(condition(_conditions(found), "Ready")) and not intent.arguments.get("ready"):
        return settling.failed(intent, CONFLICT, why="it is Ready by now")
    return None


def _conditions(found: _Object) -> tuple[Condition, ...]:
    return found.status.conditions if found.status is not None else ()


def marks(intent: Intent, kind: str) -> dict[str, str]:
    """Return the annotations that make up a nudge of this kind."""
    token = str(intent.arguments["requested_at"])
    if kind in {"ExternalSecret", "ClusterSecretStore"}:
        return {FORCE_SYNC: token}
    if kind == "HelmRelease" and intent.arguments.get("reset"):
        return {REQUESTED_AT: token, RESET_AT: token}
    return {REQUESTED_AT: token}
