"""
Kinds that somebody asks for in vain.

Who asks for a kind says so (``phases.readiness.kinds``). Which CRD that is, the API tells where the CRD exists, and
else the message itself, or the inventory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.answer import Subject
from journal.entries import Instant
from phases import codes
from phases.diagnosis.providers import expected_crd
from phases.diagnosis.scene import Scene
from phases.diagnosis.victims import Complaint, complaints
from phases.objects import CustomResourceDefinition, condition
from phases.readiness.kinds import Unserved, unserved

if TYPE_CHECKING:
    from phases.inventory import CrdItem


@dataclass(frozen=True, slots=True)
class Missing:
    """
    A kind that somebody asks for in vain; *crd* is None where no CRD defines it, or none could be listed.

    *versions* has none where nobody said which.
    """

    kind: str
    group: str
    versions: tuple[str, ...]
    complaints: tuple[Complaint, ...]
    name: str
    crd: CustomResourceDefinition | None
    item: CrdItem | None

    @property
    def subject(self) -> Subject:
        """The CRD where its name is known, else the kind."""
        return codes.subject("crd", self.name or f"{self.kind}.{self.group}")

    @property
    def since(self) -> Instant | None:
        """The first complaint."""
        return min((c.since for c in self.complaints if c.since is not None), default=None)


def missing(scene: Scene) -> tuple[Missing, ...]:
    """Return every kind that is asked for in vain, with who asks."""
    return scene.once("missing", lambda: tuple(_all_missing(scene)))


def _all_missing(scene: Scene) -> Iterator[Missing]:
    asked: dict[tuple[str, str], list[tuple[Unserved, Complaint]]] = {}
    for complaint in complaints(scene):
        for one in unserved(complaint.message):
            kind = one.kind or _kind_of(scene, one.crd)
            asked.setdefault((kind, one.group), []).append((one, complaint))
    for (kind, group), everyone in asked.items():
        yield _missing(scene, kind, group, everyone)


def _kind_of(scene: Scene, crd: str) -> str:
    """Name the kind of a CRD of which only the plural was said; the plural where the CRD is not there."""
    found: CustomResourceDefinition | None = scene.get("CustomResourceDefinition", crd)
    return found.spec.names.kind if found is not None else crd.partition(".")[0]


def _missing(
    scene: Scene, kind: str, group: str, everyone: list[tuple[Unserved, Complaint]]
) -> Missing:
    said = next((one.crd for one, _ in everyone if one.crd), "")
    item = expected_crd(scene, kind, group, said)
    # Of two CRDs that claim a kind, the one without the names serves nothing.
    listing = scene.of("CustomResourceDefinition")
    defined = sorted(scene.kinds_of(kind, group), key=lambda name: not has_names(listing[name]))
    crd = scene.get("CustomResourceDefinition", defined[0]) if defined else None
    name = defined[0] if defined else item.name if item is not None else said
    versions = tuple(dict.fromkeys(one.version for one, _ in everyone if one.version))
    told = tuple(dict.fromkeys(complaint for _, complaint in everyone))
    return Missing(kind, group, versions, told, name, crd, item)


def has_names(crd: CustomResourceDefinition) -> bool:
    """Say whether nobody disputes a CRD's names."""
    said = condition(crd.status.conditions, "NamesAccepted")
    return said is None or said.status != "False"
