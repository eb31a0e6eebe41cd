"""
Nodes, as far as a snapshot shows them (catalogue T15-T17).

Node objects are what the API remembers; what the machine is, only Talos says. Before there is a CNI every healthy node
is not Ready: that is one cause of its own, and not many nodes that are ill.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from engine.answer import Subject
from journal.entries import Finding, Instant
from phases import codes
from phases.diagnosis.controllers import without_pods
from phases.diagnosis.machines import BOOTED, looks
from phases.diagnosis.pods import hanging, held_by_taints, pods_on
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene, instant, path_of
from phases.diagnosis.words import counted, listed, named
from phases.objects import Node, condition

CNI: Final = "cni"
K8S_NODES: Final = "k8s-nodes"
CNI_DAEMON_SETS: Final = ("cilium", "calico-node", "kube-flannel", "kube-flannel-ds", "canal")
# How others call theirs (antrea-agent, weave-net, kube-router, kube-ovn-cni, ovnkube-node, kindnet, aws-node).
CNI_LIKE: Final = re.compile(
    r"\b(cni|calico|flannel|canal|antrea|weave|router|ovn\w*|kindnet|aws-node)\b|-net\b"
)
NO_NETWORK: Final = ("cni plugin not initialized", "NetworkPluginNotReady")
NOT_READY: Final = "node.kubernetes.io/not-ready"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
TOGETHER_SECONDS: Final = (
    300.0  # nodes that a switch takes down are noticed within minutes of each other
)
SEVERAL: Final = 2


def _is_unready(found: Node) -> bool:
    ready = condition(found.status.conditions, "Ready")
    return ready is None or ready.status != "True"


def _waits_for_network(found: Node) -> bool:
    ready = condition(found.status.conditions, "Ready")
    return _is_unready(found) and ready is not None and any(t in ready.message for t in NO_NETWORK)


def _since(found: Node) -> Instant | None:
    return instant(condition(found.status.conditions, "Ready"))


def _leftovers(scene: Scene) -> Iterable[Finding]:
    """T15: the Node object is of an earlier life of its machine: it is not Ready, and nothing will make it so."""
    seen = looks(scene)
    for name, found in scene.of("Node").items():
        look_ = seen.get(name)
        if look_ is None or not _is_unready(found):
            continue
        boot = found.status.node_info.boot_id
        other_boot = bool(boot and look_.boot_id) and boot != look_.boot_id
        if look_.stage == codes.MAINTENANCE:
            why = "was wiped: it waits for its configuration"
        elif look_.stage in BOOTED and other_boot:
            why = "started anew: its kubelet has not reported since"
        else:
            continue
        yield Finding(
            subject=codes.k8s_node(name),
            cause="leftover",
            message=f"Kubernetes still shows node {name} as it was before its machine {why}",
            blocks=(*_hung(scene, [name]), *held_by_taints(scene, NOT_READY, UNREACHABLE)),
            clears_itself=UNKNOWN,
            rule="T15",
            uid=found.metadata.uid,
            since=_since(found),
            evidence=(
                path_of("Node", found.metadata, "status.nodeInfo.bootID"),
                f"nodes[{name}].boot_id {look_.boot_id}",
            ),
            clears_when=f"Node {name} has its machine's boot id, or is gone",
            remedies=(
                look(f"why the kubelet of {name} does not register: its service by Talos' API"),
                reversible(f"delete the Node object {name}: the kubelet makes it again"),
            ),
        )


def _hung(scene: Scene, names: list[str]) -> list[Subject]:
    hung = hanging(scene)
    return [pods_on(name) for name in names if name in hung]


def waiting_for_network(scene: Scene) -> dict[str, Node]:
    """Return the nodes that say that they have no network plugin."""
    return {name: found for name, found in scene.of("Node").items() if _waits_for_network(found)}


def _is_cni(name: str) -> bool:
    return name in CNI_DAEMON_SETS or CNI_LIKE.search(name) is not None


def _without_network(scene: Scene) -> Iterable[Finding]:
    """T16: nodes whose container runtime has no network plugin: one cause, however many nodes."""
    waiting = waiting_for_network(scene)
    if not waiting:
        return
    installed = [w for w in scene.of("DaemonSet").values() if _is_cni(w.metadata.name)]
    if installed:
        told = (f"{w.metadata.name} has {w.status.number_ready} pods ready" for w in installed)
        why, clears = listed(told), UNKNOWN
    elif scene.seen("DaemonSet"):
        why, clears = "no CNI is installed", NO
    else:
        why, clears = "its CNI plugin is not initialized", UNKNOWN
    yield Finding(
        subject=CNI,
        cause="no-network",
        message=f"{named(waiting, 'node')} cannot run pods, for want of a network: {why}",
        blocks=(
            *map(codes.k8s_node, sorted(waiting)),
            *held_by_taints(scene, NOT_READY),
            # Flux itself needs a network; on one node that has it, it may run.
            *(without_pods(scene) if len(waiting) == len(scene.of("Node")) else ()),
        ),
        clears_itself=clears,
        rule="T16",
        since=min((s for s in map(_since, waiting.values()) if s is not None), default=None),
        evidence=tuple(
            path_of("Node", n.metadata, "status.conditions[Ready]") for n in waiting.values()
        ),
        clears_when="Ready no longer says that the CNI plugin is not initialized",
        remedies=(
            look("a node without a CNI is healthy and waits for one: see the CNI's own pods"),
            reversible("install the CNI as at bootstrap, if nothing installs it"),
        ),
    )


def _all_at_once(scene: Scene) -> Iterable[Finding]:
    """T17: half of the nodes or more were lost within minutes: what they share, not they."""
    nodes = scene.of("Node")
    lost = sorted(
        (since, name)
        for name, found in nodes.items()
        if _is_unready(found)
        and not _waits_for_network(found)
        and (since := _since(found)) is not None
    )
    need = max(SEVERAL, -(-len(nodes) // 2))
    together = _window(lost, need)
    if not together:
        return
    names = [name for _, name in together]
    yield Finding(
        subject=K8S_NODES,
        cause="too-many-at-once",
        message=f"{len(names)} of {counted(len(nodes), 'node')} were lost within minutes ({listed(names)}): "
        "suspect what they share, a switch, the power or the address of the API, and not the nodes",
        blocks=(
            *map(codes.k8s_node, names),
            *_hung(scene, names),
            *held_by_taints(scene, NOT_READY, UNREACHABLE),
        ),
        clears_itself=UNKNOWN,
        rule="T17",
        since=together[0][0],
        evidence=tuple(
            path_of("Node", nodes[name].metadata, "status.conditions[Ready]") for name in names
        ),
        clears_when="more than half of the nodes are Ready",
        remedies=(
            look("the switch, the power, the virtual address; stop all automation until then"),
            never("reset, wipe or delete any of the nodes"),
        ),
    )


def _window(lost: list[tuple[Instant, str]], need: int) -> list[tuple[Instant, str]]:
    """Return the largest run of losses that fall together, if it is large enough."""
    best: list[tuple[Instant, str]] = []
    for start, (first, _) in enumerate(lost):
        run = [one for one in lost[start:] if one[0] - first <= TOGETHER_SECONDS]
        best = max(best, run, key=len)
    return best if len(best) >= need else []


def _cordoned(scene: Scene) -> Iterable[Finding]:
    """X3: a node takes no new pods, for somebody said so; who did takes it back, and nobody else."""
    for name, found in scene.of("Node").items():
        if not found.spec.unschedulable or found.metadata.deletion_timestamp is not None:
            continue
        yield Finding(
            subject=codes.k8s_node(name),
            cause="cordoned",
            message=f"Node {name} is cordoned: no new pod may start there",
            blocks=tuple(held_by_taints(scene, UNSCHEDULABLE)),
            clears_itself=UNKNOWN,
            rule="X3",
            uid=found.metadata.uid,
            evidence=(path_of("Node", found.metadata, "spec.unschedulable"),),
            clears_when=f"Node {name} is uncordoned",
            remedies=(
                look("who cordoned it, and whether an upgrade or a repair of it is under way"),
                reversible(f"`kubectl uncordon {name}`, if nobody is at it any more"),
            ),
        )


CORDON_SOURCE: Final = (
    "kubernetes v1.36 pkg/scheduler/framework/plugins/nodeunschedulable: spec.unschedulable"
)
BOOT_SOURCE: Final = "kubernetes v1.36 pkg/kubelet/nodestatus/setters.go: the kubelet writes nodeInfo with each status"
CNI_SOURCE: Final = "kubernetes v1.36 pkg/kubelet/kubelet.go, containerd: NetworkPluginNotReady"
BUDGET_SOURCE: Final = "kubernetes v1.36 pkg/controller/nodelifecycle: full and partial disruption"

RULES = (
    Rule(
        "T15",
        "a Node object of before its machine was wiped or started anew",
        Proof.SOURCE,
        BOOT_SOURCE,
        _leftovers,
    ),
    Rule("T16", "nodes without a network", Proof.SOURCE, CNI_SOURCE, _without_network),
    Rule("T17", "many nodes lost at once", Proof.CONTROLLER, BUDGET_SOURCE, _all_at_once),
    Rule("X3", "a node is cordoned", Proof.SOURCE, CORDON_SOURCE, _cordoned),
)
