"""
What a plan says about its cluster, beyond the machine.

Every path is relative to the plan file's folder; the program makes it absolute before anything uses it, and says
where a missing one was named.
"""

from __future__ import annotations

import re
from functools import cached_property
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine.answer import Subject, Wait
from engine.checked import remains, validated
from engine.errors import Problem
from engine.patience import seconds
from engine.plan import Include
from engine.yamlfile import Marks, read_yaml
from journal.entries import Fact
from phases import codes
from phases.inventory import Inventory, Key, Name


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
    """Where the Talos side of the cluster is described."""

    talosconfig: str
    nodes: dict[Name, TalosNode] = Field(min_length=1)
    talosctl: str = "talosctl"

    @property
    def control_planes(self) -> tuple[str, ...]:
        """Names of the planned control planes, in the plan's order."""
        return tuple(name for name, node in self.nodes.items() if node.role == "controlplane")


class Kubernetes(Strict):
    """*kubeconfig*: our own file, fetched from Talos and never merged into another. *api_port*: on each node."""

    kubeconfig: str
    api_port: int = Field(default=6443, ge=1, le=65535)


class Cni(Strict):
    """What makes the network: a DaemonSet, the Deployments beside it, and the command that installs them."""

    daemonset: Key
    deployments: tuple[Key, ...] = ()
    command: Name


class Command(Strict):
    """
    A command of the operator's repository; no shell.

    *effect* ``once`` needs a *probe* (a command: exit 0 happened, 1 not happened, else unknown) and a *guard* (a
    sentence: what refuses the second time at the target).
    """

    argv: tuple[str, ...] = Field(min_length=1)
    directory: str = "."
    deadline: str = "10m"
    effect: Literal["convergent", "once"] = "convergent"
    probe: tuple[str, ...] = ()
    guard: str = ""
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
    *preapply* ``when-blocked``: CRDs that a Kustomization waits for may be applied from *directory* (NAME.yaml).

    *available* names those that are there, filled in when the plan is loaded.
    """

    preapply: Literal["when-blocked", "never"] = "when-blocked"
    directory: str = ""
    available: tuple[str, ...] = ()


class Section(Strict):
    """The domain's part of recovery.yaml."""

    talos: Talos
    kubernetes: Kubernetes
    cni: Cni
    flux: Flux
    crds: Crds = Crds()
    inventory: Annotated[Inventory, Field(description="in the file: {file: PATH}")]
    commands: dict[Name, Command] = {}
    repository: str = "."

    @cached_property
    def verdicts(self) -> dict[Subject, tuple[object, object, Fact]]:
        """Verdicts by subject, each with the object and the context that it was made from: a memory, not a fact."""
        return {}

    @cached_property
    def listings(self) -> dict[str, tuple[object, object, dict[Subject, Fact]]]:
        """Verdicts of a whole kind, with the mapping and the context that they were made from: a memory as well."""
        return {}

    @cached_property
    def told(self) -> dict[Subject, tuple[Fact, Wait]]:
        """What was answered for a fact, where nothing else goes into the answer: a memory as well."""
        return {}

    @cached_property
    def expected(self) -> tuple[Subject, ...]:
        """Everything that Git brings, apart from workloads."""
        inventory = self.inventory
        return (
            codes.subject("gitrepository", self.flux.source),
            *(codes.subject("namespace", name) for name in inventory.namespaces),
            *(codes.subject("crd", item.name) for item in inventory.crds),
            *(codes.subject("kustomization", item.key) for item in inventory.kustomizations),
            *(codes.subject("helmrelease", item.key) for item in inventory.helmreleases),
            *(codes.subject("store", name) for name in inventory.stores),
            *(codes.subject("externalsecret", item.key) for item in inventory.externalsecrets),
        )

    @cached_property
    def dependencies(self) -> dict[Subject, tuple[Subject, ...]]:
        """What each Kustomization and HelmRelease depends on, by its own dependsOn."""
        found: dict[Subject, tuple[Subject, ...]] = {}
        for kustomization in self.inventory.kustomizations:
            names = (codes.subject("kustomization", key) for key in kustomization.depends_on)
            found[codes.subject("kustomization", kustomization.key)] = tuple(names)
        for release in self.inventory.helmreleases:
            names = (codes.subject("helmrelease", key) for key in release.depends_on)
            found[codes.subject("helmrelease", release.key)] = tuple(names)
        return found

    def rank(self, subject: Subject) -> tuple[int, int, Subject]:
        """Order subjects as they can succeed: sources, Kustomizations by depth, releases by depth, the rest."""
        families = ("gitrepository", "kustomization", "helmrelease")
        family = subject.partition("/")[0]
        place = families.index(family) if family in families else len(families)
        return place, self._depth(subject, ()), subject

    def _depth(self, subject: Subject, path: tuple[Subject, ...]) -> int:
        if subject in path:
            return 0  # a cycle has no depth
        below = self.dependencies.get(subject, ())
        return 1 + max((self._depth(item, (*path, subject)) for item in below), default=-1)

    @cached_property
    def crd_names(self) -> tuple[str, ...]:
        """CRDs to watch: those that Git brings, and those that may be applied out of band."""
        expected = (item.name for item in self.inventory.crds)
        return tuple(dict.fromkeys((*expected, *self.crds.available)))

    @cached_property
    def workloads(self) -> tuple[tuple[str, str, Subject, int], ...]:
        """Kind, key, subject and pods of each workload that should be there; the network is always among them."""
        wanted: dict[tuple[str, str], int] = {
            (item.kind, item.key): item.pods for item in self.inventory.workloads
        }
        wanted.setdefault(("DaemonSet", self.cni.daemonset), len(self.talos.nodes))
        for key in (*self.cni.deployments, *self.flux.controllers):
            wanted.setdefault(("Deployment", key), 1)
        return tuple(
            (kind, key, codes.subject(kind, key), pods) for (kind, key), pods in wanted.items()
        )


