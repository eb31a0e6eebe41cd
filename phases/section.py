"""
What a plan says about its cluster, beyond the machine.

Every path is relative to the plan file's folder; the loader makes it absolute and says where a missing one was named.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=253)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+/[a-z0-9.-]+$", max_length=300)]
Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600)]


class Strict(BaseModel):
    """Unknown keys are errors: a misspelt limit must not be silently unlimited."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TalosNode(Strict):
    """A planned node: its own address, its role, and the machine configuration to give it."""

    address: str
    role: Literal["controlplane", "worker"] = "controlplane"
    config: str


class Talos(Strict):
    """Where the Talos side of the cluster is described."""

    talosconfig: str
    nodes: dict[Name, TalosNode] = Field(min_length=1)
    talosctl: str = "talosctl"


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
    """*roots*: manifests of the source and the root Kustomizations. *source*: the GitRepository that all follow."""

    roots: str
    source: Key = "flux-system/flux-system"
    controllers: tuple[Key, ...] = (
        "flux-system/source-controller",
        "flux-system/kustomize-controller",
        "flux-system/helm-controller",
    )


class Crds(Strict):
    """*preapply* ``when-blocked``: CRDs that a Kustomization waits for may be applied from *directory* (NAME.yaml)."""

    preapply: Literal["when-blocked", "never"] = "when-blocked"
    directory: str = ""


class Inventory(Strict):
    """What should exist."""

    file: str


class Section(Strict):
    """The domain's part of recovery.yaml."""

    talos: Talos
    kubernetes: Kubernetes
    cni: Cni
    flux: Flux
    crds: Crds = Crds()
    inventory: Inventory
    commands: dict[Name, Command] = {}
    repository: str = "."
