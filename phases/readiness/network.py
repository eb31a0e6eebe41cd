"""
Services, and Cilium as a whole.

kstatus does not ask a load balancer for its address, nor any Service for somebody behind it. Cilium's operator sets a
node's ``NetworkUnavailable`` once, and nothing takes it back when the agent dies (cilium v1.18,
operator/watchers/node_taint.go); it may also take its taint off before an agent is Ready (cilium issue 29405). So for
every node the agent's own pod is asked as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from journal.entries import Fact
from phases.codes import BLOCKED, FAILED, PROGRESSING, READY, UNOBSERVABLE
from phases.more_objects import EndpointSlice, Service
from phases.objects import Node, Pod, Workload, condition, key_of
from phases.readiness import workloads
from phases.readiness.pods import pod
from phases.readiness.saying import absent, blocked, terminating

NOT_READY = "node.cilium.io/agent-not-ready"
UP = "CiliumIsUp"
SERVICE = "kubernetes.io/service-name"


def service(
    found: Service | None,
    *,
    backs: bool = False,
    slices: Iterable[EndpointSlice] | None = None,
) -> Fact:
    """
    Judge a Service.

    *backs*: a webhook or an APIService is served from it, so that somebody has to be behind it; *slices* are the
    EndpointSlices of its namespace (None: not listed).
    """
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    if found.spec.type == "LoadBalancer":
        if not found.spec.cluster_ip:
            return Fact(PROGRESSING, "has no address in the cluster yet")
        if not found.status.load_balancer.ingress:
            return blocked("nobody has given it an address", "load-balancer")
    if not backs or found.spec.type == "ExternalName":
        return Fact(READY)
    if slices is None:
        return Fact(UNOBSERVABLE, "who is behind it was not listed")
    if not ready_addresses(found, slices):
        return blocked("nobody who is ready is behind it", f"endpoints:{key_of(found.metadata)}")
    return Fact(READY)


def ready_addresses(found: Service, slices: Iterable[EndpointSlice]) -> int:
    """Count the ready addresses behind a Service; an endpoint that does not tell counts as ready, says the API."""
    return sum(
        len(endpoint.addresses)
        for part in slices
        if part.metadata.namespace == found.metadata.namespace
        and part.metadata.labels.get(SERVICE) == found.metadata.name
        for endpoint in part.endpoints or ()
        if endpoint.conditions.ready is not False
    )


def cilium_node(node: Node | None, agent: Pod | None) -> Fact:
    """Judge the network of one node: its taint, its agent, and only then its condition."""
    if node is None:
        return absent("no such node")
    if any(taint.key == NOT_READY for taint in node.spec.taints):
        return Fact(PROGRESSING, f"taint {NOT_READY}")
    if agent is None:
        return Fact(PROGRESSING, "no agent runs here")
    judged = pod(agent)
    if judged.code == FAILED:
        cause = f"pod:{key_of(agent.metadata)}"
        return blocked(f"its agent: {judged.reason}", cause, judged.since)
    if judged.code != READY or agent.status.phase != "Running":
        return Fact(PROGRESSING, f"its agent is {judged.code}: {judged.reason}".rstrip(": "))
    said = condition(node.status.conditions, "NetworkUnavailable")
    if said is None or said.status != "False" or said.reason != UP:
        return Fact(PROGRESSING, "Cilium has not said that its network is up")
    return Fact(READY)


@dataclass(frozen=True, slots=True)
class CiliumLook:
    """
    What Cilium is judged by. *nodes* are the planned ones by name (None: no Node object), *agents* their pods.

    *answered*: whether a name of the cluster was resolved from inside it (None: nobody asked).
    """

    nodes: Mapping[str, Node | None]
    agents: Mapping[str, Pod]
    daemonset: Workload | None
    operator: Workload | None
    dns: Workload | None
    answered: bool | None = None


def cilium(look: CiliumLook) -> Fact:
    """Judge Cilium: its workloads, every node, DNS; detail.nodes counts the nodes whose network is up."""
    judged = {name: cilium_node(node, look.agents.get(name)) for name, node in look.nodes.items()}
    detail = {"nodes": sum(fact.code == READY for fact in judged.values()), "expected": len(judged)}
    schedulable = sum(node is None or not node.spec.unschedulable for node in look.nodes.values())
    parts = {
        "DaemonSet": _whole("DaemonSet", look.daemonset, schedulable),
        "operator": _whole("Deployment", look.operator, 1),
        **judged,
        "DNS": _whole("Deployment", look.dns, 1),
    }
    for name, fact in parts.items():
        if fact.code != READY:
            code = fact.code if fact.code == BLOCKED else PROGRESSING
            text = f"{name}: {fact.reason or fact.code}"
            return Fact(code, text, fact.since, {**fact.detail, **detail})
    if look.answered is False:
        return Fact(PROGRESSING, "no answer from DNS in the cluster", detail=detail)
    if look.answered is None:
        return Fact(READY, "DNS was not asked: not verified", detail={**detail, "verified": False})
    return Fact(READY, detail=detail)


def _whole(kind: str, found: Workload | None, expected: int) -> Fact:
    return absent() if found is None else workloads.verdict(kind, found, expected)
