"""
Etcd: an alarm or a stranger (catalogue T14), and its quorum (T19): lost, hidden, in danger, or in two clusters at once.

Only a plan says which nodes are control planes; without one nothing is said of the quorum. The verdict itself, and what
it takes, is in ``phases.etcd_quorum``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from journal.entries import Fact, Finding, Remedy
from phases import codes
from phases.diagnosis.machines import looks
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, destructive, look, never, reversible
from phases.diagnosis.scene import Scene
from phases.diagnosis.words import listed, named
from phases.etcd_quorum import DEGRADED, Quorum, quorum
from phases.readiness.nodes import talos_node
from phases.snapshot import Seen

CAUSES: Final = {
    codes.LOST: "quorum-lost",
    codes.UNKNOWN: "quorum-hidden",
    DEGRADED: "quorum-in-danger",
    codes.FOREIGN: "foreign-cluster",
    codes.PARTED: "foreign-cluster",
}


def _strangers(scene: Scene) -> Iterable[Finding]:
    """T14: an alarm, or a member that is no planned node; of control planes that are apart T19 says more."""
    found = looks(scene)
    told = sorted({alarm for look_ in found.values() for alarm in look_.alarms or ()})
    if told:  # to remove a member does not end it
        yield _alarm(told)
        return
    lists = {
        n: set(look_.members) for n, look_ in found.items() if look_.members and look_.etcd_healthy
    }
    extra = set().union(*lists.values()) - set(scene.machines())
    control_planes = [name for name, look_ in found.items() if look_.etcd]
    if not extra or quorum({name: _judged(scene, name) for name in control_planes}).apart:
        return
    quorate = len(lists) > len(control_planes) / 2
    remove = f"remove {listed(extra)} from etcd: the healthy members have a quorum"
    yield _etcd(
        "stale-member",
        f"etcd still counts {named(extra, 'member')} that is no planned node: every write needs more of the others",
        (
            look("make sure that the machine behind it is gone for good"),
            *((reversible(remove),) if quorate else ()),
            never("recover from a snapshot while a quorum stands"),
        ),
        "nodes[*].members",
        "every control plane tells the planned members, and no others",
    )


def _alarm(told: list[str]) -> Finding:
    """An alarm makes all of etcd read only until it is disarmed, also where room is free again."""
    mend = reversible("free room, defragment each member in turn, and then disarm the alarm")
    return _etcd(
        "alarm",
        f"etcd has raised an alarm and takes no writes: {listed(told)}",
        (
            look("how full the disks of the control planes are, and etcd's quota"),
            *((mend,) if "CORRUPT" not in told else ()),
            never("disarm CORRUPT: replace the member that differs while the rest has a quorum"),
        ),
        "nodes[*].alarms",
        "etcd has no alarm",
    )


def _etcd(
    cause: str, message: str, remedies: tuple[Remedy, ...], evidence: str, clears_when: str
) -> Finding:
    return Finding(
        subject=codes.ETCD,
        cause=cause,
        message=message,
        clears_itself=NO,
        rule="T14",
        evidence=(evidence,),
        clears_when=clears_when,
        remedies=remedies,
    )


def _quorum(scene: Scene) -> Iterable[Finding]:
    """T19: one sentence on the quorum, with the way out."""
    known = scene.machines()
    planes = {name: _judged(scene, name) for name in scene.control_planes if name in known}
    if not planes or len(planes) < len(scene.control_planes):
        return
    found = quorum(planes)
    cause = CAUSES.get(found.verdict)
    if cause is None or (found.verdict == codes.UNKNOWN and not (found.leaderless or found.apart)):
        return
    yield Finding(
        subject=codes.ETCD,
        cause=cause,
        message=found.said,
        blocks=(codes.API,) if found.verdict == codes.LOST or found.leaderless else (),
        clears_itself=NO if found.verdict in {codes.LOST, codes.FOREIGN} else UNKNOWN,
        rule="T19",
        evidence=("nodes[*].etcd", "nodes[*].leader", "nodes[*].members"),
        clears_when="more than half of the members tell one list of members",
        remedies=_remedies(found),
    )


def _judged(scene: Scene, name: str) -> Fact:
    """Judge a control plane as facts do; an old word is no word."""
    seen = scene.machines()[name]
    if seen is None:
        return Fact(codes.UNSEEN)
    return talos_node(Seen(seen, 0.0), "controlplane", 0.0)


def _remedies(found: Quorum) -> tuple[Remedy, ...]:
    first = look(found.way_out)
    if found.verdict == codes.LOST:
        return (
            first,
            reversible("take a snapshot of what is left: a member gives it without a leader too"),
            destructive(
                "empty EPHEMERAL of all control planes, and recover from the snapshot, once"
            ),
            never("bootstrap: it makes an empty cluster beside the data that is left"),
        )
    if found.verdict in {codes.FOREIGN, codes.PARTED}:
        return first, never("bootstrap another control plane")
    return first, never("reset, wipe or remove another member")


SOURCE: Final = (
    "talos v1.12 internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go: EtcdMemberList requires a leader; "
    "services/etcd.go: the health is that of the quorum"
)

MEMBERS: Final = (
    "talos v1.13 internal/app/machined/pkg/system/services/etcd.go: members join by hand or by plan"
)

RULES = (
    Rule("T14", "etcd counts strangers", Proof.SOURCE, MEMBERS, _strangers),
    Rule("T19", "etcd's quorum", Proof.SOURCE, SOURCE, _quorum),
)
