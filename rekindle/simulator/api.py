"""
The Kubernetes API: objects by kind and key, and who is told when one changes.

It stores and refuses; it decides nothing. Deletion goes as in reality: an object with finalizers only becomes
Terminating, and is gone when the last one is taken off.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from phases.objects import CustomResourceDefinition, Namespace, condition, key_of
from phases.snapshot import ALL_KINDS, MORE_KINDS
from rekindle.simulator.events import Loop
from rekindle.simulator.kinds import BUILT_IN
from rekindle.simulator.shapes import stamp, with_meta

Watcher = Callable[[str, Any, Any], None]
PRIORITY = {"Namespace": 0, "CustomResourceDefinition": 1}


class Refused(Exception):  # noqa: N818  the API's own word
    """The API says no: a reason and a sentence, as kubectl shows them."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class Api:
    """What etcd holds, while the API serves and while it does not."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._revision = 0
        self._watchers: dict[str, list[Watcher]] = {}
        self._waiting: list[Callable[[], None]] = []
        self.up = False
        # What webhooks answer to a request (kind, namespace, operation); empty: it is let through.
        self.admission: Callable[[str, str, str], str] = lambda _kind, _namespace, _operation: ""
        self.objects: dict[str, dict[str, Any]] = {kind: {} for kind in ALL_KINDS}
        self.versions: dict[str, int] = dict.fromkeys(ALL_KINDS, 0)
        self.count = 0
        self.news = (
            0  # changes that are a reason to look: what only rules read is seen with the next look
        )

    # --- being there -----------------------------------------------------------------------------

    def serve(self, *, up: bool) -> None:
        """Go up or down; what waited for the API goes on within seconds."""
        if self.up == up:
            return
        self.up = up
        self.count += 1
        self.news += 1
        if up:
            waiting, self._waiting = self._waiting, []
            for do in waiting:
                self._loop.after(0.5 + 2.0 * self._loop.random.random(), do)

    def ready(self, do: Callable[[], None]) -> bool:
        """Say whether the API serves; if not, do it when it does."""
        if not self.up:
            self._waiting.append(do)
        return self.up

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something of a controller's after some seconds, or as soon after as the API serves."""

        def fire() -> None:
            if self.ready(fire):
                do()

        self._loop.after(seconds, fire)

    def watch(self, kind: str, watcher: Watcher) -> None:
        """Tell *watcher* (key, old, new) of each change to objects of that kind."""
        self._watchers.setdefault(kind, []).append(watcher)

    # --- reading ---------------------------------------------------------------------------------

    def get(self, kind: str, key: str) -> Any:  # noqa: ANN401  None, or an object of that kind
        """Return an object or None."""
        return self.objects.get(kind, {}).get(key)

    def all(self, kind: str) -> dict[str, Any]:
        """Return all objects of a kind."""
        return self.objects.get(kind, {})

    def within(self, namespace: str) -> list[tuple[str, str, Any]]:
        """Return everything in a namespace: kind, key, object."""
        return [
            (kind, key, found)
            for kind, found_by_key in self.objects.items()
            for key, found in found_by_key.items()
            if found.metadata.namespace == namespace
        ]

    def established(self, crd: str) -> bool:
        """Say whether a definition is served."""
        found: CustomResourceDefinition | None = self.get("CustomResourceDefinition", crd)
        if found is None:
            return False
        state = condition(found.status.conditions, "Established")
        return state is not None and state.status == "True"

    def served(self, kind: str) -> bool:
        """Say whether a kind can be read at all."""
        crd = BUILT_IN[kind].crd if kind in BUILT_IN else ""
        return not crd or self.get("CustomResourceDefinition", crd) is not None

    # --- writing ---------------------------------------------------------------------------------

    def put(self, kind: str, value: Any) -> None:  # noqa: ANN401  an object of that kind
        """Store an object as it is, with a new resource version, and tell the watchers."""
        self._revision += 1
        key = key_of(value.metadata)
        by_key = self.objects.setdefault(kind, {})
        old = by_key.get(key)
        value = with_meta(value, resource_version=str(self._revision))
        by_key[key] = value
        self._changed(kind, key, old, value)

    def create(self, kind: str, value: Any) -> Any:  # noqa: ANN401  an object of that kind
        """Create an object, or refuse as the API would."""
        meta = value.metadata
        self._admit(kind, meta.namespace, meta.name)
        value = with_meta(
            value,
            uid=self.uid(),
            generation=meta.generation or 1,
            creation_timestamp=stamp(self._loop.now),
        )
        self.put(kind, value)
        return self.get(kind, key_of(meta))

    def derive(self, kind: str, value: Any) -> None:  # noqa: ANN401  an object of that kind
        """
        Store what follows from another object.

        Nobody is asked, for whoever brought that one was; and no dice are thrown: a seed keeps its story.
        """
        name = f"{kind}/{key_of(value.metadata)}/{self._revision}"
        made = stamp(self._loop.now)
        uid = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
        self.put(kind, with_meta(value, uid=uid, generation=1, creation_timestamp=made))

    def _admit(self, kind: str, namespace: str, name: str) -> None:
        if namespace:
            self._admit_to(namespace, kind, name)
        if text := self.admission(kind, namespace, "CREATE"):
            raise Refused("InternalError", text)

    def _admit_to(self, namespace: str, kind: str, name: str) -> None:
        found: Namespace | None = self.get("Namespace", namespace)
        if found is None:
            raise Refused("NotFound", f'namespaces "{namespace}" not found')
        if found.metadata.deletion_timestamp is not None:
            plural = BUILT_IN[kind].plural if kind in BUILT_IN else f"{kind.lower()}s"
            raise Refused(
                "Forbidden",
                f'{plural} "{name}" is forbidden: unable to create new content in namespace'
                f" {namespace} because it is being terminated",
            )

    def update(self, kind: str, key: str, **fields: Any) -> None:  # noqa: ANN401  fields of the kind
        """Change fields of an object, if it is there and they differ."""
        old = self.get(kind, key)
        if old is not None and any(getattr(old, name) != value for name, value in fields.items()):
            self.put(kind, replace(old, **fields))

    def delete(self, kind: str, key: str) -> None:
        """Ask for an object to go: at once, or as soon as its finalizers are off."""
        old = self.get(kind, key)
        if old is None or old.metadata.deletion_timestamp is not None:
            return
        if old.metadata.finalizers or kind in ("Namespace", "Pod"):
            meta = old.metadata
            self.put(
                kind,
                with_meta(
                    old,
                    deletion_timestamp=stamp(self._loop.now),
                    generation=meta.generation + 1 if meta.generation else 0,
                ),
            )
        else:
            self.remove(kind, key)

    def release(self, kind: str, key: str, finalizers: tuple[str, ...]) -> None:
        """Take finalizers off; a Terminating object without any is gone."""
        old = self.get(kind, key)
        if old is None:
            return
        left = tuple(name for name in old.metadata.finalizers if name not in finalizers)
        if old.metadata.deletion_timestamp is not None and not left:
            self.remove(kind, key)
        elif left != old.metadata.finalizers:
            self.put(kind, with_meta(old, finalizers=left))

    def hold(self, kind: str, key: str, finalizer: str) -> None:
        """Put a finalizer on."""
        old = self.get(kind, key)
        if old is not None and finalizer not in old.metadata.finalizers:
            self.put(kind, with_meta(old, finalizers=(*old.metadata.finalizers, finalizer)))

    def remove(self, kind: str, key: str) -> None:
        """Drop an object from the store."""
        old = self.objects.get(kind, {}).pop(key, None)
        if old is not None:
            self._revision += 1
            self._changed(kind, key, old, None)

    def uid(self) -> str:
        """Return a new uid."""
        digits = f"{self._loop.random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def _changed(self, kind: str, key: str, old: Any, new: Any) -> None:  # noqa: ANN401  objects
        self.count += 1
        # What goes is looked at whatever its kind: it may hold a namespace.
        self.news += kind not in MORE_KINDS or terminating(old) or terminating(new)
        self.versions[kind] = self.versions.get(kind, 0) + 1
        for watcher in self._watchers.get(kind, ()):
            watcher(key, old, new)


def terminating(value: Any) -> bool:  # noqa: ANN401  any object
    """Say whether an object is on its way out."""
    return value is not None and value.metadata.deletion_timestamp is not None
