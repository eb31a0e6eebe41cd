"""
Talos nodes, etcd as a whole, and Node objects.

Facts of Talos 1.11 to 1.13: a control plane that waits for the etcd bootstrap sits at stage ``booting``; without a
CNI a healthy node is ``running`` with the one unmet condition nodeReady; outside booting and running ``ready`` is
always true and says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from journal.entries import Fact, Instant
from phases.codes import (
    ABSENT,
    FORMING,
    HEALTHY,
    NONE,
    PROGRESSING,
    READY,
    RUNNING,
    UNHEALTHY,
    UNKNOWN,
    UNOBSERVABLE,
    UNSEEN,
    WAITS_FOR_ETCD,
)
from phases.more_objects import Lease
from phases.objects import Node, condition
from phases.readiness.saying import terminating
from phases.snapshot import NodeLook, Seen, Unseen

FRESH_SECONDS = 10.0
LEASE_SECONDS = (
    40.0  # how long a kubelet's heartbeat is good for (kubelet, nodeLeaseDurationSeconds)
)
PERMITTED_UNMET = {"nodeReady"}
WAITING_STATES = {"Waiting", "Preparing"}
RUNS = "Running"
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
    if now - look.at > FRESH_SECONDS:
        return Fact(UNSEEN, "no answer any more", look.at, {"role": role})
    value = look.value
    detail: dict[str, Any] = {
        "role": role,
        "uuid": value.machine_uuid,
        "boot_id": value.boot_id,
        "etcd": value.etcd,
        "etcd_healthy": value.etcd_healthy,
        "members": None if value.members is None else sorted(value.members),
        "learners": sorted(value.learners),
    }
    if value.alarms:
        detail["alarms"] = sorted(value.alarms)
    code, reason = _stage(value, role)
    return Fact(code, reason, detail=detail)


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
    names = sorted(control_planes)
    unseen = [name for name in names if control_planes[name].code == UNSEEN]
    told = {
        name: fact.detail["members"]
        for name, fact in control_planes.items()
        if fact.code != UNSEEN and fact.detail.get("members")
    }
    if unseen:
        return Fact(UNKNOWN, f"not seen: {', '.join(unseen)}", detail={"members": len(told)})
    silent = [n for n in names if _is_silent(control_planes[n])]
    if silent:
        return Fact(UNKNOWN, f"not told by {', '.join(silent)}", detail={"members": len(told)})
    if not told:
        return Fact(NONE, "no control plane has a member list")
    learners = sorted({n for fact in control_planes.values() for n in fact.detail["learners"]})
    ill = [n for n in names if not _is_healthy(control_planes[n])]
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
    return Fact(HEALTHY)


def _is_healthy(control_plane: Fact) -> bool:
    """A service on its way out may still call itself healthy."""
    return bool(control_plane.detail["etcd_healthy"]) and control_plane.detail["etcd"] == RUNS


def _is_silent(control_plane: Fact) -> bool:
    """Say whether a question about etcd got no answer: what it did not tell is unknown, not contrary evidence."""
    if control_plane.detail["etcd"] is None:
        return True
    return _is_healthy(control_plane) and control_plane.detail["members"] is None


def k8s_node(
    found: Node | None,
    talos: Fact | None,
    *,
    lease: Lease | None = None,
    now: Instant | None = None,
    cordoned: bool = False,
) -> Fact:
    """
    Judge a Node object against the machine behind it: an object of an earlier boot is a leftover.

    *lease*: its heartbeat in kube-node-lease, judged at *now* (None: not asked); a Node stays Ready for a while after
    its kubelet has died. *cordoned*: the plan has it so.
    """
    if found is None:
        return Fact(ABSENT, "the kubelet has not registered")
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    boot_id = str(talos.detail.get("boot_id") or "") if talos is not None else ""
    if boot_id and found.status.node_info.boot_id != boot_id:
        return Fact(PROGRESSING, "the Node object is of an earlier boot")
    ready = condition(found.status.conditions, "Ready")
    if ready is None or ready.status != "True":
        text = ready.message if ready is not None else "no Ready condition"
        return Fact(PROGRESSING, _short(text))
    taints = [taint.key for taint in found.spec.taints if taint.key in BAD_TAINTS]
    if taints:
        return Fact(PROGRESSING, f"taint {taints[0]}")
    if found.spec.unschedulable and not cordoned:
        return Fact(PROGRESSING, "cordoned")
    renewed = lease.spec.renew_time if lease is not None else None
    if renewed is not None and now is not None and now - renewed.timestamp() > LEASE_SECONDS:
        return Fact(PROGRESSING, "its kubelet does not renew its lease", renewed.timestamp())
    if talos is None or talos.code == UNSEEN:
        return Fact(UNOBSERVABLE, "its machine is not seen: this may be of an earlier boot")
    if not boot_id:
        return Fact(
            UNOBSERVABLE, "its machine's boot id cannot be read: this may be of an earlier boot"
        )
    return Fact(READY)


def _short(text: str) -> str:
    if "cni plugin not initialized" in text or "NetworkPluginNotReady" in text:
        return "waits for the CNI"
    return text[:160]
