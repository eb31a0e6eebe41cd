"""
What is not well of nodes, workloads, pods and claims, where no rule says why: X5, and of certificates X1.

Mutants, killed here: count from an object's creation, or a pod from before its node came back; say it at once; say of
what starts, rolls out, has ended, or is to go; say a pod beside its node, its claim, its workload or the finding of
another rule; put what never clears behind what may; ask nobody whether pods were seen.
"""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.structure import blocking
from phases.snapshot import NodeLook
from rekindle.diagnosed import CRITICAL, HEALTHY, of_scene
from tests.phases.diagnosis.flux_objects import deployment as controller
from tests.phases.diagnosis.flux_objects import hr, ks
from tests.phases.diagnosis.scenes import (
    AT,
    dangers,
    found_by,
    made,
    pod,
    rules_of,
    said,
    scene,
    stamp,
    waits,
)

TWO_HOURS = AT - 7200.0
UNREADY = "containers with unready status: [c]"
OVER = (
    "False",
    "ProgressDeadlineExceeded",
    'ReplicaSet "web-5b88cdbdcd" has timed out progressing.',
)
YOUNG = {"creationTimestamp": stamp(AT - 300)}
ASKED = {"annotations": {"volume.kubernetes.io/storage-provisioner": "local.example.com"}}
CONTROLLERS = tuple(
    controller(f"{name}-controller", image=f"x/{name}-controller:v1.9.1")
    for name in ("helm", "kustomize", "source")
)


def node(name: str = "a", *ready: Any, at: float = TWO_HOURS, **more: Any) -> dict[str, Any]:
    status, reason, text = ready or ("True", "KubeletReady", "")
    return made("Node", name, said("Ready", status, reason, text, at), **more)


LOST = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
BASE = (node(), node("b"), made("Namespace", "apps", status={"phase": "Active"}), *CONTROLLERS)


def web(ready: int = 0, pods: int = 1, *more: Any, **fields: Any) -> dict[str, Any]:
    """A Deployment that has been so for two hours."""
    able = "True" if ready else "False"
    lacks = said("Available", able, "MinimumReplicasUnavailable", "it lacks pods", TWO_HOURS)
    counts = dict.fromkeys(("readyReplicas", "availableReplicas"), ready)
    status = {"replicas": pods, "updatedReplicas": pods, **counts}
    spec = {"replicas": 1, **fields.pop("spec", {})}
    return made("Deployment", "apps/web", lacks, *more, spec=spec, status=status, **fields)


def late(at: float = TWO_HOURS) -> dict[str, Any]:
    return web(0, 1, said("Progressing", *OVER, at))


def one(*containers: Any, at: float = TWO_HOURS, **more: Any) -> dict[str, Any]:
    """A pod of it that is not ready since then, on node a."""
    status = {"phase": "Pending" if containers else "Running", **more.pop("status", {})}
    return pod(
        more.pop("name", "apps/web-1"),
        said("Ready", more.pop("ready", "False"), "ContainersNotReady", UNREADY, at),
        said("PodScheduled", "True"),
        owner=more.pop("owner", ("Deployment", "web")),
        spec={"nodeName": more.pop("on", "a"), **more.pop("spec", {})},
        status={"containerStatuses": list(containers), **status},
        **more,
    )


def work(kind: str, name: str, ready: int, wanted: int, **more: Any) -> dict[str, Any]:
    status = {
        "observedGeneration": 1,
        "replicas": ready,
        "readyReplicas": ready,
        "numberReady": ready,
        "desiredNumberScheduled": wanted,
        **more.pop("status", {}),
    }
    metadata = {"generation": 1, **more.pop("metadata", {})}
    return made(kind, name, spec={"replicas": wanted}, status=status, metadata=metadata)


def claim(phase: str = "Pending", **more: Any) -> dict[str, Any]:
    spec = {"storageClassName": "local", **more.pop("spec", {})}
    return made("PersistentVolumeClaim", "apps/data", spec=spec, status={"phase": phase}, **more)


