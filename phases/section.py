"""
What a plan says about its cluster, beyond the machine.

Every path is relative to the plan file's folder; the program makes it absolute before anything uses it, and says
where a missing one was named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from engine.answer import Answer, Subject
from engine.patience import seconds
from journal.entries import Fact
from phases import codes
from phases.beforehand import installed_owners
from phases.diagnosis.scene import Kept
from phases.inventory import Inventory, Key, KeyIfAny, Name
from phases.kinds import WORKLOADS
from phases.outline import Outline
from phases.standing import Standing
from phases.tally import PodTally


class Strict(BaseModel):
    """Unknown keys are errors: a misspelt limit must not be silently unlimited."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _address(value: str) -> str:
    """An IP address or a host name; what looks like the one must be one."""
    if set(value) <= set("0123456789."):
        ip_address(value)
    elif not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?|[0-9a-fA-F:]+", value):
        message = f"{value!r} is neither an IP address nor a host name"
        raise ValueError(message)
    return value


Address = Annotated[str, AfterValidator(_address)]


class TalosNode(Strict):
    """
    A planned node: its own address, its role, and the machine configuration to give it.

    *sha256* is of that file, filled in when the plan is loaded: what is applied is what was reviewed.
    """

    address: Address
    role: Literal["controlplane", "worker"] = "controlplane"
    config: str
    sha256: str = ""


class Talos(Strict):
    """
    Where the Talos side of the cluster is described.

    A plan file has at least one control plane; without *nodes* (a watch that has no plan) no machine is asked.
    """

    talosconfig: str
    nodes: dict[Name, TalosNode] = Field(json_schema_extra={"minProperties": 1})
    talosctl: str = "talosctl"

    @property
    def control_planes(self) -> tuple[str, ...]:
        """Names of the planned control planes, in the plan's order."""
        return tuple(name for name, node in self.nodes.items() if node.role == "controlplane")


class Etcd(Strict):
    """
    A snapshot of etcd that the operator brings, for ``etcd.recover`` (empty: only what a run took itself).

    *copied*: it was copied out of a member's data directory, and has no hash of its own. *sha256* is of that file,
    filled in when the plan is loaded: what is recovered from is what was reviewed.
    """

    snapshot: str = ""
    copied: bool = False
    sha256: str = ""


class Kubernetes(Strict):
    """*kubeconfig*: our own file, fetched from Talos and never merged into another. *api_port*: on each node."""

    kubeconfig: str
    api_port: int = Field(default=6443, ge=1, le=65535)


class Cni(Strict):
    """
    What makes the network: a DaemonSet, the Deployments beside it, and the command that installs them.

    A plan file names the DaemonSet; a watch that has no plan may not know it (empty).
    """

    daemonset: KeyIfAny = Field(json_schema_extra={"minLength": 1})
    deployments: tuple[Key, ...] = ()
    command: Name


class Command(Strict):
    """
    A command of the operator's repository; no shell. It is run again wherever it is not known to have ended well.

    A plan may say that *effect* is ``convergent``, as it is. The rest is of older journals alone: nothing asked a
    *probe*, and no plan could use a command of effect ``once``.
    """

    argv: tuple[str, ...] = Field(min_length=1)
    directory: str = "."
    deadline: str = "10m"
    effect: Literal["convergent"] | SkipJsonSchema[Literal["once"]] = "convergent"
    probe: SkipJsonSchema[tuple[str, ...]] = ()
    guard: SkipJsonSchema[str] = ""
    environment: dict[str, str] = {}


class Notify(Strict):
    """
    A command that is told when a person must hear of something.

    It gets a line of JSON on stdin and the same in REKINDLE_EVENT, REKINDLE_MESSAGE, REKINDLE_NEXT and others. What it
    says is thrown away; that it fails changes nothing of the run.
    """

    argv: tuple[str, ...] = Field(min_length=1)
    on: tuple[Literal["approval", "blocked", "done"], ...] = ("approval", "blocked", "done")
    directory: str = "."
    deadline: str = "30s"
    environment: dict[str, str] = {}

    @property
    def deadline_seconds(self) -> float:
        """After so long it is ended."""
        return seconds(self.deadline)


class Probe(Strict):
    """
    A command that only looks; no shell. Exit 0: what it asks about holds, *not_yet*: it does not, else it is not known.

    It is run again and again, *every* so often and ended after *deadline*, for as long as anybody looks.
    """

    argv: tuple[str, ...] = Field(min_length=1)
    not_yet: int = Field(ge=1, le=125)
    every: str = "10s"
    deadline: str = "10s"
    directory: str = "."
    environment: dict[str, str] = {}


class Flux(Strict):
    """
    *roots*: manifests of the source and the root Kustomizations. *source*: the GitRepository that all follow.

    *command* installs the controllers; empty: the CNI's command does.
    """

    roots: str
    command: str = ""
    source: Key = "flux-system/flux-system"
    controllers: tuple[Key, ...] = (
        "flux-system/source-controller",
        "flux-system/kustomize-controller",
        "flux-system/helm-controller",
    )


