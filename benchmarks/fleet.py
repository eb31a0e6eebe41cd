"""
The repository that ``recovery.py`` recovers: sixty Kustomizations in twelve chains, three of which fail at first.

Every Kustomization depends on the one before it in its chain. A third of them bring a Deployment and wait for it, as in
the trees that people have; the others bring a ConfigMap, so that it is not the cores that are measured. The three
that fail hold an object of a namespace or of a kind that comes later, and that no ``dependsOn`` of theirs leads to: the
mistake that an hour's interval turns into an hour.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHAINS, DEPTH, HOUR = 12, 5, "1h"
SYSTEM, ROOT, SPACE = "flux-system", "fleet", "bench"
BY_HAND, BY_FLUX = "late-by-hand", "late-by-flux"
GROUP = "bench.example"
CRD = f"gadgets.{GROUP}"
ANTON = Path(__file__).resolve().parents[1] / "examples" / "anton"
STAYS = {
    "kustomize.toolkit.fluxcd.io/prune": "disabled"
}  # taken away by whoever cleans up, at the end
Body = dict[str, Any]


def name_of(chain: int, level: int) -> str:
    """Name a Kustomization."""
    return f"app-{chain:02}-{level}"


@dataclass(frozen=True, slots=True)
class Late:
    """What a Kustomization fails for at first: *subject*, brought by *provider*, or by a person where there is none."""

    subject: str
    provider: str


FOR_SOMEBODY = name_of(0, 1)
# By the Kustomization that fails. None of the providers is before it in its chain.
LATE = {
    FOR_SOMEBODY: Late(f"namespace/{BY_HAND}", ""),
    name_of(4, 1): Late(f"crd/{CRD}", name_of(5, 2)),
    name_of(8, 1): Late(f"namespace/{BY_FLUX}", name_of(9, 2)),
}
WAITING = (0, 4, 5, 8, 9)  # chains whose Kustomizations wait, all but the last


def names() -> list[str]:
    """Name all that should become ready, apart from the root."""
    return [name_of(chain, level) for chain in range(CHAINS) for level in range(DEPTH)]


def needed(name: str) -> str:
    """Name what a Kustomization depends on; empty: nothing."""
    _, chain, level = name.split("-")
    return name_of(int(chain), int(level) - 1) if int(level) else ""


def is_waiting(name: str) -> bool:
    """Say whether a Kustomization waits for what it brings."""
    _, chain, level = name.split("-")
    return int(chain) in WAITING and int(level) < DEPTH - 1


def write_tree(folder: Path, intervals: tuple[str, ...]) -> None:
    """
    Write the repository, with a folder of Kustomizations for each interval, and a root for each beside them.

    Only those that fail have the interval: of the others it would be nothing but more work beside what is measured.
    """
    shutil.copytree(ANTON / "bootstrap" / "manifests", folder / "bootstrap" / "manifests")
    shutil.copy(ANTON / "bootstrap" / "apps.sh", folder / "bootstrap" / "apps.sh")
    for interval in intervals:
        _write(
            roots(folder, interval), [_source(), _kustomization(ROOT, f"fleet/{interval}", HOUR)]
        )
        children = [
            _kustomization(name, f"apps/{name}", interval if name in LATE else HOUR)
            for name in names()
        ]
        _write_set(folder / "fleet" / interval, [_namespace(SPACE), *children])
    for name in names():
        _write_set(folder / "apps" / name, _objects(name))


def roots(folder: Path, interval: str) -> Path:
    """Name the file with the source and the root."""
    return folder / "roots" / f"{interval}.yaml"


def inventory() -> Body:
    """Return what should exist."""
    items = [
        {
            "key": f"{SYSTEM}/{name}",
            "parent": f"{SYSTEM}/{ROOT}",
            "depends_on": [f"{SYSTEM}/{needed(name)}"] if needed(name) else [],
            "wait": is_waiting(name),
        }
        for name in names()
    ]
    provider = LATE[name_of(4, 1)].provider
    return {
        "schema": "rekindle.inventory/1",
        "nodes": ["k8s-1"],
        "source": {"kind": "GitRepository", "namespace": SYSTEM, "name": SYSTEM},
        "roots": [f"{SYSTEM}/{ROOT}"],
        "namespaces": sorted((SPACE, BY_HAND, BY_FLUX, SYSTEM, "kube-system")),
        "kustomizations": [{"key": f"{SYSTEM}/{ROOT}"}, *items],
        "crds": [{"name": CRD, "provider": f"kustomization/{SYSTEM}/{provider}"}],
    }


def _source() -> Body:
    spec = {"interval": HOUR, "url": "http://127.0.0.1:16091/fleet.git", "ref": {"branch": "main"}}
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": SYSTEM, "namespace": SYSTEM},
        "spec": spec,
    }


def _kustomization(name: str, path: str, interval: str) -> Body:
    """No ``retryInterval``: nobody in the trees that were looked at sets one."""
    spec: Body = {
        "interval": interval,
        "timeout": "2m",
        "path": f"./{path}",
        "prune": True,
        "wait": name != ROOT and is_waiting(name),
        "sourceRef": {"kind": "GitRepository", "name": SYSTEM},
    }
    if name != ROOT:
        spec["deletionPolicy"] = (
            "Orphan"  # what it brought goes with its namespace, which is quicker
        )
    if name != ROOT and needed(name):
        spec["dependsOn"] = [{"name": needed(name)}]
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": SYSTEM},
        "spec": spec,
    }


def _objects(name: str) -> list[Body]:
    found = [_config(name, SPACE)]
    if is_waiting(name):
        found.append(_deployment(name))
    late = LATE.get(name)
    if late is not None:
        kind, _, what = late.subject.partition("/")
        found.append(_config(name, what) if kind == "namespace" else _gadget(name))
    for other in LATE.values():
        if other.provider == name:
            kind, _, what = other.subject.partition("/")
            found.append(_namespace(what) if kind == "namespace" else _crd())
    return found


def _namespace(name: str) -> Body:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "annotations": STAYS},
    }


def _config(name: str, namespace: str) -> Body:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"name": name}}


def _deployment(name: str) -> Body:
    labels = {"app": name}
    container = {"name": "server", "image": f"registry.invalid/{name}:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _gadget(name: str) -> Body:
    metadata = {"name": name, "namespace": SPACE}
    return {"apiVersion": f"{GROUP}/v1", "kind": "Gadget", "metadata": metadata, "spec": {}}


def _crd() -> Body:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    plural, _, _ = CRD.partition(".")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": CRD, "annotations": STAYS},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": plural, "singular": "gadget"},
            "versions": [version],
        },
    }


def _write_set(folder: Path, objects: list[Body]) -> None:
    """A folder that says what is in it: Flux need not find out."""
    _write(folder / "objects.yaml", objects)
    _write(folder / "kustomization.yaml", [{"resources": ["objects.yaml"]}])


def _write(path: Path, objects: list[Body]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump_all(objects, sort_keys=False))
