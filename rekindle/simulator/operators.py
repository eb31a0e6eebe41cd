"""Who serves which finalizer: an object that is to go is let go by its operator, or stays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from phases.objects import Namespace
from phases.snapshot import Holder
from rekindle.simulator.api import Api, terminating
from rekindle.simulator.crds import Crds
from rekindle.simulator.events import Loop
from rekindle.simulator.kinds import (
    BUILT_IN,
    Kind,
    custom,
    guess,
)
from rekindle.simulator.tree import Item, Tree

SERVE_SECONDS = 6.0
Alive = Callable[[str], bool]


class Operators:
    """The operators of custom objects. *alive* says whether a Deployment has a ready pod."""

    def __init__(self, loop: Loop, api: Api, crds: Crds, tree: Tree, alive: Alive) -> None:
        self._loop = loop
        self._api = api
        self._crds = crds
        self._alive = alive
        self._serving: set[tuple[str, str]] = set()
        self._items: dict[tuple[str, str], Item] = {
            (item.kind, item.id): item for item in tree.items() if item.finalizer
        }
        self._providers = _providers(tree)
        for kind in sorted({item.kind for item in self._items.values()}):
            api.watch(kind, partial(self._changed, kind))

    def _deployments(self, item: Item) -> tuple[str, ...]:
        return (item.operator,) if item.operator else self._providers.get(item.crd, ())

    def _changed(self, kind: str, key: str, _old: Any, new: Any) -> None:  # noqa: ANN401  objects
        if terminating(new) and (kind, key) in self._items:
            self._serve_soon(kind, key)

    def came_alive(self) -> None:
        """Look again: an operator may have come back."""
        for kind, key in self._items:
            if terminating(self._api.get(kind, key)):
                self._serve_soon(kind, key)

    def _serve_soon(self, kind: str, key: str) -> None:
        if (kind, key) not in self._serving:
            self._serving.add((kind, key))
            self._api.later(self._loop.around(SERVE_SECONDS), lambda: self._serve(kind, key))

    def _serve(self, kind: str, key: str) -> None:
        self._serving.discard((kind, key))
        item = self._items[kind, key]
        if terminating(self._api.get(kind, key)) and any(
            self._alive(name) for name in self._deployments(item)
        ):
            self._api.release(kind, key, (item.finalizer,))

    # --- holders ---------------------------------------------------------------------------------

    def holders(self) -> dict[str, tuple[Holder, ...]]:
        """Return what still holds each Terminating namespace and definition; who would let go, no API tells."""
        found: dict[str, tuple[Holder, ...]] = {}
        namespace: Namespace
        for name, namespace in self._api.all("Namespace").items():
            if terminating(namespace):
                inside = self._api.within(name)
                found[f"namespace/{name}"] = tuple(
                    self._holder(kind, key, value)
                    for kind, key, value in inside
                    if value.metadata.finalizers
                )
        for name, crd in self._api.all("CustomResourceDefinition").items():
            if terminating(crd):
                kind = self._crds.kind(name)
                found[f"crd/{name}"] = tuple(
                    self._holder(kind, key, value, name)
                    for key, value in self._api.all(kind).items()
                    if value.metadata.finalizers
                )
        return found

    def kind(self, name: str, key: str = "", crd: str = "") -> Kind:
        """Return where a kind lives."""
        if name in BUILT_IN:
            return BUILT_IN[name]
        item = self._items.get((name, key))
        if item is not None:
            return item.where
        return custom(name, crd) if crd else guess(name)

    def _holder(self, kind: str, key: str, value: Any, crd: str = "") -> Holder:  # noqa: ANN401
        where = self.kind(kind, key, crd)
        meta = value.metadata
        deleted = meta.deletion_timestamp
        return Holder(
            group=where.group,
            version=where.version,
            resource=where.plural,
            kind=kind,
            namespace=meta.namespace,
            name=meta.name,
            uid=meta.uid,
            finalizers=meta.finalizers,
            deletion=deleted.timestamp() if deleted is not None else None,
        )


def _providers(tree: Tree) -> dict[str, tuple[str, ...]]:
    """Map each definition to the Deployments of the release that brings it, the operator among them."""
    found: dict[str, tuple[str, ...]] = {}
    for release in tree.helmreleases.values():
        deployments = tuple(item.id for item in release.installs if item.kind == "Deployment")
        operators = tuple(name for name in deployments if name.endswith("operator")) or deployments
        for item in release.installs:
            if item.kind == "CustomResourceDefinition":
                found[item.id] = operators
    return found
