"""Pods that find no node, crash, are refused, are not wanted, or hang; and Jobs that gave up."""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.flux_objects import hr, ks
from tests.phases.diagnosis.scenes import (
    AT,
    dangers,
    failed,
    found_by,
    made,
    pod,
    recorded,
    said,
    scene,
    waits,
)

UNPLACED = {**recorded("pod-unschedulable"), "kind": "Pod"}
BIG = recorded("deployment-progress-deadline-exceeded")
LEAVING = {"deletionTimestamp": "2027-01-15T07:50:00Z"}


def test_a_recorded_pod_that_finds_no_node_is_its_deployments_case() -> None:
    waiting = failed(
        "Kustomization", "f/k", "timeout waiting for: [Deployment/pend/big status: 'Failed']"
    )
    inventory = {"nodes": ["node-0", "node-1"]}
    looked_at = scene(UNPLACED, BIG, waiting, made("Node", "node-1"), inventory=inventory)

    (found,) = found_by("L5", looked_at)

    assert found.subject == "deployment/pend/big"
    assert found.uid == BIG["metadata"]["uid"]
    assert "no node takes 1 pod (5 Insufficient cpu); missing is node-0" in found.message
    assert found.blocks == ("kustomization/f/k",)
    assert found.since == 1795380200.0
    assert found.clears_itself == "unknown"


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("0/3 nodes are available: 3 Insufficient cpu.", "(3 Insufficient cpu)"),
        (
            "0/3 nodes are available: 1 node(s) had volume node affinity conflict, 2 Insufficient cpu. preemption: x",
            "(1 node(s) had volume node affinity conflict, 2 Insufficient cpu)",
        ),
        ('persistentvolumeclaim "x" not found', '(persistentvolumeclaim "x" not found)'),
    ],
)
def test_what_the_scheduler_says_is_told_without_its_ornaments(message: str, says: str) -> None:
    unplaced = pod("x/p", said("PodScheduled", "False", "Unschedulable", message))

    (found,) = found_by("L5", scene(unplaced))

    assert found.message == f"Pod x/p: no node takes 1 pod {says}"


@pytest.mark.parametrize(
    "found",
    [
        pod("x/p", said("PodScheduled", "False", "Unschedulable", "m", AT - 10)),
        pod("x/p", said("PodScheduled", "False", "SchedulingGated")),
        pod("x/p", said("PodScheduled", "True", "Unschedulable", "of the past")),
        pod("x/p", said("PodScheduled", "False", "Unschedulable"), metadata=LEAVING),
    ],
)
def test_the_scheduler_is_given_its_time(found: dict[str, Any]) -> None:
    assert found_by("L5", scene(found)) == []


def test_a_pod_without_an_instant_has_waited_long_enough() -> None:
    timeless = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    here = scene(pod("x/p", timeless), made("Node", "a"), inventory={"nodes": ["a"]})

    (found,) = found_by("L5", here)

    assert found.since is None
    assert "missing" not in found.message


def test_nodes_that_could_not_be_listed_are_not_missing() -> None:
    looked_at = scene(UNPLACED, inventory={"nodes": ["node-0"]}, unlisted=("Node",))

    (found,) = found_by("L5", looked_at)

    assert "missing" not in found.message


def crashing(
    name: str, reason: str = "Error", owner: tuple[str, str] = ("Deployment", "d"), **more: Any
) -> dict[str, Any]:
    last = {"terminated": {"reason": reason, "exitCode": 137}}
    status = {"containerStatuses": [waits("CrashLoopBackOff", lastState=last)], **more}
    return pod(f"x/{name}", said("Ready", "False", at=AT - 90), owner=owner, status=status)


@pytest.mark.parametrize(
    ("reason", "says", "clears"),
    [
        ("Error", "(container c, exit code 137)", "unknown"),
        ("Completed", "(container c, exit code 137)", "unknown"),
        ("OOMKilled", "(container c, OOMKilled)", "no"),
    ],
)
def test_crashing_pods_of_one_owner_are_counted(reason: str, says: str, clears: str) -> None:
    (found,) = found_by("L8", scene(crashing("p", reason), crashing("q", reason)))

    assert (found.subject, found.clears_itself, found.since) == ("deployment/x/d", clears, AT - 90)
    assert found.message == f"Deployment x/d crashes again and again in 2 pods {says}"
    assert dangers(found) == {"look", "reversible"}


