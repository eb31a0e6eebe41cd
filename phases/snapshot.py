"""
One look at the cluster, as seen and not yet judged.

Each source is ``Seen`` or ``Unseen``: what was not seen is unknown, never false. The structs below have only the
fields that rekindle reads, under the API's own names, so that raw API bytes decode straight into them. ``Secret``
values have no place here.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from journal.entries import Instant
from phases.autoscaler_objects import HorizontalPodAutoscaler, ScaledObject
from phases.backup_objects import CephCluster, Replication, VolumeSnapshot
from phases.followed import Objects
from phases.more_objects import (
    Anything,
    ApiService,
    Attachment,
    Chart,
    Claim,
    EndpointSlice,
    Gateway,
    Job,
    Service,
    SigningRequest,
    Volume,
    WebhookConfiguration,
)
from phases.objects import (
    CustomResourceDefinition,
    ExternalSecret,
    Flux,
    Namespace,
    Node,
    Pod,
    Source,
    Workload,
)
from phases.pod_logs import LogLook
from phases.storage_objects import CsiDriver, StorageClass

T = TypeVar("T")


class Seen(msgspec.Struct, Generic[T], frozen=True, tag="seen"):
    """*value*, as it was at the world instant *at*."""

    value: T
    at: Instant


class Unseen(msgspec.Struct, frozen=True, tag="unseen"):
    """Nothing is known since *since* (0: never seen). *code*: refused, silent, foreign, denied, odd, not-asked."""

    since: Instant
    code: str
    why: str = ""


# --- Talos ---------------------------------------------------------------------------------------


class NodeLook(msgspec.Struct, frozen=True):
    """
    A Talos node, by its own API.

    *stage* is MachineStatus' stage (maintenance, booting, running, ...), or ``foreign``: it is configured, but with
    other secrets than ours. *unmet* are the names of unmet conditions. *etcd* is the state of the etcd service
    (Waiting, Preparing, Running, ..., empty: there is none, None: it did not tell), *members* the host names of etcd's
    member list as this node tells it (None: it answered none), *learners* those of them that are learners, *member_ids*
    the members' ids in the same order. *etcd_failing*: its health was asked for and is bad, which is more than that it
    is not known to be good.

    What each member says of itself: *member_id*, *leader* (the id of whom it follows, empty: there is no leader, None:
    it did not tell), *raft_term*, and *db_size* (as talosctl writes it, 4.2 MB). *alarms* are etcd's own (NOSPACE,
    CORRUPT), None: they were not told. Ids are hexadecimal. No talosctl shows a cluster's id: members of one cluster
    know each other's ids, and that is how a foreign one is told.

    *diagnostics* is what Talos itself finds wrong with the machine, (id, message) each, None: it did not tell, as a
    Talos that has no such resource. It may be a minute older than the rest of the look.
    """

    stage: str
    ready: bool = False
    unmet: tuple[str, ...] = ()
    boot_id: str = ""
    machine_uuid: str = ""
    etcd: str | None = ""
    etcd_healthy: bool = False
    members: tuple[str, ...] | None = None
    learners: tuple[str, ...] = ()
    version: str = ""
    alarms: tuple[str, ...] | None = ()
    member_ids: tuple[str, ...] = ()
    etcd_failing: bool = False
    member_id: str = ""
    leader: str | None = None
    raft_term: int = 0
    db_size: str = ""
    diagnostics: tuple[tuple[str, str], ...] | None = None


class ApiLook(msgspec.Struct, frozen=True):
    """
    The Kubernetes API: */readyz* on each control plane's own address (by its name), and whether it answers us at all.

    *serving* is true when a list was answered with our credentials; *why* says what came instead. *limited*: that list
    was forbidden by the API itself, which may let us look at other things; it shows nothing of etcd, unlike a list, for
    who may do what is in the API server's memory. *ca_matches* is None while unknown. *silent* is the server that the
    kubeconfig names (mostly a virtual address), where nothing answers there and a control plane's own address does.
    """

    readyz: dict[str, bool] = {}
    serving: bool = False
    ca_matches: bool | None = None
    why: str = ""
    silent: str = ""
    limited: bool = False


class KubeconfigLook(msgspec.Struct, frozen=True):
    """Our own kubeconfig file. *state*: absent, ours (its CA is the cluster's), foreign, unreadable."""

    state: str


class Holder(msgspec.Struct, frozen=True):
    """
    An object that keeps something Terminating: it has finalizers, and *deletion* (instant) says since when it waits.

    *owner_alive*: does a controller run that would serve these finalizers (None: not known).
    """

    group: str
    version: str
    resource: str
    kind: str
    namespace: str
    name: str
    uid: str
    finalizers: tuple[str, ...]
    deletion: Instant | None = None
    owner_alive: bool | None = None


# Kinds that a run is judged by, and the structs that hold them.
KINDS: dict[str, Any] = {
    "Node": Node,
    "Namespace": Namespace,
    "CustomResourceDefinition": CustomResourceDefinition,
    "Deployment": Workload,
    "StatefulSet": Workload,
    "DaemonSet": Workload,
    "Pod": Pod,
    "Kustomization": Flux,
    "HelmRelease": Flux,
    "GitRepository": Source,
    "ExternalSecret": ExternalSecret,
    "ClusterSecretStore": ExternalSecret,
    # Few objects that one dead backend turns against everything else; nothing waits for their being listed.
    "APIService": ApiService,
    "ValidatingWebhookConfiguration": WebhookConfiguration,
    "MutatingWebhookConfiguration": WebhookConfiguration,
}

# Kinds that only rules of diagnosis read. A run looks at them as well; nothing is expected of them, no fact is made of
# them, and a change of one is no reason for a turn: the next diagnosis sees it.
MORE_KINDS: dict[str, Any] = {
    "Service": Service,
    "EndpointSlice": EndpointSlice,
    "Job": Job,
    "PersistentVolumeClaim": Claim,
    "PersistentVolume": Volume,
    "HelmChart": Chart,
    "HelmRepository": Source,
    "OCIRepository": Source,
    "SecretStore": ExternalSecret,
    "CertificateSigningRequest": SigningRequest,
    "VolumeAttachment": Attachment,
    "Gateway": Gateway,
    "Certificate": Anything,  # cert-manager's, of which only the conditions are read
    # Few objects, and only where somebody has installed their CRD: a restore an application, and one or two clusters.
    "ReplicationDestination": Replication,
    "ReplicationSource": Replication,
    "CephCluster": CephCluster,
}
ALL_KINDS: dict[str, Any] = {**KINDS, **MORE_KINDS}

# Kinds that only an inventory reads: they are listed where one is taken from a cluster, and nobody watches them.
UNWATCHED_KINDS: dict[str, Any] = {
    "StorageClass": StorageClass,
    "CSIDriver": CsiDriver,
    "VolumeSnapshot": VolumeSnapshot,
    "Bucket": Source,
    "HorizontalPodAutoscaler": HorizontalPodAutoscaler,
    "ScaledObject": ScaledObject,  # KEDA's
}
LISTED_KINDS: dict[str, Any] = {**ALL_KINDS, **UNWATCHED_KINDS}


class OperatorLook(msgspec.Struct, frozen=True):
    """Who has the lease in the cluster (``rekindle.adapters.cluster_lease``); empty: nobody, for the moment."""

    holder: str
    ours: bool


class Snapshot(msgspec.Struct, frozen=True):
    """
    Everything in one look, at the world instant *at*.

    *objects* maps a kind of ``ALL_KINDS`` to the objects by key (``namespace/name``, or ``name`` where the kind has no
    namespace); a kind whose API is not installed is Seen and empty. *holders* maps ``namespace/NAME`` and ``crd/NAME``
    to what still holds them, for those that are Terminating. Where not everything could be listed that key is Unseen,
    and ``KEY/listed`` has what was found all the same: enough to act on, never proof that nothing is left. *revision*
    is the commit that the operator's Git tree is at (empty: not known). *probes* are the exit codes of the plan's own
    probes, by ``NAME`` or ``NAME/NODE``. *logs* are what a few pods say in their logs alone, by ``namespace/name``.
    *operator* says who acts on this cluster; None: nobody asks.
    """

    at: Instant
    nodes: dict[str, Seen[NodeLook] | Unseen] = {}
    api: Seen[ApiLook] | Unseen = Unseen(0.0, "not-asked")
    kubeconfig: Seen[KubeconfigLook] | Unseen = Unseen(0.0, "not-asked")
    objects: dict[str, Seen[Objects] | Unseen] = {}
    holders: dict[str, Seen[tuple[Holder, ...]] | Unseen] = {}
    revision: str = ""
    probes: dict[str, Seen[int] | Unseen] = {}
    logs: dict[str, Seen[LogLook] | Unseen] = {}
    operator: Seen[OperatorLook] | Unseen | None = None
