"""
Claims and their volumes: bound by a provisioner that lives, kept while a pod uses them, released with their claim.

A claim is made by what Git brings, or by its StatefulSet, whose end it outlives; only its namespace, or somebody,
deletes it. Its volume is made by the provisioner of its class and goes by the same hand: while that is away a new claim
stays Pending, and a volume whose claim is gone stays Released.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from phases.more_objects import Claim, ClaimReference, ClaimSpec, Volume, VolumeSpec, VolumeStatus
from phases.objects import Meta, Pod, Workload, key_of
from phases.readiness.storage import ASKED
from rekindle.simulator.api import Api, terminating
from rekindle.simulator.events import Loop
from rekindle.simulator.kinds import PROTECTION
from rekindle.simulator.operators import Alive
from rekindle.simulator.shapes import meta_of, stamp, with_meta
from rekindle.simulator.tree import Tree

CLAIM: Final = "PersistentVolumeClaim"
VOLUME: Final = "PersistentVolume"
PROVISIONED: Final = (
    "pv.kubernetes.io/provisioned-by"  # by the name of its class here, a class has one provisioner
)
PROVISION_SECONDS: Final = 4.0


def claim_of(key: str, labels: dict[str, str], storage: str) -> Claim:
    """Return a claim as somebody asks for it."""
    meta = meta_of(key, labels=labels, finalizers=(PROTECTION,))
    return Claim(meta, ClaimSpec(storage), replace(Claim(meta).status, phase="Pending"))


class Claims:
    """The volume controllers, and the provisioners. *alive* says whether a Deployment has a ready pod."""

    def __init__(self, loop: Loop, api: Api, tree: Tree, alive: Alive) -> None:
        self._loop = loop
        self._api = api
        self._alive = alive
        self._provisioners = {i.id: i.backend for i in tree.items() if i.kind == "StorageClass"}
        self.instant = False
        api.watch(CLAIM, self._claim_changed)
        api.watch("Deployment", self._deployment_changed)
        api.watch("Pod", self._pod_changed)

    def _provides(self, storage: str) -> bool:
        """Say whether volumes of a class are made and deleted now; those without a class always are."""
        if not storage:
            return True
        backend = self._provisioners.get(storage)
        return backend is not None and (not backend or self._alive(backend))

    # --- binding ---------------------------------------------------------------------------------

    def _claim_changed(self, key: str, old: Claim | None, new: Claim | None) -> None:
        if new is None:
            self._let_go(old)
        elif terminating(new):
            self._release(key)
        elif old is None:
            self._provision_soon(new)

    def _provision_soon(self, found: Claim) -> None:
        uid, key = found.metadata.uid, key_of(found.metadata)
        if found.spec.storage_class_name and ASKED[0] not in found.metadata.annotations:
            asked = {**found.metadata.annotations, ASKED[0]: found.spec.storage_class_name}
            self._api.put(CLAIM, with_meta(found, annotations=asked))
        if self._provides(found.spec.storage_class_name):
            delay = 0.0 if self.instant else self._loop.around(PROVISION_SECONDS)
            self._api.later(delay, lambda: self._bind(key, uid))

    def _bind(self, key: str, uid: str) -> None:
        found: Claim | None = self._api.get(CLAIM, key)
        if found is None or found.metadata.uid != uid or found.spec.volume_name:
            return
        if terminating(found) or not self._provides(found.spec.storage_class_name):
            return
        name = f"pvc-{uid}"
        owner = ClaimReference(CLAIM, found.metadata.name, found.metadata.namespace, uid=uid)
        spec = VolumeSpec(owner, "Delete")
        status = VolumeStatus("Bound", stamp(self._loop.now))
        notes = {PROVISIONED: found.spec.storage_class_name}
        self._api.derive(VOLUME, Volume(Meta(name=name, annotations=notes), spec, status))
        self._api.update(
            CLAIM,
            key,
            spec=replace(found.spec, volume_name=name),
            status=replace(found.status, phase="Bound"),
        )

    # --- letting go ------------------------------------------------------------------------------

    def _release(self, key: str) -> None:
        """Take the protection off a claim that is to go, once no pod uses it."""
        namespace, _, name = key.partition("/")
        used = any(
            volume.persistent_volume_claim and volume.persistent_volume_claim.claim_name == name
            for pod in self._api.all("Pod").values()
            if pod.metadata.namespace == namespace
            for volume in pod.spec.volumes
        )
        if not used:
            self._api.release(CLAIM, key, (PROTECTION,))

    def _pod_changed(self, _key: str, old: Pod | None, new: Pod | None) -> None:
        if new is not None or old is None or not old.spec.volumes:
            return
        for key, found in list(self._api.all(CLAIM).items()):
            if terminating(found) and found.metadata.namespace == old.metadata.namespace:
                self._release(key)

    def _let_go(self, found: Claim | None) -> None:
        name = found.spec.volume_name if found is not None else ""
        volume: Volume | None = self._api.get(VOLUME, name)
        if volume is not None:
            status = VolumeStatus("Released", stamp(self._loop.now))
            self._api.update(VOLUME, volume.metadata.name, status=status)
            self._reclaim_soon(volume)

    def _reclaim_soon(self, volume: Volume) -> None:
        if self._provides(_class_of(volume)):
            delay = self._loop.around(PROVISION_SECONDS)
            self._api.later(delay, lambda: self._reclaim(volume))

    def _reclaim(self, volume: Volume) -> None:
        if self._provides(_class_of(volume)):
            self._api.remove(VOLUME, volume.metadata.name)

    def _deployment_changed(self, key: str, old: Workload | None, new: Workload | None) -> None:
        """Go on with what waited for a provisioner that is back."""
        was = old is not None and old.status.ready_replicas > 0
        lives = new is not None and new.status.ready_replicas > 0
        if was or not lives or key not in self._provisioners.values():
            return
        for found in list(self._api.all(CLAIM).values()):
            if not found.spec.volume_name and not terminating(found):
                self._provision_soon(found)
        for volume in list(self._api.all(VOLUME).values()):
            if volume.status.phase == "Released":
                self._reclaim_soon(volume)


def _class_of(volume: Volume) -> str:
    return volume.metadata.annotations.get(PROVISIONED, "")
