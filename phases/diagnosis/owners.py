"""
Whose finalizer is it, and does that controller run?

By the API group of the object that waits. A controller is known by a part of its Deployment's (or DaemonSet's) name,
as its chart or manifest calls it by default; a group that is not listed here has an unknown owner, never an absent one.
"""

from __future__ import annotations

from typing import Final

from phases.diagnosis.scene import Scene
from phases.snapshot import Holder

OWNERS: Final = {
    "acme.cert-manager.io": "cert-manager",
    "ceph.rook.io": "rook-ceph-operator",
    "cert-manager.io": "cert-manager",
    "cilium.io": "cilium-operator",
    "external-secrets.io": "external-secrets",
    "grafana.integreatly.org": "grafana-operator",
    "helm.toolkit.fluxcd.io": "helm-controller",
    "kustomize.toolkit.fluxcd.io": "kustomize-controller",
    "longhorn.io": "longhorn-manager",
    "monitoring.coreos.com": "prometheus-operator",
    "operator.victoriametrics.com": "victoria-metrics-operator",
    "postgresql.cnpg.io": "cloudnative-pg",
    "snapshot.storage.k8s.io": "snapshot-controller",
    "source.toolkit.fluxcd.io": "source-controller",
    "velero.io": "velero",
    "volsync.backube": "volsync",
}
KINDS: Final = ("Deployment", "DaemonSet")


def owner_alive(scene: Scene, holder: Holder) -> bool | None:
    """Say whether a controller runs that would take these finalizers off; None where that is not known."""
    if holder.owner_alive is not None:
        return holder.owner_alive
    name = OWNERS.get(holder.group)
    if name is None or not all(scene.seen(kind) for kind in KINDS):
        return None
    return any(
        name in found.metadata.name and _ready(kind, found.status) > 0
        for kind in KINDS
        for found in scene.of(kind).values()
    )


def _ready(kind: str, status: object) -> int:
    counted = "number_ready" if kind == "DaemonSet" else "ready_replicas"
    return int(getattr(status, counted))
