"""
Objects as controllers and kubelets leave them, and the words that differ from one object to the next.

The words have the same length in all objects of a kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

PODS_OF_ONE, DEPLOYMENTS_OF_ONE, PODS_A_NODE = 20, 40, 100
STARTED = "2026-01-05T07:12:31Z"
MOVED = timedelta(seconds=7)  # from one pod's start to the next one's
HASH = "7c9d8f6b54"
Body = dict[str, Any]
Words = dict[str, str]


def all_deployments(pods: int) -> Iterator[tuple[str, str]]:
    """Return namespace and name of each Deployment of so many pods."""
    for number in range(pods // PODS_OF_ONE):
        words = shared_words(number)
        yield words["space"], words["name"]


def _digest(*words: object) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()


def _uid(*words: object) -> str:
    found = _digest(*words)
    return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:32]))


def stored_instant(text: str, moved: int = 0) -> str:
    """Write an instant as protobuf has it in bytes: the tag of the seconds, and the seconds."""
    at = int((datetime.fromisoformat(text).astimezone(UTC) + moved * MOVED).timestamp())
    varint = bytes((at >> shift & 0x7F) | (0x80 if shift < 28 else 0) for shift in range(0, 35, 7))
    return (b"\x08" + varint).decode("latin-1")


def shared_words(deployment: int) -> Words:
    """Return what is a Deployment's own, and goes into all that belongs to it."""
    return {
        "space": f"team-{deployment // DEPLOYMENTS_OF_ONE:03}",
        "name": f"service-{deployment:05}",
        "addresses": f"10.{100 + deployment // 100}.{100 + deployment % 100}.",
        "replicas": _uid("replicas", deployment),
        "digest": _digest("image", deployment),
        "uid": _uid("deployment", deployment),
    }


def pod_words(number: int) -> Words:
    """Return what is a pod's own, and its Deployment's."""
    words = shared_words(number // PODS_OF_ONE)
    return {
        "address": f"{words['addresses']}{100 + number % PODS_OF_ONE}",
        **words,
        "pod": f"-{HASH}-{number % PODS_OF_ONE:05}",
        "node": f"worker-{number // PODS_A_NODE:04}",
        "container": _digest("container", number),
        "created": stored_instant(STARTED, -1 - number),
        "started": stored_instant(STARTED, number),
        "uid": _uid("pod", number),
    }


def space_words(number: int) -> Words:
    """Return what is a namespace's own."""
    return {"space": f"team-{number:03}", "uid": _uid("namespace", number)}


def node_words(number: int) -> Words:
    """Return what is a node's own."""
    return {
        "node": f"worker-{number:04}",
        "machine": _uid("machine", number),
        "boot": _uid("boot", number),
        "uid": _uid("node", number),
    }


def _labels(name: str) -> Body:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": name}


def _all_labels(name: str) -> Body:
    more = {"app.kubernetes.io/version": "2.14.3", "app.kubernetes.io/managed-by": "Helm"}
    return {**_labels(name), **more, "helm.sh/chart": f"{name}-4.2.1", "team": "platform"}


def _containers(name: str) -> list[Body]:
    image = f"registry.example.com/platform/{name}:2.14.3"
    probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10}
    environment: list[Body] = [
        {"name": f"{key}_ADDRESS", "value": f"{key.lower()}.{name}.svc.cluster.local:8443"}
        for key in ("CACHE", "QUEUE", "DATABASE", "TRACING")
    ]
    environment.append(
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    )
    secret = {"name": f"{name}-credentials", "key": "password"}
    environment.append({"name": "PASSWORD", "valueFrom": {"secretKeyRef": secret}})
    return [
        {
            "name": "server",
            "image": image,
            "args": ["serve", "--listen=:8080", "--log-format=json", f"--service={name}"],
            "ports": [{"name": "http", "containerPort": 8080}],
            "env": environment,
            "resources": {
                "requests": {"cpu": "100m", "memory": "256Mi"},
                "limits": {"memory": "512Mi"},
            },
            "livenessProbe": probe,
            "readinessProbe": probe,
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [
                {"name": "config", "mountPath": "/etc/service", "readOnly": True},
                {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  a container's
            ],
        }
    ]


def _pod_spec(name: str) -> Body:
    terms = [{"podAffinityTerm": {"topologyKey": "kubernetes.io/hostname"}, "weight": 50}]
    terms[0]["podAffinityTerm"] = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": _labels(name)},
    }
    return {
        "containers": _containers(name),
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}},
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "fsGroup": 65532},
        "volumes": [
            {"name": "config", "configMap": {"name": f"{name}-config"}},
            {"name": "scratch", "emptyDir": {}},
        ],
    }


