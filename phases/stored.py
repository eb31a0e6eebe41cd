"""
What the claims of pods wait for: who brings their class, who makes a volume for it, and who restores into that.

A class names its provisioner and not who runs that. Two things tell it for certain: a workload that is given the
driver's name as an argument, and who brings the CSIDriver of that name. A provisioner of which neither is known is
nobody's; that a class and a workload come from the same chart says nothing (Rook's chart of the classes has a toolbox).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from engine.answer import Subject
from phases.more_objects import ClaimSource
from phases.objects import WorkloadSpec
from phases.restored import SNAPSHOT, Restored, Source
from phases.templates import ClaimTemplateSpec, Container, DataSource

# Of several the API takes the newest (pkg/volume/util/storageclass.go); in a recovery nobody knows which that will be.
_USUAL = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
# Flags by which drivers and their sidecars are told the driver's name: ceph-csi, csi-driver-nfs and Longhorn
# (drivername), democratic-csi (csi-name), and provisioners of before CSI.
_FLAG = re.compile(r"--?(?:drivername|driver-name|csi-name|provisioner|provisioner-name)(?:=(.+))?")
# Where a kubelet finds a driver's socket is given to its node-driver-registrar: by custom under the driver's name.
_SOCKET = re.compile(r"--?kubelet-registration-path=\S*/plugins/([^/]+)/[^/]+")
# Sidecars that ask a driver for volumes, by the last part of their image (registry.k8s.io/sig-storage, EKS).
_MAKERS = frozenset({"csi-provisioner", "external-provisioner"})


@dataclass(frozen=True, slots=True)
class Runner:
    """A workload that may run a driver. *names*: what it is told, *makes*: it has a sidecar that asks for volumes."""

    subject: Subject
    owner: Subject
    names: frozenset[str]
    makes: bool

    @property
    def is_everywhere(self) -> bool:
        """Say whether it runs on each node: a claim gets its volume without all of these."""
        return self.subject.startswith("daemonset/")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a claim asks for: its class (empty: none, or it is not known), and what its volume is restored from."""

    storage_class: str = ""
    source: Source | None = None


@dataclass(slots=True)
class Stored:
    """
    *classes*: by its name, who brings a StorageClass; *provisioners*: what each names. *usual*: the only default class.

    *drivers*: by its name, who brings a CSIDriver. *runners*: every workload that may run one. *claims*: by its key,
    what a claim asks for. *restored*: what claims are restored from.
    """

    classes: dict[str, Subject] = field(default_factory=dict)
    provisioners: dict[str, str] = field(default_factory=dict)
    usual: str = ""
    drivers: dict[str, Subject] = field(default_factory=dict)
    runners: list[Runner] = field(default_factory=list)
    claims: dict[str, Asked] = field(default_factory=dict)
    restored: Restored = field(default_factory=Restored)

    def add_workload(self, subject: Subject, owner: Subject, spec: WorkloadSpec) -> None:
        """Remember a workload, if it may run a driver."""
        pods = spec.template.spec
        containers = (*pods.init_containers, *pods.containers)
        names = frozenset(name for one in containers for name in _names(one.args))
        makes = any(_image_of(one) in _MAKERS for one in containers)
        self.runners.append(Runner(subject, owner, names, makes))
        self.restored.run.setdefault(owner, []).append(subject)

    def add_claim(self, key: str, spec: ClaimTemplateSpec) -> None:
        """Remember a claim of a manifest."""
        self.claims[key] = self._asked(spec, key.partition("/")[0], Asked())

    def needs(self, spec: WorkloadSpec, key: str) -> tuple[set[Subject], set[str]]:
        """Name what the claims of a workload need, for its pods to start, and the Secrets that a restore reads."""
        found: set[Subject] = set()
        secrets: set[str] = set()
        for asked in self._claims_of(spec, key):
            provisioner = self.provisioners.get(asked.storage_class, "")
            found |= {self.classes.get(asked.storage_class, ""), self._behind(provisioner)}
            if asked.source is not None:
                found |= self.restored.needs(asked.source)
                secrets.update(self.restored.repositories.get(asked.source, ()))
        return found - {""}, secrets

    def _claims_of(self, spec: WorkloadSpec, key: str) -> Iterator[Asked]:
        namespace, _, name = key.partition("/")
        for one in spec.volume_claim_templates:
            made = self.claims.get(f"{namespace}/{one.metadata.name}-{name}-0", Asked(self.usual))
            yield self._asked(one.spec, namespace, made)
        for volume in spec.template.spec.volumes:
            claim = volume.persistent_volume_claim
            if claim is not None:
                yield self.claims.get(f"{namespace}/{claim.claim_name}", Asked())
            if volume.ephemeral is not None and volume.ephemeral.volume_claim_template is not None:
                template = volume.ephemeral.volume_claim_template.spec
                yield self._asked(template, namespace, Asked(self.usual))

    def _asked(self, spec: ClaimTemplateSpec, namespace: str, made: Asked) -> Asked:
        """Return what a manifest asks for: of the class, where it names none, what was *made* of it."""
        if spec.volume_name:
            return Asked()
        given = spec.data_source_ref or spec.data_source
        source = None if given is None else source_of(given, namespace)
        if spec.data_source_ref is None and source is not None and source.of != SNAPSHOT:
            source = None
        named = spec.storage_class_name
        return Asked(made.storage_class if named is None else named, source)

    def _behind(self, provisioner: str) -> Subject:
        """
        Name the workload that makes a provisioner's volumes, else who brings its driver; nothing where none is sure.

        An operator that is all that the driver's owner runs is one: it runs the driver, or it makes who does.
        """
        owner = self.drivers.get(provisioner, "")
        naming = [one for one in self.runners if provisioner in one.names]
        owned = [one for one in self.runners if owner and one.owner == owner]
        is_only = sum(other == owner for other in self.drivers.values()) == 1
        for sure in (
            [one for one in naming if one.makes],
            [one for one in naming if not one.is_everywhere],
            naming,
            [one for one in owned if one.makes and is_only],
            owned,
        ):
            if len(sure) == 1:
                return sure[0].subject
        return owner


def source_of(given: ClaimSource | DataSource, namespace: str) -> Source:
    """Return what the claims of a namespace are restored from."""
    return Source(given.api_group, given.kind, f"{given.namespace or namespace}/{given.name}")


def usual_of(annotations: Mapping[str, Mapping[str, str]]) -> str:
    """Return the default class; empty where there is none, or more than one. *annotations*: by the name of a class."""
    found = [
        name
        for name, given in annotations.items()
        if any(given.get(one) == "true" for one in _USUAL)
    ]
    return found[0] if len(found) == 1 else ""


def _names(args: tuple[str, ...]) -> Iterator[str]:
    """Name the drivers that a container is told of; a flag's value stands behind it or comes next."""
    for one, after in pairwise((*args, "")):
        flag, socket = _FLAG.fullmatch(one), _SOCKET.fullmatch(one)
        if flag is not None:
            yield flag[1] or after
        elif socket is not None:
            yield socket[1]


def _image_of(container: Container) -> str:
    """Return the last part of an image's name, without tag and digest."""
    return container.image.partition("@")[0].rpartition("/")[2].partition(":")[0]
