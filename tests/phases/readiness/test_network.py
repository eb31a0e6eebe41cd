"""
Services, and Cilium as a whole.

Mutants, killed here: a load balancer without an address is Ready; an endpoint that is not ready counts; the sticky
condition alone makes a node's network; the taint not asked; anybody's word for it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from phases.more_objects import EndpointSlice, Service
from phases.objects import Node, Pod, Workload
from phases.readiness.network import CiliumLook, cilium, cilium_node, service
from tests.phases.readiness.given import DELETED, MOVED_AT, cases, made, said

PUBLIC = {"type": "LoadBalancer", "clusterIP": "192.0.2.1"}
ADDRESS = {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}}


def behind(*ready: bool | None, name: str = "x", namespace: str = "apps") -> EndpointSlice:
    labels = {"kubernetes.io/service-name": name}
    body = {
        "metadata": {"name": "s", "namespace": namespace, "labels": labels},
        "endpoints": [{"addresses": ["192.0.2.3"], "conditions": {"ready": r}} for r in ready],
    }
    return msgspec.convert(body, EndpointSlice)


NOBODY = "Blocked endpoints:apps/x"
SERVICES = {
    "not there": (None, False, None, "Absent"),
    "an address in the cluster": (
        made(Service, spec={"clusterIP": "192.0.2.1"}),
        False,
        None,
        "Ready",
    ),
    "headless": (made(Service, spec={"clusterIP": "None"}), False, None, "Ready"),
    "a name elsewhere": (made(Service, spec={"type": "ExternalName"}), True, [], "Ready"),
    "a load balancer with its address": (
        made(Service, spec=PUBLIC, status=ADDRESS),
        False,
        None,
        "Ready",
    ),
    "not even an address in the cluster": (
        made(Service, spec={"type": "LoadBalancer"}, status=ADDRESS),
        False,
        None,
        "Progressing",
    ),
    "trap: kstatus asks no load balancer for its address": (
        made(Service, spec=PUBLIC),
        False,
        None,
        "Blocked load-balancer",
    ),
    "trap: a webhook's Service with nobody behind it": (made(Service), True, [], NOBODY),
    "trap: everybody behind it is not ready": (made(Service), True, [behind(False, False)], NOBODY),
    "somebody is ready": (made(Service), True, [behind(False), behind(True)], "Ready"),
    "trap: who does not tell counts as ready": (made(Service), True, [behind(None)], "Ready"),
    "trap: somebody of another Service": (made(Service), True, [behind(True, name="y")], NOBODY),
    "trap: of a namesake elsewhere": (made(Service), True, [behind(True, namespace="db")], NOBODY),
    "nobody listed who is behind it": (made(Service), True, None, "Unobservable"),
    "being deleted": (made(Service, **DELETED), False, None, "Terminating"),
}


@pytest.mark.parametrize(("found", "backs", "slices", "expected"), cases(SERVICES))
def test_services(
    found: Service | None,
    backs: bool,  # noqa: FBT001
    slices: list[EndpointSlice] | None,
    expected: str,
) -> None:
    assert expected == said(service(found, backs=backs, slices=slices))


UP = "NetworkUnavailable=False/CiliumIsUp"
TAINT = {"taints": [{"key": "node.cilium.io/agent-not-ready", "effect": "NoSchedule"}]}


def a_node(*conditions: str, **spec: Any) -> Node:  # noqa: ANN401
    found: Node = made(Node, *conditions, spec=spec, namespace="")
    return found


def agent(status: str = "True", phase: str = "Running", **rest: Any) -> Pod:  # noqa: ANN401
    found: Pod = made(
        Pod,
        f"Ready={status}/x",
        status={"phase": phase, **rest},
        name="cilium-1",
        namespace="kube-system",
    )
    return found


LOOP = [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
NODES = {
    "not there": (None, agent(), "Absent"),
    "up": (a_node(UP), agent(), "Ready"),
    "trap: the condition sticks when the agent dies": (a_node(UP), agent("False"), "Progressing"),
    "trap: the condition sticks when the agent is gone": (a_node(UP), None, "Progressing"),
    "trap: a completed agent is none": (a_node(UP), agent(phase="Succeeded"), "Progressing"),
    "its agent crashes": (
        a_node(UP),
        agent("False", containerStatuses=LOOP),
        "Blocked pod:kube-system/cilium-1",
    ),
    "the taint is still there": (a_node(UP, **TAINT), agent(), "Progressing"),
    "trap: the taint is off before the network is up": (a_node(), agent(), "Progressing"),
    "somebody else's word": (
        a_node("NetworkUnavailable=False/RouteCreated"),
        agent(),
        "Progressing",
    ),
    "it says the opposite": (a_node("NetworkUnavailable=True/CiliumIsUp"), agent(), "Progressing"),
}


@pytest.mark.parametrize(("node", "pod", "expected"), cases(NODES))
def test_the_network_of_a_node(node: Node | None, pod: Pod | None, expected: str) -> None:
    assert expected == said(cilium_node(node, pod))


COUNTS = (
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "updatedNumberScheduled",
    "numberAvailable",
)


def daemons(pods: int) -> Workload:
    status = {**dict.fromkeys(COUNTS, pods), "numberReady": pods, "observedGeneration": 1}
    found: Workload = made(Workload, status=status, generation=1)
    return found


def deployment(pods: int) -> Workload:
    names = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
    found: Workload = made(Workload, status=dict.fromkeys(names, pods), spec={"replicas": 1})
    return found


WHOLE = CiliumLook(
    nodes={"cp-1": a_node(UP), "cp-2": a_node(UP)},
    agents={"cp-1": agent(), "cp-2": agent()},
    daemonset=daemons(2),
    operator=deployment(1),
    dns=deployment(1),
    answered=True,
)
LOOKS = {
    "whole": (WHOLE, "Ready", ""),
    "no DaemonSet": (replace(WHOLE, daemonset=None), "Progressing", "DaemonSet: Absent"),
    "trap: a DaemonSet that wants no pods is Current": (
        replace(WHOLE, daemonset=daemons(0)),
        "Progressing",
        "DaemonSet: wants 0 of 2 nodes",
    ),
    "a cordoned node counts for nothing": (
        replace(
            WHOLE,
            nodes={"cp-1": a_node(UP), "cp-2": a_node(UP, unschedulable=True)},
            daemonset=daemons(1),
        ),
        "Ready",
        "",
    ),
    "its operator is down": (replace(WHOLE, operator=deployment(0)), "Progressing", "operator: 0"),
    "a node has not registered": (
        replace(WHOLE, nodes={"cp-1": a_node(UP), "cp-2": None}),
        "Progressing",
        "cp-2: no such node",
    ),
    "trap: one agent of two is down": (
        replace(WHOLE, agents={"cp-1": agent()}),
        "Progressing",
        "cp-2: no agent",
    ),
    "one agent crashes": (
        replace(WHOLE, agents={"cp-1": agent(), "cp-2": agent("False", containerStatuses=LOOP)}),
        "Blocked pod:kube-system/cilium-1",
        "cp-2: its agent",
    ),
    "CoreDNS is down": (replace(WHOLE, dns=deployment(0)), "Progressing", "DNS: 0"),
    "trap: CoreDNS runs, and no name is resolved": (
        replace(WHOLE, answered=False),
        "Progressing",
        "no answer from DNS",
    ),
    "nobody asked DNS": (replace(WHOLE, answered=None), "Ready", "DNS was not asked"),
}


@pytest.mark.parametrize(("look", "expected", "reason"), cases(LOOKS))
def test_cilium(look: CiliumLook, expected: str, reason: str) -> None:
    fact = cilium(look)

    assert (expected, reason) == (said(fact), fact.reason[: len(reason)])


def test_cilium_counts_its_nodes_and_says_since_when_an_agent_fails() -> None:
    agents = {"cp-1": agent(), "cp-2": agent("False", containerStatuses=LOOP)}
    fact = cilium(replace(WHOLE, agents=agents))

    assert (1, 2, MOVED_AT) == (fact.detail["nodes"], fact.detail["expected"], fact.since)
    assert False is cilium(replace(WHOLE, answered=None)).detail["verified"]
