"""
Pods by what they belong to: forty pods of one Deployment are one cause.

ReplicaSets are not listed; the label ``pod-template-hash`` tells which Deployment a pod's ReplicaSet belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from engine.answer import Subject
from journal.entries import Finding, Instant
from phases import codes
from phases.diagnosis.scene import Scene, deleted_at, instant, path_of
from phases.diagnosis.victims import WAITING, waited_for
from phases.objects import ContainerStatus, Meta, Pod, condition, key_of
from phases.readiness.pods import SCHEDULING_SECONDS

HASH: Final = "pod-template-hash"
HANGING_SECONDS: Final = 60.0  # after its grace a pod on a node that lives is gone at once


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is the matter with one pod."""

    pod: Pod
    text: str
    since: Instant | None
    evidence: str


@dataclass(slots=True)
class Group:
    """The pods of one owner that have the same kind of trouble."""

    kind: str
    metadata: Meta
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def subject(self) -> Subject:
        """The owner; the pod itself where nothing owns it."""
        return codes.subject(self.kind, key_of(self.metadata))

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.kind} {key_of(self.metadata)}"

    @property
    def since(self) -> Instant | None:
        """Since when the first of them has it."""
        return min((t.since for t in self.troubles if t.since is not None), default=None)

    @property
    def evidence(self) -> tuple[str, ...]:
        """Where it stands."""
        return tuple(dict.fromkeys(trouble.evidence for trouble in self.troubles))

    def finding(self, scene: Scene, rule: str, **fields: Any) -> Finding:  # noqa: ANN401  the fields of Finding
        """
        Make a finding about the owner: since the first of its pods has the trouble, with all of them as evidence.

        *fields* may have more evidence than that.
        """
        more = fields.pop("evidence", ())
        return Finding(
            subject=self.subject,
            rule=rule,
            blocks=self.victims(scene),
            uid=self.metadata.uid,
            since=self.since,
            evidence=(*self.evidence, *more),
            **fields,
        )

    def victims(self, scene: Scene) -> tuple[Subject, ...]:
        """Return who waits for the owner, or for one of its pods."""
        found = waited_for(scene, self.kind, self.metadata, WAITING)
        for trouble in self.troubles:
            found += waited_for(scene, "Pod", trouble.pod.metadata, WAITING)
        return tuple(dict.fromkeys(found))


def owner_of(scene: Scene, pod: Pod) -> tuple[str, Meta]:
    """Return the kind and the metadata of what a pod belongs to; only its name where that is not listed."""
    namespace = pod.metadata.namespace
    for owner in pod.metadata.owner_references:
        kind, name = owner.kind, owner.name
        suffix = f"-{pod.metadata.labels.get(HASH, '')}"
        if kind == "ReplicaSet" and len(suffix) > 1 and name.endswith(suffix):
            kind, name = "Deployment", name.removesuffix(suffix)
        if kind == "Node":  # a static pod belongs to its machine, and is known by its own name
            break
        found = scene.get(kind, f"{namespace}/{name}")
        return kind, found.metadata if found is not None else Meta(name=name, namespace=namespace)
    return "Pod", pod.metadata


def living(scene: Scene) -> Iterator[Pod]:
    """Return the pods that nobody deletes and that have not ended."""
    for pod in scene.of("Pod").values():
        ended = pod.status.phase in {"Succeeded", "Failed"}
        if pod.metadata.deletion_timestamp is None and not ended:
            yield pod


def grouped(
    scene: Scene, troubles: Callable[[Scene, Pod], Iterable[Trouble]]
) -> dict[Subject, Group]:
    """Gather the troubles of living pods by owner."""
    groups: dict[Subject, Group] = {}
    for pod in living(scene):
        for trouble in troubles(scene, pod):
            group = Group(*owner_of(scene, pod))
            groups.setdefault(group.subject, group).troubles.append(trouble)
    return groups


def unschedulable(scene: Scene, pod: Pod) -> Iterator[Trouble]:
    """Say why the scheduler finds no node, once it had its time."""
    said = condition(pod.status.conditions, "PodScheduled")
    if said is None or said.status != "False" or said.reason != "Unschedulable":
        return
    since = instant(said)
    if since is None or scene.older(since, SCHEDULING_SECONDS):
        where = path_of("Pod", pod.metadata, "status.conditions[PodScheduled]")
        yield Trouble(pod, said.message, since, where)


def held_by_taints(scene: Scene, *keys: str) -> list[Subject]:
    """Return the owners of pods that find no node since all that would do have one of these taints."""
    pattern = re.compile("|".join(re.escape(key) for key in keys))
    groups = grouped(scene, unschedulable).values()
    return [g.subject for g in groups if any(pattern.search(t.text) for t in g.troubles)]


def containers(pod: Pod) -> Iterator[ContainerStatus]:
    """Return all containers; init containers hold a pod as well, and kstatus does not look at them."""
    yield from pod.status.init_container_statuses
    yield from pod.status.container_statuses


def is_ready(pod: Pod) -> bool:
    """Say whether a pod is Ready."""
    ready = condition(pod.status.conditions, "Ready")
    return ready is not None and ready.status == "True"


def unready_since(pod: Pod) -> Instant | None:
    """Return since when a pod is not Ready."""
    ready = condition(pod.status.conditions, "Ready")
    return instant(ready) if ready is not None and ready.status != "True" else None


def pods_on(node: str) -> Subject:
    """Subject of the pods that hang on a node."""
    return f"pods-on/{node}"


def hanging(scene: Scene) -> dict[str, list[Pod]]:
    """Return the pods that should be gone, by the node that is gone or that does not answer."""
    found: dict[str, list[Pod]] = {}
    for pod in scene.of("Pod").values():
        name = pod.spec.node_name
        if name and _is_lost(scene, name) and _is_overdue(scene, pod):
            found.setdefault(name, []).append(pod)
    return found


def _is_lost(scene: Scene, name: str) -> bool:
    node = scene.get("Node", name)
    if node is None:
        return scene.seen("Node")
    ready = condition(node.status.conditions, "Ready")
    return ready is not None and ready.status == "Unknown"


def _is_overdue(scene: Scene, pod: Pod) -> bool:
    since = deleted_at(pod.metadata)
    overdue = since is not None and scene.older(since, HANGING_SECONDS)
    return overdue or pod.status.phase == "Unknown"
