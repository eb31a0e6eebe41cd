"""The inventory of a Git tree, rendered by the real kustomize."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from journal.errors import Diagnosed
from rekindle.adapters import gitops
from tests.testbed import build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kustomize(monkeypatch: pytest.MonkeyPatch) -> None:
    """The testbed's kubectl on PATH: its kustomize is the real one, on every machine the same."""
    monkeypatch.setenv("PATH", f"{build.ensure()}{os.pathsep}{os.environ['PATH']}")


needs_kustomize = pytest.mark.usefixtures("kustomize")

KUSTOMIZATION = """
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  interval: 1h
  path: {path}
  sourceRef: {{kind: GitRepository, name: {source}}}
"""
SOURCE = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
---
"""
NAMESPACED = """
kind: Kustomization
apiVersion: kustomize.config.k8s.io/v1beta1
namespace: media
resources: [namespace.yaml, ks.yaml]
"""
APP = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: jellyfin}
spec: {dependsOn: [{name: rook, namespace: storage}]}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: keys}
spec: {secretStoreRef: {kind: ClusterSecretStore, name: onepassword}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "web-${WHERE}"}
spec: {replicas: 3}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec: {group: example.com}
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    roots = SOURCE + KUSTOMIZATION.format(name="apps", path="./apps", source="flux-system")
    write(root / "roots" / "ks.yaml", roots)
    write(root / "apps" / "media" / "kustomization.yaml", NAMESPACED)
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: _}\n"
    write(root / "apps" / "media" / "namespace.yaml", namespace)
    child = KUSTOMIZATION.format(name="jellyfin", path="./apps/media/app", source="flux-system")
    more = "  targetNamespace: media\n  wait: true\n  dependsOn: [{name: rook}]\n"
    reference = child.replace("name: flux-system}", "name: flux-system, namespace: flux-system}")
    substitute = "  postBuild: {substitute: {WHERE: here}}\n"
    write(root / "apps" / "media" / "ks.yaml", reference + more + substitute)
    write(root / "apps" / "media" / "app" / "deep" / "app.yaml", APP)
    return root


def render(tree: Path) -> gitops.Rendered:
    return gitops.inventory(tree, tree / "roots", ["n1", "n2"])


@pytest.mark.system
@needs_kustomize
def test_the_tree_is_followed_from_its_roots(tree: Path) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    rendered = render(tree)
    parent = "media/jellyfin"

    assert (rendered.unknown, rendered.notes) == ({}, ())
    assert rendered.inventory == {
        "schema": "rekindle.inventory/1",
        "nodes": ["n1", "n2"],
        "source": {"kind": "GitRepository", "namespace": "flux-system", "name": "flux-system"},
        "roots": ["flux-system/apps"],
        "namespaces": ["media"],
        "kustomizations": [
            {
                "key": "flux-system/apps",
                "parent": None,
                "depends_on": [],
                "wait": False,
                "suspended": False,
            },
            {
                "key": parent,
                "parent": "flux-system/apps",
                "depends_on": ["media/rook"],
                "wait": True,
                "suspended": False,
            },
        ],
        "helmreleases": [
            {
                "key": "media/jellyfin",
                "parent": parent,
                "depends_on": ["storage/rook"],
                "suspended": False,
            }
        ],
        "externalsecrets": [{"key": "media/keys", "parent": parent, "store": "onepassword"}],
        "stores": [],
        "crds": [{"name": "gadgets.example.com", "provider": f"kustomization/{parent}"}],
        "workloads": [
            {
                "kind": "DaemonSet",
                "key": "media/agent",
                "pods": 2,
                "owner": f"kustomization/{parent}",
            },
            {
                "kind": "Deployment",
                "key": "media/web-here",
                "pods": 3,
                "owner": f"kustomization/{parent}",
            },
        ],
        "pods": 5,
        "unknown": [],
    }
    assert before == {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}


@pytest.mark.system
@needs_kustomize
def test_another_source_is_listed_and_not_rendered(tree: Path) -> None:
    child = KUSTOMIZATION.format(name="else", path="./nowhere", source="elsewhere")
    with (tree / "roots" / "ks.yaml").open("a") as file:
        file.write("---" + child)
    rendered = render(tree)

    assert rendered.unknown == {"flux-system/else": "GitRepository flux-system/elsewhere"}
    assert rendered.inventory["unknown"] == ["flux-system/else"]
    assert "flux-system/else" in [item["key"] for item in rendered.inventory["kustomizations"]]


@pytest.mark.system
@needs_kustomize
def test_a_key_that_stands_twice_is_named_in_the_operators_own_file(tree: Path) -> None:
    file = tree / "apps" / "media" / "app" / "twice.yaml"
    write(file, "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {}\ndata: {}\n")
    with pytest.raises(Diagnosed, match=rf"{file}:5: the key 'data'") as raised:
        render(tree)

    assert raised.value.reference == "duplicate-key"


@pytest.mark.system
@needs_kustomize
@pytest.mark.parametrize("path", ["./nowhere", "../..", "/etc/../.."])
def test_a_path_that_is_not_in_the_tree_is_refused(path: str, tree: Path) -> None:
    text = SOURCE + KUSTOMIZATION.format(name="apps", path=path, source="flux-system")
    write(tree / "roots" / "ks.yaml", text)
    with pytest.raises(Diagnosed) as raised:
        render(tree)

    assert (raised.value.reference, raised.value.exit_code) == ("path-missing", 78)


@pytest.mark.system
@needs_kustomize
def test_a_folder_that_does_not_build_is_named(tree: Path) -> None:
    write(tree / "apps" / "media" / "kustomization.yaml", "resources: [missing.yaml]\n")
    with pytest.raises(Diagnosed, match=r"\./apps does not build: .*missing.yaml") as raised:
        render(tree)

    assert raised.value.reference == "kustomize-failed"


def test_without_a_kustomize_there_is_a_hint(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree))
    with pytest.raises(Diagnosed) as raised:
        render(tree)

    assert (raised.value.reference, raised.value.exit_code) == ("kustomize-missing", 78)


def test_the_revision_is_the_commit(tmp_path: Path) -> None:
    assert gitops.revision(tmp_path) == ""
    assert gitops.revision(tmp_path / "none") == ""

    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.com"]
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run([*git, *arguments], check=True)
    assert len(gitops.revision(tmp_path)) == 40
