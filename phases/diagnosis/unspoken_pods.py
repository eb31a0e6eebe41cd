"""
Pods that are not ready, and workloads that lack pods: what has stood for so long that it is no beginning any more.

Gathered by owner, for X5. Of a pod its own conditions tell since when, of a Deployment Available and Progressing.
StatefulSets and DaemonSets write no conditions (kubernetes v1.36, pkg/controller/statefulset, pkg/controller/daemon):
of those that lack pods and have none that is not ready, the last of their pods that became so tells, and they must not
be young themselves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.answer import Subject
from journal.entries import Fact, Finding, Instant
from phases import codes
from phases.diagnosis.nodes import NOT_READY, UNREACHABLE
from phases.diagnosis.pods import Group, Trouble, containers, is_ready, owner_of
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import UNKNOWN, look
from phases.diagnosis.scene import Scene, deleted_at, instant, is_younger, path_of, subject_of
from phases.diagnosis.unexplained import STOOD_SECONDS
from phases.diagnosis.words import counted, listed
from phases.existing import pods_of
from phases.kinds import WORKLOADS
from phases.objects import Condition, Meta, Pod, Workload, condition, key_of
from phases.readiness.saying import is_stale
from phases.readiness.verdict import Context, verdict
from phases.readiness.workloads import NO_DEADLINE

# What the API gives a Deployment that does not say how long a rollout may take (progressDeadlineSeconds).
LONG_SECONDS: Final = 600.0
# Why a container waits that is on its way; every other reason says that something failed.
STARTING: Final = frozenset({"ContainerCreating", "PodInitializing"})
GATED: Final = "SchedulingGated"
# They replace a pod that failed at once; that of a ReplicaSet or a Job stays beside its successor, or is its answer.
REPLACING: Final = frozenset({"DaemonSet", "StatefulSet"})
KEPT_OFF: Final = re.compile("|".join(map(re.escape, (NOT_READY, UNREACHABLE))))


@dataclass(slots=True)
class Crew:
    """
    The pods of an owner that are not ready, or are to go; *group* has those of which that has stood for a while.

    *pods* are the names of all of them; *lost*: the nodes that are not ready, of those on which they are;
    *is_kept_off*: one of them finds no node because of such nodes. *words*, *at* and *where* are the owner's own, if it
    says anything.
    """

    group: Group
    pods: list[Subject] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    is_kept_off: bool = False
    words: str = ""
    at: Instant | None = None
    where: str = ""

    @property
    def subject(self) -> Subject:
        """The owner."""
        return self.group.subject

    def finding(self, scene: Scene, rule: str) -> Finding:
        """Say it in the words of a pod, for these are nearer to the cause; in the owner's where no pod has any."""
        group, troubles = self.group, self.group.troubles
        what, clears = f"{group.name} is not ready", "its pods are Ready"
        if group.kind == "Pod":
            clears = "its Ready is True"
        elif troubles:
            what = f"{group.name} has {counted(len(troubles), 'pod')} not ready"
        where = (path_of(group.kind, group.metadata, self.where),) if self.where else ()
        text = max((t.text for t in troubles), key=len, default=self.words)
        return Finding(
            subject=self.subject,
            cause="unexplained",
            message=f"{what}, and no rule knows why: {text}",
            blocks=group.victims(scene),
            clears_itself=UNKNOWN,
            rule=rule,
            uid=group.metadata.uid,
            since=group.since if troubles else self.at,
            evidence=(*where, *group.evidence),
            clears_when=clears,
            remedies=(look("its events, and the events and logs of its pods"),),
        )


def is_leaving(scene: Scene, metadata: Meta) -> bool:
    """Say whether an object is on its way out, or its namespace is: then nobody is to wait for it."""
    space = scene.get("Namespace", metadata.namespace) if metadata.namespace else None
    gone = space is not None and deleted_at(space.metadata) is not None
    return gone or deleted_at(metadata) is not None


def crews(scene: Scene, unready: Collection[str]) -> dict[Subject, Crew]:
    """Gather, in one walk, what is not ready; *unready*: the nodes on which that is no wonder."""
    found: dict[Subject, Crew] = {}
    for pod in scene.of("Pod").values():
        phase, leaving = pod.status.phase, pod.metadata.deletion_timestamp is not None
        if phase == "Succeeded" or (phase == "Running" and not leaving and is_ready(pod)):
            continue
        group = Group(*owner_of(scene, pod))
        if phase == "Failed" and group.kind not in REPLACING:
            continue
        crew = found.setdefault(group.subject, Crew(group))
        crew.pods.append(subject_of("Pod", pod.metadata))
        if _is_lost(scene, pod.spec.node_name, unready):
            # One that is to go has mostly been made anew elsewhere, and of those that have not L20 speaks.
            crew.lost.update(() if leaving else (pod.spec.node_name,))
        elif leaving:
            _hangs(scene, crew, pod)
        elif not is_leaving(scene, pod.metadata):
            _ask(scene, crew, pod)
    return found