def test_memory_is_the_cause_only_where_all_of_them_want_it() -> None:
    """A node that was short of it takes the first that it finds. Mutant: one is enough."""
    (found,) = found_by("L8", scene(crashing("p", "OOMKilled"), crashing("q", "Error")))

    assert found.clears_itself == "unknown"


def test_an_init_container_that_crashes_counts_and_nothing_is_made_up() -> None:
    status = {
        "initContainerStatuses": [waits("CrashLoopBackOff", name="i")],
        "containerStatuses": [],
    }

    (found,) = found_by("L8", scene(pod("x/p", owner=("StatefulSet", "s"), status=status)))

    assert found.subject == "statefulset/x/s"
    assert found.message.endswith("(container i)")


@pytest.mark.parametrize(
    "found",
    [
        pod("x/p", status={"containerStatuses": [waits("ContainerCreating")]}),
        pod("x/p", metadata=LEAVING, status={"containerStatuses": [waits("CrashLoopBackOff")]}),
    ],
)
def test_a_container_that_is_made_or_deleted_does_not_crash(found: dict[str, Any]) -> None:
    assert found_by("L8", scene(found)) == []


def test_only_a_pod_that_is_not_ready_says_since_when() -> None:
    moment = crashing("a")
    moment["status"]["conditions"] = [said("Ready", "True", at=AT - 500)]

    (found,) = found_by("L8", scene(moment, crashing("b")))

    assert found.since == AT - 90
    assert found_by("L8", scene(moment))[0].since is None


def labelled(name: str, kind: str, owner: str, template: str) -> dict[str, Any]:
    found = crashing(name, owner=(kind, owner))
    found["metadata"]["labels"] = {"pod-template-hash": template}
    return found


def test_static_pods_and_foreign_owners_are_named_as_they_are() -> None:
    looked_at = scene(
        crashing("a", owner=("Node", "n")),
        crashing("b", owner=("Thing", "t")),
        crashing("c", owner=("ReplicaSet", "r")),
        labelled("d", "ReplicaSet", "r-abc", "other"),
        labelled("e", "StatefulSet", "s-abc", "abc"),
        labelled("f", "ReplicaSet", "trailing-", ""),
    )

    subjects = {finding.subject for finding in found_by("L8", looked_at)}

    assert subjects == {
        "pod/x/a",
        "thing/x/t",
        "replicaset/x/r",
        "replicaset/x/r-abc",
        "statefulset/x/s-abc",
        "replicaset/x/trailing-",
    }


@pytest.mark.parametrize(
    ("kind", "replicas", "pods", "found"),
    [
        ("Deployment", 0, 2, 1),
        ("StatefulSet", 0, 2, 1),
        ("Deployment", 0, 0, 0),
        ("Deployment", 1, 2, 0),
        ("Deployment", None, 2, 0),
        ("DaemonSet", 0, 2, 0),
    ],
)
def test_zero_is_a_finding_only_where_some_should_run(
    kind: str, replicas: int | None, pods: int, found: int
) -> None:
    spec = {} if replicas is None else {"replicas": replicas}
    workload = made(kind, "x/w", spec=spec)
    inventory = {"workloads": [{"kind": kind, "key": "x/w", "pods": pods}]}

    findings = found_by("L17", scene(workload, inventory=inventory))

    assert [finding.subject for finding in findings] == [f"{kind.lower()}/x/w"] * found
    assert found_by("L17", scene(workload)) == []
    assert found_by("L17", scene(inventory=inventory)) == []


ZERO_BY = "helmrelease/x/w"
SYNCED = ("True", "ReconciliationSucceeded", "")


