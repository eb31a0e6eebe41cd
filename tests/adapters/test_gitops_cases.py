"""
What Flux makes of a tree, case by case: every tree is one Kustomization ``apps`` with its spec, and some files.

The facts are kustomize-controller's (v1.9.5, with fluxcd/pkg kustomize v1.35); the programs are the real ones.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from journal.errors import Diagnosed
from rekindle.adapters import gitops
from tests.testbed import build

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system
FLUX = "kustomize.toolkit.fluxcd.io/v1"
OURS = {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"}
FOLDER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"


@pytest.fixture(autouse=True)
def kustomize(monkeypatch: pytest.MonkeyPatch) -> None:
    """The testbed's kubectl on PATH: its kustomize is the real one, on every machine the same."""
    monkeypatch.setenv("PATH", f"{build.ensure()}{os.pathsep}{os.environ['PATH']}")


def flux(name: str, namespace: str = "flux-system", **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    body = {"path": f"./{name}", "sourceRef": OURS, **spec}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": FLUX, "kind": "Kustomization", "metadata": metadata, "spec": body}


def deployment(name: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    metadata = {"name": name, "namespace": "apps"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def other(version: str, kind: str, name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    metadata = {"name": name, "namespace": "apps"}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


@dataclass
class Case:
    """*files*: text, or objects. *workloads*: key → pods. *children*: keys beside ``apps`` itself."""

    files: dict[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    workloads: dict[str, int] = field(default_factory=dict)
    children: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


PATCH = f"apiVersion: {FLUX}\nkind: Kustomization\nmetadata: {{name: any}}\nspec: {{wait: true}}\n"
SETTINGS = other("v1", "ConfigMap", "settings", data={"COUNT": "4", "SEALED": "ENC[AES256_GCM,x]"})
FROM = {"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]}
SECRET = {"substituteFrom": [{"kind": "Secret", "name": "settings"}]}
HERE = other("v1", "Secret", "settings", stringData={"COUNT": "4"})

CASES = {
    "a folder without kustomization.yaml is taken whole, down to those that have one": Case(
        files={
            "a.yaml": [deployment("a")],
            "deep/er/b.yml": [deployment("b")],
            "own/kustomization.yaml": FOLDER + "resources: [c.yaml]\n",
            "own/c.yaml": [deployment("c")],
            "own/not-listed.yaml": [deployment("d")],
            "own/below/kustomization.yaml": FOLDER + "resources: [e.yaml]\n",
            "own/below/e.yaml": [deployment("e")],
            "notes.txt": "no: yaml: here",
        },
        workloads={"apps/a": 1, "apps/b": 1, "apps/c": 1},
    ),
    "what sources leave out is not taken, other hidden files are": Case(
        files={
            ".sops.yaml": "creation_rules: []\n",
            ".github/workflow.yaml": "on: push\n",
            ".hidden.yaml": [deployment("hidden")],
        },
        workloads={"apps/hidden": 1},
    ),
    "an empty folder builds to nothing": Case(files={"README.md": "nothing"}),
    "components in the spec": Case(
        files={
            "kustomization.yaml": FOLDER + "resources: [a.yaml]\n",
            "a.yaml": [deployment("a")],
            "../parts/kustomization.yaml": COMPONENT
            + 'patches: [{target: {kind: Deployment}, patch: "- {op: add, path: /spec/replicas, value: 7}"}]\n',
        },
        spec={"components": ["../parts", "../gone"], "ignoreMissingComponents": True},
        workloads={"apps/a": 7},
    ),
    "targetNamespace moves everything": Case(
        files={"a.yaml": [deployment("a")]},
        spec={"targetNamespace": "moved"},
        workloads={"moved/a": 1},
    ),
    "prefix, suffix, images and common metadata": Case(
        files={"a.yaml": [deployment("a")]},
        spec={
            "namePrefix": "pre-",
            "nameSuffix": "-post",
            "images": [{"name": "x", "newTag": "1"}],
            "commonMetadata": {"labels": {"a": "b"}},
        },
        workloads={"apps/pre-a-post": 1},
    ),
    "a variable makes a number": Case(
        files={"a.yaml": [deployment("a", replicas="${COUNT}")]},
        spec={"postBuild": {"substitute": {"COUNT": "3"}}},
        workloads={"apps/a": 3},
    ),
    "a ConfigMap of the tree, though it comes later": Case(
        files={
            "z.yaml": [flux("later", "apps", path="./settings")],
            "../settings/settings.yaml": [SETTINGS],
            "k.yaml": [flux("user", "apps", path="./user", postBuild=FROM)],
            "../user/a.yaml": [deployment("a", replicas="${COUNT}")],
        },
        children=("apps/later", "apps/user"),
        workloads={"apps/a": 4},
    ),
    "what SOPS encrypted is not known, nor what a Secret says": Case(
        files={
            "0.yaml": [SETTINGS, HERE],
            "k.yaml": [flux("user", "apps", path="./user", postBuild=FROM)],
            "s.yaml": [flux("secret", "apps", path="./secret", postBuild=SECRET)],
            "../user/a.yaml": [deployment("a${SEALED}"), deployment("b", replicas="${COUNT}")],
            "../secret/a.yaml": [deployment("c", replicas="${COUNT}")],
        },
        children=("apps/secret", "apps/user"),
        workloads={"apps/b": 4, "apps/c": 1},
        notes=(
            "the value of COUNT in Kustomization apps/secret",
            "the value of SEALED in Kustomization apps/user",
            "Deployment apps/a${SEALED}, for its name cannot be told",
        ),
    ),
    "a ConfigMap that is nowhere holds nobody up": Case(
        files={"a.yaml": [deployment("a"), deployment("b${ANY:=-x}")]},
        spec={"postBuild": FROM},
        workloads={"apps/a": 1, "apps/b-x": 1},
    ),
    "what Git suspends is expected and brings nothing": Case(
        files={
            "k.yaml": [flux("paused", suspend=True)],
            "../paused/a.yaml": [deployment("a")],
        },
        children=("flux-system/paused",),
        notes=("what Kustomization flux-system/paused would bring: Git suspends it",),
    ),
    "what is for another cluster is not counted in this one": Case(
        files={
            "k.yaml": [flux("remote", kubeConfig={"secretRef": {"name": "x"}})],
            "../remote/a.yaml": [deployment("a")],
        },
        children=("flux-system/remote",),
        notes=("what Kustomization flux-system/remote brings: it is for another cluster",),
    ),
    "what a ResourceSet makes is not known": Case(
        files={"r.yaml": [other("fluxcd.controlplane.io/v1", "ResourceSet", "tenants")]},
        notes=("what ResourceSet apps/tenants makes",),
    ),
    "kinds of the same name in other groups do not count": Case(
        files={
            "a.yaml": [
                other("example.com/v1", "Deployment", "a"),
                other("example.com/v1", "HelmRelease", "b"),
            ]
        },
    ),
}


def write(folder: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump_all(content))


def render(tmp_path: Path, case: Case, *roots: dict[str, Any], **given: Any) -> gitops.Rendered:  # noqa: ANN401
    tree = tmp_path / "tree"
    (tree / "apps").mkdir(parents=True)
    write(tree / "apps", case.files)
    write(tree / "roots", {"ks.yaml": [*roots, flux("apps", **case.spec)]})
    return gitops.inventory(tree, tree / "roots", **given)


@pytest.mark.parametrize("name", CASES)
def test_a_tree_is_rendered_as_flux_does_it(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    rendered = render(tmp_path, case)

    found = rendered.inventory
    assert {item["key"]: item["pods"] for item in found["workloads"]} == case.workloads
    keys = {item["key"] for item in found["kustomizations"]}
    assert keys == {"flux-system/apps", *case.children}
    assert rendered.notes == case.notes
    assert rendered.unknown == {}


def test_patches_reach_the_flux_objects(tmp_path: Path) -> None:
    """A parent that patches all its children: what reads their files alone sees another graph."""
    patches = [{"patch": PATCH, "target": {"kind": "Kustomization"}}]
    files = {"k.yaml": [flux("child")], "../child/a.yaml": [deployment("a")]}
    rendered = render(tmp_path, Case(files=files, spec={"patches": patches}))

    waits = {item["key"]: item["wait"] for item in rendered.inventory["kustomizations"]}
    assert waits == {"flux-system/apps": False, "flux-system/child": True}


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ({"kind": "OCIRepository", "name": "oci"}, "OCIRepository flux-system/oci"),
        ({"kind": "Bucket", "name": "b", "namespace": "x"}, "Bucket x/b"),
        ({"kind": "GitRepository", "name": "second"}, "GitRepository flux-system/second"),
        (
            {"kind": "ExternalArtifact", "name": "flux-system"},
            "ExternalArtifact flux-system/flux-system",
        ),
    ],
)
def test_another_source_is_unknown_and_not_missing(
    tmp_path: Path, source: dict[str, str], named: str
) -> None:
    """Mutant: compare names alone, and a Bucket of the same name is rendered from this tree."""
    files = {"k.yaml": [flux("else", sourceRef=source)], "../else/a.yaml": [deployment("a")]}
    rendered = render(tmp_path, Case(files=files))

    assert rendered.unknown == {"flux-system/else": named}
    assert rendered.inventory["unknown"] == ["flux-system/else"]
    assert rendered.inventory["workloads"] == []
    assert "flux-system/else" in [item["key"] for item in rendered.inventory["kustomizations"]]


def test_a_release_stays_in_its_namespace_and_may_make_another(tmp_path: Path) -> None:
    """Mutant: list the release under its targetNamespace, where no HelmRelease is."""
    spec = {"targetNamespace": "made", "install": {"createNamespace": True}}
    helm = "helm.toolkit.fluxcd.io/v2"
    paused = other(
        helm, "HelmRelease", "paused", spec={**spec, "targetNamespace": "x", "suspend": True}
    )
    files = {"r.yaml": [other(helm, "HelmRelease", "web", spec=spec), paused]}
    found = render(tmp_path, Case(files=files)).inventory

    assert [item["key"] for item in found["helmreleases"]] == ["apps/paused", "apps/web"]
    assert found["namespaces"] == ["made"]


SECOND = {**OURS, "name": "second"}
REPOSITORY = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "GitRepository",
    "metadata": {"name": "flux-system", "namespace": "flux-system"},
}


@pytest.mark.parametrize(
    ("roots", "given", "unknown"),
    [
        ([], {}, set()),
        ([REPOSITORY, flux("x", sourceRef=SECOND)], {}, {"flux-system/x"}),
        ([flux("x", sourceRef=SECOND)], {"source": "flux-system/flux-system"}, {"flux-system/x"}),
        ([flux("x", sourceRef=SECOND)], {}, {"flux-system/apps"}),
    ],
)
def test_the_source_is_the_plans_else_the_roots_own(
    tmp_path: Path, roots: list[dict[str, Any]], given: dict[str, str], unknown: set[str]
) -> None:
    (tmp_path / "tree" / "x").mkdir(parents=True)
    rendered = render(tmp_path, Case(), *roots, **given)

    assert set(rendered.unknown) == unknown


@pytest.mark.parametrize("kind", ["OCIRepository", "Bucket"])
def test_roots_of_another_kind_of_source_are_unknown(tmp_path: Path, kind: str) -> None:
    """A tree is a GitRepository's. Mutant: where no GitRepository is named nothing is foreign."""
    source = {"kind": kind, "name": "flux-system"}
    rendered = render(
        tmp_path, Case(files={"a.yaml": [deployment("a")]}, spec={"sourceRef": source})
    )

    assert rendered.unknown == {"flux-system/apps": f"{kind} flux-system/flux-system"}
    assert rendered.inventory["workloads"] == []


@pytest.mark.parametrize(
    ("include", "path", "foreign"),
    [
        ({"repository": {"name": "shared"}}, "./shared", True),
        ({"repository": {"name": "shared"}}, "shared/deep/down", True),
        ({"repository": {"name": "shared"}, "toPath": "./lib/"}, "/lib/a", True),
        ({"repository": {"name": "shared"}, "toPath": "lib"}, "./shared", False),
        ({"repository": {"name": "shared"}}, "./shared-not", False),
        ({"fromPath": "x"}, "./shared", False),
    ],
)
def test_what_the_source_includes_of_others_is_unknown(
    tmp_path: Path,
    include: dict[str, Any],
    path: str,
    foreign: bool,  # noqa: FBT001
) -> None:
    """It is not in the clone. Mutants: it is missing; whatever begins alike is in it; its place has always its name."""
    source = {**REPOSITORY, "spec": {"include": [include]}}
    if not foreign:
        write(tmp_path / "tree" / path, {"b.yaml": [deployment("b")]})
    rendered = render(tmp_path, Case(), source, flux("x", path=path))

    named = {
        "flux-system/x": "GitRepository flux-system/shared, which flux-system/flux-system includes"
    }
    assert rendered.unknown == (named if foreign else {})
    assert len(rendered.inventory["workloads"]) == (0 if foreign else 1)


def test_roots_without_a_kustomization_are_none(tmp_path: Path) -> None:
    """Mutant: write what was found: an inventory of nothing, which any cluster has."""
    (tmp_path / "roots.yaml").write_text(yaml.safe_dump(REPOSITORY))
    with pytest.raises(Diagnosed) as raised:
        gitops.inventory(tmp_path, tmp_path / "roots.yaml")

    assert (raised.value.reference, raised.value.exit_code) == ("roots-empty", 78)


def test_a_kustomization_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    """Mutant: let the parser's own error through: it would be called a mistake of ours."""
    case = Case(files={"kustomization.yaml": "resources: [a.yaml\n"})
    with pytest.raises(Diagnosed, match=r"\./apps does not build: its kustomization") as raised:
        render(tmp_path, case)

    assert raised.value.reference == "kustomize-failed"


def test_a_variable_that_breaks_an_object_is_named(tmp_path: Path) -> None:
    spec = {"postBuild": {"substitute": {"COUNT": "a: b: c"}}}
    case = Case(files={"a.yaml": [deployment("a", replicas="${COUNT}")]}, spec=spec)
    with pytest.raises(
        Diagnosed, match="Deployment apps/a of Kustomization flux-system/apps"
    ) as raised:
        render(tmp_path, case)

    assert raised.value.reference == "kustomize-failed"