def cause(*objects: Any, **more: Any) -> Any:
    """The one thing that is said of a cluster that is well otherwise; it is critical."""
    looked_at = scene(*BASE, *objects, **more)
    (found,) = found_by("X5", looked_at)
    assert rules_of(looked_at) == ["X5"]
    assert of_scene(looked_at).verdict == CRITICAL
    assert (found.cause, found.clears_itself) == ("unexplained", "unknown")
    return found


def is_well(*objects: Any) -> None:
    looked_at = scene(*BASE, *objects)
    assert found_by("X5", looked_at) == []
    assert of_scene(looked_at).verdict == HEALTHY


def test_a_pod_whose_probe_fails_is_said_with_its_workload() -> None:
    """Its Kustomization is Ready (wait: false), and nobody else looks."""
    found = cause(late(), one())

    assert found.subject == "deployment/apps/web"
    assert found.message == (
        "Deployment apps/web has 1 pod not ready, and no rule knows why: "
        f"it runs and is not Ready (ContainersNotReady: {UNREADY})"
    )
    assert found.since == TWO_HOURS
    assert found.evidence == ("Pod/apps/web-1 .status.conditions[Ready]",)


@pytest.mark.parametrize(
    "well",
    [
        (web(1), one(ready="True")),
        (web(), one(at=AT - 599)),  # its Deployment lacked pods before, and this one begins
        (web(1), one(owner=("Job", "j"), status={"phase": "Succeeded"})),
        (web(1), one(owner=("Job", "j"), status={"phase": "Failed"})),
        (web(1), one(status={"phase": "Failed", "reason": "Evicted"})),  # beside its successor
        (web(spec={"progressDeadlineSeconds": 9000}), one()),  # so long it may take
        (node("c", at=AT - 500), web(), one(on="c")),  # its node came back, and it begins anew
        (web(1), one(metadata={"deletionTimestamp": stamp(AT - 599)})),
        (web(), one(on="gone")),  # the garbage collector's
    ],
)
def test_a_pod_that_is_ready_begins_has_ended_or_goes_is_not_named(well: tuple[Any, ...]) -> None:
    is_well(*well)


def test_what_takes_longer_than_its_deployment_allows_is_named() -> None:
    """As is a pod that should be gone, after its grace and more."""
    assert cause(web(spec={"progressDeadlineSeconds": 7000}), one()).since == TWO_HOURS
    stays = one(
        metadata={"deletionTimestamp": stamp(TWO_HOURS), "finalizers": ["example.com/keep"]}
    )
    assert cause(web(1), stays).message.endswith("its deletion does not end (example.com/keep)")
    assert cause(web(), one(), node("a", at=AT - 601)).since == TWO_HOURS


FAILURES = (
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerError",
    "RunContainerError",
    "PostStartHookError",
    "ImageInspectError",
    "SignatureValidationFailed",
)


@pytest.mark.parametrize("reason", FAILURES)
def test_a_container_that_fails_to_start_is_said_in_its_own_words(reason: str) -> None:
    """After a minute: it is no beginning."""
    found = cause(late(), one(waits(reason, "so it is"), at=AT - 61))

    assert found.message.endswith(f"container c waits: {reason}: so it is")
    assert found.evidence == ("Pod/apps/web-1 .status.containerStatuses[c].state",)
    is_well(web(1, 2), one(waits(reason, "so it is"), at=AT - 59))
    both = one(waits("PodInitializing"), waits(reason, "so it is", name="d"))
    assert cause(late(), both).message.endswith(f"container d waits: {reason}: so it is")


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing"])
def test_a_container_that_is_made_for_hours_is_said(reason: str) -> None:
    found = cause(late(), one(waits(reason)))

    assert found.message.endswith(f"container c waits: {reason}")
    is_well(web(1, 2), one(waits(reason), at=AT - 599))


def test_a_pod_that_nobody_takes_up_is_said_without_an_instant() -> None:
    """Nothing but its age tells, and that may only withhold."""
    alone = pod("apps/x", status={"phase": "Pending"})
    found = cause(alone)

    assert (found.subject, found.since) == ("pod/apps/x", None)
    assert found.message.endswith("no scheduler has taken it up")
    is_well(pod("apps/x", status={"phase": "Pending"}, metadata=YOUNG))