SPARE_NAME = "spare"  # a name that no check may speak of
SPARE: dict[str, Any] = {
    "talos": {"talosconfig": "-", "nodes": {"*": {"address": SPARE_NAME, "config": "-"}}},
    "kubernetes": {"kubeconfig": "-"},
    "cni": {"daemonset": "spare/spare", "command": SPARE_NAME},
    "flux": {"roots": "-"},
    "commands": {"*": {"argv": ["-"]}},
}


def load_section(
    raw: dict[str, Any], marks: Marks, include: Include, problems: list[Problem]
) -> dict[str, Any]:
    """Check the domain's part of a plan; the inventory's file is read and checked as well."""
    data = dict(raw)
    data["inventory"] = _inventory(data.get("inventory"), marks, include, problems)
    section = validated(Section, data, marks, (), problems)
    left = section or remains(Section, data, SPARE)
    if left is not None:
        named = data.get("commands")
        names = {*left.commands, *(map(str, named) if isinstance(named, dict) else ())}
        _check(left, {*names, SPARE_NAME}, marks, problems)
    return section.model_dump(mode="json", by_alias=True) if section is not None else {}


def _inventory(
    given: object, marks: Marks, include: Include, problems: list[Problem]
) -> dict[str, Any]:
    stand_in = {"schema": "rekindle.inventory/1"}
    if not isinstance(given, dict) or set(given) != {"file"} or not isinstance(given["file"], str):
        problems.append(marks.problem(("inventory",), "write it as {file: PATH}"))
        return stand_in
    try:
        file = include(given["file"])
    except OSError as error:
        text = f"cannot be read: {error.strerror or error}"
        problems.append(marks.problem(("inventory", "file"), text))
        return stand_in
    data, inner, found = read_yaml(file)
    problems.extend(found)
    if found and not data:
        return stand_in
    inventory = validated(Inventory, data, inner, (), problems)
    if inventory is None:
        return stand_in
    total = sum(item.pods for item in inventory.workloads)
    if total != inventory.pods:
        problems.append(inner.problem(("pods",), f"the workloads above have {total} pods"))
    return inventory.model_dump(mode="json", by_alias=True)


def _check(section: Section, names: set[str], marks: Marks, problems: list[Problem]) -> None:
    """Resolve every name that one part of the plan uses of another."""
    if not section.talos.control_planes:
        problems.append(marks.problem(("talos", "nodes"), "no node has the role controlplane"))
    wanted = {("cni", "command"): section.cni.command}
    if section.flux.command:
        wanted["flux", "command"] = section.flux.command
    for path, name in wanted.items():
        if name not in names:
            problems.append(marks.problem(path, f"no command {name!r} under commands"))
        elif name in section.commands and section.commands[name].effect != "convergent":
            text = (
                f"{name!r} is run again whenever what it brings is missing: it must be convergent"
            )
            problems.append(marks.problem(path, text))
    addresses = [node.address for node in section.talos.nodes.values()]
    for name, node in section.talos.nodes.items():
        if addresses.count(node.address) > 1 and node.address != SPARE_NAME:
            here = ("talos", "nodes", name, "address")
            problems.append(marks.problem(here, f"{node.address} is given to two nodes"))
    for name, command in section.commands.items():
        place = ("commands", name)
        try:
            seconds(command.deadline)
        except ValueError as error:
            problems.append(marks.problem((*place, "deadline"), str(error)))
        if command.effect == "once" and not (command.probe and command.guard):
            text = "a command with effect once needs a probe and a guard"
            problems.append(marks.problem(place, text))
