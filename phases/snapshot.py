"""
One look at the cluster, as seen and not yet judged.

Each source is ``Seen`` or ``Unseen``: what was not seen is unknown, never false. The structs below have only the
fields that rekindle reads, under the API's own names, so that raw API bytes decode straight into them. ``Secret``
values have no place here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from journal.entries import Instant

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
    (Waiting, Preparing, Running, ..., empty: none), *members* the host names of etcd's member list as this node tells
    it (None: it answered none), *learners* those of them that are learners.
    """

    stage: str
    ready: bool = False
    unmet: tuple[str, ...] = ()
    boot_id: str = ""
    machine_uuid: str = ""
    etcd: str = ""
    etcd_healthy: bool = False
    members: tuple[str, ...] | None = None
    learners: tuple[str, ...] = ()
    version: str = ""


class ApiLook(msgspec.Struct, frozen=True):
    """
    The Kubernetes API: */readyz* on each control plane's own address (by its name), and whether it answers us at all.

    *serving* is true when a list was answered with our credentials. *ca_matches* is None while unknown.
    """

    readyz: dict[str, bool] = {}
    serving: bool = False
    ca_matches: bool | None = None


class KubeconfigLook(msgspec.Struct, frozen=True):
    """Our own kubeconfig file. *state*: absent, ours (its CA is the cluster's), foreign, unreadable."""

    state: str


# --- Kubernetes objects --------------------------------------------------------------------------