def test_whom_a_health_check_waits_for_is_said_before_it_has_failed() -> None:
    """Fifty minutes into a check that may take an hour."""
    checks = "Running health checks for revision main@sha1:1 with a timeout of 59m30s"
    big = ks(
        "big",
        ready=("Unknown", "Progressing", "Reconciliation in progress"),
        reconciling=("True", "Progressing", checks),
        since=AT - 3000,
    )
    labels = {
        "kustomize.toolkit.fluxcd.io/name": "big",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }
    begun = {"labels": labels}

    held = {**late(), "metadata": {**late()["metadata"], "labels": labels}}
    assert cause(big, held, one()).blocks == ("kustomization/flux-system/big",)
    is_well(big, web(metadata=begun), one(at=AT - 400))


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_a_workload_that_lacks_pods_and_has_none_is_said(kind: str) -> None:
    """Who refuses them says so in events alone."""
    found = cause(work(kind, "apps/db", 0, 3))

    assert found.message == f"{kind} apps/db is not ready, and no rule knows why: 0 of 3 pods ready"
    assert found.evidence == (f"{kind}/apps/db .status",)
    assert found.since is None


def _of_db(at: float, **more: Any) -> dict[str, Any]:
    return one(name="apps/db-0", owner=("StatefulSet", "db"), ready="True", at=at, **more)


@pytest.mark.parametrize(
    "begins",
    [
        (work("StatefulSet", "apps/db", 0, 3, metadata=YOUNG),),
        (work("StatefulSet", "apps/db", 0, 3, metadata={"generation": 2}),),
        (work("StatefulSet", "apps/db", 1, 3), _of_db(AT - 599)),
        (work("StatefulSet", "apps/db", 0, 1), _of_db(AT - 599, metadata={"deletionTimestamp": stamp(AT)})),
        (work("StatefulSet", "apps/db", 3, 3),),
        (work("DaemonSet", "apps/db", 0, 0),),
        (work("DaemonSet", "apps/db", 3, 3, status={"updatedNumberScheduled": 1}),),
        (web(1, 2, said("Progressing", "Unknown", "DeploymentPaused", "", TWO_HOURS)),),
    ],
)  # fmt: skip
def test_a_workload_that_begins_rolls_out_or_rests_is_not_named(begins: tuple[Any, ...]) -> None:
    is_well(*begins)


def test_a_daemonset_owes_a_pod_to_a_node_that_joins_and_has_a_while() -> None:
    """Mutant: count from its own pods alone; every new node is an alarm."""
    lacks = work("DaemonSet", "apps/db", 2, 3)

    is_well(lacks, node("c", at=AT - 30))
    found = cause(lacks, node("c", at=AT - 700))

    assert found.subject == "daemonset/apps/db"


INITIALISES = {
    "name": "restore",
    "state": {"running": {"startedAt": stamp(TWO_HOURS)}},
}


def test_who_restores_or_migrates_before_it_begins_takes_its_time() -> None:
    """Mutants: any init container that waits counts as one that runs; a failure beside it is hidden."""
    waits = {"name": "web", "state": {"waiting": {"reason": "PodInitializing"}}}

    def pod_of(init: dict[str, Any], *containers: dict[str, Any]) -> dict[str, Any]:
        found = one(*containers, status={"initContainerStatuses": [init]})
        found["status"]["conditions"].append({"type": "Initialized", "status": "False"})
        return found

    is_well(web(), pod_of(INITIALISES, waits))
    stays = {"name": "restore", "state": {"waiting": {"reason": "ContainerCreating"}}}
    assert cause(web(), pod_of(stays, waits)).subject == "deployment/apps/web"
    failed = {"name": "web", "state": {"waiting": {"reason": "InvalidImageName"}}}
    assert cause(web(), pod_of(INITIALISES, failed)).subject == "deployment/apps/web"