@pytest.mark.parametrize(
    ("maker", "owner", "clears"),
    [
        (hr("w", namespace="x", ready=SYNCED), ZERO_BY, "no"),
        (
            hr("w", namespace="x", ready=SYNCED, spec={"driftDetection": {"mode": "enabled"}}),
            ZERO_BY,
            "yes",
        ),
        (hr("w", namespace="x", ready=("Unknown", "Progressing", "")), ZERO_BY, "unknown"),
        (hr("w", namespace="x", ready=SYNCED, spec={"suspend": True}), ZERO_BY, "unknown"),
        (ks("w", ready=SYNCED), "kustomization/flux-system/w", "yes"),
        (ks("other", ready=SYNCED), "kustomization/flux-system/w", "unknown"),
        (ks("w", ready=SYNCED), "", "unknown"),
    ],
    ids=["Helm", "Helm that compares", "at work", "suspended", "Git", "not there", "nobody"],
)
def test_zero_ends_by_itself_where_its_maker_looks_at_it(
    maker: dict[str, Any], owner: str, clears: str
) -> None:
    """Mutants: call it unknown whoever brings it; trust a maker that is suspended, or at work."""
    workload = made("Deployment", "x/w", spec={"replicas": 0})
    item = {"kind": "Deployment", "key": "x/w", "pods": 1, "owner": owner}

    (found,) = found_by("L17", scene(workload, maker, inventory={"workloads": [item]}))

    assert found.clears_itself == clears


def test_zero_is_nobody_s_last_word_where_keda_is() -> None:
    """Mutants: look at what is there alone; at what is expected alone; take what was not listed for absent."""
    workload = made("Deployment", "x/w", spec={"replicas": 0})
    maker = hr("w", namespace="x", ready=SYNCED)
    item = {"kind": "Deployment", "key": "x/w", "pods": 1, "owner": ZERO_BY}
    listed, keda = {"workloads": [item]}, "scaledobjects.keda.sh"

    there = scene(workload, maker, made("CustomResourceDefinition", keda), inventory=listed)
    to_come = scene(workload, maker, inventory={**listed, "crds": [{"name": keda}]})
    unseen = scene(workload, maker, inventory=listed, unlisted=("CustomResourceDefinition",))

    for looked_at in (there, to_come, unseen):
        (found,) = found_by("L17", looked_at)
        assert found.clears_itself == "unknown"


def test_of_a_controller_of_flux_its_own_rule_speaks() -> None:
    """Mutant: say it twice."""
    off = made("Deployment", "flux-system/helm-controller", spec={"replicas": 0})
    item = {"kind": "Deployment", "key": "flux-system/helm-controller", "pods": 1}

    assert found_by("L17", scene(off, inventory={"workloads": [item]})) == []


@pytest.mark.parametrize(
    ("status", "message", "says"),
    [
        ("True", 'pods "x" is forbidden: exceeded quota: q', "the namespace's quota is used up"),
        ("True", 'pods "x" is forbidden: violates PodSecurity "restricted"', "pod security level"),
        ("True", "serviceaccount not found", "may make no pods: serviceaccount not found"),
        ("True", 'failed calling webhook "w": refused', ""),
        ("True", 'admission webhook "w" denied the request: no', ""),
        ("True", "unable to create new content in namespace x because it is being terminated", ""),
        ("False", "exceeded quota", ""),
    ],
)
def test_refused_pods_are_said_once(status: str, message: str, says: str) -> None:
    found = found_by(
        "L18",
        scene(made("Deployment", "x/d", said("ReplicaFailure", status, "FailedCreate", message))),
    )

    assert [says in finding.message for finding in found] == ([True] if says else [])
    assert all(finding.since == AT - 300 for finding in found)


def job(name: str, type_: str, at: float, cron: str = "", **metadata: Any) -> dict[str, Any]:
    owners = [{"kind": "CronJob", "name": cron}] if cron else []
    ended = said(type_, "True", "BackoffLimitExceeded", "it failed too often", at)
    return made("Job", name, ended, metadata={"ownerReferences": owners, **metadata})


@pytest.mark.parametrize(
    ("jobs", "found"),
    [
        ((job("x/a", "Failed", AT - 100),), ["job/x/a"]),
        ((job("x/a", "Failed", AT - 100), job("x/b", "Complete", AT - 50)), ["job/x/a"]),
        ((job("x/a", "Failed", AT - 100, "c"), job("x/b", "Complete", AT - 50, "c")), []),
        ((job("x/a", "Failed", AT - 50, "c"), job("x/b", "Complete", AT - 100, "c")), ["job/x/a"]),
        ((job("x/a", "Failed", AT - 100, "c"), job("y/b", "Complete", AT - 50, "c")), ["job/x/a"]),
        ((job("x/a", "Failed", AT - 100, **LEAVING),), []),
        ((job("x/a", "Complete", AT - 100),), []),
        ((made("Job", "x/a", said("Failed", "False")),), []),
        (
            (
                job("x/a", "Failed", AT - 100, ownerReferences=[{"kind": "Thing", "name": "c"}]),
                job("x/b", "Complete", AT - 50, ownerReferences=[{"kind": "Thing", "name": "c"}]),
            ),
            ["job/x/a"],
        ),
    ],
)
def test_a_failed_job_counts_until_its_cron_job_succeeds(
    jobs: tuple[dict[str, Any], ...], found: list[str]
) -> None:
    findings = found_by("L19", scene(*jobs))

    assert [finding.subject for finding in findings] == found
    assert all("has given up: BackoffLimitExceeded" in finding.message for finding in findings)


