"""
What an object names that something else must bring.

The source of its chart or its manifests, the Secrets that it reads, the class of its storage. Of a Git tree and of a
cluster the same is asked. What nobody here is known to bring is no need: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from engine.answer import Subject
from phases import codes
from phases.objects import FluxSpec, Reference, SecretSpec, WorkloadSpec
from phases.stored import Stored
from phases.templates import MaybeReference, TemplateSpec

Named = tuple[str, str]  # kind, namespace/name
SOURCES = ("GitRepository", "OCIRepository", "HelmRepository", "Bucket", "HelmChart")

_MADE_BY_OTHERS = ("Merge", "None")  # creation policies of an ExternalSecret


@dataclass(slots=True)
class Brought:
    """
    Who brings what others name. *sources*: by kind and key, the Kustomization or release that brings it.

    *charts*: by its key, the source that a HelmChart is made from. *secrets*: by its key, the ExternalSecret that makes
    a Secret. *stored*: what claims wait for.
    """

    sources: dict[Named, Subject] = field(default_factory=dict)
    charts: dict[str, Named] = field(default_factory=dict)
    secrets: dict[str, Subject] = field(default_factory=dict)
    stored: Stored = field(default_factory=Stored)

    def add_secret(self, key: str, spec: SecretSpec) -> None:
        """Remember what an ExternalSecret makes; one that only adds to a Secret makes none."""
        if spec.target.creation_policy not in _MADE_BY_OTHERS:
            namespace, _, name = key.partition("/")
            made = f"{namespace}/{spec.target.name or name}"
            self.secrets[made] = codes.subject("ExternalSecret", key)

    def needs_of_pods(self, spec: WorkloadSpec, subject: Subject, owner: Subject) -> list[str]:
        """Name what the pods of a workload need, without itself and its *owner*: that was there before them."""
        key = subject.partition("/")[2]
        stored, restoring = self.stored.needs(spec, key)
        secrets = self._written(_secrets_of_pods(spec.template.spec), key.partition("/")[0])
        makers = {self.secrets[one] for one in restoring if one in self.secrets}
        return [*sorted(stored - {subject, owner}), *sorted(makers.union(secrets))]

    def needs_of_flux(self, spec: FluxSpec, namespace: str, known: Iterable[Subject]) -> list[str]:
        """Name what a Kustomization or a HelmRelease needs, without what is *known*: itself and who brings it."""
        found = {self.sources.get(named, "") for named in self._sources_of(spec, namespace)}
        secrets = self._written(_secrets_of_flux(spec), namespace)
        return [*sorted(found - {"", *known}), *secrets]

    def unmet(self, spec: FluxSpec, namespace: str) -> tuple[Named, ...]:
        """Name what nobody here brings, of the sources and Secrets that a Kustomization or a HelmRelease names."""
        sources = [one for one in self._sources_of(spec, namespace) if one not in self.sources]
        keys = [f"{namespace}/{one.name}" for one in _secrets_of_flux(spec) if _is_waited_for(one)]
        secrets = [("Secret", key) for key in keys if key not in self.secrets]
        return tuple(dict.fromkeys((*sources, *secrets)))

    def _written(self, named: Iterable[MaybeReference | None], namespace: str) -> list[str]:
        """Name the ExternalSecrets that make these Secrets; what is optional is not waited for."""
        keys = (f"{namespace}/{one.name}" for one in named if _is_waited_for(one))
        return sorted({self.secrets[key] for key in keys if key in self.secrets})

    def _sources_of(self, spec: FluxSpec, namespace: str) -> Iterator[Named]:
        chart = None if spec.chart is None else spec.chart.spec.source_ref
        for reference in (spec.source_ref, spec.chart_ref, chart):
            if reference is None:
                continue
            named = named_by(reference, namespace)
            yield named
            if named[0] == "HelmChart" and named[1] in self.charts:
                yield self.charts[named[1]]


def _is_waited_for(one: MaybeReference | None) -> TypeGuard[MaybeReference]:
    return one is not None and not one.optional


def named_by(reference: Reference, namespace: str) -> Named:
    """Return kind and key of what an object of a namespace refers to."""
    return reference.kind, f"{reference.namespace or namespace}/{reference.name}"


def _secrets_of_flux(spec: FluxSpec) -> Iterator[MaybeReference | None]:
    substituted = spec.post_build.substitute_from if spec.post_build is not None else ()
    for reference in (*substituted, *spec.values_from):
        if reference.kind == "Secret":
            yield reference
    for sealed in (spec.decryption, spec.kube_config):
        yield sealed.secret_ref if sealed is not None else None


def _secrets_of_pods(spec: TemplateSpec) -> Iterator[MaybeReference | None]:
    for container in (*spec.init_containers, *spec.containers):
        yield from (one.secret_ref for one in container.env_from)
        given = (one.value_from for one in container.env)
        yield from (one.secret_key_ref for one in given if one is not None)
    for volume in spec.volumes:
        if volume.secret is not None:
            yield MaybeReference(name=volume.secret.secret_name, optional=volume.secret.optional)
        if volume.projected is not None:
            yield from (one.secret for one in volume.projected.sources)