class Crds(Strict):
    """
    *preapply* ``when-blocked``: CRDs that are waited for, or that Helm does not put back, come from *directory*.

    *available* names those that are there, filled in when the plan is loaded.
    """

    preapply: Literal["when-blocked", "never"] = "when-blocked"
    directory: str = ""
    available: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What a fact alone says: the cause after whose end its object can be woken, and the answer until then."""

    fact: Fact
    cause: str
    answer: Answer


class Section(Strict, Outline):
    """The domain's part of recovery.yaml."""

    talos: Talos
    kubernetes: Kubernetes
    cni: Cni
    flux: Flux
    crds: Crds = Crds()
    etcd: Etcd = Etcd()
    inventory: Annotated[Inventory, Field(description="in the file: {file: PATH}")]
    commands: dict[Name, Command] = {}
    notify: Notify | None = None
    probes: dict[Name, Probe] = {}
    repository: Annotated[str, Field(description="the Git tree; empty: none is known")] = "."

    @cached_property
    def verdicts(self) -> dict[Subject, tuple[object, object, Fact]]:
        """Verdicts by subject, each with the object and the context that it was made from: a memory, not a fact."""
        return {}

    @cached_property
    def listings(self) -> dict[str, tuple[object, object, dict[Subject, Fact]]]:
        """Verdicts of a whole kind, with the mapping and the context that they were made from: a memory as well."""
        return {}

    @cached_property
    def pods(self) -> PodTally:
        """What was counted of the pods, kept up to date by those that change: a memory as well."""
        return PodTally(self.inventory.namespaces)

    @cached_property
    def standing_expected(self) -> Standing:
        """What of ``expected`` is open: a memory as well, as the two that follow."""
        return Standing(self.expected)

    @cached_property
    def standing_synced(self) -> Standing:
        """What of ``synced`` is open."""
        return Standing(self.synced)

    @cached_property
    def standing_workloads(self) -> Standing:
        """What of ``workloads`` is open, and their pods."""
        return Standing(
            [subject for _, _, subject, _ in self.workloads],
            [pods for _, _, _, pods in self.workloads],
        )

    @cached_property
    def told(self) -> dict[Subject, Told]:
        """What was answered for a fact: a memory as well."""
        return {}

    @cached_property
    def brought_first(self) -> frozenset[Subject]:
        """What owns, in the inventory, workloads that commands of the plan install."""
        return installed_owners(self)

    @cached_property
    def diagnosed(self) -> dict[str, Kept]:
        """What rules found that nothing has changed since: a memory as well."""
        return {}

    @cached_property
    def drawn(self) -> dict[str, object]:
        """What was drawn from this section alone (``phases.order``): a memory as well."""
        return {}

    @cached_property
    def expected(self) -> tuple[Subject, ...]:
        """Everything that Git brings, apart from workloads."""
        inventory = self.inventory
        return (
            self.source,
            *(codes.subject("namespace", name) for name in inventory.namespaces),
            *(codes.subject("crd", item.name) for item in inventory.crds),
            *(subject for subject, _ in self.kustomizations),
            *(subject for subject, _ in self.releases),
            *(subject for subject, _ in self.stores),
            *(codes.subject("externalsecret", item.key) for item in inventory.externalsecrets),
        )

    @cached_property
    def synced(self) -> tuple[Subject, ...]:
        """What of it a controller syncs: namespaces and CRDs are there or not, and are answered for as knots."""
        return tuple(s for s in self.expected if not s.startswith(("namespace/", "crd/")))

    @cached_property
    def reconciled(self) -> tuple[Subject, ...]:
        """What Flux reconciles, and an operator may suspend: the source, Kustomizations, HelmReleases."""
        return (self.source, *(subject for subject, _ in (*self.kustomizations, *self.releases)))

    @cached_property
    def parents(self) -> dict[Subject, Subject]:
        """The Kustomization that applies each Kustomization, HelmRelease, ExternalSecret and store."""
        secrets = self.inventory.externalsecrets
        items = (
            *((subject, item.parent) for subject, item in self.kustomizations),
            *((subject, item.parent) for subject, item in self.releases),
            *((codes.subject("externalsecret", item.key), item.parent) for item in secrets),
            *self.stores,
        )
        found = {s: codes.subject("kustomization", parent) for s, parent in items if parent}
        return {subject: parent for subject, parent in found.items() if subject != parent}

    @cached_property
    def owners(self) -> dict[Subject, Subject]:
        """The Kustomization or HelmRelease that brings each workload, as far as the inventory knows."""
        listed = self.inventory.workloads
        return {codes.subject(item.kind, item.key): item.owner for item in listed if item.owner}

    @cached_property
    def bringers(self) -> dict[Subject, Subject]:
        """The Kustomization or HelmRelease that brings each CRD, as far as the inventory knows."""
        listed = self.inventory.crds
        return {codes.subject("crd", item.name): item.provider for item in listed if item.provider}

    @cached_property
    def early(self) -> frozenset[Subject]:
        """CRDs that may be applied out of band."""
        names = self.crds.available if self.crds.preapply == "when-blocked" else ()
        return frozenset(codes.subject("crd", name) for name in names)

    @cached_property
    def crd_names(self) -> tuple[str, ...]:
        """CRDs to watch: those that Git brings, and those that may be applied out of band."""
        expected = (item.name for item in self.inventory.crds)
        return tuple(dict.fromkeys((*expected, *self.crds.available)))

    @cached_property
    def crd_subjects(self) -> tuple[tuple[Subject, str], ...]:
        """The same with their subjects."""
        return tuple((codes.subject("crd", name), name) for name in self.crd_names)

    @cached_property
    def workloads_of(self) -> dict[str, tuple[tuple[str, Subject, int], ...]]:
        """The same by kind: key, subject and pods."""
        found: dict[str, list[tuple[str, Subject, int]]] = {kind: [] for kind in WORKLOADS}
        for kind, key, subject, pods in self.workloads:
            found[kind].append((key, subject, pods))
        return {kind: tuple(items) for kind, items in found.items()}