def test_who_is_held_back_on_purpose_is_not_named() -> None:
    """Mutant: take a gate for a pod that finds no node."""
    for reason, named in (("SchedulingGated", False), ("SchedulerError", True)):
        held = pod(
            "apps/web-1",
            said("PodScheduled", "False", reason, "", TWO_HOURS),
            owner=("Deployment", "web"),
        )
        looked_at = scene(*BASE, web(), held)
        assert bool([f for f in diagnose(looked_at) if "web" in f]) is named


def test_the_last_pod_that_became_ready_tells_since_when_a_workload_lacks_some() -> None:
    found = cause(work("StatefulSet", "apps/db", 1, 3), _of_db(AT - 700))

    assert found.since == AT - 700
    unlisted = scene(*BASE, work("StatefulSet", "apps/db", 0, 3), unlisted=("Pod",))
    assert found_by("X5", unlisted) == []


def test_a_deployment_without_pods_says_so_itself() -> None:
    """Over its deadline for a minute, or unavailable for as long as a rollout may take."""
    found = cause(late(AT - 61))

    assert found.message.endswith(f"{OVER[1]}: {OVER[2]}")
    assert found.evidence == ("Deployment/apps/web .status.conditions[Progressing]",)
    assert cause(web()).since == TWO_HOURS
    is_well(late(AT - 59))
    is_well(web(spec={"progressDeadlineSeconds": 9000}))
    is_well(web(metadata={"deletionTimestamp": stamp(AT - 5)}))


def test_a_node_that_is_not_ready_is_said_before_what_ran_there() -> None:
    """With the pods there that nobody has made anew elsewhere, and those that find no other place."""
    taint = "0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }."
    homeless = pod(
        "apps/far",
        said("PodScheduled", "False", "Unschedulable", taint),
        owner=("StatefulSet", "far"),
    )
    looked_at = scene(*BASE, node("c", *LOST), web(), one(on="c"), homeless)
    (found,) = found_by("X5", looked_at)

    assert found.subject == "k8s-node/c"
    assert found.message == (
        f"Node c is not ready, and no rule knows why: NodeStatusUnknown: {LOST[2]}"
    )
    assert (found.since, found.clears_itself) == (TWO_HOURS, "unknown")
    assert found.blocks == ("deployment/apps/web", "statefulset/apps/far")
    assert dangers(found) == {"look", "reversible", "never"}
    assert [root.id for root in of_scene(looked_at).roots] == ["X5:k8s-node/c"]


@pytest.mark.parametrize(
    "well",
    [
        (node("c", *LOST, at=AT - 59),),
        (node("c", *LOST, at=AT - 59), web(), one(on="c")),
        (node("c", *LOST, metadata={"deletionTimestamp": stamp(AT)}),),
        (made("Node", "c", metadata={"creationTimestamp": stamp(AT - 599)}),),
    ],
)
def test_a_node_that_restarts_goes_or_has_just_registered_is_not_named(well: Any) -> None:
    is_well(*well)


def test_a_node_that_never_said_how_it_is_is_named_once_it_is_not_young() -> None:
    assert cause(made("Node", "c")).message.endswith("its kubelet has never said how it is")


def test_who_cordons_a_node_may_restart_it_for_longer() -> None:
    """X3 says that no pod may start there, and nothing of those that run."""

    def rules(at: float, *ready: str) -> list[str]:
        cordoned = node("c", *ready, at=at, spec={"unschedulable": True})
        return rules_of(scene(*BASE, cordoned))

    assert rules(AT - 599, *LOST) == ["X3"]
    assert rules(AT - 601, *LOST) == ["X3", "X5"]
    assert rules(AT - 601) == ["X3"]


def test_nodes_that_were_lost_together_are_said_once() -> None:
    lost = (node("a", *LOST), node("b", *LOST), BASE[2], *CONTROLLERS)

    assert rules_of(scene(*lost, web(), one())) == ["T17"]


