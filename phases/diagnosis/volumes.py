"""
Volumes that are still on a lost node, and claims that wait for their data (catalogue L10, L13).

The attach-detach controller detaches by force only six minutes after a node was lost (kubernetes v1.36,
pkg/controller/volume/attachdetach: maxWaitForUnmountDuration). Who fills a claim from a dataSourceRef is a populator
of its own; the claim stays Pending until that is through, and nothing on it says how far it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from journal.entries import Finding
from phases.diagnosis.quoting import utc
from phases.diagnosis.rule import UNKNOWN, YES, Proof, Rule, destructive, look, never
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.diagnosis.storage import users_of
from phases.diagnosis.victims import WAITING, waited_for
from phases.more_objects import Claim
from phases.objects import Node, condition, key_of

KIND: Final = "PersistentVolumeClaim"
FORCED_SECONDS: Final = 360.0
RESTORE_SECONDS: Final = 600.0  # a restore that is through within it is nobody's trouble
SNAPSHOTS: Final = {"PersistentVolumeClaim", "VolumeSnapshot"}  # cloned by the CSI driver, at once


def _restoring(scene: Scene) -> Iterable[Finding]:
    """L10: a claim waits for a populator, which is at it, or cannot reach its repository."""
    for found in scene.of(KIND).values():
        source = found.spec.data_source_ref
        made = found.metadata.creation_timestamp
        gone = found.metadata.deletion_timestamp is not None
        if source is None or source.kind in SNAPSHOTS or made is None or gone:
            continue
        # A claim waits from when it was made: its age is the length of its wait.
        if found.status.phase != "Pending" or not scene.older(made.timestamp(), RESTORE_SECONDS):
            continue
        key, users = key_of(found.metadata), users_of(scene, found)
        of = f"{source.kind} {source.namespace or found.metadata.namespace}/{source.name}"
        yield Finding(
            subject=subject_of(KIND, found.metadata),
            cause="restoring",
            message=f"claim {key} waits for its data from {of}: a restore runs, or cannot",
            blocks=tuple(
                dict.fromkeys((*users, *waited_for(scene, KIND, found.metadata, WAITING)))
            ),
            clears_itself=UNKNOWN,
            rule="L10",
            uid=found.metadata.uid,
            since=made.timestamp(),
            evidence=(path_of(KIND, found.metadata, "spec.dataSourceRef", "status.phase"),),
            clears_when=f"claim {key} is Bound",
            remedies=(
                look(f"the status of {of}, and its mover's pod: whether it reaches the repository"),
                never(
                    "let a backup of it run before: it would keep the empty volume as the latest"
                ),
                destructive("take dataSourceRef out: the volume is then made empty"),
            ),
        )


def _attached(scene: Scene) -> Iterable[Finding]:
    """L13: a volume is still attached to a node that is lost, and a pod elsewhere needs it."""
    if not scene.seen("Node"):
        return
    for found in scene.of("VolumeAttachment").values():
        node, name = found.spec.node_name, found.spec.source.persistent_volume_name
        wanted = [c for c in scene.of(KIND).values() if name and c.spec.volume_name == name]
        waiting = [one for claim in wanted for one in _elsewhere(scene, claim, node)]
        if not found.status.attached or not waiting or not _is_lost(scene, node):
            continue
        since = _lost_since(scene, node)
        ends = None if since is None else since + FORCED_SECONDS
        coming = ends is not None and not scene.passed(ends)
        until = f"; it is detached by force at about {utc(ends)}" if ends and coming else ""
        yield Finding(
            subject=subject_of("PersistentVolume", scene.get("PersistentVolume", name).metadata)
            if scene.get("PersistentVolume", name)
            else f"persistentvolume/{name}",
            cause="attached-to-a-lost-node",
            message=f"volume {name} is still attached to node {node}, which is lost{until}",
            blocks=tuple(dict.fromkeys(waiting)),
            clears_itself=YES if coming else UNKNOWN,
            rule="L13",
            uid=found.metadata.uid,
            since=since,
            evidence=(path_of("VolumeAttachment", found.metadata, "status.attached"),),
            clears_when=f"volume {name} is no longer attached to {node}",
            remedies=(
                look(f"whether the machine behind {node} is off for certain"),
                destructive(f"taint {node} out-of-service, once its machine is proven to be off"),
                never("delete the VolumeAttachment by force: two nodes then write to one volume"),
            ),
        )


def _elsewhere(scene: Scene, claim: Claim, node: str) -> list[str]:
    """Name whose pods use a claim on another node and have not begun."""
    return users_of(
        scene,
        claim,
        lambda pod: pod.spec.node_name not in {"", node} and pod.status.phase == "Pending",
    )


def _ready(scene: Scene, name: str) -> tuple[bool, Node | None]:
    node: Node | None = scene.get("Node", name)
    said = condition(node.status.conditions, "Ready") if node is not None else None
    return said is not None and said.status == "True", node


def _is_lost(scene: Scene, name: str) -> bool:
    return not _ready(scene, name)[0]


def _lost_since(scene: Scene, name: str) -> float | None:
    node = _ready(scene, name)[1]
    return None if node is None else instant(condition(node.status.conditions, "Ready"))


POPULATOR: Final = (
    "kubernetes-csi/lib-volume-populator v1.3; volsync v0.14 controllers/volumepopulator"
)
ATTACHER: Final = "kubernetes v1.36 pkg/controller/volume/attachdetach/reconciler"

RULES = (
    Rule("L10", "a claim waits for its data", Proof.SOURCE, POPULATOR, _restoring),
    Rule("L13", "a volume is attached to a lost node", Proof.SOURCE, ATTACHER, _attached),
)
