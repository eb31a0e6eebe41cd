"""The pod network, DNS, and addresses for load balancers."""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.structure import blocking
from tests.phases.diagnosis.scenes import (
    AT,
    dangers,
    failed,
    found_by,
    made,
    pod,
    said,
    scene,
    waits,
)

TAINT = "node.cilium.io/agent-not-ready"
CILIUM = "daemonset/kube-system/cilium"
UP = said("NetworkUnavailable", "False", "CiliumIsUp", "Cilium is running on this node")
READY = said("Ready", "True", "KubeletReady")


def node(name: str, *conditions: Any, taints: tuple[str, ...] = ()) -> dict[str, Any]:
    spec = {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]}
    return made("Node", name, READY, *conditions, spec=spec)


def agent(on: str, ready: str = "False", at: float = AT - 300, **status: Any) -> dict[str, Any]:
    return pod(
        f"kube-system/cilium-{on}",
        said("Ready", ready, at=at),
        owner=("DaemonSet", "cilium"),
        metadata={"labels": {"k8s-app": "cilium"}},
        spec={"nodeName": on, "hostNetwork": True},
        status=status,
    )


@pytest.mark.parametrize(
    ("objects", "says", "clears"),
    [
        ((agent("a"),), "the agent is not Ready there (not Ready)", "unknown"),
        ((agent("a", at=AT - 20),), "the agent is not Ready there", "yes"),
        ((), "the agent is not Ready there (no pod)", "unknown"),
        (
            (agent("a", initContainerStatuses=[waits("CrashLoopBackOff")]),),
            "(CrashLoopBackOff)",
            "unknown",
        ),
        (
            (agent("a", containerStatuses=[{"name": "c"}, waits("ErrImagePull")]),),
            "(ErrImagePull)",
            "unknown",
        ),
        (
            (
                pod(
                    "kube-system/x",
                    metadata={"labels": {"k8s-app": "cilium"}},
                    spec={"nodeName": "a"},
                ),
            ),
            "(not Ready)",
            "unknown",
        ),
        ((agent("a", "True"),), "their agents are Ready, and cilium-operator", "unknown"),
    ],
)
def test_ciliums_taint_is_explained_by_its_agent(
    objects: tuple[dict[str, Any], ...], says: str, clears: str
) -> None:
    agents = made("DaemonSet", "kube-system/cilium")

    (found,) = found_by("L1", scene(node("a", taints=(TAINT,)), node("b"), agents, *objects))

    assert (found.subject, found.clears_itself) == (CILIUM, clears)
    assert says in found.message
    assert found.cause == ("operator-does-not-act" if "operator" in says else "agent-not-ready")
    assert found.blocks == ("k8s-node/a",)
    assert dangers(found) == {"look", "reversible"}


def test_ciliums_taint_is_the_root_of_what_finds_no_node_and_of_dns() -> None:
    message = f"0/1 nodes are available: 1 node(s) had untolerated taint {{{TAINT}: }}."
    no_node = said("PodScheduled", "False", "Unschedulable", message)
    network = said("Ready", "False", "KubeletNotReady", "cni plugin not initialized")
    tainted = made("Node", "a", network, spec={"taints": [{"key": TAINT, "effect": "NoSchedule"}]})
    looked_at = scene(
        tainted,
        agent("a"),
        pod("x/p", no_node, owner=("Deployment", "d")),
        pod("kube-system/coredns-1", no_node, owner=("Deployment", "coredns")),
        made("Deployment", "kube-system/coredns", spec={"replicas": 2}),
    )

    roots = roots_of(diagnose(looked_at), blocking(looked_at))

    assert [root.id for root in roots] == [f"L1:{CILIUM}"]
    assert set(roots[0].victims) == {
        "cni",
        "deployment/kube-system/coredns",
        "deployment/x/d",
        "k8s-node/a",
    }


def test_without_agents_there_is_no_dns_wherever_its_pods_are() -> None:
    looked_at = scene(node("a", taints=(TAINT,)), coredns(), dns_pod())

    (found,) = found_by("L1", looked_at)

    assert "deployment/kube-system/coredns" in found.blocks


@pytest.mark.parametrize("rule", ["L1", "L2"])
def test_agents_that_could_not_be_listed_are_not_absent(rule: str) -> None:
    looked_at = scene(node("a", UP, taints=(TAINT,)), node("b", UP), unlisted=("Pod",))

    assert found_by(rule, looked_at) == []


def waiting(**more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"spec": {"nodeName": "a"}, **more}
    return pod("x/p", owner=("StatefulSet", "s"), **given)


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ((node("a", UP), agent("a"), waiting()), 1),
        ((node("a", UP), waiting()), 1),
        ((node("a", UP), agent("a", "True"), waiting()), 0),
        ((node("a"), agent("a"), waiting()), 0),
        ((node("a", said("NetworkUnavailable", "True", "CiliumIsUp")), agent("a"), waiting()), 0),
        ((node("a", said("NetworkUnavailable", "False", "Other")), agent("a"), waiting()), 0),
        ((node("a", UP, taints=(TAINT,)), agent("a"), waiting()), 0),
        ((node("a", UP), agent("a"), waiting(status={"podIP": "10.0.0.1"})), 0),
        ((node("a", UP), agent("a"), waiting(spec={"nodeName": "a", "hostNetwork": True})), 0),
        ((node("a", UP), agent("a"), waiting(status={"phase": "Succeeded"})), 0),
    ],
)
def test_the_condition_of_a_node_is_not_believed_over_its_agent(
    objects: tuple[dict[str, Any], ...], found: int
) -> None:
    findings = found_by("L2", scene(made("DaemonSet", "kube-system/cilium"), *objects))

    assert len(findings) == found
    for finding in findings:
        assert (finding.subject, finding.blocks) == (CILIUM, ("statefulset/x/s",))
        assert "1 pod on node a gets no address" in finding.message