def test_what_hangs_on_a_node_is_behind_it_and_who_has_a_new_pod_is_not() -> None:
    """L20 says what can be done about the pods; it is no cause beside the node."""
    going = one(on="c", metadata={"deletionTimestamp": stamp(AT - 100)})
    looked_at = scene(*BASE, node("c", *LOST), web(1), going)
    (found,) = found_by("X5", looked_at)

    assert rules_of(looked_at) == ["L20", "X5"]
    assert found.blocks == ("pods-on/c",)
    assert [root.id for root in of_scene(looked_at).roots] == ["X5:k8s-node/c"]


def test_a_node_whose_machine_a_rule_speaks_of_is_not_said_again() -> None:
    looked_at = scene(*BASE, node("c", *LOST), nodes={"c": NodeLook(stage="foreign")})

    assert rules_of(looked_at) == ["T3"]


def test_a_pod_that_replaces_itself_and_failed_is_said() -> None:
    """Of a ReplicaSet's or a Job's, and one of nobody's, its end is its answer."""
    ended = {"phase": "Failed", "reason": "Evicted"}
    found = cause(pod("apps/x", status=ended, owner=("StatefulSet", "x")))

    assert found.subject == "statefulset/apps/x"
    assert found.message.endswith("its pod failed: Evicted")
    is_well(pod("apps/x", status=ended, owner=("Job", "x")))
    is_well(pod("apps/x", status=ended))
    just_now = {"creationTimestamp": stamp(AT - 59)}
    is_well(pod("apps/x", status=ended, owner=("StatefulSet", "x"), metadata=just_now))