def _hangs(scene: Scene, crew: Crew, pod: Pod) -> None:
    """Say of a pod that is to go, and whose grace is over, what keeps it; in a namespace that goes N4 speaks."""
    since, space = deleted_at(pod.metadata), scene.get("Namespace", pod.metadata.namespace)
    if since is None or not scene.older(since, LONG_SECONDS):
        return
    if space is None or deleted_at(space.metadata) is None:
        held = f" ({listed(pod.metadata.finalizers)})" if pod.metadata.finalizers else ""
        where = path_of("Pod", pod.metadata, "metadata.deletionTimestamp")
        crew.group.troubles.append(Trouble(pod, f"its deletion does not end{held}", since, where))


def _is_lost(scene: Scene, node: str, unready: Collection[str]) -> bool:
    gone = bool(node) and scene.seen("Node") and scene.get("Node", node) is None
    return gone or node in unready


def _ask(scene: Scene, crew: Crew, pod: Pod) -> None:
    placed = condition(pod.status.conditions, "PodScheduled")
    if placed is not None and placed.status == "False" and KEPT_OFF.search(placed.message):
        crew.is_kept_off = True
    text, failed, where = _said(pod)
    if not failed and (_is_gated(placed) or _initialises(pod)):
        return
    patience = STOOD_SECONDS if failed else _patience(scene, crew.group.kind, crew.group.metadata)
    ready = condition(pod.status.conditions, "Ready")
    since = instant(ready or placed)
    if has_lasted(scene, pod.metadata, _moved(scene, pod), patience):
        crew.group.troubles.append(Trouble(pod, text, since, path_of("Pod", pod.metadata, where)))


def _is_gated(placed: Condition | None) -> bool:
    """Somebody holds it on purpose, until its turn comes (a queue of jobs)."""
    return placed is not None and placed.status == "False" and placed.reason == GATED


def _initialises(pod: Pod) -> bool:
    """Say whether one of its init containers runs: a restore, a migration or a download takes its time."""
    done = condition(pod.status.conditions, "Initialized")
    if done is None or done.status != "False":
        return False
    states = (one.state for one in pod.status.init_container_statuses)
    return any(state.waiting is None and state.terminated is None for state in states)


def _moved(scene: Scene, pod: Pod) -> Instant | None:
    """
    Return when a pod last got on: when a kubelet's condition of it changed, or its node came back and it began anew.

    It may be not Ready since it was lost with its node; for what begins again that is nothing to count from.
    """
    node = scene.get("Node", pod.spec.node_name) if pod.spec.node_name else None
    own = pod.status.conditions
    kubelets = tuple(one for one in own if one.type != "PodScheduled") or own
    back = (condition(node.status.conditions, "Ready"),) if node is not None else ()
    moved = map(instant, (*kubelets, *back))
    return max((at for at in moved if at is not None), default=None)


def has_lasted(scene: Scene, metadata: Meta, since: Instant | None, patience: float) -> bool:
    """Where nobody has written an instant nothing but an age tells, and that may only withhold."""
    if since is None:
        return not is_younger(scene, metadata, patience)
    return scene.older(since, patience)


def _said(pod: Pod) -> tuple[str, bool, str]:
    """Return what a pod says, whether that is a failure, and where it stands."""
    status = pod.status
    if status.phase == "Failed":
        return f"its pod failed: {status.reason or 'its containers ended'}", True, "status.phase"
    waiting = [(c.name, c.state.waiting) for c in containers(pod) if c.state.waiting is not None]
    failed = [(name, said) for name, said in waiting if said.reason not in STARTING]
    for name, said in (*failed, *waiting):
        more = f": {quote(said.message)}" if said.message else ""
        text = f"container {name} waits: {said.reason or 'it does not say why'}{more}"
        return text, bool(failed), f"status.containerStatuses[{name}].state"
    placed, ready = (condition(status.conditions, kind) for kind in ("PodScheduled", "Ready"))
    if placed is not None and placed.status == "False":
        return _quoted(placed), False, "status.conditions[PodScheduled]"
    if ready is None:
        whose = "no kubelet" if pod.spec.node_name else "no scheduler"
        return f"{whose} has taken it up", False, "status"
    state = "runs" if status.phase == "Running" else "begins"
    return f"it {state} and is not Ready ({_quoted(ready)})", False, "status.conditions[Ready]"


def _quoted(said: Condition) -> str:
    return f"{said.reason or said.type}: {quote(said.message)}" if said.message else said.reason


