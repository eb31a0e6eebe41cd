"""
Nodes, workloads, pods, claims and Ceph that are not well, and no rule knows why (X5).

As X1, for what has no Ready condition that tells all. It repeats what Kubernetes says, and only where that has stood
for a while. Of what hangs together the topmost is said: a node before what runs there, a claim before those that use
it, a workload before its pods. What another finding is about, or explains, is not said again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from engine.answer import Subject
from journal.entries import Finding, Instant, Remedy
from phases import codes
from phases.diagnosis.graph import Blocking
from phases.diagnosis.pods import pods_on
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, ask, look, never, reversible
from phases.diagnosis.scene import Scene, deleted_at, instant, is_younger, path_of, subject_of
from phases.diagnosis.structure import blocking
from phases.diagnosis.unexplained import STOOD_SECONDS, behind
from phases.diagnosis.unspoken_pods import (
    LONG_SECONDS,
    Crew,
    crews,
    has_lasted,
    is_leaving,
    users,
    wanting,
)
from phases.diagnosis.victims import WAITING, waited_for
from phases.more_objects import Claim
from phases.objects import Meta, Node, condition, key_of
from phases.readiness.storage import ASKED
from phases.readiness.verdict import verdict

RULE: Final = "X5"
SOURCE: Final = (
    "kubernetes v1.36 pkg/controller/nodelifecycle, pkg/controller/deployment/progress.go, pkg/kubelet/status; "
    "pkg/controller/volume/persistentvolume/pv_controller.go: syncBoundClaim"
)
CLAIM: Final = "PersistentVolumeClaim"
CEPH: Final = "CephCluster"
CORDONED: Final = "X3"  # says that no pod may start there, and nothing of those that run


@dataclass(frozen=True, slots=True)
class Known:
    """
    What the other rules have said. *about*: the subjects of their findings; *spoken*: these, and all that they explain.

    *final*: what a cause that never clears names as what it waited for. That cause has been said, with the object, and
    may not go behind one of which nobody knows whether it clears: it ends a wait. *evidence* is where they read.
    """

    about: frozenset[Subject]
    spoken: frozenset[Subject]
    final: frozenset[Subject]
    evidence: tuple[str, ...]


class Ill(NamedTuple):
    """An object that is not well: in whose words, since when, and where it stands."""

    kind: str
    metadata: Meta
    text: str
    since: Instant | None
    fields: str
    clears_when: str
    remedies: tuple[Remedy, ...]

    @property
    def subject(self) -> Subject:
        """Its name in facts and findings."""
        if self.kind == "Node":
            return codes.k8s_node(self.metadata.name)
        return subject_of(self.kind, self.metadata)

    def finding(self, blocks: Iterable[Subject]) -> Finding:
        """Say it."""
        state = "is not ready" if self.kind == "Node" else "is not well"
        return Finding(
            subject=self.subject,
            cause="unexplained",
            message=f"{self.kind} {key_of(self.metadata)} {state}, and no rule knows why: {self.text}",
            blocks=tuple(dict.fromkeys(blocks)),
            clears_itself=UNKNOWN,
            rule=RULE,
            uid=self.metadata.uid,
            since=self.since,
            evidence=(path_of(self.kind, self.metadata, self.fields),),
            clears_when=self.clears_when,
            remedies=self.remedies,
        )


def rules_after(others: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return the rule, which has to know what *others* explain."""
    find = partial(_unspoken, others)
    title = "a node, a workload or a claim is not well, and no rule knows why"
    return (Rule(RULE, title, Proof.SOURCE, SOURCE, find),)


def _unspoken(others: tuple[Rule, ...], scene: Scene) -> Iterable[Finding]:
    """X5: what is left of everything that should be well, once all the others were asked."""
    unready = {name: found for name, found in scene.of("Node").items() if not _is_ready(found)}
    of_pods = crews(scene, unready)
    nodes, short = list(_nodes(scene, unready)), list(wanting(scene, of_pods))
    volumeless = [c for c in scene.of(CLAIM).values() if _is_without_volume(scene, c)]
    using = users(scene, (found.metadata for found in volumeless))
    beneath = [*_claims(volumeless, using), *_ceph(scene)]
    if not (nodes or beneath or short):
        return
    known: Known = scene.once("spoken", partial(_known, others, scene))
    for ill in nodes:
        if ill.subject not in known.spoken:
            blocked = _on(ill.metadata.name, of_pods, known)
            yield ill.finding(s for s in blocked if s not in known.final)
    explained: set[Subject] = set()
    for ill in beneath:
        mine = using.get(key_of(ill.metadata), ()) if ill.kind == CLAIM else ()
        if not _is_told(ill, mine, known):
            explained.update(mine)
            waiting = (*mine, *waited_for(scene, ill.kind, ill.metadata, WAITING))
            yield ill.finding(s for s in waiting if s not in known.final)
    told = known.spoken | known.final | explained
    for crew in short:
        if told.isdisjoint((crew.subject, *crew.pods)):
            yield crew.finding(scene, RULE)


