"""What the objects of a Git tree need of each other, beside what an inventory lists of them; see ``phases.wants``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from phases.backup_objects import ReplicationSpec
from phases.charts import store_of
from phases.hooks import CONFIGURATIONS, Hooks, hooks_of
from phases.kinds import WORKLOADS, Place, Where, crds_of, resources_of
from phases.more_objects import WebhookConfiguration
from phases.objects import FluxSpec, Reference, SecretSpec, WorkloadSpec
from phases.restored import DESTINATION, SNAPSHOT, Source
from phases.templates import ClaimTemplateSpec
from phases.wants import SOURCES, Brought, Named, named_by
from rekindle.adapters import described
from rekindle.adapters.decoding import without_nulls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rekindle.adapters.described import Object

T = TypeVar("T")
SOURCE = "source.toolkit.fluxcd.io"
# The groups of the kinds that others name.
NAMED = {
    **dict.fromkeys(SOURCES, SOURCE),
    **dict.fromkeys(("StorageClass", "CSIDriver"), "storage.k8s.io"),
    "PersistentVolumeClaim": "",
    **{kind: group for group, kind in (DESTINATION, SNAPSHOT)},
    **dict.fromkeys(CONFIGURATIONS, "admissionregistration.k8s.io"),
}

_STORED = (
    *("StorageClass", "CSIDriver", "PersistentVolumeClaim", "CustomResourceDefinition"),
    *(DESTINATION[1], SNAPSHOT[1], *WORKLOADS),
)


@dataclass(slots=True)
class Needed:
    """
    What was found so far. *held*: what each Kustomization brings, where it is by group and kind.

    *defined*: the CRDs of the tree by the kind that they define. *configurations*: those of webhooks, each with what
    brings it. *labels*: those of namespaces. *named*: what each Flux object and ExternalSecret names and the tree has
    not.
    """

    held: dict[str, dict[tuple[str, str], set[Where]]] = field(default_factory=dict)
    defined: dict[tuple[str, str], str] = field(default_factory=dict)
    brought: Brought = field(default_factory=Brought)
    configurations: list[tuple[WebhookConfiguration, str]] = field(default_factory=list)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    named: dict[str, tuple[Named, ...]] = field(default_factory=dict)
    asking: list[tuple[Object, str | None, Object]] = field(default_factory=list)

    def hold(self, flux: Object, found: Object) -> None:
        """Remember the kind of what a Kustomization brings, where that is, and all labels that it will have."""
        key, metadata = described.key_of(flux), described.sub(found, "metadata")
        namespace = str(metadata.get("namespace") or "")
        more = described.sub(described.sub(described.spec_of(flux), "commonMetadata"), "labels")
        labels = {**described.sub(metadata, "labels"), **more, **_flux_labels(flux)}
        pairs = frozenset((str(name), str(value)) for name, value in labels.items())
        is_told = not any("$" in text for pair in pairs for text in pair)
        places = self.held.setdefault(key, {}).setdefault(described.kind_of(found), set())
        places.add(Place(namespace, pairs) if is_told else namespace)

    def take(self, found: Object, parent: str | None) -> None:
        """Remember an object that others name."""
        key, kind = described.key_of(found), str(found.get("kind"))
        if kind == "ExternalSecret":
            spec = _read(described.spec_of(found), SecretSpec) or SecretSpec()
            self.brought.add_secret(key, spec)
            stores = tuple(store_of(spec, described.namespace_of(found)))
            self.named[f"externalsecret/{key}"] = stores
        elif kind == "Namespace":
            labels = described.sub(described.sub(found, "metadata"), "labels")
            self.labels[described.name_of(found)] = {str(k): str(v) for k, v in labels.items()}
        elif kind in CONFIGURATIONS:
            configuration = _read(found, WebhookConfiguration)
            if configuration is not None:
                self.configurations.append((configuration, f"kustomization/{parent}"))
        elif kind in _STORED:
            self._take_stored(kind, key, found, f"kustomization/{parent}" if parent else "")
        elif kind in SOURCES and parent is not None:
            self.brought.sources[kind, key] = f"kustomization/{parent}"
            reference = _read(described.sub(described.spec_of(found), "sourceRef"), Reference)
            if kind == "HelmChart" and reference is not None:
                self.brought.charts[key] = named_by(reference, described.namespace_of(found))

    def _take_stored(self, kind: str, key: str, found: Object, owner: str) -> None:
        """Remember what claims wait for; of claims that name no class, Git does not know which a chart makes usual."""
        stored, name = self.brought.stored, described.name_of(found)
        if kind == "PersistentVolumeClaim":
            claim = _read(described.spec_of(found), ClaimTemplateSpec)
            stored.add_claim(key, claim or ClaimTemplateSpec())
        elif kind == DESTINATION[1]:
            spec = _read(described.spec_of(found), ReplicationSpec)
            stored.restored.add_destination(key, owner, spec or ReplicationSpec())
        elif kind == SNAPSHOT[1]:
            stored.restored.sources[Source(*SNAPSHOT, key)] = owner
        elif kind == "CustomResourceDefinition":
            stored.restored.crds[name] = owner
        elif kind == "StorageClass":
            stored.provisioners[name] = str(found.get("provisioner") or "")
            if owner:
                stored.classes[name] = owner
        elif kind == "CSIDriver":
            stored.drivers[name] = owner
        else:
            work = _read(described.spec_of(found), WorkloadSpec) or WorkloadSpec()
            stored.add_workload(f"{kind.lower()}/{key}", owner, work)

    def ask(self, found: Object, parent: str | None, item: Object) -> Object:
        """Remember an object, to say later what its *item* of the inventory needs."""
        self.asking.append((found, parent, item))
        return item

    def tell(
        self, ours: tuple[str, str] | None, crds: Iterable[str], workloads: Iterable[Object]
    ) -> None:
        """Fill in what every item needs, now that everything is known."""
        if ours is not None:
            self.brought.sources.pop(ours, None)  # it is there before everything
        listed = frozenset(crds)
        hooks = hooks_of(self.configurations, workloads, self.labels)
        for found, parent, item in self.asking:
            needs = [*self._held_by(found, listed, hooks), *self._named_by(found, parent)]
            if needs:
                item["needs"] = needs

    def _held_by(self, found: Object, listed: frozenset[str], hooks: Hooks) -> list[str]:
        if found["kind"] != "Kustomization":
            return []
        key = described.key_of(found)
        held = self.held.get(key, {})
        names = crds_of(held, listed, self.defined)
        asked = hooks.needs(f"kustomization/{key}", resources_of(held, listed, self.defined))
        return [*(f"crd/{name}" for name in names), *asked]

    def _named_by(self, found: Object, parent: str | None) -> list[str]:
        if found["kind"] in WORKLOADS:
            work = _read(described.spec_of(found), WorkloadSpec) or WorkloadSpec()
            subject = f"{found['kind'].lower()}/{described.key_of(found)}"
            return self.brought.needs_of_pods(work, subject, f"kustomization/{parent}")
        spec = _read(described.spec_of(found), FluxSpec)
        if spec is None:
            return []
        subject = f"{found['kind'].lower()}/{described.key_of(found)}"
        namespace = described.namespace_of(found)
        self.named[subject] = self.brought.unmet(spec, namespace)
        return self.brought.needs_of_flux(spec, namespace, (subject, f"kustomization/{parent}"))


def _flux_labels(flux: Object) -> dict[str, str]:
    """Return what kustomize-controller writes on everything that a Kustomization brings."""
    owner = {"name": described.name_of(flux), "namespace": described.namespace_of(flux)}
    return {f"{described.KUSTOMIZE}/{part}": value for part, value in owner.items()}


def _read(found: Any, kind: type[T]) -> T | None:  # noqa: ANN401  YAML
    """Read a part of a manifest; what the API would not take either tells nothing."""
    try:
        return msgspec.convert(without_nulls(found), kind)
    except msgspec.ValidationError:
        return None
