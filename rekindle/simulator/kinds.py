"""Groups, versions and plurals: what a kind is called where."""

from __future__ import annotations

from dataclasses import dataclass

ESTABLISHED_SECONDS = 5.0  # an API server among several waits so long before it serves a new kind

PROTECTION = "kubernetes.io/pvc-protection"
KUSTOMIZE_FINALIZER = "finalizers.fluxcd.io"
CRD_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"


@dataclass(frozen=True, slots=True)
class Kind:
    """Where a kind lives. *crd* is empty where Kubernetes itself serves it."""

    name: str
    group: str
    version: str
    plural: str
    crd: str = ""
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Name group and version as manifests do."""
        return f"{self.group}/{self.version}" if self.group else self.version


def _custom(name: str, group: str, version: str, plural: str, *, namespaced: bool = True) -> Kind:
    return Kind(name, group, version, plural, f"{plural}.{group}", namespaced)


_ALL = (
    Kind("Namespace", "", "v1", "namespaces", namespaced=False),
    Kind("Node", "", "v1", "nodes", namespaced=False),
    Kind("Pod", "", "v1", "pods"),
    Kind("ConfigMap", "", "v1", "configmaps"),
    Kind("Secret", "", "v1", "secrets"),
    Kind("Service", "", "v1", "services"),
    Kind("ServiceAccount", "", "v1", "serviceaccounts"),
    Kind("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices"),
    Kind("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims"),
    Kind("PersistentVolume", "", "v1", "persistentvolumes", namespaced=False),
    Kind("Deployment", "apps", "v1", "deployments"),
    Kind("StatefulSet", "apps", "v1", "statefulsets"),
    Kind("DaemonSet", "apps", "v1", "daemonsets"),
    Kind("Job", "batch", "v1", "jobs"),
    Kind("CronJob", "batch", "v1", "cronjobs"),
    Kind("ClusterRole", "rbac.authorization.k8s.io", "v1", "clusterroles", namespaced=False),
    Kind(
        "ClusterRoleBinding",
        "rbac.authorization.k8s.io",
        "v1",
        "clusterrolebindings",
        namespaced=False,
    ),
    Kind("Role", "rbac.authorization.k8s.io", "v1", "roles"),
    Kind("RoleBinding", "rbac.authorization.k8s.io", "v1", "rolebindings"),
    Kind("StorageClass", "storage.k8s.io", "v1", "storageclasses", namespaced=False),
    Kind("HorizontalPodAutoscaler", "autoscaling", "v2", "horizontalpodautoscalers"),
    Kind("Ingress", "networking.k8s.io", "v1", "ingresses"),
    Kind("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies"),
    Kind(
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        namespaced=False,
    ),
    Kind("APIService", "apiregistration.k8s.io", "v1", "apiservices", namespaced=False),
    Kind(
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        namespaced=False,
    ),
    Kind(
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        namespaced=False,
    ),
    _custom("Kustomization", "kustomize.toolkit.fluxcd.io", "v1", "kustomizations"),
    _custom("HelmRelease", "helm.toolkit.fluxcd.io", "v2", "helmreleases"),
    _custom("GitRepository", "source.toolkit.fluxcd.io", "v1", "gitrepositories"),
    _custom("OCIRepository", "source.toolkit.fluxcd.io", "v1", "ocirepositories"),
    _custom("HelmRepository", "source.toolkit.fluxcd.io", "v1", "helmrepositories"),
    _custom("HelmChart", "source.toolkit.fluxcd.io", "v1", "helmcharts"),
    _custom("ExternalSecret", "external-secrets.io", "v1", "externalsecrets"),
    _custom(
        "ClusterSecretStore",
        "external-secrets.io",
        "v1",
        "clustersecretstores",
        namespaced=False,
    ),
)
BUILT_IN: dict[str, Kind] = {kind.name: kind for kind in _ALL}
FLUX_CRDS = tuple(kind.crd for kind in _ALL if kind.group.endswith("toolkit.fluxcd.io"))


def custom(name: str, crd: str, version: str = "") -> Kind:
    """Return a kind by the name of the definition that brings it."""
    plural, _, group = crd.partition(".")
    return Kind(name, group, version or "v1", plural, crd)


def guess(name: str) -> Kind:
    """Return a kind that is in no table and names no definition: served by Kubernetes itself."""
    return BUILT_IN.get(name) or Kind(name, "", "v1", f"{name.lower()}s")


def kind_of_crd(crd: str) -> str:
    """Return the kind that a well-known definition brings, or a guess from its plural."""
    known = next((kind.name for kind in _ALL if kind.crd == crd), "")
    plural = crd.partition(".")[0]
    return known or plural.removesuffix("s").capitalize()


def identify(kind: str, key: str) -> str:
    """Name an object as Flux does: Kind/namespace/name."""
    return f"{kind}/{key}"
