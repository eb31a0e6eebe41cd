"""
Kubernetes objects, with only the fields that rekindle reads, under the API's own names.

Raw API bytes decode straight into them. ``Secret`` values have no place here.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from phases.api_struct import ApiStruct
from phases.templates import ClaimName, ClaimTemplate, MaybeReference, Template


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
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
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
    system_uuid: str = msgspec.field(default="", name="systemUUID")
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


class NamespaceSpec(ApiStruct, frozen=True, rename="camel"):
    """See Namespace. Its own finalizers stand here; ``kubernetes`` is the deleter's, taken off last."""

    finalizers: tuple[str, ...] = ()


class Namespace(ApiStruct, frozen=True, rename="camel"):
    """v1 Namespace."""

    metadata: Meta
    status: PhaseStatus = PhaseStatus()
    spec: NamespaceSpec = NamespaceSpec()


class CrdNames(ApiStruct, frozen=True, rename="camel"):
    """See CustomResourceDefinition."""

    kind: str = ""
    plural: str = ""
    list_kind: str = ""
    singular: str = ""
    short_names: tuple[str, ...] = ()


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
    """
    See Workload. *replicas* None is 1; DaemonSets have none.

    *pod_management_policy* and *volume_claim_templates* are StatefulSets' own: OrderedReady makes the next pod after
    the one before it is ready.
    """

    replicas: int | None = None
    pod_management_policy: str = "OrderedReady"
    progress_deadline_seconds: int | None = None
    update_strategy: UpdateStrategy = UpdateStrategy()
    template: Template = Template()
    volume_claim_templates: tuple[ClaimTemplate, ...] = ()


class WorkloadStatus(ApiStruct, frozen=True, rename="camel"):
    """
    Deployments, StatefulSets and ReplicaSets count in the first group, DaemonSets in the second.

    *current_replicas* (StatefulSets) is None where nobody counted; *fully_labeled_replicas* is ReplicaSets' own.
    """

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
    current_replicas: int | None = None
    fully_labeled_replicas: int = 0


class Workload(ApiStruct, frozen=True, rename="camel"):
    """apps/v1 Deployment, StatefulSet, DaemonSet or ReplicaSet; its kind is the key under which a look has it."""

    metadata: Meta
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class Waiting(ApiStruct, frozen=True, rename="camel"):
    """Why a container waits."""

    reason: str = ""
    message: str = ""


class Terminated(ApiStruct, frozen=True, rename="camel"):
    """How a container ended."""

    reason: str = ""
    exit_code: int = 0


