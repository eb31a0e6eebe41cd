"""
Pods that find no node, that crash, that are refused or that nobody wants (catalogue L5, L8, L17-L20).

kstatus calls scaled to zero and a failed pod fine, and looks at no init container: what a person would call broken is
said here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from engine.answer import Subject
from journal.entries import Finding, Instant
from phases import codes
from phases.diagnosis.absent import CRD, MAKERS
from phases.diagnosis.beneath import under_claims
from phases.diagnosis.controllers import SERVES, deployment_of
from phases.diagnosis.lost import compares
from phases.diagnosis.network import COREDNS
from phases.diagnosis.pods import (
    Group,
    Trouble,
    containers,
    grouped,
    hanging,
    owner_of,
    pods_on,
    unready_since,
    unschedulable,
)
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import (
    NO,
    UNKNOWN,
    YES,
    Proof,
    Rule,
    destructive,
    look,
    reversible,
)
from phases.diagnosis.scene import Scene, deleted_at, instant, path_of, subject_of
from phases.diagnosis.structure import is_well
from phases.diagnosis.victims import WAITING, waited_for
from phases.diagnosis.webhooks import CALLING, DENIED
from phases.diagnosis.words import counted, listed
from phases.kinds import KEDA
from phases.more_objects import Job
from phases.objects import ContainerStatus, Flux, Pod, condition, key_of

AVAILABLE: Final = re.compile(r"nodes are available: (.+?)(?:\. (?:no new|preemption)|\.?$)")
CRASHING: Final = "CrashLoopBackOff"
OUT_OF_MEMORY: Final = "OOMKilled"
IN_DELETION: Final = "because it is being terminated"
# Labels and annotations of what a release brings.
HELM: Final = ("helm.sh/", "helm.toolkit.fluxcd.io/")
DNS: Final = codes.subject("Deployment", COREDNS)  # what ails it is said with DNS


def _unplaced(scene: Scene) -> Iterable[Finding]:
    """L5: the scheduler finds no node."""
    for subject, group in grouped(scene, unschedulable).items():
        if subject == DNS:
            continue
        reason = AVAILABLE.search(group.troubles[0].text)
        why = reason.group(1) if reason is not None else group.troubles[0].text
        storage = under_claims(scene, (trouble.pod for trouble in group.troubles))
        yield group.finding(
            scene,
            "L5",
            cause="unschedulable",
            message=f"{group.name}: no node takes {counted(len(group.troubles), 'pod')} ({quote(why)})"
            f"{_missing_nodes(scene)}{storage.text}",
            evidence=storage.evidence,
            clears_itself=UNKNOWN,
            clears_when="its pods are scheduled",
            remedies=(
                look("what the message counts: room, taints, or where its volume is"),
                reversible("ask for less in Git, or bring back the node that had room"),
            ),
        )


def _missing_nodes(scene: Scene) -> str:
    if scene.inventory is None or not scene.seen("Node"):
        return ""
    missing = [name for name in scene.inventory.nodes if name not in scene.of("Node")]
    return f"; missing is {listed(missing)}" if missing else ""


def _crashed(_: Scene, pod: Pod) -> Iterator[Trouble]:
    for container in containers(pod):
        waiting = container.state.waiting
        if waiting is not None and waiting.reason == CRASHING:
            where = path_of(
                "Pod", pod.metadata, f"status.containerStatuses[{container.name}].state"
            )
            yield Trouble(pod, _how(container), unready_since(pod), where)


def _how(container: ContainerStatus) -> str:
    """Say how a container ended, as far as its last state tells."""
    last = container.last_state.terminated
    name = f"container {container.name}"
    if last is None:
        return name
    is_plain = last.reason in {"", "Error", "Completed"}
    return f"{name}, {f'exit code {last.exit_code}' if is_plain else last.reason}"


def _crashing(scene: Scene) -> Iterable[Finding]:
    """L8: containers crash again and again."""
    for subject, group in grouped(scene, _crashed).items():
        if subject == DNS:
            continue
        pods = {trouble.pod.metadata.name for trouble in group.troubles}
        # Where one of them ends otherwise, memory is not what all of them want, and a node may have been short of it.
        out_of_memory = all(trouble.text.endswith(OUT_OF_MEMORY) for trouble in group.troubles)
        yield group.finding(
            scene,
            "L8",
            cause="crashing",
            message=f"{group.name} crashes again and again in {counted(len(pods), 'pod')} "
            f"({listed({t.text for t in group.troubles})})",
            clears_itself=NO if out_of_memory else UNKNOWN,
            clears_when="its containers run, and stay Ready",
            remedies=(
                look("the log of the previous run; in the first minutes: what it depends on"),
                reversible("delete one pod to skip the back-off, once what it waited for is Ready"),
            ),
        )


def _scaled_down(scene: Scene) -> Iterable[Finding]:
    """L17: zero pods are asked for where the inventory expects some; without it zero may well be meant."""
    if scene.inventory is None:
        return
    for item in scene.inventory.workloads:
        found = scene.get(item.kind, item.key)
        if found is None or item.pods == 0 or item.kind == "DaemonSet" or found.spec.replicas != 0:
            continue
        if found in [deployment_of(scene, name) for name in SERVES]:  # F1's matter
            continue
        clears, when = _scaled_up_by(scene, item.owner)
        yield Finding(
            subject=codes.subject(item.kind, item.key),
            cause="scaled-to-zero",
            message=f"{item.kind} {item.key} is scaled to zero, and {counted(item.pods, 'pod')} should run",
            blocks=tuple(waited_for(scene, item.kind, found.metadata, WAITING)),
            clears_itself=clears,
            rule="L17",
            uid=found.metadata.uid,
            evidence=(
                path_of(item.kind, found.metadata, "spec.replicas"),
                f"inventory.workloads[{item.key}]",
            ),
            clears_when=when,
            remedies=(
                look("who did: a rollback, an autoscaler, a person; compare with Git"),
                reversible("scale it up as Git has it"),
            ),
        )


def _scaled_up_by(scene: Scene, owner: Subject) -> tuple[str, str]:
    """
    Say whether who brings a workload scales it up again, and when.

    A Kustomization that is Ready applies Git's number at its interval; Helm does not look at what runs, unless it was
    told to. Who is still at work may, and of nobody nobody knows. Nor where KEDA is: it scales up from zero itself.
    """
    family, _, key = owner.partition("/")
    maker: Flux | None = scene.get(MAKERS[family], key) if family in MAKERS else None
    when = "it is scaled up"
    if maker is None or maker.spec.suspend or not is_well(maker):
        return UNKNOWN, when
    if family == "helmrelease" and not compares(maker):
        return UNKNOWN if _has_keda(scene) else NO, when
    every = f", every {maker.spec.interval}" if maker.spec.interval else ""
    return YES, f"{MAKERS[family]} {key} reconciles again{every}"


def _has_keda(scene: Scene) -> bool:
    """Say whether KEDA is there or expected, as far as its kinds tell."""
    if not scene.seen(CRD):
        return True
    listed = () if scene.inventory is None else (crd.name for crd in scene.inventory.crds)
    return any(name.endswith(KEDA) for name in (*scene.of(CRD), *listed))


def _refused(scene: Scene) -> Iterable[Finding]:
    """L18: the API refuses a Deployment's pods, by quota or by policy of the namespace."""
    for found in scene.of("Deployment").values():
        said = condition(found.status.conditions, "ReplicaFailure")
        if said is None or said.status != "True":
            continue
        others = CALLING.search(said.message) or DENIED.search(said.message)
        if others or IN_DELETION in said.message:  # the webhook's case, or the namespace's
            continue
        yield Finding(
            subject=subject_of("Deployment", found.metadata),
            cause="pods-refused",
            message=f"Deployment {key_of(found.metadata)} may make no pods: {_refusal(said.message)}",
            blocks=tuple(waited_for(scene, "Deployment", found.metadata, WAITING)),
            clears_itself=UNKNOWN,
            rule="L18",
            uid=found.metadata.uid,
            since=instant(said),
            evidence=(path_of("Deployment", found.metadata, "status.conditions[ReplicaFailure]"),),
            clears_when="ReplicaFailure is gone",
            remedies=(look("the quota, or the namespace's pod security level, that it names"),),
        )