USES = {"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}


def test_a_claim_that_lost_its_volume_is_said_before_who_uses_it() -> None:
    found = cause(claim("Lost", spec={"volumeName": "pv1"}), late(), one(spec=USES))

    assert found.subject == "persistentvolumeclaim/apps/data"
    assert found.message.endswith("it is Lost: its volume pv1 is gone")
    assert found.blocks == ("deployment/apps/web",)
    assert dangers(found) == {"look", "reversible"}
    is_well(claim("Bound", spec={"volumeName": "pv1"}))
    is_well(claim("Lost", metadata={"deletionTimestamp": stamp(AT)}))


def test_a_claim_for_which_no_volume_comes_is_said_where_somebody_waits() -> None:
    """Of one that asked nobody and that no pod uses, nobody can say that it does not wait for its first."""
    assert cause(claim(metadata=ASKED)).message.endswith("no volume has come for it")
    assert cause(claim(), late(), one(spec=USES)).blocks == ("deployment/apps/web",)
    is_well(claim())
    is_well(claim(metadata={**ASKED, **YOUNG}))


def test_a_claim_whose_pod_finds_no_node_has_been_said() -> None:
    unbound = "pod has unbound immediate PersistentVolumeClaims"
    waiting = said("PodScheduled", "False", "Unschedulable", unbound)
    user = pod("apps/web-1", waiting, owner=("Deployment", "web"), spec=USES)

    assert rules_of(scene(*BASE, claim(), web(), user)) == ["L5"]


def test_a_claim_that_a_rule_speaks_of_is_not_said_again_but_one_that_lost_its_volume_is() -> None:
    """Whatever else ails its user."""
    former = {"namespace": "apps", "name": "data", "uid": "another"}
    released = made(
        "PersistentVolume", "pv", spec={"claimRef": former}, status={"phase": "Released"}
    )
    taken = claim(spec={"volumeName": "pv"}, metadata=ASKED)
    crash = one(waits("CrashLoopBackOff", "back-off"), spec=USES)

    assert rules_of(scene(*BASE, released, taken)) == ["L12"]
    assert rules_of(scene(*BASE, claim("Lost"), late(), crash)) == ["L8", "X5"]


def test_ceph_in_error_is_said_where_nobody_waits_for_it() -> None:
    def ceph(health: str, **more: Any) -> dict[str, Any]:
        return made("CephCluster", "rook/ceph", status={"ceph": {"health": health, **more}})

    assert cause(ceph("HEALTH_ERR")).subject == "cephcluster/rook/ceph"
    assert cause(ceph("HEALTH_ERR", lastChanged=stamp(AT - 61))).since == AT - 61
    is_well(ceph("HEALTH_ERR", lastChanged=stamp(AT - 59)))
    is_well(ceph("HEALTH_WARN"))
    text = "timeout waiting for: [CephCluster/rook/ceph status: 'InProgress']"
    waiting = ks("k", ready=("False", "HealthCheckFailed", text))
    assert rules_of(scene(*BASE, ceph("HEALTH_ERR"), waiting)) == ["K13"]


def test_a_certificate_that_is_not_ready_is_said_in_its_controllers_words() -> None:
    """X1's, and an authority may take its time; of a SecretStore E1 speaks, whatever it says."""

    def rules(kind: str, at: float, status: str = "False") -> list[str]:
        odd = said("Ready", status, "Odd", "nobody ever saw this message", at)
        looked_at = scene(*BASE, made(kind, "apps/c", odd))
        assert len(found_by("X1", looked_at)) == (rules_of(looked_at) == ["X1"])
        return rules_of(looked_at)

    assert rules("Certificate", AT - 601) == ["X1"]
    assert rules("Certificate", AT - 599) == []
    assert rules("Certificate", AT - 601, "True") == []
    assert rules("SecretStore", AT - 61) == ["E1"]


def test_what_another_rule_explains_is_not_said_again() -> None:
    """A pod of it crashes, its namespace goes, its image is not pulled: and its sister only lacks what these lack."""
    crash = one(waits("CrashLoopBackOff", "back-off"))
    gone = made("Namespace", "apps", metadata={"deletionTimestamp": stamp(AT - 5)})
    nodes = (node(), node("b"), *CONTROLLERS)

    assert rules_of(scene(*BASE, late(), crash, one(name="apps/web-2"))) == ["L8"]
    assert rules_of(scene(*BASE, late(), one(waits("ImagePullBackOff", "x")))) == ["L7"]
    assert found_by("X5", scene(*nodes, gone, late(), one())) == []
    going = one(metadata={"deletionTimestamp": stamp(TWO_HOURS)})
    assert found_by("X5", scene(*nodes, gone, web(1), going)) == []
    assert found_by("X5", scene(*nodes, gone, work("StatefulSet", "apps/db", 0, 3))) == []


IN_VAIN = "timeout waiting for: [Deployment/apps/web status: 'Failed']"
CLAIMED = "PersistentVolumeClaim/apps/data"
GIVEN_UP = ("False", "InstallFailed", IN_VAIN)
STALLED = ("True", "RetriesExceeded", "terminal error")


def test_what_waited_for_it_in_vain_is_behind_it_but_not_what_never_clears() -> None:
    """A release that has given up ends the wait of a run, and has named what it gave up for."""
    again = scene(*BASE, late(), one(), ks("k", ready=("False", "HealthCheckFailed", IN_VAIN)))
    over = scene(*BASE, late(), one(), hr("r", ready=GIVEN_UP, stalled=STALLED))

    assert [root.id for root in roots_of(diagnose(again), blocking(again))] == [
        "X5:deployment/apps/web"
    ]
    assert rules_of(over) == ["H1"]
    of_claim = hr(
        "r", ready=(*GIVEN_UP[:2], IN_VAIN.replace("Deployment/apps/web", CLAIMED)), stalled=STALLED
    )
    assert rules_of(scene(*BASE, claim("Lost"), of_claim)) == ["H1"]


def test_neither_a_node_nor_a_claim_goes_before_what_never_clears() -> None:
    """A release has given up for what they hold up."""
    over = (web(), hr("r", ready=GIVEN_UP, stalled=STALLED))
    (lost,) = found_by("X5", scene(*BASE, *over, node("c", *LOST), one(on="c")))
    (volume,) = found_by("X5", scene(*BASE, *over, claim("Lost"), one(spec=USES)))

    assert (lost.subject, lost.blocks) == ("k8s-node/c", ())
    assert (volume.subject, volume.blocks) == ("persistentvolumeclaim/apps/data", ())
