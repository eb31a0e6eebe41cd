"""
What a claim waits for whose volume is restored: it stays Pending until a populator, or a snapshot's driver, is through.

That is who brings what it is restored from, the Secret of the repository, and the operator that moves the data. A
source that is not known is no need, nor is a kind of which nobody here knows how it is restored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.answer import Subject
from phases.backup_objects import ReplicationSpec

# The CRDs of what claims are restored from, by group and kind; a plain dataSource takes of these only snapshots.
DESTINATION = ("volsync.backube", "ReplicationDestination")
SNAPSHOT = ("snapshot.storage.k8s.io", "VolumeSnapshot")
_CRDS: Mapping[tuple[str, str], str] = {
    DESTINATION: "replicationdestinations.volsync.backube",
    SNAPSHOT: "volumesnapshots.snapshot.storage.k8s.io",
}


@dataclass(frozen=True, slots=True)
class Source:
    """What a claim is restored from, by group, kind and ``namespace/name``."""

    group: str
    kind: str
    key: str

    @property
    def of(self) -> tuple[str, str]:
        """Group and kind."""
        return self.group, self.kind


@dataclass(slots=True)
class Restored:
    """
    *sources*: who brings each; empty: nobody of Flux's. *repositories*: the Secrets that a source reads, by their keys.

    *crds*: by its name, who brings a CRD. *run*: by owner, the workloads that it brings.
    """

    sources: dict[Source, Subject] = field(default_factory=dict)
    repositories: dict[Source, tuple[str, ...]] = field(default_factory=dict)
    crds: dict[str, Subject] = field(default_factory=dict)
    run: dict[Subject, list[Subject]] = field(default_factory=dict)

    def add_destination(self, key: str, owner: Subject, spec: ReplicationSpec) -> None:
        """Remember a ReplicationDestination, with the Secrets of its repository."""
        source = Source(*DESTINATION, key)
        namespace = key.partition("/")[0]
        self.sources[source] = owner
        self.repositories[source] = tuple(f"{namespace}/{name}" for name in _secrets(spec))

    def needs(self, source: Source) -> set[Subject]:
        """Name who brings a source, and who restores from it."""
        if source not in self.sources:
            return set()
        operator = self._operator(_CRDS.get(source.of, ""))
        return {self.sources[source], operator} - {""}

    def _operator(self, crd: str) -> Subject:
        """Name the only workload of the release that brings a CRD: it serves that; else who brings the CRD."""
        owner = self.crds.get(crd, "")
        found = self.run.get(owner, []) if owner.startswith("helmrelease/") else []
        return found[0] if len(found) == 1 else owner


def _secrets(spec: ReplicationSpec) -> Iterator[str]:
    for mover in (spec.restic, spec.kopia):
        if mover is not None and mover.repository:
            yield mover.repository
    if spec.rclone is not None and spec.rclone.rclone_config:
        yield spec.rclone.rclone_config
