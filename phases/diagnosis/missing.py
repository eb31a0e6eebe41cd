"""
Kinds that somebody asks for in vain.

Who asks for a kind says so: ``no matches for kind "K" in version "g/v"`` (kubernetes v1.36, apimachinery
pkg/api/meta/errors.go). Which CRD that is, the API tells where the CRD exists, and the inventory where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.answer import Subject
from journal.entries import Instant
from phases import codes
from phases.diagnosis.providers import expected_crd
from phases.diagnosis.scene import Scene
from phases.diagnosis.victims import Complaint, saying
from phases.inventory import CrdItem
from phases.objects import CustomResourceDefinition, condition

NO_MATCH: Final = re.compile(r'no matches for kind "([^"]+)" in version "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Missing:
    """A kind that somebody asks for in vain; *crd* is None where no CRD defines it, or none could be listed."""

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
    asked: dict[tuple[str, str], dict[str, list[Complaint]]] = {}
    for complaint in saying(scene, NO_MATCH.pattern):
        for kind, group_version in NO_MATCH.findall(complaint.message):
            group, _, version = group_version.rpartition("/")
            asked.setdefault((kind, group), {}).setdefault(version, []).append(complaint)
    for (kind, group), versions in asked.items():
        yield _missing(scene, kind, group, versions)


def _missing(scene: Scene, kind: str, group: str, asked: dict[str, list[Complaint]]) -> Missing:
    item = expected_crd(scene, kind, group)
    # Of two CRDs that claim a kind, the one without the names serves nothing.
    defined = sorted(scene.kinds_of(kind, group), key=lambda name: not _has_names(scene, name))
    crd = scene.get("CustomResourceDefinition", defined[0]) if defined else None
    everyone = (complaint for several in asked.values() for complaint in several)
    name = defined[0] if defined else item.name if item is not None else ""
    complaints = tuple(dict.fromkeys(everyone))
    return Missing(kind, group, tuple(asked), complaints, name, crd, item)


def _has_names(scene: Scene, name: str) -> bool:
    said = condition(scene.get("CustomResourceDefinition", name).status.conditions, "NamesAccepted")
    return said is None or said.status != "False"
