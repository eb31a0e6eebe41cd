"""A compiled GitOps tree: what Git would bring, Kustomization by Kustomization, release by release."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from rekindle.simulator.errors import ScenarioInvalid
from rekindle.simulator.kinds import BUILT_IN, Kind, custom, guess

SCHEMA = "rekindle.tree/1"
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Item(msgspec.Struct, frozen=True):
    """
    An object that a Kustomization or a release brings.

    *crd* names the definition of a custom object, *operator* the Deployment that serves its *finalizer* (else those of
    the release that brings the definition). *start* is the seconds a pod takes, *tolerates* says that it runs on nodes
    that are not ready. *backend* is the Deployment that a secret store asks, or that makes the volumes of a
    StorageClass. *keep*: an uninstall leaves it alone. *claims* are those that the pods of a workload use, of a
    StatefulSet its templates; *storage* is the class of these, or of a claim (empty: one whose provisioner is no part
    of this).
    """

    kind: str
    key: str = ""
    name: str = ""
    prune: bool = True
    store: str = ""
    crd: str = ""
    version: str = ""
    finalizer: str = ""
    operator: str = ""
    backend: str = ""
    replicas: int = 1
    start: float = 10.0
    tolerates: bool = False
    keep: bool = False
    claims: tuple[str, ...] = ()
    storage: str = ""

    @property
    def id(self) -> str:
        """The key of the object."""
        return self.key or self.name

    @property
    def where(self) -> Kind:
        """Group, version and plural."""
        if self.kind in BUILT_IN:
            return BUILT_IN[self.kind]
        return custom(self.kind, self.crd, self.version) if self.crd else guess(self.kind)


class HealthCheck(msgspec.Struct, frozen=True):
    """An object whose health a Kustomization waits for."""

    kind: str
    key: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        """The key of the object."""
        return self.key or self.name


class KustomizationSpec(msgspec.Struct, frozen=True):
    """A Kustomization; seconds. Without *timeout* it is the interval less 30 s, as Flux has it."""

    interval: float = 3600.0
    retry: float = 0.0
    timeout: float = 0.0
    wait: bool = False
    prune: bool = True
    suspend: bool = False
    depends_on: tuple[str, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    objects: tuple[Item, ...] = ()


class ReleaseSpec(msgspec.Struct, frozen=True):
    """A HelmRelease; seconds. *retries* -1: for ever."""

    interval: float = 3600.0
    timeout: float = 300.0
    retries: int = 0
    suspend: bool = False
    depends_on: tuple[str, ...] = ()
    installs: tuple[Item, ...] = ()


class Tree(msgspec.Struct, frozen=True):
    """
    All of it, at one revision.

    *beside* is what a cluster that has lived has besides: nobody in Git brings it, and nobody brings it again.
    """

    schema: str
    revision: str
    roots: tuple[str, ...]
    kustomizations: dict[str, KustomizationSpec]
    helmreleases: dict[str, ReleaseSpec] = {}
    beside: tuple[Item, ...] = ()

    def crds(self) -> dict[str, Item]:
        """Return every definition that is known, by name."""
        return {item.id: item for item in self.items() if item.kind == "CustomResourceDefinition"}

    def items(self) -> list[Item]:
        """Return every object that is known."""
        brought = [part.objects for part in self.kustomizations.values()]
        brought += [part.installs for part in self.helmreleases.values()]
        brought.append(self.beside)
        return [item for items in brought for item in items]


@cache
def load_tree(path: Path) -> Tree:
    """Read a tree, once; every error names the file."""
    try:
        tree = msgspec.convert(yaml.load(path.read_text("utf-8"), Loader), Tree)  # noqa: S506  a safe loader
    except OSError as error:
        raise ScenarioInvalid(
            f"tree: {path} cannot be read: {error.strerror or error}",
            reference="scenario-invalid",
            hint="the scenario names it at `tree:`, from its own folder; `rehearse --from RUN --write DIRECTORY` "
            "writes both",
        ) from error
    except (ValueError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise ScenarioInvalid(
            f"{path.name} is no tree: {error}",
            reference="scenario-invalid",
            hint=f"it must follow {SCHEMA}",
        ) from error
    problems = [*_dangling(tree)]
    if tree.schema != SCHEMA:
        problems.append(f"its schema is {tree.schema!r}, not {SCHEMA!r}")
    if problems:
        raise ScenarioInvalid(
            f"{path.name}: {'; '.join(problems)}",
            reference="scenario-invalid",
            hint="each child of a Kustomization needs a section of its own",
        )
    return tree


def _dangling(tree: Tree) -> list[str]:
    problems = [
        f"root {key} has no section" for key in tree.roots if key not in tree.kustomizations
    ]
    sections: dict[str, Any] = {
        "Kustomization": tree.kustomizations,
        "HelmRelease": tree.helmreleases,
    }
    problems += [
        f"{item.kind} {item.id} has no section"
        for item in tree.items()
        if item.kind in sections and item.id not in sections[item.kind]
    ]
    return problems
