"""
The pod network, DNS in the cluster, and addresses for load balancers (catalogue L1-L4).

The agent of a node is judged by its pod: the node's condition ``NetworkUnavailable=False/CiliumIsUp`` is set once by
the operator and never taken back (cilium v1.18, operator/watchers/node_taint.go).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.gateways import unprogrammed
from phases.diagnosis.nodes import CNI, waiting_for_network
from phases.diagnosis.pods import (
    containers,
    held_by_taints,
    is_ready,
    living,
    owner_of,
    unready_since,
    unschedulable,
)
from phases.diagnosis.providers import NETWORK
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import UNKNOWN, YES, Proof, Rule, look, never, nudge, reversible
from phases.diagnosis.scene import Scene, instant, path_of, subject_of, uid_of
from phases.diagnosis.victims import saying, subjects
from phases.diagnosis.words import counted, listed, named
from phases.objects import Node, Pod, Workload, condition, key_of

TAINT: Final = "node.cilium.io/agent-not-ready"
AGENT: Final = codes.subject("DaemonSet", NETWORK)
OPERATOR: Final = "cilium-operator"
COREDNS: Final = "kube-system/coredns"
SATISFIED: Final = "cilium.io/IPAMRequestSatisfied"
START_SECONDS: Final = 60.0  # an agent takes as long to come up on a fresh node
NO_NAMES: Final = (
    r"lookup \S+( on \S+)?: .*(no such host|i/o timeout|server misbehaving|connection refused)"
)


def _agents(scene: Scene) -> dict[str, Pod]:
    """Return the Cilium agent of each node."""
    return {
        pod.spec.node_name: pod
        for pod in scene.of("Pod").values()
        if pod.metadata.labels.get("k8s-app") == "cilium"
    }


def _has_taint(found: Node) -> bool:
    return any(taint.key == TAINT for taint in found.spec.taints)


def _tainted(scene: Scene) -> Iterable[Finding]:
    """L1: nodes keep the taint by which Cilium keeps pods away until its agent is Ready."""
    nodes = {name: found for name, found in scene.of("Node").items() if _has_taint(found)}
    if not nodes or not scene.seen("Pod"):
        return
    agents = _agents(scene)
    ill = {name: agents.get(name) for name in nodes if not _is_up(agents.get(name))}
    since = [s for s in (unready_since(a) for a in ill.values() if a is not None) if s is not None]
    fresh = bool(since) and not scene.older(min(since), START_SECONDS)
    if ill:
        why = f"the agent is not Ready there ({_agents_say(ill)})"
    else:
        why = f"their agents are Ready, and {OPERATOR}, which takes it off, has not"
    yield Finding(
        subject=AGENT,
        cause="agent-not-ready" if ill else "operator-does-not-act",
        message=f"{named(nodes, 'node')} is kept free of pods by the taint {TAINT}: {why}",
        blocks=(
            *([CNI] if waiting_for_network(scene) else []),
            *map(codes.k8s_node, sorted(nodes)),
            *_dns(scene),
            *held_by_taints(scene, TAINT),
        ),
        clears_itself=YES if fresh else UNKNOWN,
        rule="L1",
        uid=uid_of(scene, "DaemonSet", NETWORK),
        since=min(since, default=None),
        evidence=tuple(path_of("Node", found.metadata, "spec.taints") for found in nodes.values()),
        clears_when="the agent of each node is Ready, and the taint is off",
        remedies=(
            look(
                "the agent's status and log; whether it reaches the API (KubePrism, localhost:7445)"
            ),
            look(f"whether {OPERATOR} runs: it takes the taint off"),
            reversible("take the taint off by hand, where the agent is Ready"),
        ),
    )


def _is_up(agent: Pod | None) -> bool:
    return agent is not None and is_ready(agent)


def _agents_say(ill: dict[str, Pod | None]) -> str:
    """Say what the agents wait for, each reason once."""
    told = []
    for agent in ill.values():
        waiting = [c.state.waiting for c in containers(agent)] if agent is not None else []
        told += [w.reason for w in waiting if w is not None] or (
            ["no pod"] if agent is None else ["not Ready"]
        )
    return listed(set(told))


def _without_address(scene: Scene) -> Iterable[Finding]:
    """L2: a node says that its network is up, its agent is not, and pods there get no address."""
    agents = _agents(scene)
    pods: dict[str, list[Pod]] = {}
    for pod in living(scene):
        node = scene.get("Node", pod.spec.node_name)
        if node is None or pod.spec.host_network or pod.status.pod_ip or _has_taint(node):
            continue
        if _says_up(node) and not _is_up(agents.get(pod.spec.node_name)):
            pods.setdefault(pod.spec.node_name, []).append(pod)
    if not pods:
        return
    everyone = [pod for several in pods.values() for pod in several]
    owners = (owner_of(scene, pod) for pod in everyone)
    yield Finding(
        subject=AGENT,
        cause="agent-down",
        message=f"{counted(len(everyone), 'pod')} on {named(pods, 'node')} "
        f"{'gets' if len(everyone) == 1 else 'get'} no address: the Cilium agent is not Ready there, "
        "whatever the node's own condition says",
        blocks=tuple(dict.fromkeys(codes.subject(kind, key_of(meta)) for kind, meta in owners)),
        clears_itself=UNKNOWN,
        rule="L2",
        uid=uid_of(scene, "DaemonSet", NETWORK),
        since=min(
            (s for n in pods if n in agents and (s := unready_since(agents[n])) is not None),
            default=None,
        ),
        evidence=tuple(path_of("Pod", pod.metadata, "status.podIP") for pod in everyone),
        clears_when="the agent of each of these nodes is Ready",
        remedies=(look("the agent's status and log on these nodes"),),
    )


def _says_up(node: Node) -> bool:
    said = condition(node.status.conditions, "NetworkUnavailable")
    return said is not None and said.status == "False" and said.reason == "CiliumIsUp"


def _coredns(scene: Scene) -> Workload | None:
    """Return CoreDNS if it should run and no pod of it is available."""
    found: Workload | None = scene.get("Deployment", COREDNS)
    if found is None or found.spec.replicas == 0 or found.status.available_replicas:
        return None
    return found


def _dns(scene: Scene) -> tuple[Subject, ...]:
    found = _coredns(scene)
    return () if found is None else (subject_of("Deployment", found.metadata),)


def _without_dns(scene: Scene) -> Iterable[Finding]:
    """L3: no pod of CoreDNS is available."""
    found = _coredns(scene)
    if found is None:
        return
    said = condition(found.status.conditions, "Available")
    yield Finding(
        subject=subject_of("Deployment", found.metadata),
        cause="no-dns",
        message=f"there is no DNS in the cluster, none of CoreDNS' pods is available: {_dns_says(scene)}",
        blocks=subjects(saying(scene, NO_NAMES)),
        clears_itself=UNKNOWN,
        rule="L3",
        uid=found.metadata.uid,
        since=instant(said),
        evidence=(path_of("Deployment", found.metadata, "status.availableReplicas"),),
        clears_when="a pod of CoreDNS is available",
        remedies=(
            look("its pods: the network first, then its upstream (a loop shows in its log)"),
            nudge("ask sources that could not resolve a name to reconcile once it is available"),
        ),
    )


def _dns_says(scene: Scene) -> str:
    """Say why, by the first of its pods that says anything."""
    pods = [
        pod for pod in living(scene) if owner_of(scene, pod)[1].name == COREDNS.partition("/")[2]
    ]
    for pod in pods:
        for trouble in unschedulable(scene, pod):
            return quote(trouble.text)
        for container in containers(pod):
            if container.state.waiting is not None and container.state.waiting.reason:
                return container.state.waiting.reason
    return "its pods are not Ready" if pods else "it has no pods"


def _without_ingress(scene: Scene) -> Iterable[Finding]:
    """L4: a load balancer without an address; kstatus and Flux do not wait for one. And Gateways, which are such."""
    yield from unprogrammed(scene)
    for found in scene.of("Service").values():
        wanted = found.spec.type == "LoadBalancer" and found.metadata.deletion_timestamp is None
        if not wanted or any(
            given.ip or given.hostname for given in found.status.load_balancer.ingress
        ):
            continue
        said = condition(found.status.conditions, SATISFIED)
        refused = said is not None and said.status == "False"
        why = quote(said.message or said.reason) if said is not None and refused else ""
        key = key_of(found.metadata)
        yield Finding(
            subject=subject_of("Service", found.metadata),
            cause="no-address",
            message=f"Service {key} has no address: {why or 'nobody has given it one'}",
            blocks=subjects(saying(scene, rf"(^|[\[\s])Service/{re.escape(key)} status: ")),
            clears_itself=UNKNOWN,
            rule="L4",
            uid=found.metadata.uid,
            since=instant(said) if refused else None,
            evidence=(path_of("Service", found.metadata, "status.loadBalancer.ingress"),),
            clears_when=f"Service {key} has an address",
            remedies=(
                look("whether a pool of addresses matches it, and what applies that pool"),
                nudge("ask what applies the pool to reconcile"),
                never("give it an address by hand that a pool may give to another"),
            ),
        )


TAINT_SOURCE: Final = "cilium v1.18 operator/watchers/node_taint.go"
DNS_SOURCE: Final = "coredns v1.12 plugin/loop, kubernetes v1.36 Deployment status"
POOL_SOURCE: Final = "cilium v1.18 operator/pkg/lbipam/lbipam.go: cilium.io/IPAMRequestSatisfied"

RULES = (
    Rule("L1", "a node keeps Cilium's taint", Proof.SOURCE, TAINT_SOURCE, _tainted),
    Rule("L2", "pods get no address", Proof.SOURCE, TAINT_SOURCE, _without_address),
    Rule("L3", "no DNS in the cluster", Proof.CONTROLLER, DNS_SOURCE, _without_dns),
    Rule("L4", "a load balancer without an address", Proof.SOURCE, POOL_SOURCE, _without_ingress),
)
