"""
What charts bring that Git's objects name: sources, stores, and Secrets by way of their ExternalSecrets.

Git does not render a chart, and a cluster does not know what Git holds: the one says what is named, the other whose
that is. Releases alone are looked at, for what a Kustomization brings Git says itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from engine.answer import Subject
from phases.belonging import is_left_over, owner_of
from phases.diagnosis.scene import Scene
from phases.objects import ExternalSecret, Meta, SecretSpec
from phases.wants import SOURCES, Brought, Named

_RELEASE = "helmrelease/"
_OTHERS = ("ExternalSecret", "SecretStore", "ClusterSecretStore")


@dataclass(frozen=True, slots=True)
class Charts:
    """
    *named*: what each of Git's objects names and Git has not, by subject. *brought*: the release of each such object.

    *secrets*: by its key, the ExternalSecret of a chart that makes a Secret.
    """

    named: Mapping[Subject, tuple[Named, ...]] = field(default_factory=dict)
    brought: Mapping[Named, Subject] = field(default_factory=dict)
    secrets: Mapping[str, Subject] = field(default_factory=dict)

    def needs(self, subject: Subject, releases: Collection[Subject]) -> list[Subject]:
        """Name what one of Git's objects needs of these *releases*, and of what makes their Secrets."""
        found = set()
        for kind, key in self.named.get(subject, ()):
            maker = self.secrets.get(key, "") if kind == "Secret" else ""
            at = ("ExternalSecret", maker.partition("/")[2]) if maker else (kind, key)
            owner = self.brought.get(at, "")
            if owner in releases:
                found.add(maker or owner)
        return sorted(found - {subject})


def charts_in(scene: Scene, ours: Named) -> Charts:
    """Find what the releases of a cluster bring; nobody waits for our own source."""
    made = Brought()
    found: dict[Named, Subject] = {}
    for kind in (*SOURCES, *_OTHERS):
        for key, one in scene.of(kind).items():
            owner = release_of(scene, one.metadata)
            if owner and (kind, key) != ours:
                found[kind, key] = owner
    for key, secret in scene.of("ExternalSecret").items():
        if ("ExternalSecret", key) in found:
            made.add_secret(key, secret.spec)
    return Charts(brought=found, secrets=made.secrets)


def needs_of_secret(scene: Scene, found: ExternalSecret) -> list[Subject]:
    """Name the releases that bring an ExternalSecret, and the store that it reads."""
    owners = {release_of(scene, found.metadata)}
    for kind, key in store_of(found.spec, found.metadata.namespace):
        store = scene.get(kind, key)
        owners.add("" if store is None else release_of(scene, store.metadata))
    return sorted(owners - {""})


def store_of(spec: SecretSpec, namespace: str) -> Iterable[Named]:
    """Name the store of an ExternalSecret; without a kind it is one of its own namespace."""
    store = spec.secret_store_ref
    if store is not None and store.kind == "ClusterSecretStore":
        yield store.kind, store.name
    elif store is not None and store.name:
        yield "SecretStore", f"{namespace}/{store.name}"


def release_of(scene: Scene, metadata: Meta) -> Subject:
    """Return the release that brought an object and that is there."""
    owner = owner_of(scene, metadata)
    return owner if owner.startswith(_RELEASE) and not is_left_over(scene, metadata) else ""
