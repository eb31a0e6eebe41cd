"""Manifests, described as an inventory lists them."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import Any

from phases.kinds import WORKLOADS

Object = dict[str, Any]
KUSTOMIZE = "kustomize.toolkit.fluxcd.io"
HELM = "helm.toolkit.fluxcd.io"
# The groups of the kinds that count; others may have kinds of the same name.
GROUPS = {
    "Namespace": "",
    "ConfigMap": "",
    "Kustomization": KUSTOMIZE,
    "HelmRelease": HELM,
    "ExternalSecret": "external-secrets.io",
    "ClusterSecretStore": "external-secrets.io",
    "CustomResourceDefinition": "apiextensions.k8s.io",
    **dict.fromkeys(WORKLOADS, "apps"),
}
# Kinds that bring more objects, which only their controllers know.
MAKERS = {"ResourceSet": "fluxcd.controlplane.io", "FluxInstance": "fluxcd.controlplane.io"}


def counts(found: Object, kinds: dict[str, str] = GROUPS) -> bool:
    """Say whether an object is of a kind that counts, in its group."""
    group = str(found.get("apiVersion", "")).rpartition("/")[0]
    return kinds.get(str(found.get("kind"))) == group


def kustomization(flux: Object, parent: str | None) -> Object:
    """Describe a Flux Kustomization."""
    return {
        "key": key_of(flux),
        "parent": parent,
        "depends_on": depends_on(flux),
        "wait": bool(spec_of(flux).get("wait")),
        "suspended": is_suspended(flux),
    }


def release(flux: Object, parent: str | None) -> Object:
    """Describe a HelmRelease."""
    return {
        "key": key_of(flux),
        "parent": parent,
        "depends_on": depends_on(flux),
        "suspended": is_suspended(flux),
    }


def kind_of(found: Object) -> tuple[str, str]:
    """Return group and kind."""
    return str(found.get("apiVersion", "")).rpartition("/")[0], str(found.get("kind", ""))


def defined(found: Object) -> tuple[str, str]:
    """Return group and kind that a CustomResourceDefinition defines."""
    spec = spec_of(found)
    return str(spec.get("group", "")), str(sub(spec, "names").get("kind", ""))


def release_namespace(flux: Object) -> str:
    """Return the namespace that a release makes; empty if it makes none."""
    makes = sub(spec_of(flux), "install").get("createNamespace") and not is_suspended(flux)
    return str(spec_of(flux).get("targetNamespace") or "") if makes else ""


def secret(found: Object, parent: str | None) -> Object:
    """Describe an ExternalSecret."""
    store = str(sub(spec_of(found), "secretStoreRef").get("name", ""))
    return {"key": key_of(found), "parent": parent, "store": store}


def crd(found: Object, parent: str | None) -> Object:
    """Describe a CustomResourceDefinition."""
    return {"name": name_of(found), "provider": f"kustomization/{parent}" if parent else ""}


def workload(found: Object, parent: str | None, nodes: int) -> Object:
    """Describe a workload and its pods: a DaemonSet's are one a node."""
    replicas = spec_of(found).get("replicas")
    pods = replicas if isinstance(replicas, int) else 1
    return {
        "kind": found["kind"],
        "key": key_of(found),
        "pods": nodes if found["kind"] == "DaemonSet" else pods,
        "owner": f"kustomization/{parent}" if parent else "",
    }


def source_of(flux: Object) -> tuple[str, str]:
    """Return kind and key of the source that a Kustomization follows."""
    reference = sub(spec_of(flux), "sourceRef")
    namespace = reference.get("namespace") or namespace_of(flux)
    return str(reference.get("kind", "")), f"{namespace}/{reference.get('name', '')}"


def included(source: Object) -> dict[PurePosixPath, str]:
    """Return what a GitRepository takes in of others (``spec.include``): by folder, the key of whose it is."""
    given = spec_of(source).get("include")
    found: dict[PurePosixPath, str] = {}
    for item in given if isinstance(given, list) else ():
        name = str(sub(item, "repository").get("name", "")) if isinstance(item, dict) else ""
        if name:  # the folder has its name, where none is said: source-controller v1, GitRepositoryInclude.GetToPath
            folder = folder_of(str(item.get("toPath") or name))
            found[folder] = f"{namespace_of(source)}/{name}"
    return found


def folder_of(path: str) -> PurePosixPath:
    """Return a folder of a source as it lies in the tree: ``./x``, ``/x`` and ``x`` are one."""
    return PurePosixPath(posixpath.normpath(f"/{path.lstrip('/')}")).relative_to("/")


def depends_on(flux: Object) -> list[str]:
    """Return the keys of what a Flux object depends on."""
    given = spec_of(flux).get("dependsOn")
    references = (
        [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    )
    return [
        f"{item.get('namespace') or namespace_of(flux)}/{item.get('name')}" for item in references
    ]


def is_suspended(flux: Object) -> bool:
    """Say whether Git itself suspends a Flux object."""
    return bool(spec_of(flux).get("suspend"))


def spec_of(found: Object) -> Object:
    """Return the spec; anything but a mapping counts as empty."""
    return sub(found, "spec")


def sub(found: Object, name: str) -> Object:
    """Return a mapping inside a mapping."""
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def name_of(found: Object) -> str:
    """Return the name."""
    return str(sub(found, "metadata").get("name", ""))


def namespace_of(found: Object) -> str:
    """Return the namespace."""
    return str(sub(found, "metadata").get("namespace") or "default")


def key_of(found: Object) -> str:
    """Return namespace and name."""
    return f"{namespace_of(found)}/{name_of(found)}"
