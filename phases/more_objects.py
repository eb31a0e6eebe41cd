"""
Kubernetes objects that diagnosis and the wider rules of readiness read; a recovery is judged by ``phases.objects``.

Only the fields that are read, under the API's own names. ``Secret`` values have no place here.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from phases.api_struct import ApiStruct
from phases.objects import Condition, ConditionsStatus, Meta, Reference, SourceStatus


class ServiceReference(ApiStruct, frozen=True, rename="camel"):
    """Where a webhook or an aggregated API is served from; *path* is a webhook's alone."""

    namespace: str = ""
    name: str = ""
    port: int | None = None
    path: str = ""


class ApiServiceSpec(ApiStruct, frozen=True, rename="camel"):
    """See ApiService; without a service it is served by the API server itself."""

    group: str = ""
    version: str = ""
    service: ServiceReference | None = None


class ApiService(ApiStruct, frozen=True, rename="camel"):
    """apiregistration.k8s.io/v1 APIService."""

    metadata: Meta
    spec: ApiServiceSpec = ApiServiceSpec()
    status: ConditionsStatus = ConditionsStatus()


class ClientConfig(ApiStruct, frozen=True, rename="camel"):
    """See Webhook; without a service it is called by its URL."""

    service: ServiceReference | None = None
    url: str = ""


class WebhookRule(ApiStruct, frozen=True, rename="camel"):
    """Which requests a webhook is asked about; ``*`` stands for all. *scope*: Cluster, Namespaced or ``*``."""

    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    api_versions: tuple[str, ...] = ()
    scope: str = "*"


class Requirement(ApiStruct, frozen=True, rename="camel"):
    """What a label must be. *operator*: In, NotIn, Exists or DoesNotExist."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class Selector(ApiStruct, frozen=True, rename="camel"):
    """Which labels are meant; an empty one means all."""

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: tuple[Requirement, ...] = ()


class MatchCondition(ApiStruct, frozen=True, rename="camel"):
    """An expression that decides whether a webhook is asked; it is not read."""

    name: str = ""


class Webhook(ApiStruct, frozen=True, rename="camel"):
    """
    One webhook of a configuration. *failure_policy* Fail is the API's default.

    *namespace_selector*, *object_selector* and *match_conditions*: which objects it is asked about, of those that its
    rules match. *match_policy* Equivalent: also in other versions than those that a rule names.
    """

    name: str = ""
    client_config: ClientConfig = ClientConfig()
    failure_policy: str = "Fail"
    rules: tuple[WebhookRule, ...] = ()
    namespace_selector: Selector = Selector()
    object_selector: Selector = Selector()
    match_conditions: tuple[MatchCondition, ...] = ()
    match_policy: str = "Equivalent"


class WebhookConfiguration(ApiStruct, frozen=True, rename="camel"):
    """admissionregistration.k8s.io/v1 Validating- or MutatingWebhookConfiguration."""

    metadata: Meta
    webhooks: tuple[Webhook, ...] = ()


class ServiceSpec(ApiStruct, frozen=True, rename="camel"):
    """See Service."""

    type: str = "ClusterIP"
    external_name: str = ""
    cluster_ip: str = msgspec.field(default="", name="clusterIP")


class Ingress(ApiStruct, frozen=True, rename="camel"):
    """An address that a load balancer gave."""

    ip: str = ""
    hostname: str = ""


class LoadBalancer(ApiStruct, frozen=True, rename="camel"):
    """See ServiceStatus."""

    ingress: tuple[Ingress, ...] = ()


class ServiceStatus(ApiStruct, frozen=True, rename="camel"):
    """See Service."""

    load_balancer: LoadBalancer = LoadBalancer()
    conditions: tuple[Condition, ...] = ()


class Service(ApiStruct, frozen=True, rename="camel"):
    """v1 Service."""

    metadata: Meta
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class EndpointConditions(ApiStruct, frozen=True, rename="camel"):
    """Unknown (None) counts as ready, says the API."""

    ready: bool | None = None


class Endpoint(ApiStruct, frozen=True, rename="camel"):
    """See EndpointSlice."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()


class EndpointSlice(ApiStruct, frozen=True, rename="camel"):
    """discovery.k8s.io/v1 EndpointSlice; its label ``kubernetes.io/service-name`` names the Service."""

    metadata: Meta
    endpoints: tuple[Endpoint, ...] | None = None


class JobSpec(ApiStruct, frozen=True, rename="camel"):
    """See Job. *ttl_seconds_after_finished*: so long after its end it is deleted; None: never."""

    suspend: bool = False
    ttl_seconds_after_finished: int | None = None


