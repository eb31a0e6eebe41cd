"""
What rules look at: one frozen snapshot, what should exist, and the few questions that many rules ask of them.

What was not seen is unknown: a rule asks ``seen`` before it takes absence for evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.answer import Subject
from journal.entries import Instant
from phases import codes
from phases.inventory import Inventory
from phases.objects import Condition, Meta, key_of
from phases.snapshot import Holder, Seen, Snapshot

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Scene:
    """*inventory* is None where nobody said what should exist."""

    snapshot: Snapshot
    inventory: Inventory | None = None
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def at(self) -> Instant:
        """The instant of the look; findings hold instants of the cluster, this one is for comparing."""
        return self.snapshot.at

    def seen(self, kind: str) -> bool:
        """Say whether a kind could be listed; only then does its absence mean anything."""
        return isinstance(self.snapshot.objects.get(kind), Seen)

    def of(self, kind: str) -> Mapping[str, Any]:
        """Return the objects of a kind by key; nothing where they could not be listed."""
        found = self.snapshot.objects.get(kind)
        return found.value if isinstance(found, Seen) else NOTHING

    def get(self, kind: str, key: str) -> Any:  # noqa: ANN401  any of KINDS
        """Return one object, or None."""
        return self.of(kind).get(key)

    def holders(self, scope: str) -> tuple[Holder, ...] | None:
        """Return what is known to hold ``namespace/NAME`` or ``crd/NAME``; None where nothing could be told."""
        looks = self.snapshot.holders
        found = looks.get(f"{scope}/listed") or looks.get(scope)
        return found.value if isinstance(found, Seen) else None

    def kinds_of(self, kind: str, group: str) -> list[str]:
        """Return the names of the CRDs that define a kind of a group, served or not."""
        return [
            name
            for name, crd in self.of("CustomResourceDefinition").items()
            if crd.spec.names.kind == kind and crd.spec.group == group
        ]


def subject_of(kind: str, metadata: Meta) -> Subject:
    """Name an object as facts and findings do."""
    return codes.subject(kind, key_of(metadata))


def path_of(kind: str, metadata: Meta, *fields: str) -> str:
    """Write a path into the snapshot, for evidence: ``Namespace/storage .status.conditions[X]``."""
    return " ".join((f"{kind}/{key_of(metadata)}", *(f".{name}" for name in fields)))


def instant(condition: Condition | None) -> Instant | None:
    """Return when a condition became what it is; never when the object was made."""
    if condition is None or condition.last_transition_time is None:
        return None
    return condition.last_transition_time.timestamp()


def deleted_at(metadata: Meta) -> Instant | None:
    """Return since when an object is on its way out."""
    return None if metadata.deletion_timestamp is None else metadata.deletion_timestamp.timestamp()