def coredns(available: int = 0, replicas: int = 2) -> dict[str, Any]:
    given = said("Available", "False" if not available else "True")
    return made(
        "Deployment",
        "kube-system/coredns",
        given,
        spec={"replicas": replicas},
        status={"availableReplicas": available},
    )


def dns_pod(*conditions: Any, **status: Any) -> dict[str, Any]:
    return pod("kube-system/coredns-1", *conditions, owner=("Deployment", "coredns"), status=status)


@pytest.mark.parametrize(
    ("pods", "says"),
    [
        ((), "it has no pods"),
        ((dns_pod(),), "its pods are not Ready"),
        ((dns_pod(containerStatuses=[waits("CrashLoopBackOff")]),), "CrashLoopBackOff"),
        ((dns_pod(containerStatuses=[{"name": "c"}, waits("")]),), "its pods are not Ready"),
        ((pod("x/p", status={"containerStatuses": [waits("ErrImagePull")]}),), "it has no pods"),
        (
            (dns_pod(said("PodScheduled", "False", "Unschedulable", "0/1 nodes are available")),),
            "0/1 nodes are available",
        ),
    ],
)
def test_no_dns_is_said_with_its_reason_and_once(
    pods: tuple[dict[str, Any], ...], says: str
) -> None:
    names = "lookup github.com on 10.96.0.10:53: server misbehaving"
    looked_at = scene(
        coredns(),
        *pods,
        failed("GitRepository", "f/g", f"failed to checkout: dial tcp: {names}"),
        failed("GitRepository", "f/h", "authentication required"),
    )

    (found,) = found_by("L3", looked_at)

    assert found.subject == "deployment/kube-system/coredns"
    assert says in found.message
    assert found.blocks == ("gitrepository/f/g",)
    assert found.since is not None
    assert [found_by(rule, looked_at) for rule in ("L5", "L8")] == [[], []]


@pytest.mark.parametrize(
    "found", [coredns(1), coredns(replicas=0), made("Deployment", "x/coredns")]
)
def test_dns_that_answers_or_that_nobody_wants_is_no_finding(found: dict[str, Any]) -> None:
    assert found_by("L3", scene(found)) == []


def service(
    *conditions: Any, type_: str = "LoadBalancer", ingress: Any = (), **more: Any
) -> dict[str, Any]:
    status = {"loadBalancer": {"ingress": list(ingress)}}
    return made("Service", "x/s", *conditions, spec={"type": type_}, status=status, **more)


REFUSED = said("cilium.io/IPAMRequestSatisfied", "False", "no_pool", "There are no enabled pools")


@pytest.mark.parametrize(
    ("found", "says", "since"),
    [
        (service(REFUSED), "Service x/s has no address: There are no enabled pools", AT - 300),
        (service(), "nobody has given it one", None),
        (
            service(said("cilium.io/IPAMRequestSatisfied", "True", "satisfied", "all is well")),
            "has no address: nobody has given it one",
            None,
        ),
        (service(said("cilium.io/IPAMRequestSatisfied", "False", "no_pool")), "no_pool", AT - 300),
        (service(ingress=[{"ip": "10.0.0.1"}]), "", None),
        (service(ingress=[{"hostname": "x.example.com"}]), "", None),
        (service(REFUSED, type_="ClusterIP"), "", None),
        (service(metadata={"deletionTimestamp": "2027-01-15T07:50:00Z"}), "", None),
    ],
)
def test_a_load_balancer_needs_an_address(
    found: dict[str, Any], says: str, since: float | None
) -> None:
    waiting_for = failed(
        "HelmRelease", "f/h", "timeout waiting for: [Service/x/s status: 'InProgress']"
    )

    findings = found_by("L4", scene(found, waiting_for))

    assert [says in finding.message for finding in findings] == ([True] if says else [])
    for finding in findings:
        assert (finding.since, finding.blocks) == (since, ("helmrelease/f/h",))


def gateway(*conditions: Any, listeners: tuple[Any, ...] = (), **metadata: Any) -> dict[str, Any]:
    told = [{"name": f"l{n}", "conditions": [one]} for n, one in enumerate(listeners)]
    return made("Gateway", "edge/web", *conditions, status={"listeners": told}, metadata=metadata)


UNPROGRAMMED = said("Programmed", "False", "AddressNotAssigned", "no address")
NO_SECRET = said("ResolvedRefs", "False", "InvalidCertificateRef", "Secret web-tls does not exist")


@pytest.mark.parametrize(
    ("given", "cause", "words"),
    [
        (gateway(UNPROGRAMMED), "not-programmed", "serves nobody: no address"),
        (gateway(UNPROGRAMMED, listeners=(said("ResolvedRefs", "True"),)), "not-programmed", ""),
        (gateway(UNPROGRAMMED, listeners=(NO_SECRET,)), "listener", "listener l0: Secret web-tls"),
    ],
)
def test_a_gateway_that_nobody_programmed(given: dict[str, Any], cause: str, words: str) -> None:
    (found,) = found_by("L4", scene(given))

    assert (found.subject, found.cause) == ("gateway/edge/web", cause)
    assert words in found.message


@pytest.mark.parametrize(
    "given",
    [
        gateway(said("Programmed", "True")),
        gateway(said("Programmed", "Unknown", at=AT - 59)),
        gateway(UNPROGRAMMED, deletionTimestamp="2027-01-15T07:50:00Z"),
        gateway(),
    ],
    ids=["serves", "just made", "leaving", "says nothing"],
)
def test_a_gateway_without_a_finding(given: dict[str, Any]) -> None:
    assert found_by("L4", scene(given)) == []
