"""
Snapshots of etcd: when one is taken, where from, and which one there is to recover from.

Whatever wipes a control plane or recovers etcd asks here first. A member gives a snapshot of what it has, without a
leader too (etcd v3.6 server/etcdserver/api/v3rpc/maintenance.go, Snapshot): it is asked also when the quorum is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from engine.answer import Act, Answer, Stuck, Wait
from engine.memory import Attempt, Memory
from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Fact, Instant, Json, Outcome
from phases import codes
from phases.etcd_quorum import RUNS, agreeing, differing, is_healthy, quorum
from phases.section import Section
from phases.verbs import SNAPSHOT

FRESH_SECONDS = (
    600.0  # a cluster that lives writes on: what is wiped later has a snapshot of its own
)
DISK_FULL = "disk-full"


@dataclass(frozen=True, slots=True)
class Source:
    """A snapshot to recover from. *taken* and *node* are empty for one that the operator brings."""

    path: str
    sha256: str
    taken: Instant | None = None
    node: str = ""
    copied: bool = False

    def written(self) -> str:
        """Say of when it is, for people."""
        return "an instant that nobody knows" if self.taken is None else when(self.taken)


def when(instant: Instant) -> str:
    """Write an instant as people read it."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def control_planes(section: Section, facts: Facts) -> dict[str, Fact]:
    """Return the facts of all planned control planes; one of which nothing is known is unseen."""
    names = section.talos.control_planes
    return {name: facts.get(codes.node(name)) or Fact(codes.UNSEEN) for name in names}


def source(plan: Plan, memory: Memory) -> Source | None:
    """Return what there is to recover from: what the operator brings, else the run's own latest; None: nothing."""
    brought = plan.target.etcd
    if brought.snapshot:
        return Source(brought.snapshot, brought.sha256, copied=brought.copied)
    own = taken(memory)
    if own is None:
        return None
    path, digest = str(own.evidence["path"]), str(own.evidence["sha256"])
    return Source(path, digest, own.intended_at, str(own.arguments["node"]))


def taken(memory: Memory) -> Attempt | None:
    """Return the latest snapshot that this run took."""
    done = (a for a in memory.attempts_at(SNAPSHOT) if a.outcome is Outcome.DONE)
    return max(
        (attempt for attempt in done if attempt.evidence.get("path")),
        key=lambda attempt: attempt.intended_at,
        default=None,
    )


def is_of_another(own: Attempt, node: str) -> bool:
    """Say whether a snapshot shows itself to be of another etcd than the one that was begun on *node*."""
    members = own.arguments.get("members")
    is_counted = not members or node in members or node == own.arguments["node"]
    return not is_counted or node in own.arguments.get("apart", ())


def snapshot_wanted(plan: Plan, facts: Facts, memory: Memory) -> Answer | None:
    """
    Say what has to come before a control plane is wiped or etcd is recovered; None: nothing is in the way.

    A snapshot is taken while any etcd of a planned control plane runs. Whoever goes on after a None puts
    ``snapshot_said`` into its intent: what there is, or why there is none.
    """
    section: Section = plan.target
    answering = _answering(section, facts)
    if not answering or _is_fresh(section, facts, memory):
        return None
    name = min(answering, key=lambda name: _failures(name, memory))
    return _hindrance(memory) or _take(section, name, facts, memory)


def snapshot_of(
    plan: Plan, facts: Facts, memory: Memory, name: str, since: Instant
) -> Answer | None:
    """Say what has to come before exactly this node is wiped; None: it was copied after *since*."""
    own = taken(memory)
    if own is not None and own.arguments["node"] == name and own.intended_at >= since:
        return None
    return _hindrance(memory) or _take(plan.target, name, facts, memory)