def a_pod(number: int, *, crashing: bool) -> Body:
    """A pod that runs, or one that does not get far."""
    words = pod_words(number)
    name = words["name"]
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": f"{name}-{HASH}",
        "uid": words["replicas"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "metadata": {
            "name": f"{name}{words['pod']}",
            "generateName": f"{name}-{HASH}-",
            "labels": {**_all_labels(name), "pod-template-hash": HASH},
            "annotations": {"checksum/config": words["digest"]},
            "ownerReferences": [owner],
        },
        "spec": {**_pod_spec(name), "nodeName": f"{words['node']}.example.internal"},
        "status": _pod_status(words, crashing=crashing),
    }


def _condition(kind: str, status: str, **more: str) -> Body:
    return {"type": kind, "status": status, "lastTransitionTime": STARTED, **more}


def _pod_status(words: Words, *, crashing: bool) -> Body:
    image = f"registry.example.com/platform/{words['name']}"
    why: dict[str, str] = {}
    if crashing:
        said = "containers with unready status: [server]"
        why = {"reason": "ContainersNotReady", "message": said}
    ready = str(not crashing)
    return {
        "phase": "Running",
        "conditions": [
            _condition("PodReadyToStartContainers", "True"),
            _condition("Initialized", "True"),
            _condition("Ready", ready, **why),
            _condition("ContainersReady", ready, **why),
            _condition("PodScheduled", "True"),
        ],
        "containerStatuses": [
            {
                "name": "server",
                "image": f"{image}:2.14.3",
                "imageID": f"{image}@sha256:{words['digest']}",
                "containerID": f"containerd://{words['container']}",
                "ready": not crashing,
                "started": not crashing,
                **_container_state(crashing=crashing),
            }
        ],
        "hostIP": "172.30.0.10",
        "hostIPs": [{"ip": "172.30.0.10"}],
        "podIP": words["address"],
        "podIPs": [{"ip": words["address"]}],
        "qosClass": "Burstable",
        "startTime": STARTED,
    }


def _container_state(*, crashing: bool) -> Body:
    if not crashing:
        return {"restartCount": 0, "state": {"running": {"startedAt": STARTED}}, "lastState": {}}
    message = "back-off 5m0s restarting failed container=server"
    ended = {"exitCode": 1, "reason": "Error", "startedAt": STARTED, "finishedAt": STARTED}
    return {
        "restartCount": 17,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": message}},
        "lastState": {"terminated": ended},
    }


def a_deployment() -> Body:
    """The first Deployment, with its status."""
    name = shared_words(0)["name"]
    counts = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
    return {
        "metadata": {"name": name, "labels": _all_labels(name)},
        "spec": {
            "replicas": PODS_OF_ONE,
            "selector": {"matchLabels": _labels(name)},
            "template": {"metadata": {"labels": _all_labels(name)}, "spec": _pod_spec(name)},
        },
        "status": {
            "observedGeneration": 1,
            **dict.fromkeys(counts, PODS_OF_ONE),
            "conditions": [
                _condition("Available", "True", reason="MinimumReplicasAvailable"),
                _condition("Progressing", "True", reason="NewReplicaSetAvailable"),
            ],
        },
    }


def a_service() -> Body:
    """Its Service."""
    name = shared_words(0)["name"]
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    # Headless: addresses that the server did not give out itself it would try to repair, for ever.
    spec = {"selector": _labels(name), "ports": ports, "clusterIP": "None"}
    return {"metadata": {"name": name}, "spec": spec}


def a_slice() -> Body:
    """Its EndpointSlice."""
    words = shared_words(0)
    name, space = words["name"], words["space"]
    endpoints = [
        {
            "addresses": [f"{words['addresses']}{100 + number}"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": f"worker-{number:04}.example.internal",
            "targetRef": {"kind": "Pod", "name": f"{name}-{HASH}-{number:05}", "namespace": space},
        }
        for number in range(PODS_OF_ONE)
    ]
    return {
        "metadata": {"name": f"{name}-x7k2p", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": endpoints,
    }


def a_node() -> Body:
    """The first node."""
    words = node_words(0)
    pressures = ("MemoryPressure", "DiskPressure", "PIDPressure")
    return {
        "metadata": {"name": f"{words['node']}.example.internal"},
        "status": {
            "conditions": [
                *(_condition(kind, "False", reason="KubeletHasSufficient") for kind in pressures),
                _condition("Ready", "True", reason="KubeletReady"),
            ],
            "capacity": {"cpu": "16", "memory": "64Gi", "pods": "110"},
            "nodeInfo": {
                "machineID": words["machine"],
                "systemUUID": words["machine"],
                "bootID": words["boot"],
                "kernelVersion": "6.12.0-talos",
                "osImage": "Talos (v1.12.0)",
                "containerRuntimeVersion": "containerd://2.1.4",
                "kubeletVersion": "v1.36.3",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        },
    }
