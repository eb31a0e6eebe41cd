"""Objects of Flux and what they refer to, as the API has them; tests say only what matters to them."""

from __future__ import annotations

from typing import Any

from tests.phases.diagnosis.scenes import AT, stamp

Said = tuple[str, str, str]  # status, reason, message
SINCE = AT - 100.0
REVISION = "main@sha1:1111111111111111111111111111111111111111"
OLDER = "main@sha1:0000000000000000000000000000000000000000"


def said(kind: str, told: Said, at: float = SINCE) -> dict[str, Any]:
    status, reason, message = told
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": stamp(at),
    }


def flux(
    kind: str,
    name: str,
    *,
    namespace: str = "flux-system",
    deleted: float | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    status: dict[str, Any] | None = None,
    since: float = SINCE,
    spec: dict[str, Any] | None = None,
    **conditions: Said,
) -> dict[str, Any]:
    """*conditions* by their type in lower case: ``ready=("False", "BuildFailed", "…")``."""
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{name}",
        "finalizers": ["finalizers.fluxcd.io"],
        "labels": labels or {},
        "annotations": annotations or {},
        "creationTimestamp": stamp(AT - 864_000),
    }
    if deleted is not None:
        metadata["deletionTimestamp"] = stamp(deleted)
    told = [
        said(key.title().replace("failed", "Failed"), value, since)
        for key, value in conditions.items()
    ]
    return {
        "kind": kind,
        "metadata": metadata,
        "spec": spec or {},
        "status": {"conditions": told, **(status or {})},
    }


def ks(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A Kustomization of the source flux-system."""
    spec = {
        "interval": "1h",
        "retryInterval": "2m",
        "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
        **more.pop("spec", {}),
    }
    return flux("Kustomization", name, spec=spec, **more)


def hr(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A HelmRelease in namespace apps, whose chart is called as helm-controller calls it."""
    namespace = more.pop("namespace", "apps")
    status = {"helmChart": f"{namespace}/{namespace}-{name}", **more.pop("status", {})}
    return flux("HelmRelease", name, namespace=namespace, status=status, **more)


def source(kind: str, name: str = "flux-system", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A source; *revision* is what it serves."""
    revision = more.pop("revision", "")
    updated = more.pop("updated", SINCE)
    status = (
        {"artifact": {"revision": revision, "lastUpdateTime": stamp(updated)}} if revision else {}
    )
    return flux(kind, name, status=status, **more)


def deployment(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A Deployment of a controller, available unless *available* is 0."""
    available = more.get("available", 1)
    image = more.get("image", f"ghcr.io/fluxcd/{name}:v1.9.4")
    container = {"name": "manager", "image": image, "args": more.get("args", [])}
    ready = ("True", "MinimumReplicasAvailable", "")
    if not available:
        ready = ("False", "MinimumReplicasUnavailable", "")
    return {
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": more.get("namespace", "flux-system"),
            "uid": f"uid-{name}",
            "labels": more.get("labels", {}),
        },
        "spec": {
            "replicas": more.get("replicas", 1),
            "template": {"spec": {"containers": [container]}},
        },
        "status": {
            "replicas": available,
            "updatedReplicas": available,
            "readyReplicas": available,
            "availableReplicas": available,
            "conditions": [said("Available", ready)],
        },
    }