def _refusal(message: str) -> str:
    if "exceeded quota" in message:
        return f"the namespace's quota is used up ({quote(message)})"
    if "violates PodSecurity" in message:
        return f"they are against the namespace's pod security level ({quote(message)})"
    return quote(message)


def _given_up(scene: Scene) -> Iterable[Finding]:
    """L19: a Job has failed for good; a CronJob's later success is the answer to its earlier failure."""
    succeeded: dict[str, Instant] = {}
    for found in scene.of("Job").values():
        at = instant(condition(found.status.conditions, "Complete"))
        if at is not None:
            owner = _cron_of(found)
            succeeded[owner] = max(at, succeeded.get(owner, at))
    for found in scene.of("Job").values():
        said = condition(found.status.conditions, "Failed")
        if said is None or said.status != "True" or found.metadata.deletion_timestamp is not None:
            continue
        since, cron = instant(said), _cron_of(found)
        if cron and since is not None and succeeded.get(cron, since) > since:
            continue
        why = quote(f"{said.reason} {said.message}") or "no reason given"
        yield Finding(
            subject=subject_of("Job", found.metadata),
            cause="job-failed",
            message=f"Job {key_of(found.metadata)} has given up: {why}",
            blocks=tuple(waited_for(scene, "Job", found.metadata, WAITING)),
            clears_itself=UNKNOWN if _comes_again(found) else NO,
            rule="L19",
            uid=found.metadata.uid,
            since=since,
            evidence=(path_of("Job", found.metadata, "status.conditions[Failed]"),),
            clears_when="the Job is gone, or another run of it is Complete",
            remedies=(
                look("the log of its last pod"),
                reversible("delete the Job once the cause is gone: what owns it makes it again"),
            ),
        )