def _patience(scene: Scene, kind: str, metadata: Meta) -> float:
    """Say how long a beginning may last: as its Deployment says, where that is longer than what it would be given."""
    found = scene.get(kind, key_of(metadata)) if kind == "Deployment" else None
    told = found.spec.progress_deadline_seconds if found is not None else None
    return LONG_SECONDS if told in {None, NO_DEADLINE} else max(LONG_SECONDS, float(told))


def wanting(scene: Scene, of_pods: Mapping[Subject, Crew]) -> Iterator[Crew]:
    """
    Return the owners that have something to say: by their pods, or as workloads that lack some.

    Where a pod is not ready, or is to go, it says so itself once that has lasted: what a Deployment says is of before,
    while its pods begin again after a cause has cleared.
    """
    yield from (crew for crew in of_pods.values() if crew.group.troubles)
    quiet = [
        (Crew(Group(kind, found.metadata)), found, fact)
        for kind in WORKLOADS
        for found in scene.of(kind).values()
        if _is_short(fact := verdict(kind, found, Context(expected=pods_of(kind, found))))
        and subject_of(kind, found.metadata) not in of_pods
        and not is_leaving(scene, found.metadata)
    ]
    if not quiet or not scene.seen("Pod"):
        return
    last = _last_ready(scene, {crew.subject for crew, *_ in quiet})
    for crew, found, fact in quiet:
        if _is_without_pods(scene, crew, found, fact, last.get(crew.subject)):
            yield crew


def _joined(scene: Scene) -> Instant | None:
    """Return when a node last became ready: from then on a DaemonSet owes it a pod."""
    ready = (condition(node.status.conditions, "Ready") for node in scene.of("Node").values())
    since = (instant(one) for one in ready if one is not None and one.status == "True")
    return max((at for at in since if at is not None), default=None)


def _is_short(fact: Fact) -> bool:
    """Only what lacks pods: a rollout that leaves enough of the old ones, or rests on purpose, harms nobody."""
    lacks = fact.detail.get("ready", 0) < fact.detail.get("expected", 0)
    return fact.code == codes.FAILED or (fact.code == codes.PROGRESSING and lacks)


def _is_without_pods(
    scene: Scene, crew: Crew, found: Workload, fact: Fact, last: Instant | None
) -> bool:
    """
    Say whether a workload has lacked pods for a while though none of them is on its way; it is said in *crew* how.

    Whoever was scaled up a moment ago has not been seen by its controller, or has pods that became ready just now.
    """
    if is_stale(found.metadata, found.status.observed_generation):
        return False
    patience = _patience(scene, crew.group.kind, found.metadata)
    for name in ("Progressing", "Available"):
        said = condition(found.status.conditions, name)
        if said is not None and said.status == "False":
            # Its deadline is over; how long it may be unavailable nobody has told it.
            patience = STOOD_SECONDS if fact.code == codes.FAILED else patience
            crew.words, crew.at = _quoted(said), instant(said)
            crew.where = f"status.conditions[{name}]"
            return has_lasted(scene, found.metadata, crew.at, patience)
    crew.words = f"{fact.detail['ready']} of {fact.detail['expected']} pods ready"
    crew.at, crew.where = last, "status"
    joined = _joined(scene) if crew.group.kind == "DaemonSet" else None
    moved = max((at for at in (last, joined) if at is not None), default=None)
    return has_lasted(scene, found.metadata, moved, patience)


def _last_ready(scene: Scene, wanted: set[Subject]) -> dict[Subject, Instant]:
    """Return when the last pod of each owner became ready."""
    spaces = {subject.split("/")[1] for subject in wanted}
    found: dict[Subject, Instant] = {}
    for pod in scene.of("Pod").values():
        if pod.metadata.namespace not in spaces:
            continue
        owner = Group(*owner_of(scene, pod)).subject
        since = instant(condition(pod.status.conditions, "Ready"))
        if owner in wanted and since is not None:
            found[owner] = max(since, found.get(owner, since))
    return found


def users(scene: Scene, claims: Iterable[Meta]) -> dict[str, tuple[Subject, ...]]:
    """Return the owners of the pods that use these claims, in one walk."""
    wanted = {key_of(metadata) for metadata in claims}
    found: dict[str, dict[Subject, None]] = {}
    for pod in scene.of("Pod").values() if wanted else ():
        for volume in pod.spec.volumes:
            used = volume.persistent_volume_claim
            key = f"{pod.metadata.namespace}/{used.claim_name}" if used is not None else ""
            if key in wanted:
                found.setdefault(key, {})[Group(*owner_of(scene, pod)).subject] = None
    return {key: tuple(owners) for key, owners in found.items()}