class ApiStruct(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Names as in the API's JSON."""


class Owner(ApiStruct, frozen=True, rename="camel"):
    """An owner reference."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Meta(ApiStruct, frozen=True, rename="camel"):
    """The part of ObjectMeta that rekindle reads."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: tuple[Owner, ...] = ()


class Condition(ApiStruct, frozen=True, rename="camel"):
    """A condition, as Kubernetes and Flux write them. *status*: True, False or Unknown."""

    type: str = ""
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None
    observed_generation: int = 0


class Reference(ApiStruct, frozen=True, rename="camel"):
    """A reference to another object; an empty namespace is the referrer's own."""

    kind: str = ""
    name: str = ""
    namespace: str = ""


class Taint(ApiStruct, frozen=True, rename="camel"):
    """A node's taint."""

    key: str = ""
    effect: str = ""


class NodeInfo(ApiStruct, frozen=True, rename="camel"):
    """Identity of the machine behind a Node object."""

    machine_id: str = msgspec.field(default="", name="machineID")
    boot_id: str = msgspec.field(default="", name="bootID")


class NodeSpec(ApiStruct, frozen=True, rename="camel"):
    """See Node."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeStatus(ApiStruct, frozen=True, rename="camel"):
    """See Node."""

    conditions: tuple[Condition, ...] = ()
    node_info: NodeInfo = NodeInfo()


class Node(ApiStruct, frozen=True, rename="camel"):
    """v1 Node."""

    metadata: Meta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class PhaseStatus(ApiStruct, frozen=True, rename="camel"):
    """A status of phase and conditions."""

    phase: str = ""
    conditions: tuple[Condition, ...] = ()


class Namespace(ApiStruct, frozen=True, rename="camel"):
    """v1 Namespace."""

    metadata: Meta
    status: PhaseStatus = PhaseStatus()


class CrdNames(ApiStruct, frozen=True, rename="camel"):
    """See CustomResourceDefinition."""

    kind: str = ""
    plural: str = ""


class CrdVersion(ApiStruct, frozen=True, rename="camel"):
    """See CustomResourceDefinition."""

    name: str = ""
    served: bool = False


class CrdSpec(ApiStruct, frozen=True, rename="camel"):
    """See CustomResourceDefinition."""

    group: str = ""
    names: CrdNames = CrdNames()
    versions: tuple[CrdVersion, ...] = ()


class ConditionsStatus(ApiStruct, frozen=True, rename="camel"):
    """A status of conditions and the generation that they are about."""

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


class CustomResourceDefinition(ApiStruct, frozen=True, rename="camel"):
    """apiextensions.k8s.io/v1 CustomResourceDefinition."""

    metadata: Meta
    spec: CrdSpec = CrdSpec()
    status: ConditionsStatus = ConditionsStatus()


class RollingUpdate(ApiStruct, frozen=True, rename="camel"):
    """See UpdateStrategy; only StatefulSets have a partition."""

    partition: int = 0


class UpdateStrategy(ApiStruct, frozen=True, rename="camel"):
    """See WorkloadSpec."""

    type: str = ""
    rolling_update: RollingUpdate | None = None


class WorkloadSpec(ApiStruct, frozen=True, rename="camel"):
    """See Workload. *replicas* None is 1; DaemonSets have none."""

    replicas: int | None = None
    progress_deadline_seconds: int | None = None
    update_strategy: UpdateStrategy = UpdateStrategy()


class WorkloadStatus(ApiStruct, frozen=True, rename="camel"):
    """Deployments and StatefulSets count in the first group, DaemonSets in the second."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    desired_number_scheduled: int | None = None
    current_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    number_ready: int = 0
    conditions: tuple[Condition, ...] = ()


class Workload(ApiStruct, frozen=True, rename="camel"):
    """apps/v1 Deployment, StatefulSet or DaemonSet; its kind is the key under which the snapshot has it."""

    metadata: Meta
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class Waiting(ApiStruct, frozen=True, rename="camel"):
    """Why a container waits."""

    reason: str = ""
    message: str = ""


class ContainerState(ApiStruct, frozen=True, rename="camel"):
    """See ContainerStatus."""

    waiting: Waiting | None = None


class ContainerStatus(ApiStruct, frozen=True, rename="camel"):
    """See Pod."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()


class PodSpec(ApiStruct, frozen=True, rename="camel"):
    """See Pod."""

    node_name: str = ""


class PodStatus(ApiStruct, frozen=True, rename="camel"):
    """See Pod."""

    phase: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(ApiStruct, frozen=True, rename="camel"):
    """v1 Pod."""

    metadata: Meta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class FluxSpec(ApiStruct, frozen=True, rename="camel"):
    """What Kustomizations and HelmReleases have in common. Durations are Go's ("1h0m0s"); empty: not set."""

    suspend: bool = False
    interval: str = ""
    retry_interval: str = ""
    timeout: str = ""
    wait: bool = False
    source_ref: Reference | None = None
    depends_on: tuple[Reference, ...] = ()


class FluxStatus(ApiStruct, frozen=True, rename="camel"):
    """See Flux; *last_applied_revision* is Kustomizations' own."""

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    last_applied_revision: str = ""
    last_attempted_revision: str = ""
    last_handled_reconcile_at: str = ""


class Flux(ApiStruct, frozen=True, rename="camel"):
    """kustomize.toolkit.fluxcd.io/v1 Kustomization or helm.toolkit.fluxcd.io/v2 HelmRelease."""

    metadata: Meta
    spec: FluxSpec = FluxSpec()
    status: FluxStatus = FluxStatus()


class Artifact(ApiStruct, frozen=True, rename="camel"):
    """See Source."""

    revision: str = ""


class SourceSpec(ApiStruct, frozen=True, rename="camel"):
    """See Source."""

    suspend: bool = False
    interval: str = ""


class SourceStatus(ApiStruct, frozen=True, rename="camel"):
    """See Source."""

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    artifact: Artifact | None = None
    last_handled_reconcile_at: str = ""


class Source(ApiStruct, frozen=True, rename="camel"):
    """source.toolkit.fluxcd.io/v1 GitRepository."""

    metadata: Meta
    spec: SourceSpec = SourceSpec()
    status: SourceStatus = SourceStatus()


class SecretSpec(ApiStruct, frozen=True, rename="camel"):
    """See ExternalSecret."""

    secret_store_ref: Reference | None = None


class SecretStatus(ApiStruct, frozen=True, rename="camel"):
    """See ExternalSecret."""

    conditions: tuple[Condition, ...] = ()
    refresh_time: datetime | None = None
    synced_resource_version: str = ""


class ExternalSecret(ApiStruct, frozen=True, rename="camel"):
    """external-secrets.io/v1 ExternalSecret, or (Cluster)SecretStore, of which only the conditions are read."""

    metadata: Meta
    spec: SecretSpec = SecretSpec()
    status: SecretStatus = SecretStatus()


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


# Kinds that a snapshot lists, and the structs that hold them.
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
}

Objects = dict[str, Any]


class Snapshot(msgspec.Struct, frozen=True):
    """
    Everything in one look, at the world instant *at*.

    *objects* maps a kind of ``KINDS`` to the objects by key (``namespace/name``, or ``name`` where the kind has no
    namespace); a kind whose API is not installed is Seen and empty. *holders* maps ``namespace/NAME`` and ``crd/NAME``
    to what still holds them, for those that are Terminating. *revision* is the commit that the operator's Git tree is
    at (empty: not known).
    """

    at: Instant
    nodes: dict[str, Seen[NodeLook] | Unseen] = {}
    api: Seen[ApiLook] | Unseen = Unseen(0.0, "not-asked")
    kubeconfig: Seen[KubeconfigLook] | Unseen = Unseen(0.0, "not-asked")
    objects: dict[str, Seen[Objects] | Unseen] = {}
    holders: dict[str, Seen[tuple[Holder, ...]] | Unseen] = {}
    revision: str = ""


def key_of(metadata: Meta) -> str:
    """``namespace/name``, or the bare name."""
    return f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name


def condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """Return the first condition of that type."""
    return next((found for found in conditions if found.type == kind), None)
