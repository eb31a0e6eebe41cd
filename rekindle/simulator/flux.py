"""What the Flux controllers have in common: annotations, conditions, dependencies, the source's artifact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from phases.objects import Artifact, Condition, Flux, Source, condition
from rekindle.simulator.api import Api, terminating
from rekindle.simulator.events import Loop, Steps
from rekindle.simulator.kinds import KUSTOMIZE_FINALIZER
from rekindle.simulator.queue import Controller
from rekindle.simulator.shapes import flux_conditions

REQUESTED = "reconcile.fluxcd.io/requestedAt"
RESET = "reconcile.fluxcd.io/resetAt"
IN_PROGRESS = Condition("Ready", "Unknown", "Progressing", "Reconciliation in progress")
SOURCE_RETRY_SECONDS = 60.0
FETCH_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Settings:
    """The controllers' flags: seconds and counts."""

    requeue_dependency: float = 30.0
    kustomize_workers: int = 4
    helm_workers: int = 4
    source_workers: int = 2


class Patcher:
    """Writes the status of one kind of Flux object, as the controllers patch it."""

    def __init__(self, loop: Loop, api: Api, kind: str) -> None:
        self._loop = loop
        self._api = api
        self._kind = kind

    def write(
        self,
        key: str,
        *new: Condition,
        drop: tuple[str, ...] = (),
        **fields: Any,  # noqa: ANN401
    ) -> None:
        """Set conditions and status fields of an object that may have gone meanwhile."""
        found = self._api.get(self._kind, key)
        if found is None:
            return
        generation = found.metadata.generation
        stamped = tuple(replace(wanted, observed_generation=generation) for wanted in new)
        conditions = flux_conditions(found.status.conditions, self._loop.now, stamped, drop)
        status = replace(found.status, conditions=conditions, **fields)
        self._api.update(self._kind, key, status=status)

    def rest(self, key: str, found: Flux) -> None:
        """Take note of the generation of what is suspended and was Ready: its dependents find that good enough."""
        ready = condition(found.status.conditions, "Ready")
        if ready is not None and ready.status == "True":
            self.write(key, observed_generation=found.metadata.generation)


def asked(value: Any) -> str:  # noqa: ANN401  any Flux object
    """Return the token of the last request to reconcile."""
    token: str = value.metadata.annotations.get(REQUESTED, "")
    return token


def wake(controller: Controller, key: str, old: Any, new: Any) -> None:  # noqa: ANN401  Flux objects
    """Queue an object when it appears, goes, changes its spec or is asked for."""
    if new is None:
        controller.forget(key)
    elif (
        old is None
        or old.spec != new.spec
        or asked(old) != asked(new)
        or terminating(old) != terminating(new)
    ):
        controller.enqueue(key)


def dependency_ready(found: Flux) -> bool:
    """Say whether a dependency counts as ready: its generation observed, and Ready."""
    ready = condition(found.status.conditions, "Ready")
    return (
        found.status.observed_generation == found.metadata.generation
        and ready is not None
        and ready.status == "True"
    )


class Sources:
    """source-controller: fetches the one GitRepository. *online* says whether names resolve."""

    def __init__(
        self, loop: Loop, api: Api, settings: Settings, online: Callable[[], bool]
    ) -> None:
        self._loop = loop
        self._api = api
        self._online = online
        self._patcher = Patcher(loop, api, "GitRepository")
        self.revision = ""
        self.rewritten = 0
        self.lives: dict[str, int] = {}  # how often history was rewritten before each revision
        self.controller = Controller(loop, api, settings.source_workers, self._reconcile)
        api.watch("GitRepository", lambda key, old, new: wake(self.controller, key, old, new))

    def _reconcile(self, key: str) -> Steps:
        found: Source | None = self._api.get("GitRepository", key)
        if found is None:
            return None
        if terminating(found):
            self._api.release("GitRepository", key, (KUSTOMIZE_FINALIZER,))
            return None
        self._api.hold("GitRepository", key, KUSTOMIZE_FINALIZER)
        token = asked(found)
        yield self._loop.around(FETCH_SECONDS)
        if self._online():
            self.succeed(key, token)
            return 3600.0
        text = (
            "failed to checkout and determine revision: unable to clone repository:"
            " dial tcp: lookup github.com: i/o timeout"
        )
        self._patcher.write(
            key,
            Condition("Reconciling", "True", "ProgressingWithRetry", "building artifact"),
            Condition("Ready", "False", "GitOperationFailed", text),
            Condition("FetchFailed", "True", "GitOperationFailed", text),
            last_handled_reconcile_at=token,
        )
        return SOURCE_RETRY_SECONDS

    def push(self, revision: str, *, rewrites: bool = False) -> None:
        """Move the branch; what is *rewritten* is no ancestor of what comes after."""
        if rewrites:
            self.rewritten += 1
        self.revision = revision
        self.lives[revision] = self.rewritten

    def descends(self, old: str, new: str) -> bool | None:
        """Say whether a commit descends from another; None: it is none of this branch's."""
        found = [
            life
            for commit in (old, new)
            for revision, life in self.lives.items()
            if revision.endswith(commit)
        ]
        return found[0] == found[1] if len(found) == len((old, new)) else None

    def succeed(self, key: str, token: str = "") -> None:
        """Store the artifact of the revision that Git is at."""
        found: Source = self._api.get("GitRepository", key)
        if found is None:
            return
        text = f"stored artifact for revision '{self.revision}'"
        self._patcher.write(
            key,
            Condition("Ready", "True", "Succeeded", text),
            Condition("ArtifactInStorage", "True", "Succeeded", text),
            drop=("Reconciling", "FetchFailed"),
            artifact=Artifact(self.revision),
            observed_generation=found.metadata.generation,
            last_handled_reconcile_at=token or found.status.last_handled_reconcile_at,
        )
