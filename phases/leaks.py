"""
What is left behind when a finalizer is taken off by hand: the half of an approval that people forget to ask.

By API group of the object that holds it; a sentence each, so that a person can decide without knowing the controller.
"""

from __future__ import annotations

FLUX_FINALIZER = "finalizers.fluxcd.io"
# Which Deployments take the finalizers off that a rule of the catalogue is about.
SERVED_BY = {
    "N6": r"/rook-ceph-operator$",
    "N7": r"/(kustomize|helm|source)-controller$",
    "N9": r"/(vm-operator|victoria-metrics-operator|.*-victoria-metrics-operator)$",
}
LEAKS = {
    "ceph.rook.io": "the pool, its images and the data in them stay on the disks, owned by nobody",
    "external-secrets.io": "what was pushed to the secret backend stays there",
    "helm.toolkit.fluxcd.io": "the release and all it installed stay in the cluster, owned by nobody",
    "kustomize.toolkit.fluxcd.io": "what it applied stays in the cluster and nobody prunes it",
    "longhorn.io": "the volume's replicas stay on the disks, owned by nobody",
    "postgresql.cnpg.io": "the database's volumes and backups stay, owned by nobody",
    "snapshot.storage.k8s.io": "the snapshot stays in the storage system and is paid for",
    "volsync.backube": "the mover's volumes and snapshots stay, owned by nobody",
    "": "the volume or load balancer behind it stays where it was provisioned",
}
UNKNOWN_LEAK = (
    "what its controller would have cleaned up outside the cluster is left behind for good"
)


def leak_of(group: str) -> str:
    """Say what stays behind when an object of *group* is released by hand."""
    return LEAKS.get(group, UNKNOWN_LEAK)
