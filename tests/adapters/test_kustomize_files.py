"""
What kustomize reads of a folder, and a key that stands twice: an error only in what it reads, where it refuses it.

What the real kustomize does with each is tried by the tests marked ``system``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from journal.errors import Diagnosed
from rekindle.adapters.kustomize import Tree
from rekindle.adapters.kustomize_files import duplicates, read_by
from tests.init.kustomize import put_on_path
from tests.testbed import build

if TYPE_CHECKING:
    from pathlib import Path

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n"
TWICE = f"{MAP}data: {{x: '2'}}\n"
OTHER = MAP.replace("name: a", "name: b")
TRANSFORMER = "apiVersion: builtin\nkind: NamespaceTransformer\nmetadata: {name: n, namespace: z}\n"
GENERATOR = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: n}\nliterals: [a=b]\n"
OPS = "- op: replace\n  path: /data/x\n  value: '7'\n  value: '8'\n"
REPLACEMENT = """- source: {kind: ConfigMap, name: a, fieldPath: data.x}
  targets:
  - {select: {kind: ConfigMap}, fieldPaths: [data.y],
     options: {create: true, create: true}}
"""
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [b.yaml]\n"
Files = dict[str, str]


def folder(root: Path, files: Files) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


# Which file and line is refused, by what stands in the tree; ``k`` is the folder that is built.
REFUSED: dict[str, tuple[Files, str]] = {
    "a resource": (
        {"k/kustomization.yaml": "resources: [a.yaml]\n", "k/a.yaml": TWICE},
        "k/a.yaml:5",
    ),
    "of another name": (
        {"k/kustomization.yaml": "resources: [a.txt]\n", "k/a.txt": TWICE},
        "k/a.txt:5",
    ),
    "its second document": (
        {"k/kustomization.yaml": "resources: [a.yaml]\n", "k/a.yaml": f"{OTHER}---\n{TWICE}"},
        "k/a.yaml:10",
    ),
    "of a folder beside it": (
        {
            "k/kustomization.yaml": "resources: [../base]\n",
            "base/kustomization.yml": "resources: [a.yaml]\n",
            "base/a.yaml": TWICE,
        },
        "base/a.yaml:5",
    ),
    "of a base": (
        {
            "k/kustomization.yaml": "bases: [../base]\n",
            "base/Kustomization": "resources: [a.yaml]\n",
            "base/a.yaml": TWICE,
        },
        "base/a.yaml:5",
    ),
    "of a component": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\ncomponents: [../c]\n",
            "k/a.yaml": MAP,
            "c/kustomization.yaml": COMPONENT,
            "c/b.yaml": TWICE.replace("name: a", "name: b"),
        },
        "c/b.yaml:5",
    ),
    "a plugin of the build": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\ntransformers: [t.yaml]\n",
            "k/a.yaml": MAP,
            "k/t.yaml": f"{TRANSFORMER}unsetOnly: true\nunsetOnly: true\n",
        },
        "k/t.yaml:5",
    ),
    "what makes objects": (
        {
            "k/kustomization.yaml": "generators: [g.yaml]\n",
            "k/g.yaml": f"{GENERATOR}literals: [a=c]\n",
        },
        "k/g.yaml:5",
    ),
    "what checks objects": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\nvalidators: [t.yaml]\n",
            "k/a.yaml": MAP,
            "k/t.yaml": f"{TRANSFORMER}unsetOnly: true\nunsetOnly: true\n",
        },
        "k/t.yaml:5",
    ),
    "a configuration of the build": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\nconfigurations: [c.yaml]\n",
            "k/a.yaml": MAP,
            "k/c.yaml": "nameReference: []\nnameReference: []\n",
        },
        "k/c.yaml:2",
    ),
    "any YAML where Flux makes the kustomization": ({"k/deep/a.yaml": TWICE}, "k/deep/a.yaml:5"),
}
TAKEN_OUT = "a resource that a patch takes out"
# What builds to one object, and which key is noted as one of two.
BUILT: dict[str, tuple[Files, str]] = {
    "a generator's file": (
        {
            "k/kustomization.yaml": "configMapGenerator: [{name: a, files: [c.yaml]}]\n",
            "k/c.yaml": "a: 1\na: 2\n",
        },
        "",
    ),
    "a file that nothing names": (
        {"k/kustomization.yaml": "resources: [b.yaml]\n", "k/b.yaml": MAP, "k/a.yaml": TWICE},
        "",
    ),
    "a file that nothing names, in a folder of its own": (
        {
            "k/deep/kustomization.yaml": "resources: [b.yaml]\n",
            "k/deep/b.yaml": MAP,
            "k/deep/a.yaml": TWICE,
        },
        "",
    ),
    TAKEN_OUT: (
        {
            "k/kustomization.yaml": "resources: [a.yaml, b.yaml]\npatches:\n- patch: |\n"
            "    $patch: delete\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: a}\n",
            "k/a.yaml": TWICE,
            "k/b.yaml": OTHER,
        },
        "",
    ),
    "a second document of a kustomization": (
        {"k/kustomization.yaml": "resources: [a.yaml]\n---\nnamePrefix: b\n", "k/a.yaml": MAP},
        "",
    ),
    "a kustomization": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\n# two\nresources: [b.yaml]\n",
            "k/a.yaml": MAP,
            "k/b.yaml": OTHER,
        },
        "'resources' in lines 1 and 3 of k/kustomization.yaml",
    ),
    "a base's kustomization": (
        {
            "k/kustomization.yaml": "resources: [../base]\n",
            "base/kustomization.yaml": "namePrefix: v\nnamePrefix: w\nresources: [a.yaml]\n",
            "base/a.yaml": MAP,
        },
        "'namePrefix' in lines 1 and 2 of base/kustomization.yaml",
    ),
    "a patch": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
            "k/a.yaml": MAP,
            "k/p.yaml": TWICE,
        },
        "'data' in lines 4 and 5 of k/p.yaml",
    ),
    "a list of operations": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\n"
            "patches: [{path: p.yaml, target: {kind: ConfigMap}}]\n",
            "k/a.yaml": MAP,
            "k/p.yaml": OPS,
        },
        "'value' in lines 3 and 4 of k/p.yaml",
    ),
    "operations of the old kind": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\npatchesJson6902:\n"
            "- {path: p.yaml, target: {version: v1, kind: ConfigMap, name: a}}\n",
            "k/a.yaml": MAP,
            "k/p.yaml": OPS,
        },
        "'value' in lines 3 and 4 of k/p.yaml",
    ),
    "a replacement": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\nreplacements: [{path: r.yaml}]\n",
            "k/a.yaml": MAP,
            "k/r.yaml": REPLACEMENT,
        },
        "'create' in line 4 of k/r.yaml",
    ),
    "a patch of the old kind": (
        {
            "k/kustomization.yaml": "resources: [a.yaml]\npatchesStrategicMerge: [p.yaml]\n",
            "k/a.yaml": MAP,
            "k/p.yaml": TWICE,
        },
        "'data' in lines 4 and 5 of k/p.yaml",
    ),
}


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    """The testbed's kubectl on PATH, and no kustomize before it."""
    monkeypatch.setenv("PATH", str(build.ensure()))


