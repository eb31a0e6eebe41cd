"""
External Secrets: stores that are valid while their backend answers, secrets that sync from valid stores.

As external-secrets 2.9.0 does it: why a secret or a store failed is in an event, its condition has one text for all.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from phases.objects import Condition, ExternalSecret, SecretStatus, condition
from rekindle.simulator.api import Api, terminating
from rekindle.simulator.events import Loop, Steps
from rekindle.simulator.queue import Controller
from rekindle.simulator.shapes import stamp, with_condition
from rekindle.simulator.tree import Tree

SECRET = "ExternalSecret"  # noqa: S105  a kind
STORE = "ClusterSecretStore"
STORE_RETRY_SECONDS = 300.0
BACKOFF_LIMIT_SECONDS = 420.0
REFRESH_SECONDS = 3600.0
UNREACHED = "unable to validate store"
UNSERVED = "could not get secret data from provider"


class Secrets:
    """The operator's two controllers. *alive* says whether a Deployment has a ready pod."""

    def __init__(self, loop: Loop, api: Api, tree: Tree, alive: Callable[[str], bool]) -> None:
        self._loop = loop
        self._api = api
        self._alive = alive
        self._failures: dict[str, int] = {}
        self._backends = _backends(tree)
        self.secrets = Controller(loop, api, 1, self._sync)
        self.stores = Controller(loop, api, 1, self._validate)
        api.watch(SECRET, self._secret_changed)
        api.watch(STORE, lambda key, old, new: _wake(self.stores, key, old, new))

    def start(self) -> None:
        """Begin with all stores and secrets."""
        self.stores.start(list(self._api.all(STORE)))
        self.secrets.start(list(self._api.all(SECRET)))

    def stop(self) -> None:
        """Die."""
        self.stores.stop()
        self.secrets.stop()
        self._failures.clear()

    def _secret_changed(
        self, key: str, old: ExternalSecret | None, new: ExternalSecret | None
    ) -> None:
        _wake(self.secrets, key, old, new)

    def _validate(self, name: str) -> Steps:
        yield self._loop.around(1.0)
        if self._api.get(STORE, name) is None:
            return None
        backend = self._backends.get(name, "")
        if not backend or self._alive(backend):
            self.set(STORE, name, Condition("Ready", "True", "Valid", "store validated"))
            return STORE_RETRY_SECONDS
        self.set(STORE, name, Condition("Ready", "False", "InvalidProviderConfig", UNREACHED))
        return STORE_RETRY_SECONDS

    def _sync(self, key: str) -> Steps:
        yield self._loop.around(0.4)
        found: ExternalSecret | None = self._api.get(SECRET, key)
        if found is None or terminating(found):
            return None
        if not self._is_served(found):
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            self.set(SECRET, key, Condition("Ready", "False", "SecretSyncedError", UNSERVED))
            return min(2.0 ** (failures - 1), BACKOFF_LIMIT_SECONDS)
        self._failures.pop(key, None)
        self.synced(key)
        return REFRESH_SECONDS

    def synced(self, key: str) -> None:
        """Write down that a secret was fetched."""
        found: ExternalSecret = self._api.get(SECRET, key)
        self.set(SECRET, key, Condition("Ready", "True", "SecretSynced", "secret synced"))
        status = replace(
            self._api.get(SECRET, key).status,
            refresh_time=stamp(self._loop.now),
            synced_resource_version=f"{found.metadata.generation}-{found.metadata.uid[:8]}",
        )
        self._api.update(SECRET, key, status=status)

    def _is_served(self, found: ExternalSecret) -> bool:
        reference = found.spec.secret_store_ref
        store: ExternalSecret | None = self._api.get(STORE, reference.name if reference else "")
        ready = condition(store.status.conditions, "Ready") if store is not None else None
        return ready is not None and ready.status == "True"

    def set(self, kind: str, key: str, new: Condition) -> None:
        """Set a condition of a store or a secret."""
        found: ExternalSecret = self._api.get(kind, key)
        conditions = with_condition(found.status.conditions, new, self._loop.now)
        status: SecretStatus = replace(found.status, conditions=conditions)
        self._api.update(kind, key, status=status)


def _wake(
    controller: Controller, key: str, old: ExternalSecret | None, new: ExternalSecret | None
) -> None:
    if new is None:
        controller.forget(key)
    elif (
        old is None
        or old.spec != new.spec
        or old.metadata.annotations != new.metadata.annotations
        or old.metadata.labels != new.metadata.labels
    ):
        controller.enqueue(key)


def _backends(tree: Tree) -> dict[str, str]:
    """Map each store to the Deployment that it asks: its ``backend``, or one that bears its name."""
    items = tree.items()
    deployments = [item.id for item in items if item.kind == "Deployment"]
    found: dict[str, str] = {}
    for item in items:
        if item.kind == STORE:
            alike = (key for key in deployments if item.id in key.rpartition("/")[2])
            found[item.id] = item.backend or next(alike, "")
    return found
