"""Applying what Git or a chart says: dry-run, refusals as the API words them, and the objects themselves."""

from __future__ import annotations

from typing import Any

from phases.objects import (
    ExternalSecret,
    Flux,
    FluxSpec,
    FluxStatus,
    Meta,
    Reference,
    SecretSpec,
    Source,
    SourceSpec,
    SourceStatus,
    Workload,
    WorkloadSpec,
)
from phases.snapshot import MORE_KINDS, UNWATCHED_KINDS
from rekindle.simulator.api import Api, Refused, terminating
from rekindle.simulator.claims import claim_of
from rekindle.simulator.crds import Crds
from rekindle.simulator.kinds import identify
from rekindle.simulator.namespaces import Namespaces
from rekindle.simulator.shapes import Plain, go_duration, meta_of
from rekindle.simulator.tree import Item, Tree
from rekindle.simulator.workloads import Workloads

NEVER_OBSERVED = -1
_READ: dict[str, Any] = {**MORE_KINDS, **UNWATCHED_KINDS}


def reference(key: str, kind: str = "") -> Reference:
    """Return a reference to a key."""
    namespace, _, name = key.rpartition("/")
    return Reference(kind, name, namespace)


class Maker:
    """Turns items of the tree into objects."""

    def __init__(
        self, api: Api, tree: Tree, crds: Crds, namespaces: Namespaces, workloads: Workloads
    ) -> None:
        self._api = api
        self._tree = tree
        self._crds = crds
        self._namespaces = namespaces
        self._workloads = workloads
        self.source = "flux-system/flux-system"

    def dry_run(self, item: Item) -> str:
        """Say what a server-side dry-run of the item answers; empty: fine. Webhooks are asked last."""
        if text := self.refusal(item):
            return text
        namespace = item.id.partition("/")[0] if "/" in item.id else ""
        there = self._api.get(item.kind, item.id) is not None
        operation = "UPDATE" if there else "CREATE"
        text = self._api.admission(item.kind, namespace, operation)
        name = identify(item.kind, item.id)
        return f"{name} dry-run failed (InternalError): {text}\n" if text else ""

    def refusal(self, item: Item) -> str:
        """Say what the API itself has against the item; empty: nothing."""
        where, name = item.where, identify(item.kind, item.id)
        if where.crd and not self._api.established(where.crd):
            return (
                f'{name} dry-run failed: no matches for kind "{item.kind}"'
                f' in version "{where.api_version}"\n'
            )
        namespace = item.id.partition("/")[0] if "/" in item.id else ""
        if not namespace or self._api.get(item.kind, item.id) is not None:
            return ""
        found = self._api.get("Namespace", namespace)
        if found is None:
            return f'{name} not found: namespaces "{namespace}" not found\n'
        if terminating(found):
            short = item.id.partition("/")[2]
            return (
                f'{name} dry-run failed (Forbidden): {where.plural} "{short}" is forbidden: unable to'
                f" create new content in namespace {namespace} because it is being terminated\n"
            )
        return ""

    def apply(self, item: Item, labels: dict[str, str]) -> None:
        """Create what the item says, unless it is there."""
        if item.kind == "Namespace":
            self._namespaces.apply(item.id, labels)
        elif item.kind == "CustomResourceDefinition":
            self._crds.apply(item.id, labels)
        elif self._api.get(item.kind, item.id) is None:
            if item.where.crd and not self._api.established(item.where.crd):
                text = f'no matches for kind "{item.kind}" in version "{item.where.api_version}"'
                raise Refused("NoMatch", text)
            self._api.create(item.kind, self._object(item, meta_of(item.id, labels=labels)))

    def _object(self, item: Item, meta: Meta) -> Any:  # noqa: ANN401  an object of the snapshot
        match item.kind:
            case "Deployment" | "StatefulSet":
                self._workloads.declare(item)
                return Workload(meta, WorkloadSpec(item.replicas))
            case "DaemonSet":
                self._workloads.declare(item)
                return Workload(meta)
            case "Kustomization":
                return self._kustomization(item, meta)
            case "HelmRelease":
                return self._release(item, meta)
            case "GitRepository":
                status = SourceStatus(observed_generation=NEVER_OBSERVED)
                return Source(meta, SourceSpec(interval="1h0m0s"), status)
            case "ExternalSecret":
                store = Reference("ClusterSecretStore", item.store)
                return ExternalSecret(meta, SecretSpec(store))
            case "ClusterSecretStore":
                return ExternalSecret(meta)
            case "PersistentVolumeClaim":
                return claim_of(item.id, meta.labels, item.storage)
            case _:
                finalizers = (item.finalizer,) if item.finalizer else ()
                made = _READ.get(item.kind, Plain)
                return made(meta_of(item.id, labels=meta.labels, finalizers=finalizers))

    def _kustomization(self, item: Item, meta: Meta) -> Flux:
        wanted = self._tree.kustomizations[item.id]
        spec = FluxSpec(
            suspend=wanted.suspend,
            interval=go_duration(wanted.interval),
            retry_interval=go_duration(wanted.retry) if wanted.retry else "",
            timeout=go_duration(wanted.timeout) if wanted.timeout else "",
            wait=wanted.wait,
            source_ref=reference(self.source, "GitRepository"),
            depends_on=tuple(reference(key) for key in wanted.depends_on),
        )
        return Flux(meta, spec, FluxStatus(NEVER_OBSERVED))

    def _release(self, item: Item, meta: Meta) -> Flux:
        wanted = self._tree.helmreleases[item.id]
        spec = FluxSpec(
            suspend=wanted.suspend,
            interval=go_duration(wanted.interval),
            timeout=go_duration(wanted.timeout),
            depends_on=tuple(reference(key) for key in wanted.depends_on),
        )
        return Flux(meta, spec, FluxStatus(NEVER_OBSERVED))
