"""What the claims of a cluster wait for: its classes, drivers, restores, and the workloads that may be behind them."""

from __future__ import annotations

from phases.belonging import is_left_over, owner_of
from phases.diagnosis.scene import Scene, subject_of
from phases.kinds import WORKLOADS
from phases.more_objects import Claim
from phases.objects import Meta
from phases.restored import SNAPSHOT, Restored, Source
from phases.stored import Asked, Stored, source_of, usual_of


def stored_in(scene: Scene) -> Stored:
    """Find what claims wait for."""
    found = Stored(restored=_restored(scene))
    classes = scene.of("StorageClass")
    for name, one in classes.items():
        found.classes[name] = owner_of(scene, one.metadata)
        found.provisioners[name] = one.provisioner
    found.usual = usual_of({name: one.metadata.annotations for name, one in classes.items()})
    for name, driver in scene.of("CSIDriver").items():
        found.drivers[name] = owner_of(scene, driver.metadata)
    for key, claim in scene.of("PersistentVolumeClaim").items():
        found.claims[key] = _asked(scene, claim)
    for kind in WORKLOADS:
        for work in scene.of(kind).values():
            subject, owner = subject_of(kind, work.metadata), owner_of(scene, work.metadata)
            found.add_workload(subject, owner, work.spec)
    return found


def _asked(scene: Scene, claim: Claim) -> Asked:
    """Return what a claim asks for; one on a volume that Flux brings asks for nothing more."""
    volume = scene.get("PersistentVolume", claim.spec.volume_name)
    if volume is not None and owner_of(scene, volume.metadata):
        return Asked()
    given = claim.spec.data_source_ref
    source = None if given is None else source_of(given, claim.metadata.namespace)
    return Asked(claim.spec.storage_class_name, source)


def _restored(scene: Scene) -> Restored:
    found = Restored()
    for key, destination in scene.of("ReplicationDestination").items():
        owner = _living(scene, destination.metadata)
        found.add_destination(key, owner, destination.spec)
    for key, snapshot in scene.of(SNAPSHOT[1]).items():
        found.sources[Source(*SNAPSHOT, key)] = _living(scene, snapshot.metadata)
    for name, crd in scene.of("CustomResourceDefinition").items():
        found.crds[name] = _living(scene, crd.metadata)
    return found


def _living(scene: Scene, metadata: Meta) -> str:
    """Return who brings an object, unless that is gone."""
    return "" if is_left_over(scene, metadata) else owner_of(scene, metadata)