@pytest.mark.parametrize(
    ("given", "clears"),
    [
        (job("x/a", "Failed", AT - 100), "no"),
        (job("x/a", "Failed", AT - 100, "c"), "unknown"),
        (job("x/a", "Failed", AT - 100, annotations={"helm.sh/hook": "post-install"}), "unknown"),
        (job("x/a", "Failed", AT, labels={"helm.toolkit.fluxcd.io/name": "r"}), "unknown"),
        (job("x/a", "Failed", AT) | {"spec": {"ttlSecondsAfterFinished": 60}}, "unknown"),
        (job("x/a", "Failed", AT, labels={"app": "a"}), "no"),
    ],
)
def test_a_failed_job_that_somebody_makes_anew_may_pass(given: dict[str, Any], clears: str) -> None:
    """Mutants: any of the four is left out."""
    (found,) = found_by("L19", scene(given))

    assert found.clears_itself == clears


def test_a_failure_that_says_nothing_is_one_all_the_same() -> None:
    timeless = {"type": "Failed", "status": "True"}
    failed_once = made(
        "Job", "x/a", timeless, metadata={"ownerReferences": [{"kind": "CronJob", "name": "c"}]}
    )

    (found,) = found_by("L19", scene(failed_once, job("x/b", "Complete", AT - 50, "c")))

    assert found.message == "Job x/a has given up: no reason given"


def hanging(name: str, **more: Any) -> dict[str, Any]:
    given = {"metadata": LEAVING, "owner": ("StatefulSet", "s"), **more}
    return pod(f"x/{name}", spec={"nodeName": "n"}, **given)


@pytest.mark.parametrize(
    ("node", "clears", "says"),
    [
        ((), "yes", "the node is gone"),
        ((made("Node", "n", said("Ready", "Unknown")),), "unknown", "its kubelet does not answer"),
    ],
)
def test_pods_hang_on_a_node_that_is_lost(
    node: tuple[dict[str, Any], ...], clears: str, says: str
) -> None:
    leaving = made("Namespace", "x", metadata=LEAVING)

    others = hanging("c", owner=("Deployment", "d"))

    (found,) = found_by("L20", scene(*node, hanging("a"), others, leaving))

    assert (found.subject, found.clears_itself, found.since) == ("pods-on/n", clears, AT - 600)
    assert found.cause == ("node-gone" if clears == "yes" else "node-lost")
    assert found.message == f"2 pods on node n cannot be deleted: {says}"
    assert found.blocks == ("statefulset/x/s", "namespace/x")


@pytest.mark.parametrize(
    ("objects", "unlisted"),
    [
        ((made("Node", "n", said("Ready", "True")), hanging("a")), ()),
        ((made("Node", "n", said("Ready", "False")), hanging("a")), ()),
        ((made("Node", "n"), hanging("a")), ()),
        ((hanging("a"),), ("Node",)),
        ((hanging("a", metadata={"deletionTimestamp": "2027-01-15T07:59:30Z"}),), ()),
        ((hanging("a", metadata={}),), ()),
        ((pod("x/a", metadata=LEAVING),), ()),
    ],
)
def test_a_pod_whose_node_lives_or_is_not_seen_does_not_hang(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...]
) -> None:
    assert found_by("L20", scene(*objects, unlisted=unlisted)) == []


def test_a_ghost_hangs_without_being_deleted() -> None:
    ghost = hanging("a", metadata={}, status={"phase": "Unknown"})

    (found,) = found_by("L20", scene(ghost, made("Namespace", "x")))

    assert (found.blocks, found.since) == (("statefulset/x/s",), None)
