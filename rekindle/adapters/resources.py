"""Where the kinds of a snapshot are found in a Kubernetes API."""

from __future__ import annotations

from rekindle.adapters.kubernetes import ResourcePath

_CORE, _APPS = ("", "v1"), ("apps", "v1")
_ADMISSION, _STORAGE = ("admissionregistration.k8s.io", "v1"), ("storage.k8s.io", "v1")
_KUSTOMIZE, _HELM = "kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io"
_SOURCE, _SECRETS = "source.toolkit.fluxcd.io", "external-secrets.io"
_SNAPSHOT = "snapshot.storage.k8s.io"
_KEDA = ("keda.sh", "v1alpha1")
_VOLSYNC, _ROOK = ("volsync.backube", "v1alpha1"), ("ceph.rook.io", "v1")

# Where each kind of a snapshot is found; of several versions the first that is served.
RESOURCES: dict[str, tuple[ResourcePath, ...]] = {
    "Node": (ResourcePath(*_CORE, "nodes", namespaced=False),),
    "Namespace": (ResourcePath(*_CORE, "namespaces", namespaced=False),),
    "CustomResourceDefinition": (
        ResourcePath("apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced=False),
    ),
    "Deployment": (ResourcePath(*_APPS, "deployments"),),
    "StatefulSet": (ResourcePath(*_APPS, "statefulsets"),),
    "DaemonSet": (ResourcePath(*_APPS, "daemonsets"),),
    "Pod": (ResourcePath(*_CORE, "pods"),),
    "Kustomization": tuple(
        ResourcePath(_KUSTOMIZE, version, "kustomizations") for version in ("v1", "v1beta2")
    ),
    "HelmRelease": tuple(
        ResourcePath(_HELM, version, "helmreleases") for version in ("v2", "v2beta2")
    ),
    "GitRepository": tuple(
        ResourcePath(_SOURCE, version, "gitrepositories") for version in ("v1", "v1beta2")
    ),
    "ExternalSecret": tuple(
        ResourcePath(_SECRETS, version, "externalsecrets") for version in ("v1", "v1beta1")
    ),
    "ClusterSecretStore": tuple(
        ResourcePath(_SECRETS, version, "clustersecretstores", namespaced=False)
        for version in ("v1", "v1beta1")
    ),
    "APIService": (ResourcePath("apiregistration.k8s.io", "v1", "apiservices", namespaced=False),),
    "ValidatingWebhookConfiguration": (
        ResourcePath(*_ADMISSION, "validatingwebhookconfigurations", namespaced=False),
    ),
    "MutatingWebhookConfiguration": (
        ResourcePath(*_ADMISSION, "mutatingwebhookconfigurations", namespaced=False),
    ),
    "Service": (ResourcePath(*_CORE, "services"),),
    "EndpointSlice": (ResourcePath("discovery.k8s.io", "v1", "endpointslices"),),
    "Job": (ResourcePath("batch", "v1", "jobs"),),
    "PersistentVolumeClaim": (ResourcePath(*_CORE, "persistentvolumeclaims"),),
    "PersistentVolume": (ResourcePath(*_CORE, "persistentvolumes", namespaced=False),),
    "HelmChart": tuple(
        ResourcePath(_SOURCE, version, "helmcharts") for version in ("v1", "v1beta2")
    ),
    "HelmRepository": tuple(
        ResourcePath(_SOURCE, version, "helmrepositories") for version in ("v1", "v1beta2")
    ),
    "OCIRepository": tuple(
        ResourcePath(_SOURCE, version, "ocirepositories") for version in ("v1", "v1beta2")
    ),
    "SecretStore": tuple(
        ResourcePath(_SECRETS, version, "secretstores") for version in ("v1", "v1beta1")
    ),
    "CertificateSigningRequest": (
        ResourcePath("certificates.k8s.io", "v1", "certificatesigningrequests", namespaced=False),
    ),
    "VolumeAttachment": (ResourcePath(*_STORAGE, "volumeattachments", namespaced=False),),
    "Gateway": tuple(
        ResourcePath("gateway.networking.k8s.io", version, "gateways")
        for version in ("v1", "v1beta1")
    ),
    "Certificate": (ResourcePath("cert-manager.io", "v1", "certificates"),),
    "ReplicationDestination": (ResourcePath(*_VOLSYNC, "replicationdestinations"),),
    "ReplicationSource": (ResourcePath(*_VOLSYNC, "replicationsources"),),
    "CephCluster": (ResourcePath(*_ROOK, "cephclusters"),),
    "StorageClass": (ResourcePath(*_STORAGE, "storageclasses", namespaced=False),),
    "CSIDriver": (ResourcePath(*_STORAGE, "csidrivers", namespaced=False),),
    "Bucket": tuple(ResourcePath(_SOURCE, version, "buckets") for version in ("v1", "v1beta2")),
    "VolumeSnapshot": tuple(
        ResourcePath(_SNAPSHOT, version, "volumesnapshots") for version in ("v1", "v1beta1")
    ),
    "HorizontalPodAutoscaler": (ResourcePath("autoscaling", "v2", "horizontalpodautoscalers"),),
    "ScaledObject": (ResourcePath(*_KEDA, "scaledobjects"),),
}
# Groups of CRDs: their kinds may be absent.
_DEFINED = (
    *(".fluxcd.io", "external-secrets.io", "gateway.networking.k8s.io", "cert-manager.io"),
    *(_VOLSYNC[0], _ROOK[0], _SNAPSHOT, _KEDA[0]),
)
BUILT_IN = frozenset(
    kind for kind, (place, *_) in RESOURCES.items() if not place.group.endswith(_DEFINED)
)
