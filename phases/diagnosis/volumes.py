"""
Volumes that are still on a lost node (catalogue L13).

The attach-detach controller detaches by force only six minutes after a node was lost (kubernetes v1.36,
pkg/controller/volume/attachdetach: maxWaitForUnmountDuration).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from journal.entries import Finding
from phases import codes
from phases.diagnosis.quoting import utc
from phases.diagnosis.rule import UNKNOWN, YES, Proof, Rule, destructive, look, never
from phases.diagnosis.scene import Scene, instant, path_of, uid_of
from phases.diagnosis.storage import users_of
from phases.more_objects import Claim
from phases.objects import Node, condition

KIND: Final = "PersistentVolumeClaim"
FORCED_SECONDS: Final = 360.0


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
            subject=codes.subject("PersistentVolume", name),
            cause="attached-to-a-lost-node",
            message=f"volume {name} is still attached to node {node}, which is lost{until}",
            blocks=tuple(dict.fromkeys(waiting)),
            clears_itself=YES if coming else UNKNOWN,
            rule="L13",
            uid=uid_of(scene, "PersistentVolume", name),
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


ATTACHER: Final = "kubernetes v1.36 pkg/controller/volume/attachdetach/reconciler"

RULES = (Rule("L13", "a volume is attached to a lost node", Proof.SOURCE, ATTACHER, _attached),)