class ContainerState(ApiStruct, frozen=True, rename="camel"):
    """See ContainerStatus."""

    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(ApiStruct, frozen=True, rename="camel"):
    """See Pod."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class PodVolume(ApiStruct, frozen=True, rename="camel"):
    """A volume of a pod, of which only the claim is read."""

    persistent_volume_claim: ClaimName | None = None


class PodSpec(ApiStruct, frozen=True, rename="camel"):
    """See Pod."""

    node_name: str = ""
    host_network: bool = False
    volumes: tuple[PodVolume, ...] = ()


class PodStatus(ApiStruct, frozen=True, rename="camel"):
    """See Pod. *reason* says why a whole pod ended: Evicted, NodeLost."""

    phase: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    pod_ip: str = msgspec.field(default="", name="podIP")
    reason: str = ""


class Pod(ApiStruct, frozen=True, rename="camel"):
    """v1 Pod."""

    metadata: Meta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class Strategy(ApiStruct, frozen=True, rename="camel"):
    """See HelmAction. *name* RetryOnFailure: it tries again and again, and never gives up."""

    name: str = ""


class HelmAction(ApiStruct, frozen=True, rename="camel"):
    """
    What a HelmRelease does when an install or an upgrade fails.

    *cleanup_on_fail* (upgrades and rollbacks): what the failed attempt had made is deleted.
    """

    strategy: Strategy | None = None
    cleanup_on_fail: bool = False


class DriftDetection(ApiStruct, frozen=True, rename="camel"):
    """Whether a HelmRelease compares what runs with what it made: *mode* enabled, warn or disabled."""

    mode: str = ""


class HelmTest(ApiStruct, frozen=True, rename="camel"):
    """Whether a HelmRelease runs the tests of its chart."""

    enable: bool = False


class ChartSource(ApiStruct, frozen=True, rename="camel"):
    """See ChartTemplate."""

    source_ref: Reference | None = None


class ChartTemplate(ApiStruct, frozen=True, rename="camel"):
    """The HelmChart that a HelmRelease has made for itself, of which only its source is read."""

    spec: ChartSource = ChartSource()


class PostBuild(ApiStruct, frozen=True, rename="camel"):
    """Where variables of a Kustomization are from; those that stand inline are not read."""

    substitute_from: tuple[MaybeReference, ...] = ()


class Sealed(ApiStruct, frozen=True, rename="camel"):
    """What is read with a Secret: the keys of a Kustomization's decryption, another cluster's kubeconfig."""

    secret_ref: MaybeReference | None = None


class FluxSpec(ApiStruct, frozen=True, rename="camel"):
    """
    What Kustomizations and HelmReleases have. Durations are Go's ("1h0m0s"); empty: not set.

    *deletion_policy*, *post_build* and *decryption* are Kustomizations' own; *chart_ref* (an OCIRepository or a
    HelmChart), *chart*, *values_from*, *install*, *upgrade*, *rollback*, *test* and *drift_detection* HelmReleases'.
    """

    suspend: bool = False
    interval: str = ""
    retry_interval: str = ""
    timeout: str = ""
    wait: bool = False
    source_ref: Reference | None = None
    depends_on: tuple[Reference, ...] = ()
    deletion_policy: str = ""
    chart_ref: Reference | None = None
    chart: ChartTemplate | None = None
    install: HelmAction | None = None
    upgrade: HelmAction | None = None
    rollback: HelmAction | None = None
    drift_detection: DriftDetection | None = None
    test: HelmTest | None = None
    post_build: PostBuild | None = None
    decryption: Sealed | None = None
    kube_config: Sealed | None = None
    values_from: tuple[MaybeReference, ...] = ()


class InventoryEntry(ApiStruct, frozen=True, rename="camel"):
    """What a Kustomization applied: ``namespace_name_group_Kind``."""

    id: str = ""


class FluxInventory(ApiStruct, frozen=True, rename="camel"):
    """See FluxStatus."""

    entries: tuple[InventoryEntry, ...] = ()


class Release(ApiStruct, frozen=True, rename="camel"):
    """
    A release of Helm, newest first in a HelmRelease's history; or attempts of a Kustomization, the latest first.

    *status* and *chart_version* are Helm's: deployed, failed, pending-install, ... The others are a Kustomization's:
    how its attempts at one revision ended (a reason of Ready), and how long the last of these was, in Go's words.
    """

    status: str = ""
    chart_version: str = ""
    last_reconciled_status: str = ""
    last_reconciled_duration: str = ""


class FluxStatus(ApiStruct, frozen=True, rename="camel"):
    """
    See Flux.

    *last_applied_revision* and *inventory* are Kustomizations' own, *helm_chart*, *failures* (attempts that failed
    since the last change or success) and *last_attempted_release_action_duration* (of an install or an upgrade, failed
    or not; in Go's words) HelmReleases'.
    """

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    last_applied_revision: str = ""
    last_attempted_revision: str = ""
    last_handled_reconcile_at: str = ""
    inventory: FluxInventory | None = None
    helm_chart: str = ""
    history: tuple[Release, ...] = ()
    failures: int = 0
    last_attempted_release_action_duration: str = ""


class Flux(ApiStruct, frozen=True, rename="camel"):
    """kustomize.toolkit.fluxcd.io/v1 Kustomization or helm.toolkit.fluxcd.io/v2 HelmRelease."""

    metadata: Meta
    spec: FluxSpec = FluxSpec()
    status: FluxStatus = FluxStatus()


class Artifact(ApiStruct, frozen=True, rename="camel"):
    """See Source."""

    revision: str = ""
    last_update_time: datetime | None = None


class SourceSpec(ApiStruct, frozen=True, rename="camel"):
    """See Source. A HelmRepository of *type* ``oci`` is never reconciled: it has no status, and needs none."""

    suspend: bool = False
    type: str = ""
    interval: str = ""


class SourceStatus(ApiStruct, frozen=True, rename="camel"):
    """See Source."""

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    artifact: Artifact | None = None
    last_handled_reconcile_at: str = ""


class Source(ApiStruct, frozen=True, rename="camel"):
    """source.toolkit.fluxcd.io/v1 GitRepository, OCIRepository, HelmRepository or Bucket."""

    metadata: Meta
    spec: SourceSpec = SourceSpec()
    status: SourceStatus = SourceStatus()


class SecretTarget(ApiStruct, frozen=True, rename="camel"):
    """
    Which Secret is written; without a name it is called like the ExternalSecret.

    *creation_policy* Merge or None: somebody else makes it.
    """

    name: str = ""
    creation_policy: str = ""


class SecretSpec(ApiStruct, frozen=True, rename="camel"):
    """See ExternalSecret."""

    secret_store_ref: Reference | None = None
    target: SecretTarget = SecretTarget()


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


def key_of(metadata: Meta) -> str:
    """``namespace/name``, or the bare name."""
    return f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name


def condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """Return the first condition of that type."""
    for (
        found
    ) in conditions:  # asked more often than anything else: a generator would double its price
        if found.type == kind:
            return found
    return None
