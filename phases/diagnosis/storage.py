"""
Claims that wait for a pod that cannot come, and volumes that still belong to a claim of the past (catalogue L9, L12).

Which mode of binding a StorageClass has is not listed. But whoever asks a provisioner for a volume writes that on the
claim (kubernetes v1.36, pkg/controller/volume/persistentvolume): a claim without it waits for its first consumer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.pods import owner_of
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene, path_of, subject_of
from phases.diagnosis.victims import WAITING, waited_for
from phases.more_objects import Claim, Volume
from phases.objects import Pod, key_of
from phases.readiness.storage import ASKED

KIND: Final = "PersistentVolumeClaim"
SOURCE: Final = "kubernetes v1.36 pkg/controller/volume/persistentvolume/pv_controller.go"


def pods_using(scene: Scene, found: Claim) -> Iterator[Pod]:
    """Return the pods that mount a claim."""
    for pod in scene.of("Pod").values():
        names = [v.persistent_volume_claim for v in pod.spec.volumes]
        same = pod.metadata.namespace == found.metadata.namespace
        if same and any(n is not None and n.claim_name == found.metadata.name for n in names):
            yield pod


def users_of(
    scene: Scene, found: Claim, wanted: Callable[[Pod], bool] = lambda _: True
) -> list[Subject]:
    """Return what uses a claim, by the pods that are *wanted*."""
    owners = (owner_of(scene, pod) for pod in pods_using(scene, found) if wanted(pod))
    return list(dict.fromkeys(codes.subject(kind, key_of(owner)) for kind, owner in owners))


def _is_waiting(found: Claim) -> bool:
    return found.status.phase == "Pending" and found.metadata.deletion_timestamp is None


def _unconsumed(scene: Scene) -> Iterable[Finding]:
    """L9: somebody waits for a claim to be bound, and the claim waits for a pod to use it."""
    if not scene.seen("Pod"):
        return
    for found in scene.of(KIND).values():
        asked = any(name in found.metadata.annotations for name in ASKED)
        waiting = waited_for(scene, KIND, found.metadata, WAITING)
        named = (
            found.spec.volume_name or not found.spec.storage_class_name
        )  # bound without a provisioner
        if not _is_waiting(found) or asked or named or not waiting or users_of(scene, found):
            continue
        key = key_of(found.metadata)
        who = waiting[0].replace("/", " ", 1)
        yield Finding(
            subject=subject_of(KIND, found.metadata),
            cause="waits-for-its-first-consumer",
            message=f"claim {key} is bound only when a pod uses it, and {who} waits for it before any pod comes",
            blocks=tuple(waiting),
            clears_itself=UNKNOWN,
            rule="L9",
            uid=found.metadata.uid,
            evidence=(path_of(KIND, found.metadata, "status.phase"),),
            clears_when=f"claim {key} is Bound",
            remedies=(
                look("whether its StorageClass exists and binds at the first consumer"),
                reversible("move the claim in Git into the Kustomization of what uses it"),
            ),
        )


def _reserved(scene: Scene) -> Iterable[Finding]:
    """L12: a claim asks for a volume that belongs to a claim that is gone, mostly its own namesake."""
    for found in scene.of(KIND).values():
        volume = scene.get("PersistentVolume", found.spec.volume_name)
        if volume is None or not _is_waiting(found) or volume.status.phase != "Released":
            continue
        owner = volume.spec.claim_ref
        if owner is not None and owner.uid not in {"", found.metadata.uid}:
            yield _stale(scene, volume, found)


def _stale(scene: Scene, volume: Volume, found: Claim) -> Finding:
    key, name = key_of(found.metadata), volume.metadata.name
    moved = volume.status.last_phase_transition_time
    waiting = waited_for(scene, KIND, found.metadata, WAITING)
    return Finding(
        subject=subject_of("PersistentVolume", volume.metadata),
        cause="belongs-to-a-former-claim",
        message=f"volume {name} still belongs to a former claim that is gone: claim {key} cannot have it",
        blocks=tuple(
            dict.fromkeys((subject_of(KIND, found.metadata), *users_of(scene, found), *waiting))
        ),
        clears_itself=NO,
        rule="L12",
        uid=volume.metadata.uid,
        since=moved.timestamp() if moved is not None else None,
        evidence=(
            path_of("PersistentVolume", volume.metadata, "spec.claimRef.uid"),
            path_of(KIND, found.metadata, "metadata.uid"),
        ),
        clears_when=f"claim {key} is Bound",
        remedies=(
            look(f"whether the data on volume {name} is what the new claim should have"),
            reversible(f"take uid and resourceVersion out of the claimRef of volume {name}"),
            never(f"delete volume {name}: its data may go with it"),
        ),
    )


RULES = (
    Rule("L9", "a claim waits for its first consumer", Proof.CONTROLLER, SOURCE, _unconsumed),
    Rule("L12", "a volume belongs to a former claim", Proof.CONTROLLER, SOURCE, _reserved),
)