def _comes_again(found: Job) -> bool:
    """Say whether somebody makes it anew: its CronJob, Helm's next attempt, or its owner once it was cleaned up."""
    marks = (*found.metadata.labels, *found.metadata.annotations)
    helm = any(mark.startswith(HELM) for mark in marks)
    return bool(_cron_of(found)) or helm or found.spec.ttl_seconds_after_finished is not None


def _cron_of(found: Job) -> str:
    owners = (o.name for o in found.metadata.owner_references if o.kind == "CronJob")
    name = next(owners, "")
    return f"{found.metadata.namespace}/{name}" if name else ""


def _hanging(scene: Scene) -> Iterable[Finding]:
    """L20: pods that should be gone hang on a node that does not answer."""
    for name, pods in sorted(hanging(scene).items()):
        yield _hung(scene, name, pods)


def _hung(scene: Scene, name: str, pods: list[Pod]) -> Finding:
    gone = scene.get("Node", name) is None
    groups = (Group(*owner_of(scene, pod)) for pod in pods)
    sets = (g.subject for g in groups if g.kind == "StatefulSet")
    leaving = (
        codes.subject("namespace", pod.metadata.namespace)
        for pod in pods
        if (found := scene.get("Namespace", pod.metadata.namespace)) is not None
        and deleted_at(found.metadata) is not None
    )
    return Finding(
        subject=pods_on(name),
        cause="node-gone" if gone else "node-lost",
        message=f"{counted(len(pods), 'pod')} on node {name} cannot be deleted: "
        + ("the node is gone" if gone else "its kubelet does not answer"),
        blocks=tuple(dict.fromkeys((*sets, *leaving))),
        # The garbage collector takes the pods of a node that is gone; of one that may come back nobody does.
        clears_itself=YES if gone else UNKNOWN,
        rule="L20",
        since=min((s for p in pods if (s := deleted_at(p.metadata)) is not None), default=None),
        evidence=tuple(path_of("Pod", pod.metadata, "metadata.deletionTimestamp") for pod in pods),
        clears_when=f"the pods are gone, or node {name} is Ready",
        remedies=(
            look(f"whether the machine behind {name} is off, or only out of reach"),
            reversible(f"delete the Node object {name}, if its machine is gone for good"),
            destructive(
                "delete the pods by force: a StatefulSet's pod that still runs writes twice to its volume"
            ),
        ),
    )


SCHEDULER: Final = "kubernetes v1.36 pkg/scheduler/framework/types.go: nodes are available"
KUBELET: Final = "kubernetes v1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go: CrashLoopBackOff"
SCALED: Final = "fluxcd/cli-utils pkg/kstatus/status/core.go: zero replicas are Current"
REPLICAS: Final = "kubernetes v1.36 pkg/controller/deployment/progress.go: ReplicaFailure"
JOBS: Final = "kubernetes v1.36 pkg/controller/job/job_controller.go: BackoffLimitExceeded"
COLLECTOR: Final = "kubernetes v1.36 pkg/controller/podgc, pkg/controller/nodelifecycle"

RULES = (
    Rule("L5", "no node takes a pod", Proof.CONTROLLER, SCHEDULER, _unplaced),
    Rule("L8", "containers crash", Proof.SOURCE, KUBELET, _crashing),
    Rule("L17", "scaled to zero", Proof.CONTROLLER, SCALED, _scaled_down),
    Rule("L18", "pods are refused", Proof.CONTROLLER, REPLICAS, _refused),
    Rule("L19", "a Job has given up", Proof.CONTROLLER, JOBS, _given_up),
    Rule("L20", "pods hang on a lost node", Proof.CONTROLLER, COLLECTOR, _hanging),
)
