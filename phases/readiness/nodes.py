"""
Talos nodes, etcd as a whole, and Node objects.

Facts of Talos 1.11 to 1.13: a control plane that waits for the etcd bootstrap sits at stage ``booting``; without a
CNI a healthy node is ``running`` with the one unmet condition nodeReady; outside booting and running ``ready`` is
always true and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from journal.entries import Fact, Instant
from phases.codes import (
    ABSENT,
    FOREIGN,
    FORMING,
    HEALTHY,
    LOST,
    NONE,
    PARTED,
    PROGRESSING,
    READY,
    RUNNING,
    UNHEALTHY,
    UNKNOWN,
    UNOBSERVABLE,
    UNSEEN,
    WAITS_FOR_ETCD,
)
from phases.etcd_quorum import Quorum, is_healthy, is_silent, quorum
from phases.more_objects import Lease
from phases.objects import Node, NodeInfo, condition
from phases.readiness.saying import terminating
from phases.snapshot import NodeLook, Seen, Unseen

CORDONED = "cordoned"
CNI_MISSING = "waits for the CNI"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
FRESH_SECONDS = 10.0
LEASE_SECONDS = (
    40.0  # how long a kubelet's heartbeat is good for (kubelet, nodeLeaseDurationSeconds)
)
PERMITTED_UNMET = {"nodeReady"}
WAITING_STATES = {"Waiting", "Preparing"}
UUID_DIGITS = re.compile("[0-9a-f]{32}")
BAD_TAINTS = (
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/network-unavailable",
)


def talos_node(look: Seen[NodeLook] | Unseen, role: str, now: Instant) -> Fact:
    """Judge one look at a planned node; older than ten seconds is unseen."""
    if isinstance(look, Unseen):
        why = f"{look.code}: {look.why}" if look.why else look.code
        return Fact(UNSEEN, why, look.since or None, {"role": role})
    if not is_fresh(look, now):
        return Fact(UNSEEN, "no answer any more", look.at, {"role": role})
    return shown(look.value, role)


def is_fresh(look: Seen[NodeLook], now: Instant) -> bool:
    """Tell whether a look still says something of *now*."""
    return now - look.at <= FRESH_SECONDS


def shown(value: NodeLook, role: str) -> Fact:
    """Judge what a planned node shows just now."""
    detail: dict[str, Any] = {
        "role": role,
        "uuid": value.machine_uuid,
        "boot_id": value.boot_id,
        "etcd": value.etcd,
        "etcd_healthy": value.etcd_healthy,
        "members": None if value.members is None else sorted(value.members),
        "learners": sorted(value.learners),
    }
    detail |= _member(value)
    code, reason = _stage(value, role)
    return Fact(code, reason, detail=detail)


def _member(look: NodeLook) -> dict[str, Any]:
    """Say of an etcd member what decisions rest on; what grows with every write (term, size) stays in the look."""
    told: dict[str, Any] = {}
    if look.alarms:
        told["alarms"] = sorted(look.alarms)
    if look.member_ids and look.members:
        pairs = zip(look.member_ids, look.members, strict=False)
        told["ids"] = dict(sorted(pairs))
    if look.member_id:
        told["member_id"] = look.member_id
    if look.leader is not None:
        told["leader"] = look.leader
    if look.etcd_failing:
        told["failing"] = True
    return told


def _stage(look: NodeLook, role: str) -> tuple[str, str]:
    if look.stage == "running":
        unmet = sorted(set(look.unmet) - PERMITTED_UNMET)
        if unmet:
            return UNHEALTHY, f"unmet: {', '.join(unmet)}"
        return RUNNING, ""
    waits = role == "controlplane" and look.etcd in WAITING_STATES and not look.members
    if look.stage == "booting" and waits:
        return WAITS_FOR_ETCD, f"etcd is {str(look.etcd).lower()}"
    return look.stage, ""


def etcd(control_planes: Mapping[str, Fact]) -> Fact:
    """Judge etcd by what every planned control plane shows; one unseen leaves it unknown."""
    found = quorum(control_planes)
    fact = _etcd(control_planes, found)
    return replace(fact, detail={**fact.detail, "quorum": found.verdict})


def _etcd(control_planes: Mapping[str, Fact], found: Quorum) -> Fact:
    names = sorted(control_planes)
    unseen = [name for name in names if control_planes[name].code == UNSEEN]
    told = {
        name: fact.detail["members"]
        for name, fact in control_planes.items()
        if fact.code != UNSEEN and fact.detail.get("members")
    }
    if found.verdict in {FOREIGN, LOST, PARTED}:
        return Fact(found.verdict, found.said)
    if unseen:
        return Fact(UNKNOWN, f"not seen: {', '.join(unseen)}", detail={"members": len(told)})
    silent = [n for n in names if is_silent(control_planes[n])]
    if silent:
        return Fact(UNKNOWN, f"not told by {', '.join(silent)}", detail={"members": len(told)})
    if not told:
        return Fact(NONE, "no control plane has a member list")
    learners = sorted({n for fact in control_planes.values() for n in fact.detail["learners"]})
    ill = [n for n in names if not is_healthy(control_planes[n])]
    if ill:
        return Fact(FORMING, f"not healthy on {', '.join(ill)}")
    alarms = sorted({a for fact in control_planes.values() for a in fact.detail.get("alarms", ())})
    if alarms:
        return Fact(FORMING, f"alarm: {', '.join(alarms)}")
    if learners:
        return Fact(FORMING, f"still learning: {', '.join(learners)}")
    if any(members != names for members in told.values()) or len(told) != len(names):
        widest = max(told.values(), key=len)
        return Fact(FORMING, f"members: {', '.join(widest)} of {', '.join(names)}")
    if found.apart:
        return Fact(FORMING, found.said)
    return Fact(HEALTHY)


def k8s_node(
    found: Node | None,
    talos: Fact | None,
    *,
    lease: Lease | None = None,
    now: Instant | None = None,
    cordoned: bool = False,
    asked: bool = True,
) -> Fact:
    """
    Judge a Node object against the machine behind it: one of an earlier boot or another machine is a leftover.

    *lease*: its heartbeat in kube-node-lease, judged at *now* (None: not asked); a Node stays Ready for a while after
    its kubelet has died. *cordoned*: the plan has it so. *asked*: somebody looks at machines; where nobody does, a Node
    is taken at its word.
    """
    if found is None:
        return Fact(ABSENT, "the kubelet has not registered")
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    boot_id = str(talos.detail.get("boot_id") or "") if talos is not None else ""
    leftover = _leftover(found.status.node_info, talos, boot_id)
    if leftover:
        return Fact(PROGRESSING, leftover)
    ready = condition(found.status.conditions, "Ready")
    if ready is None or ready.status != "True":
        text = ready.message if ready is not None else "no Ready condition"
        return Fact(PROGRESSING, _short(text))
    taints = [taint.key for taint in found.spec.taints if taint.key in BAD_TAINTS]
    if taints:
        return Fact(PROGRESSING, f"taint {taints[0]}")
    if found.spec.unschedulable and not cordoned:
        return Fact(PROGRESSING, CORDONED)
    renewed = lease.spec.renew_time if lease is not None else None
    if renewed is not None and now is not None and now - renewed.timestamp() > LEASE_SECONDS:
        return Fact(PROGRESSING, "its kubelet does not renew its lease", renewed.timestamp())
    if not asked:
        return Fact(READY)
    if talos is None or talos.code == UNSEEN:
        return Fact(UNOBSERVABLE, "its machine is not seen: this may be of an earlier boot")
    if not boot_id:
        return Fact(
            UNOBSERVABLE, "its machine's boot id cannot be read: this may be of an earlier boot"
        )
    return Fact(READY)


def with_role(fact: Fact, found: Node | None) -> Fact:
    """Say what a Node is by its label, where no plan does: kubeadm and Talos set it on control planes."""
    if found is None:
        return fact
    role = "controlplane" if CONTROL_PLANE in found.metadata.labels else "worker"
    return replace(fact, detail={**fact.detail, "role": role})


def _leftover(info: NodeInfo, talos: Fact | None, boot_id: str) -> str:
    """
    Say whose a Node object is, if it is not that of its machine as that runs now (empty: nothing says so).

    One boot id is one boot of one machine, whatever either says of its UUID: Talos shows the one that was written into
    its META partition, where there is one, and kubelets that of the firmware.
    """
    if boot_id and info.boot_id == boot_id:
        return ""
    here = str(talos.detail.get("uuid") or "") if talos is not None else ""
    if _are_two(info, here):
        return (
            f"the Node object is of another machine (systemUUID {info.system_uuid[:36]}, here is {here[:36]}): its "
            "kubelet registers anew, or delete the object"
        )
    return "the Node object is of an earlier boot" if boot_id else ""


def _are_two(info: NodeInfo, here: str) -> bool:
    """Say whether two UUIDs are surely of two machines; case and byte order (SMBIOS before 2.6) make no difference."""
    there, ours = _digits(info.system_uuid), _digits(here)
    if not there or not ours or there == _digits(info.machine_id):
        return False  # a kubelet without a UUID in the firmware tells its machine-id in the place of it
    return ours not in {there, _swapped(there)}


def _digits(text: str) -> str:
    """Return the 32 digits of a UUID; empty where it is none, or what firmware has instead of one."""
    digits = text.replace("-", "").lower()
    return digits if UUID_DIGITS.fullmatch(digits) and len(set(digits)) > 1 else ""


def _swapped(digits: str) -> str:
    raw = bytes.fromhex(digits)
    return (raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]).hex()


def _short(text: str) -> str:
    if "cni plugin not initialized" in text or "NetworkPluginNotReady" in text:
        return CNI_MISSING
    return text[:160]
