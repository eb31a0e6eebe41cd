"""
What should exist.

Counting only what exists calls 23 of 23 pods healthy. The inventory is the other half of the count: it comes from the
Git tree or from a snapshot of the healthy cluster, is reviewed by people, and travels in the plan.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
KEY = re.compile(r"[a-z0-9.-]+/[a-z0-9.-]+")
NEEDABLE = (
    "kustomization",
    "helmrelease",
    "externalsecret",
    "deployment",
    "statefulset",
    "daemonset",
)


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        message = f"{value!r} is no name: lower case, digits, dashes and dots"
        raise ValueError(message)
    return value


def _key(value: str) -> str:
    if not KEY.fullmatch(value):
        message = f"write it as namespace/name, not {value!r}"
        raise ValueError(message)
    return value


def _need(value: str) -> str:
    family, _, rest = value.partition("/")
    if not (NAME if family == "crd" else KEY).fullmatch(rest) or family not in ("crd", *NEEDABLE):
        message = (
            f"write it as crd/NAME or as KIND/namespace/name ({', '.join(NEEDABLE)}), not {value!r}"
        )
        raise ValueError(message)
    return value


Name = Annotated[str, StringConstraints(max_length=253), AfterValidator(_name)]
Key = Annotated[str, StringConstraints(max_length=300), AfterValidator(_key)]
KeyIfAny = Annotated[
    str, StringConstraints(max_length=300), AfterValidator(lambda value: value and _key(value))
]
Need = Annotated[str, StringConstraints(max_length=320), AfterValidator(_need)]


SCHEMA = "rekindle.inventory/1"


class Listed(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_serializer(mode="wrap")
    def _without_empty_needs(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out needs that are none: a plan that was there before them keeps its digest."""
        written: dict[str, Any] = write(self)
        if written.get("needs", True):
            return written
        return {key: value for key, value in written.items() if key != "needs"}


class SourceItem(Listed):
    """The source that everything follows."""

    kind: Literal["GitRepository"] = "GitRepository"
    namespace: Name
    name: Name


class KustomizationItem(Listed):
    """
    A Flux Kustomization. *suspended*: Git itself suspends it, so that it is expected to be.

    *needs*: what must be there before it can be applied, beside its parent and what it depends on: the CRDs of what it
    holds, the workloads whose webhooks are asked about it, who brings the source that it follows, the ExternalSecrets
    of what it reads.
    """

    key: Key
    parent: Key | None = None
    depends_on: tuple[Key, ...] = ()
    wait: bool = False
    suspended: bool = False
    needs: tuple[Need, ...] = ()


class HelmReleaseItem(Listed):
    """
    A HelmRelease.

    *needs*: what must be there before it can be installed: who brings the source of its chart, the ExternalSecrets of
    its values.
    """

    key: Key
    parent: Key | None = None
    depends_on: tuple[Key, ...] = ()
    suspended: bool = False
    needs: tuple[Need, ...] = ()


class ExternalSecretItem(Listed):
    """
    An ExternalSecret and the store that it reads.

    *needs*: what must be there before it can be read: the release whose chart brings it, or its store.
    """

    key: Key
    parent: Key | None = None
    store: str = ""
    needs: tuple[Need, ...] = ()


class StoreItem(Listed):
    """A ClusterSecretStore, and the Kustomization that applies it; its bare name where nobody is known to."""

    name: Name
    parent: Key | None = None


def _store(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _written(item: StoreItem) -> str | dict[str, str]:
    """A plan that was there before stores had parents keeps its digest."""
    return item.name if item.parent is None else {"name": item.name, "parent": item.parent}


Store = Annotated[
    StoreItem,
    BeforeValidator(_store, json_schema_input_type=Name | StoreItem),
    PlainSerializer(_written),
]


class CrdItem(Listed):
    """A CustomResourceDefinition and the subject that brings it."""

    name: Name
    provider: str = ""


class WorkloadItem(Listed):
    """
    A workload and how many pods it should have.

    *needs*: what must be there before its pods can start: the ExternalSecrets of what they read, who brings the
    StorageClasses of their claims.
    """

    kind: Literal["Deployment", "StatefulSet", "DaemonSet"]
    key: Key
    pods: int = Field(ge=0, le=100_000)
    owner: str = ""
    needs: tuple[Need, ...] = ()


class Inventory(Listed):
    """
    Everything that should exist; *pods* is the sum that people count by.

    *unknown* names Kustomizations that follow another source than *source*. They are expected themselves, at whatever
    revision their own source has; what they bring beyond what is listed here is unknown, not missing.
    """

    schema_: Literal["rekindle.inventory/1"] = Field(alias="schema")
    nodes: tuple[Name, ...] = ()
    source: SourceItem | None = None
    roots: tuple[Key, ...] = ()
    namespaces: tuple[Name, ...] = ()
    kustomizations: tuple[KustomizationItem, ...] = ()
    helmreleases: tuple[HelmReleaseItem, ...] = ()
    externalsecrets: tuple[ExternalSecretItem, ...] = ()
    stores: tuple[Store, ...] = ()
    crds: tuple[CrdItem, ...] = ()
    workloads: tuple[WorkloadItem, ...] = ()
    pods: int = Field(default=0, ge=0)
    unknown: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _unknown_is_expected(self) -> Self:
        listed = {item.key for item in self.kustomizations}
        for key in self.unknown:
            if key not in listed:
                message = f"unknown: {key} is not among the kustomizations"
                raise ValueError(message)
        return self
