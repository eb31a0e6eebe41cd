"""
The GitOps tree as Flux sees it: every Kustomization rendered, every release with its values.

Kustomize renders each path under its target namespace; who reads ks.yaml files alone gets the
namespaces wrong.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from manifests import Manifest, Release, load_release

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent
ROOTS_FILE = ROOT / "kubernetes/flux/cluster/ks.yaml"


class Broken(Exception):  # noqa: N818  # it says what the tree is
    """The tree contradicts itself, or is no longer the cluster it stands for."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A Flux Kustomization with the objects its path renders to."""

    manifest: Manifest
    parent: str | None
    objects: tuple[Manifest, ...]

    @property
    def depends_on(self) -> list[str]:
        """The keys of what it waits for."""
        return depends_on(self.manifest)


@dataclass(slots=True)
class Tree:
    """Everything below the roots, by key."""

    roots: list[str] = field(default_factory=list)
    kustomizations: dict[str, Rendered] = field(default_factory=dict)
    releases: dict[str, tuple[Manifest, str, Release]] = field(default_factory=dict)

    def objects(self) -> Iterator[tuple[str, Manifest]]:
        """Every rendered object with the Kustomization that carries it."""
        for key, rendered in sorted(self.kustomizations.items()):
            for manifest in rendered.objects:
                yield key, manifest

    def crds(self) -> dict[tuple[str, str], Manifest]:
        """Every CRD of the charts by API group and kind."""
        found = (crd for *_, release in self.releases.values() for crd, _ in release.crds)
        return {(crd["spec"]["group"], crd["spec"]["names"]["kind"]): crd for crd in found}


def kustomize(folder: Path) -> tuple[Manifest, ...]:
    """Render *folder* with the real kustomize, whichever is installed."""
    program = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    done = subprocess.run([*program, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(f"{folder}: {done.stderr.strip()}")
    found = [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]
    return tuple(sorted(found, key=lambda it: (it["kind"], key_of(it))))  # versions disagree


def render(kustomization: Manifest) -> tuple[Manifest, ...]:
    """Render a Kustomization's path under its target namespace, as kustomize-controller does."""
    spec = kustomization["spec"]
    path = (ROOT / spec["path"]).resolve()
    if "targetNamespace" not in spec:
        return kustomize(path)
    with tempfile.TemporaryDirectory() as scratch:
        base = os.path.relpath(path, Path(scratch).resolve())
        overlay = {"namespace": spec["targetNamespace"], "resources": [base]}
        (Path(scratch) / "kustomization.yaml").write_text(json.dumps(overlay), encoding="utf-8")
        return kustomize(Path(scratch))


def load_tree() -> Tree:
    """Follow the roots down to the last release."""
    tree = Tree()
    text = ROOTS_FILE.read_text(encoding="utf-8")
    docs = [doc for doc in yaml.safe_load_all(text) if doc["kind"] == "Kustomization"]
    tree.roots = sorted(map(key_of, docs), reverse=True)
    queue: list[tuple[Manifest, str | None]] = [(doc, None) for doc in docs]
    while queue:
        manifest, parent = queue.pop()
        key = key_of(manifest)
        if key in tree.kustomizations:
            raise Broken(f"two Kustomizations are called {key}")
        tree.kustomizations[key] = rendered = Rendered(manifest, parent, render(manifest))
        for child in rendered.objects:
            if child["kind"] == "Kustomization":
                queue.append((child, key))
            elif child["kind"] == "HelmRelease":
                tree.releases[key_of(child)] = (child, key, load_release(ROOT, child))
    return tree


def key_of(manifest: Manifest) -> str:
    """Name an object: namespace/name, or the name alone."""
    meta = manifest["metadata"]
    return "/".join(part for part in (meta.get("namespace"), meta["name"]) if part)


def depends_on(manifest: Manifest) -> list[str]:
    """Name what a Kustomization or a HelmRelease waits for; in its own namespace by default."""
    home = manifest["metadata"]["namespace"]
    edges = manifest["spec"].get("dependsOn", [])
    return [f"{edge.get('namespace', home)}/{edge['name']}" for edge in edges]


def depth(tree: Tree, key: str, above: tuple[str, ...] = ()) -> int:
    """Count the edges of the longest chain of dependsOn from *key* on."""
    if key in above:
        raise Broken(f"a dependsOn cycle: {' -> '.join((*above, key))}")
    if key not in tree.kustomizations:
        raise Broken(f"{above[-1]} depends on {key}, which is not in the tree")
    below = tree.kustomizations[key].depends_on
    return max((1 + depth(tree, target, (*above, key)) for target in below), default=0)
