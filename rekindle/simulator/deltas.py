"""Looks as differences: the server's half makes them, the client's half puts them together again."""

from __future__ import annotations

from typing import Any

import msgspec

from journal.entries import Instant
from phases.followed import Objects
from phases.snapshot import ALL_KINDS, Holder, Seen, Snapshot, Unseen
from rekindle.simulator.protocol import ENCODER, Changed, Delta

_DECODERS: dict[str, msgspec.msgpack.Decoder[dict[str, Any]]] = {
    kind: msgspec.msgpack.Decoder(dict[str, struct])  # type: ignore[valid-type]
    for kind, struct in ALL_KINDS.items()
}


class Differ:
    """Remembers what one client has seen, and says what is new."""

    def __init__(self) -> None:
        self._sent: dict[str, Objects] = {}
        self._holders: dict[str, tuple[Holder, ...]] = {}

    def delta(self, snapshot: Snapshot) -> Delta:
        """Return what a snapshot has that the last one had not."""
        unseen: Unseen | None = None
        kinds: dict[str, Changed] = {}
        for kind, seen in snapshot.objects.items():
            if isinstance(seen, Unseen):
                unseen = seen
            elif seen.value is not self._sent.get(kind):
                kinds[kind] = self._changed(kind, seen.value)
        held = {
            name: seen.value for name, seen in snapshot.holders.items() if isinstance(seen, Seen)
        }
        same = held == self._holders
        self._holders = held
        return Delta(
            nodes=snapshot.nodes,
            api=snapshot.api,
            kubeconfig=snapshot.kubeconfig,
            revision=snapshot.revision,
            unseen=unseen,
            kinds=kinds,
            holders=None if same else held,
            probes=snapshot.probes,
        )

    def _changed(self, kind: str, new: Objects) -> Changed:
        old = self._sent.get(kind, {})
        self._sent[kind] = new
        value = {key: found for key, found in new.items() if old.get(key) is not found}
        removed = tuple(key for key in old if key not in new)
        return Changed(msgspec.Raw(ENCODER.encode(value)), removed)


class Joiner:
    """Puts snapshots together from what the server sends. Kinds that did not change keep their very mapping."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, Any]] = {kind: {} for kind in ALL_KINDS}
        self._holders: dict[str, tuple[Holder, ...]] = {}

    def snapshot(self, delta: Delta, now: Instant) -> Snapshot:
        """Return the whole look."""
        for kind, changed in delta.kinds.items():
            self._objects[kind] = self._joined(kind, changed)
        if delta.holders is not None:
            self._holders = delta.holders
        objects: dict[str, Any] = (
            dict.fromkeys(ALL_KINDS, delta.unseen)
            if delta.unseen is not None
            else {kind: Seen(found, now) for kind, found in self._objects.items()}
        )
        return Snapshot(
            at=now,
            nodes=delta.nodes,
            api=delta.api,
            kubeconfig=delta.kubeconfig,
            objects=objects,
            holders={name: Seen(held, now) for name, held in self._holders.items()},
            revision=delta.revision,
            probes=delta.probes,
        )

    def _joined(self, kind: str, changed: Changed) -> dict[str, Any]:
        joined = {**self._objects[kind], **_DECODERS[kind].decode(changed.value)}
        for key in changed.removed:
            joined.pop(key, None)
        return joined