class Job(ApiStruct, frozen=True, rename="camel"):
    """batch/v1 Job."""

    metadata: Meta
    spec: JobSpec = JobSpec()
    status: ConditionsStatus = ConditionsStatus()


class ClaimSource(Reference, frozen=True, rename="camel"):
    """What the volume of a claim is filled from."""

    api_group: str = ""


class ClaimSpec(ApiStruct, frozen=True, rename="camel"):
    """See Claim."""

    storage_class_name: str = ""
    volume_name: str = ""
    data_source_ref: ClaimSource | None = None


class ClaimStatus(ApiStruct, frozen=True, rename="camel"):
    """See Claim."""

    phase: str = ""


class Claim(ApiStruct, frozen=True, rename="camel"):
    """v1 PersistentVolumeClaim."""

    metadata: Meta
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class ClaimReference(Reference, frozen=True, rename="camel"):
    """The claim that a volume belongs to; a claim of that name with another uid is another claim."""

    uid: str = ""


class VolumeSpec(ApiStruct, frozen=True, rename="camel"):
    """See Volume. *persistent_volume_reclaim_policy*: Retain, Delete or Recycle."""

    claim_ref: ClaimReference | None = None
    persistent_volume_reclaim_policy: str = ""


class VolumeStatus(ApiStruct, frozen=True, rename="camel"):
    """See Volume."""

    phase: str = ""
    last_phase_transition_time: datetime | None = None


class Volume(ApiStruct, frozen=True, rename="camel"):
    """v1 PersistentVolume."""

    metadata: Meta
    spec: VolumeSpec = VolumeSpec()
    status: VolumeStatus = VolumeStatus()


class ChartSpec(ApiStruct, frozen=True, rename="camel"):
    """See Chart."""

    chart: str = ""
    source_ref: Reference | None = None
    suspend: bool = False


class Chart(ApiStruct, frozen=True, rename="camel"):
    """source.toolkit.fluxcd.io/v1 HelmChart."""

    metadata: Meta
    spec: ChartSpec = ChartSpec()
    status: SourceStatus = SourceStatus()


class SigningRequestSpec(ApiStruct, frozen=True, rename="camel"):
    """See SigningRequest. *username* is who asked, as the API knows it."""

    signer_name: str = ""
    username: str = ""


class SigningRequest(ApiStruct, frozen=True, rename="camel"):
    """certificates.k8s.io/v1 CertificateSigningRequest, without the request itself."""

    metadata: Meta
    spec: SigningRequestSpec = SigningRequestSpec()
    status: ConditionsStatus = ConditionsStatus()


class AttachmentSource(ApiStruct, frozen=True, rename="camel"):
    """See Attachment."""

    persistent_volume_name: str = ""


class AttachmentSpec(ApiStruct, frozen=True, rename="camel"):
    """See Attachment."""

    node_name: str = ""
    source: AttachmentSource = AttachmentSource()


class AttachmentStatus(ApiStruct, frozen=True, rename="camel"):
    """See Attachment."""

    attached: bool = False


class Attachment(ApiStruct, frozen=True, rename="camel"):
    """storage.k8s.io/v1 VolumeAttachment."""

    metadata: Meta
    spec: AttachmentSpec = AttachmentSpec()
    status: AttachmentStatus = AttachmentStatus()


class Listener(ApiStruct, frozen=True, rename="camel"):
    """See GatewayStatus."""

    name: str = ""
    conditions: tuple[Condition, ...] = ()


class GatewayStatus(ApiStruct, frozen=True, rename="camel"):
    """See Gateway."""

    conditions: tuple[Condition, ...] = ()
    listeners: tuple[Listener, ...] = ()


class Gateway(ApiStruct, frozen=True, rename="camel"):
    """gateway.networking.k8s.io/v1 Gateway."""

    metadata: Meta
    status: GatewayStatus = GatewayStatus()


class LeaseSpec(ApiStruct, frozen=True, rename="camel"):
    """See Lease."""

    renew_time: datetime | None = None


class Lease(ApiStruct, frozen=True, rename="camel"):
    """coordination.k8s.io/v1 Lease; those in kube-node-lease are the heartbeats of kubelets."""

    metadata: Meta
    spec: LeaseSpec = LeaseSpec()


class Anything(ApiStruct, frozen=True, rename="camel"):
    """An object of a kind for which there is no rule of its own."""

    metadata: Meta
    status: ConditionsStatus = ConditionsStatus()