def _known(others: tuple[Rule, ...], scene: Scene) -> Known:
    findings = {name: one for name, one in ask(others, scene).items() if one.rule != CORDONED}
    edges = blocking(scene)
    final = {found.subject for found in findings.values() if found.clears_itself == NO}
    return Known(
        about=frozenset(found.subject for found in findings.values()),
        spoken=behind(findings, edges),
        final=frozenset(_waited_for(edges, final)),
        evidence=tuple(where for found in findings.values() for where in found.evidence),
    )


def _waited_for(edges: Blocking, final: set[Subject]) -> Iterator[Subject]:
    return (blocker for blocker, blocked in edges.items() if not final.isdisjoint(blocked))


def _is_told(ill: Ill, mine: Iterable[Subject], known: Known) -> bool:
    """Say whether it has been said: of it, of who uses it, or at the end of somebody's sentence (``beneath``)."""
    if ill.subject in known.spoken | known.final:
        return True
    if ill.kind == CEPH:
        where = path_of(ill.kind, ill.metadata, "")
        return any(one.startswith(where) for one in known.evidence)
    return ill.text == PENDING and not known.spoken.isdisjoint(mine)


# --- nodes ---------------------------------------------------------------------------------------


def _is_ready(found: Node) -> bool:
    ready = condition(found.status.conditions, "Ready")
    return ready is not None and ready.status == "True"


def _nodes(scene: Scene, unready: dict[str, Node]) -> Iterator[Ill]:
    """
    Return the nodes that have not been ready for a while; who cordons one mostly means to start it anew.

    A node that has never said how it is has no transition to count from.
    """
    for name, found in unready.items():
        ready = condition(found.status.conditions, "Ready")
        since = instant(ready)
        is_short = since is not None and not found.spec.unschedulable
        patience = STOOD_SECONDS if is_short else LONG_SECONDS
        lasts = has_lasted(scene, found.metadata, since, patience)
        if not lasts or deleted_at(found.metadata) is not None:
            continue
        text = "its kubelet has never said how it is"
        if ready is not None:
            text = f"{ready.reason}: {quote(ready.message)}"
        remedies = (
            look(f"whether its machine is on and reached: `talosctl -n {name} service kubelet`"),
            reversible(f"delete the Node object {name}, if its machine is gone for good"),
            never("wipe it, or force its pods away, before it is known to be off"),
        )
        where = "status.conditions[Ready]"
        yield Ill("Node", found.metadata, text, since, where, "its Ready is True", remedies)


def _on(name: str, of_pods: dict[Subject, Crew], known: Known) -> Iterator[Subject]:
    """Return what a node that is not ready holds up: what hangs there, what ran there, what would start there."""
    if pods_on(name) in known.about:
        yield pods_on(name)
    yield from (s for s, crew in of_pods.items() if name in crew.lost or crew.is_kept_off)


# --- storage -------------------------------------------------------------------------------------

PENDING: Final = "it is Pending: no volume has come for it"
PROVISIONER: Final = "its events, and whether the provisioner of its class runs"


def _is_without_volume(scene: Scene, found: Claim) -> bool:
    """
    Say whether a claim has lost its volume, or none has come for it in a while.

    It tells no instant. But it is Pending from its beginning, so that here its age may be asked.
    """
    if found.status.phase not in {"Lost", "Pending"} or is_leaving(scene, found.metadata):
        return False
    return found.status.phase == "Lost" or not is_younger(scene, found.metadata, LONG_SECONDS)


def _claims(volumeless: Iterable[Claim], using: Mapping[str, tuple[Subject, ...]]) -> Iterator[Ill]:
    """
    Say it of these, but for those that asked no provisioner and that nobody uses: they may wait for their first pod.

    A claim that is Lost takes a volume of the same name that is made anew: nobody knows whether one comes.
    """
    for found in volumeless:
        volume, text = found.spec.volume_name, PENDING
        remedies: tuple[Remedy, ...] = (look(PROVISIONER),)
        if found.status.phase == "Lost":
            text = f"it is Lost: its volume {volume} is gone"
            remedies = (
                look(f"whether the data of volume {volume} is still where it was, or in a backup"),
                reversible(f"make a PersistentVolume {volume} for it again: the claim takes it"),
            )
        elif key_of(found.metadata) not in using and not _has_asked(found):
            continue
        yield Ill(CLAIM, found.metadata, text, None, "status.phase", "it is Bound", remedies)


def _has_asked(found: Claim) -> bool:
    return any(name in found.metadata.annotations for name in ASKED)


def _ceph(scene: Scene) -> Iterator[Ill]:
    """Return the clusters of Ceph that are in error; a warning is no failure."""
    for found in scene.of(CEPH).values():
        fact = verdict(CEPH, found)
        if fact.code != codes.FAILED or found.status.ceph is None:
            continue
        since = _parsed(found.status.ceph.last_changed)
        if since is not None and not scene.older(since, STOOD_SECONDS):
            continue
        remedies = (look("`ceph health detail` in Rook's toolbox"),)
        clears = "Ceph is in error no more"
        yield Ill(CEPH, found.metadata, fact.reason, since, "status.ceph.health", clears, remedies)


def _parsed(text: str) -> Instant | None:
    """Read an instant that is a mere text in its schema."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