@pytest.mark.system
@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("name", REFUSED)
def test_what_the_real_kustomize_refuses_is_named(name: str, tmp_path: Path) -> None:
    files, file = REFUSED[name]

    with (
        Tree(folder(tmp_path, files)) as tree,
        pytest.raises(Diagnosed, match=rf"{tmp_path / file}: the key '") as raised,
    ):
        tree.build({"path": "./k"})

    assert (raised.value.reference, raised.value.exit_code) == ("duplicate-key", 78)


@pytest.mark.system
@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("name", BUILT)
def test_what_the_real_kustomize_builds_is_no_error(name: str, tmp_path: Path) -> None:
    """Mutant: any YAML file below the path is refused that has a key twice."""
    files, noted = BUILT[name]

    with Tree(folder(tmp_path, files)) as tree:
        made = tree.build({"path": "./k"})

    assert len(made) == 1
    assert all(noted in note for note in tree.notes)
    assert len(tree.notes) == (1 if noted else 0)


SAYS = """#!/bin/sh
if [ -n "$REFUSAL" ]; then echo "$REFUSAL" >&2; exit 1; fi
echo '{apiVersion: v1, kind: ConfigMap, metadata: {name: made}}'
"""
DEFINED = 'yaml: unmarshal errors:\n  line 5: mapping key "data" already defined at line 4'
SET = 'error converting YAML to JSON: line 2: key "nameReference" already set in map'


