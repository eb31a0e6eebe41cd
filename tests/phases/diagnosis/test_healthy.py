"""What is well has no finding, and every rule says all that a rule has to say."""

from __future__ import annotations

import re
from typing import Any

import pytest

from phases.diagnosis.catalogue import RULES, diagnose
from phases.diagnosis.rule import Rule
from phases.pod_logs import LogLook
from phases.snapshot import ALL_KINDS, NodeLook
from tests.phases.diagnosis.scenes import endpoints, found_by, made, pod, recorded, said, scene

RECORDED = (
    ("Deployment", "deployment-100-ready"),
    ("Deployment", "deployment-applied-by-flux"),
    ("GitRepository", "gitrepository-ready"),
    ("HelmRelease", "helmrelease-good"),
    ("Kustomization", "kustomization-apps-true-reconciliationsucceeded"),
    ("Namespace", "namespace-active"),
    ("Node", "node-kwok"),
    ("Pod", "pod-ready-kwok"),
)
WRITTEN = (
    made(
        "CustomResourceDefinition",
        "widgets.example.com",
        said("NamesAccepted", "True", "NoConflicts"),
        said("Established", "True", "InitialNamesAccepted"),
        spec={"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}},
    ),
    made(
        "APIService",
        "v1beta1.metrics.k8s.io",
        said("Available", "True", "Passed"),
        spec={
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "service": {"name": "m", "namespace": "x"},
        },
    ),
    {
        **made("ValidatingWebhookConfiguration", "guard"),
        "webhooks": [
            {"name": "g.example.com", "clientConfig": {"service": {"namespace": "x", "name": "m"}}}
        ],
    },
    made("Service", "x/m"),
    endpoints("x/m", True),
    made(
        "Service",
        "x/lb",
        spec={"type": "LoadBalancer"},
        status={"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}},
    ),
    made(
        "Deployment",
        "kube-system/coredns",
        said("Available", "True"),
        spec={"replicas": 2},
        status={
            "replicas": 2,
            "readyReplicas": 2,
            "updatedReplicas": 2,
            "availableReplicas": 2,
        },
    ),
    *(
        made(
            "Deployment",
            f"flux-system/{name}-controller",
            said("Available", "True"),
            status={
                "replicas": 1,
                "readyReplicas": 1,
                "updatedReplicas": 1,
                "availableReplicas": 1,
            },
        )
        for name in ("helm", "kustomize", "source")
    ),
    made("DaemonSet", "kube-system/cilium", status={"numberReady": 1}),
    made("Job", "x/j", said("Complete", "True")),
    made("PersistentVolumeClaim", "x/c", spec={"volumeName": "pv"}, status={"phase": "Bound"}),
    made(
        "PersistentVolume",
        "pv",
        spec={"claimRef": {"namespace": "x", "name": "c", "uid": "uid-PersistentVolumeClaim-c"}},
        status={"phase": "Bound"},
    ),
    made(
        "PersistentVolumeClaim",
        "x/restored",
        spec={
            "volumeName": "pv-2",
            "dataSourceRef": {"kind": "ReplicationDestination", "name": "restored"},
        },
        status={"phase": "Bound"},
    ),
    made(
        "PersistentVolume",
        "pv-2",
        metadata={
            "annotations": {
                "pv.kubernetes.io/provisioned-by": "storage.rbd.csi.ceph.com",
                "volsync.backube/populated-from": "x/image-1",
            }
        },
        status={"phase": "Bound"},
    ),
    made(
        "ReplicationDestination",
        "x/restored",
        said("Synchronizing", "False", "WaitingForManual"),
        spec={"trigger": {"manual": "restore-once"}},
        status={
            "lastManualSync": "restore-once",
            "lastSyncTime": "2027-01-15T07:50:00Z",
            "latestImage": {"kind": "VolumeSnapshot", "name": "image-1"},
            "latestMoverStatus": {"result": "Successful", "logs": "restoring snapshot 1f3a"},
        },
    ),
    made(
        "ReplicationSource",
        "x/restored",
        said("Synchronizing", "False", "WaitingForSchedule"),
        spec={"sourcePVC": "restored", "trigger": {"schedule": "0 * * * *"}},
        status={"latestMoverStatus": {"result": "Successful"}},
    ),
    made(
        "CephCluster",
        "storage/ceph",
        said("Ready", "True", "ClusterCreated"),
        status={"phase": "Ready", "ceph": {"health": "HEALTH_OK"}},
    ),
    made("HelmChart", "f/c", said("Ready", "True")),
    made("HelmRepository", "f/r", said("Ready", "True")),
    made("OCIRepository", "f/o", said("Ready", "True")),
    made("ExternalSecret", "x/s", said("Ready", "True", "SecretSynced")),
    made("SecretStore", "x/s", said("Ready", "True", "Valid")),
    made("ClusterSecretStore", "s", said("Ready", "True", "Valid")),
    pod(
        "kube-system/cilium-1",
        said("Ready", "True"),
        owner=("DaemonSet", "cilium"),
        metadata={"labels": {"k8s-app": "cilium"}},
        spec={"nodeName": "node-0", "hostNetwork": True},
        status={"phase": "Running", "podIP": "10.0.0.1"},
    ),
    pod(
        "x/cloudflared-1",
        said("Ready", "True"),
        owner=("Deployment", "cloudflared"),
        status={"phase": "Running", "containerStatuses": [{"name": "app", "ready": True}]},
    ),
    pod(
        "storage/rook-ceph-osd-prepare-node-0-abcde",
        owner=("Job", "rook-ceph-osd-prepare-node-0"),
        status={"phase": "Succeeded", "containerStatuses": [{"name": "provision"}]},
    ),
)


def _same_revision(given: dict[str, Any]) -> dict[str, Any]:
    """The recordings are of different hours; a source that serves what was applied is part of being well."""
    if given["kind"] != "GitRepository":
        return given
    applied = recorded("kustomization-apps-true-reconciliationsucceeded")["status"]
    artifact = {**given["status"]["artifact"], "revision": applied["lastAppliedRevision"]}
    return {**given, "status": {**given["status"], "artifact": artifact}}


OBJECTS: tuple[dict[str, Any], ...] = (
    *(_same_revision({**recorded(name), "kind": kind}) for kind, name in RECORDED),
    *WRITTEN,
)
INVENTORY = {
    "nodes": ["node-0"],
    "namespaces": ["plain"],
    "kustomizations": [{"key": "flux-system/apps"}],
    "helmreleases": [{"key": "flux-system/good", "parent": "flux-system/apps"}],
    "externalsecrets": [{"key": "x/s", "parent": "flux-system/apps"}],
    "crds": [{"name": "widgets.example.com", "provider": "helmrelease/flux-system/good"}],
    "workloads": [{"kind": "Deployment", "key": "kube-system/coredns", "pods": 2}],
}
LOGS = {
    "x/cloudflared-1": LogLook("uid-Pod-cloudflared-1"),
    "storage/rook-ceph-osd-prepare-node-0-abcde": LogLook(
        "uid-Pod-rook-ceph-osd-prepare-node-0-abcde"
    ),
}
LOOK = NodeLook(stage="running", ready=True, etcd="Running", etcd_healthy=True, members=("node-0",))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize("inventory", [None, INVENTORY], ids=["bare", "inventory"])
def test_what_is_well_has_no_finding(rule: Rule, inventory: dict[str, Any] | None) -> None:
    looked_at = scene(*OBJECTS, inventory=inventory, nodes={"node-0": LOOK}, logs=LOGS)

    assert found_by(rule.id, looked_at) == []


@pytest.mark.parametrize("unlisted", [tuple(ALL_KINDS), ("Namespace",), ("Pod", "Node"), ()])
def test_nothing_seen_is_nothing_known(unlisted: tuple[str, ...]) -> None:
    assert diagnose(scene(unlisted=unlisted)) == {}


def test_a_rule_is_known_by_one_id_of_the_catalogue_and_cites_its_source() -> None:
    ids = [rule.id for rule in RULES]

    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"(N|C|AP|WH|F|K|S|H|E|T|L|X)\d+", name) for name in ids)
    assert all(rule.source and rule.title for rule in RULES)