def _hindrance(memory: Memory) -> Answer | None:
    """Say why none is begun now: one is being taken, or there was no room for the last."""
    running = next((a for a in memory.open.values() if a.verb == SNAPSHOT), None)
    if running is not None:
        return Wait(f"a snapshot of etcd is taken from {running.arguments['node']}")
    last = max(memory.attempts_at(SNAPSHOT), key=lambda a: a.intended_at, default=None)
    full = last is not None and last.outcome is Outcome.FAILED and last.code == DISK_FULL
    if last is not None and full and memory.attempts.get(f"{SNAPSHOT} {last.target}", 0):
        return _no_room(last)  # for as long as this state is pursued: resuming tries again
    return None


def snapshot_said(plan: Plan, facts: Facts, memory: Memory) -> dict[str, Json]:
    """Say for a journal which snapshot there is before a wipe or a recovery, or that none could be taken, and why."""
    own = taken(memory)
    if own is not None:
        kept = {name: own.evidence.get(name) for name in ("path", "sha256", "bytes")}
        return {**kept, "node": own.arguments["node"], "taken": own.intended_at}
    if _answering(plan.target, facts):
        return {"none": "no snapshot was taken yet"}
    return {"none": "no etcd of a planned control plane answers: none could be taken"}


def _answering(section: Section, facts: Facts) -> list[str]:
    """
    Return whose etcd runs, those in a quorum first: what the others have may be older.

    Of those that are healthy, only whoever tells the members that most of them tell: another may be a cluster of its
    own, with nothing in it.
    """
    planes = control_planes(section, facts)
    runs = [n for n, f in planes.items() if f.code != codes.UNSEEN and f.detail.get("etcd") == RUNS]
    weight = {
        name: (len(agreeing(planes, name)), len(planes[name].detail.get("members") or ()))
        for name in runs
        if is_healthy(planes[name])
    }
    most = max(weight.values(), default=(0, 0))
    well = [name for name, weighs in weight.items() if weighs == most]
    return [*well, *(name for name in runs if name not in weight)]


def _is_fresh(section: Section, facts: Facts, memory: Memory) -> bool:
    """
    Without a quorum nothing is written: then a snapshot of that time is as good as a new one.

    It has to be the same time without: where it was not seen to be lost all the while, a quorum may have stood between.
    """
    own = taken(memory)
    if own is None:
        return False
    stands = quorum(control_planes(section, facts)).stands
    if not stands and own.arguments.get("quorum") == codes.LOST and _lost_since(own, facts, memory):
        return True
    return not memory.passed(own.intended_at + FRESH_SECONDS)


def _lost_since(own: Attempt, facts: Facts, memory: Memory) -> bool:
    """Say whether etcd was seen to be nothing but lost since a snapshot was taken of it."""
    known = facts.get(codes.ETCD)
    if known is None or codes.ETCD not in memory.codes:
        return True  # it never was anything else
    return known.code == codes.LOST and known.since is not None and known.since <= own.intended_at


def _failures(name: str, memory: Memory) -> int:
    """Count how often a node failed to give one: another may do better."""
    tried = (a for a in memory.attempts_at(SNAPSHOT) if a.target == codes.node(name))
    return sum(attempt.outcome is not Outcome.DONE for attempt in tried)


def _take(section: Section, name: str, facts: Facts, memory: Memory) -> Act:
    # What only watches says the same for as long as it means the same.
    at = memory.opened_at if memory.watches else memory.now
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    planes = control_planes(section, facts)
    found = quorum(planes)
    arguments = {
        "node": name,
        "address": section.talos.nodes[name].address,
        "machine_uuid": facts[codes.node(name)].detail.get("uuid", ""),
        "file": f"etcd-{name}-{stamp}.snapshot",
        "quorum": found.verdict,
        "members": planes[name].detail.get("members"),
        "apart": differing(planes, name),
    }
    return Act(SNAPSHOT, codes.node(name), arguments, "nothing is wiped or recovered without one")


def _no_room(last: Attempt) -> Stuck:
    why = last.evidence.get("why", "the disk is full")
    return Stuck(
        reference="etcd-snapshot-no-room",
        message=f"the snapshot of etcd on {last.arguments['node']} has no room: {why}",
        hint="make room beside the journal, then `rekindle resume`; nothing is wiped or recovered before",
    )