@pytest.fixture
def says(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kustomize that says what is in REFUSAL, or builds."""
    tools = tmp_path_factory.mktemp("tools")
    (tools / "kustomize").write_text(SAYS)
    (tools / "kustomize").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin")


@pytest.mark.usefixtures("says")
@pytest.mark.parametrize("said", [DEFINED, SET])
@pytest.mark.parametrize("name", REFUSED)
def test_where_kustomize_refuses_a_key_the_file_is_named_that_it_does_not_name(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: one of the fields is not followed; only ``.yaml`` is read; the copy is named."""
    monkeypatch.setenv("REFUSAL", said)
    files, file = REFUSED[name]

    with (
        Tree(folder(tmp_path, files)) as tree,
        pytest.raises(Diagnosed, match=rf"{tmp_path / file}: the key '") as raised,
    ):
        tree.build({"path": "./k"})

    assert raised.value.reference == "duplicate-key"


@pytest.mark.usefixtures("says")
@pytest.mark.parametrize("name", BUILT)
def test_what_builds_is_no_error_and_what_was_chosen_in_silence_is_noted(
    name: str, tmp_path: Path
) -> None:
    """Mutants: refuse on our own; note nothing; note what nothing reads; lines of what Flux writes."""
    files, noted = BUILT[name]

    with Tree(folder(tmp_path, files)) as tree:
        tree.build({"path": "./k", "targetNamespace": "z"})
        tree.build({"path": "./k", "targetNamespace": "z"})

    assert all(noted in note for note in tree.notes)
    assert len(tree.notes) == (1 if noted else 0)


@pytest.mark.usefixtures("says")
@pytest.mark.parametrize("name", [name for name in BUILT if name != TAKEN_OUT])
def test_a_key_that_kustomize_does_not_mind_is_not_what_it_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: look into patches, or into what nothing reads, for what it complains about."""
    monkeypatch.setenv("REFUSAL", DEFINED)
    files, _ = BUILT[name]

    with Tree(folder(tmp_path, files)) as tree, pytest.raises(Diagnosed) as raised:
        tree.build({"path": "./k"})

    assert raised.value.reference == "kustomize-failed"
    assert "already defined at line 4" in raised.value.message


@pytest.mark.usefixtures("says")
def test_what_fails_for_another_reason_is_not_put_on_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: any failure is the first key that stands twice; kustomize may have dropped that very object."""
    monkeypatch.setenv("REFUSAL", "accumulating resources: no such file")
    files, _ = REFUSED["a resource"]

    with Tree(folder(tmp_path, files)) as tree, pytest.raises(Diagnosed) as raised:
        tree.build({"path": "./k"})

    assert raised.value.reference == "kustomize-failed"


def test_what_a_flux_kustomization_adds_is_followed_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``spec.components`` stands in no file. Mutant: read the operator's kustomization, and not what Flux builds."""
    path = f"{put_on_path(tmp_path / 'tools')}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    files = {
        "k/kustomization.yaml": "resources: [a.yaml]\n",
        "k/a.yaml": MAP,
        "c/kustomization.yaml": COMPONENT,
        "c/b.yaml": TWICE,
    }

    with (
        Tree(folder(tmp_path / "tree", files)) as tree,
        pytest.raises(Diagnosed, match=rf"{tmp_path / 'tree/c/b.yaml'}:5: the key 'data'"),
    ):
        tree.build({"path": "./k", "components": ["../c"]})


def test_circles_and_what_is_no_file_of_the_tree_end_nothing(tmp_path: Path) -> None:
    """Mutants: follow without end; read outside of the tree; stumble over what stands in place of a path."""
    outside = folder(tmp_path / "outside", {"kustomization.yaml": "", "a.yaml": TWICE})
    listed = [
        "../other",
        ".",
        "nowhere.yaml",
        str(outside),
        str(outside / "a.yaml"),
        "https://example.com/a.yaml",
        "n" * 300,
        "'a\\0b'",
        "{name: x}",
        "",
        "a.yaml",
    ]
    entries = "".join(f"- {entry}\n" for entry in listed).replace("'a\\0b'", '"a\\0b"')
    tree = folder(
        tmp_path / "tree",
        {
            "k/kustomization.yaml": f"bases: 5\nresources:\n{entries}patches: {{path: a}}\n",
            "k/a.yaml": MAP,
            "k/None": MAP,
            "k/path": MAP,
            "other/kustomization.yaml": "resources: [../k, ../broken, ../list]\n",
            "broken/kustomization.yaml": "resources: [\n",
            "list/kustomization.yaml": "- a\n",
        },
    )

    read = read_by(tree / "k", tree)

    names = ("k", "other", "broken", "list")
    assert [*read.objects] == [tree / "k/a.yaml"]
    assert [*read.lenient] == [tree / name / "kustomization.yaml" for name in names]


@pytest.mark.usefixtures("says")
def test_what_is_no_yaml_has_no_key_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: end with a mistake of ours. kustomize goes by the order of its own, and may be ended by another file."""
    monkeypatch.setenv("REFUSAL", DEFINED)
    files = {
        "k/kustomization.yaml": "resources: [broken.yaml, a.yaml]\n",
        "k/broken.yaml": "a: [\n",
        "k/a.yaml": TWICE,
    }

    with (
        Tree(folder(tmp_path, files)) as tree,
        pytest.raises(Diagnosed, match=rf"{tmp_path / 'k/a.yaml'}:5: the key 'data'"),
    ):
        tree.build({"path": "./k"})


def test_two_mappings_that_are_merged_are_no_key_twice(tmp_path: Path) -> None:
    """Mutant: ``<<`` is a key as any other."""
    text = "x: &x {a: 1}\ny: &y {b: 2}\nz:\n  <<: *x\n  <<: *y\n  c: 3\n  c: 4\n"

    found = duplicates(folder(tmp_path, {"a.yaml": text}) / "a.yaml")

    assert [(one.key, one.first, one.line) for one in found] == [("c", 6, 7)]
