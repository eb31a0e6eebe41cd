"""A small cluster that is healthy, as the API shows it; a test breaks one thing of it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
READY = [{"type": "Ready", "status": "True", "reason": "Succeeded"}]
OURS = {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"}
REVISION = "main@sha1:1"


def labels(group: str, key: str) -> dict[str, str]:
    namespace, _, name = key.partition("/")
    domain = f"{group}.toolkit.fluxcd.io"
    return {f"{domain}/name": name, f"{domain}/namespace": namespace}


def meta(key: str, owner: str = "", **more: Any) -> Json:  # noqa: ANN401  fields of ObjectMeta
    """*owner*: ``kustomize:NS/NAME`` or ``helm:NS/NAME``."""
    namespace, _, name = key.rpartition("/")
    group, _, brought = owner.partition(":")
    made: Json = {"name": name, "uid": key, "labels": labels(group, brought) if owner else {}}
    return {**made, **({"namespace": namespace} if namespace else {}), **more}


def kustomization(key: str, owner: str = "", source: Json = OURS, **spec: Any) -> Json:  # noqa: ANN401
    status = {"conditions": READY, "lastAppliedRevision": REVISION}
    body = {"sourceRef": source, **spec}
    return {"kind": "Kustomization", "metadata": meta(key, owner), "spec": body, "status": status}


def holding(found: Json, *ids: str) -> Json:
    """*ids*: ``namespace_name_group_Kind``, as a Kustomization says what it applied."""
    entries = [{"id": one, "v": "v1"} for one in ids]
    return {**found, "status": {**found["status"], "inventory": {"entries": entries}}}


def release(key: str, owner: str = "", **spec: Any) -> Json:  # noqa: ANN401
    status = {"conditions": READY}
    return {"kind": "HelmRelease", "metadata": meta(key, owner), "spec": spec, "status": status}


def deployment(
    key: str,
    owner: str = "",
    replicas: int | None = None,
    spec: Json | None = None,
    **more: Any,  # noqa: ANN401
) -> Json:
    pods = 1 if replicas is None else replicas
    counts = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
    return {
        "kind": "Deployment",
        "metadata": meta(key, owner, **more),
        "spec": {**(spec or {}), **({} if replicas is None else {"replicas": replicas})},
        "status": dict.fromkeys(counts, pods),
    }


def daemonset(key: str, nodes: int) -> Json:
    names = ("desired", "current", "updated")
    status = {f"{name}NumberScheduled": nodes for name in names}
    ready = {"numberReady": nodes, "numberAvailable": nodes}
    return {"kind": "DaemonSet", "metadata": meta(key), "status": {**status, **ready}}


def source(
    kind: str = "GitRepository",
    key: str = "flux-system/flux-system",
    owner: str = "",
    **spec: Any,  # noqa: ANN401
) -> Json:
    status = {"conditions": READY, "artifact": {"revision": REVISION}}
    return {"kind": kind, "metadata": meta(key, owner), "spec": spec, "status": status}


def crd(name: str, owner: str = "", kind: str = "") -> Json:
    conditions = [{"type": "Established", "status": "True"}]
    return {
        "kind": "CustomResourceDefinition",
        "metadata": meta(name, owner),
        "spec": {"group": name.partition(".")[2], "names": {"kind": kind}},
        "status": {"conditions": conditions},
    }


def namespace(name: str) -> Json:
    return {"kind": "Namespace", "metadata": meta(name), "status": {"phase": "Active"}}


def node(name: str) -> Json:
    return {"kind": "Node", "metadata": meta(name), "status": {"conditions": READY}}


def secret(key: str, owner: str = "", store: str = "vault", **spec: Any) -> Json:  # noqa: ANN401
    return {
        "kind": "ExternalSecret",
        "metadata": meta(key, owner),
        "spec": {"secretStoreRef": {"kind": "ClusterSecretStore", "name": store}, **spec},
        "status": {"conditions": READY},
    }


def store(name: str = "vault", owner: str = "") -> Json:
    body = [{"type": "Ready", "status": "True", "reason": "Valid"}]
    return {
        "kind": "ClusterSecretStore",
        "metadata": meta(name, owner),
        "status": {"conditions": body},
    }


def healthy() -> list[Json]:
    """Everything is there and ready."""
    return [
        node("n1"),
        namespace("apps"),
        source(),
        kustomization("flux-system/cluster"),
        kustomization("apps/web", "kustomize:flux-system/cluster"),
        release("apps/web", "kustomize:apps/web"),
        deployment("apps/web", "helm:apps/web", 2),
        deployment("apps/extra", "kustomize:apps/web"),
        daemonset("apps/agent", 1),
        crd("gadgets.example.com", "helm:apps/web"),
        store(),
        secret("apps/login", "kustomize:apps/web"),
    ]
