"""Which program renders the tree, and how it is called: kustomize where there is one, else kubectl's own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
import yaml

from rekindle.adapters.kustomize import KustomizeFailed, Tree

# It tells how it was called, and renders one ConfigMap.
SCRIPTED = """#!/bin/sh
printf '%s\\n' "$0" "$@" >>"$CALLED"
echo '{apiVersion: v1, kind: ConfigMap, metadata: {name: made}}'
"""
# It tells what it builds by, and how the file beside the tree and the folder of the copy look meanwhile.
SHOWING = """#!/bin/sh
cat "$3/kustomization.yaml" >"$CALLED"
{ cat "${CALLED%/*}/outside.yaml"; ls "$3/../.."; } >"$CALLED.seen"
echo '{apiVersion: v1, kind: ConfigMap, metadata: {name: made}}'
"""


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the scripted programs tell how they were called."""
    monkeypatch.setenv("CALLED", str(tmp_path / "called"))
    (tmp_path / "tree" / "apps").mkdir(parents=True)
    return tmp_path / "called"


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Path:
    tools = folder / "tools"
    tools.mkdir()
    for name in names:
        (tools / name).write_text(SCRIPTED)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    return tools


@pytest.mark.parametrize(
    ("there", "name", "word"),
    [
        (("kustomize",), "kustomize", "build"),
        (("kubectl",), "kubectl", "kustomize"),
        (("kustomize", "kubectl"), "kustomize", "build"),
    ],
)
def test_what_is_there_builds_the_folder_of_the_copy(
    there: tuple[str, ...],
    name: str,
    word: str,
    called: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Mutants: `kustomize kustomize`; kubectl first; the operator's own tree in place of the copy."""
    tools = on_path(tmp_path, monkeypatch, *there)

    with Tree(tmp_path / "tree") as builder:
        (made,) = builder.build({"path": "./apps"})

    program, *words, folder = called.read_text().splitlines()
    assert made["metadata"] == {"name": "made"}
    assert program == str(tools / name)
    assert words == [word, "--load-restrictor=LoadRestrictionsNone"]
    assert Path(folder).name == "apps"
    assert not Path(folder).is_relative_to(tmp_path / "tree")
    assert list((tmp_path / "tree" / "apps").iterdir()) == []


@pytest.fixture
def outside(called: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kustomization beside the tree, and a kustomize that tells what it was given."""
    tmp_path = called.parent
    tools = on_path(tmp_path, monkeypatch, "kustomize")
    (tools / "kustomize").write_text(SHOWING)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "copies"))
    (tmp_path / "copies").mkdir()
    file = tmp_path / "outside.yaml"
    file.write_bytes(b"resources: [a.yaml] # mine\n")
    return file


@pytest.mark.parametrize("way", ["absolute", "relative", "out of the copy"])
def test_nothing_is_written_through_a_link_and_flux_makes_its_own(
    way: str, outside: Path, called: Path, tmp_path: Path
) -> None:
    """
    The file is looked at while kustomize runs: a kill would leave it so.

    Mutants: write through the link, which may lead nowhere from the copy and would make a file there; build by what it
    leads to.
    """
    apps = tmp_path / "tree" / "apps"
    (apps / "b.yaml").write_text("{}")
    # From the copy, which is a folder deeper, the last one leads to the file and the second one nowhere.
    given = {"absolute": str(outside), "relative": "../../outside.yaml"}
    (apps / "kustomization.yaml").symlink_to(given.get(way, "../../../../outside.yaml"))
    before = outside.read_bytes()
    there = sorted(path.name for path in tmp_path.iterdir())

    with Tree(tmp_path / "tree") as builder:
        builder.build({"path": "./apps", "targetNamespace": "z"})

    assert (tmp_path / "called.seen").read_bytes() == before + b"tree\n"
    assert outside.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*there, "called", "called.seen"]
    )
    assert (apps / "kustomization.yaml").is_symlink()
    assert called.read_text().splitlines() == ["namespace: z", "resources:", "- b.yaml"]
    assert list(builder.notes) == [
        "what apps/kustomization.yaml should bring: it is a symbolic link, and Flux's sources have none"
    ]


def test_a_link_is_noted_where_flux_would_have_taken_it(outside: Path, tmp_path: Path) -> None:
    """Mutants: note any link; those of other folders; none."""
    tree = tmp_path / "tree"
    (tree / "apps" / "deep").mkdir()
    (tree / "docs").mkdir()
    for link in ("apps/deep/b.yml", "apps/Kustomization", "apps/README.md", "docs/c.yaml"):
        (tree / link).symlink_to(outside)

    with Tree(tree) as builder:
        builder.build({"path": "./apps"})

    assert sorted(note.split()[1] for note in builder.notes) == [
        "apps/Kustomization",
        "apps/deep/b.yml",
    ]


def test_what_does_not_build_for_a_link_is_told_by_it(outside: Path, tmp_path: Path) -> None:
    """kustomize says that there is no such file, and the operator sees one. Mutant: any link of the tree."""
    tools = tmp_path / "tools" / "kustomize"
    tools.write_text('#!/bin/sh\necho "no such file: $3/a.yaml" >&2\nexit 1\n')
    apps = tmp_path / "tree" / "apps"
    (apps / "0.yaml").symlink_to(outside)

    with Tree(tmp_path / "tree") as builder, pytest.raises(KustomizeFailed) as plain:
        builder.build({"path": "./apps"})
    (apps / "a.yaml").symlink_to(outside)
    with Tree(tmp_path / "tree") as builder, pytest.raises(KustomizeFailed) as told:
        builder.build({"path": "./apps"})

    assert "symbolic" not in plain.value.message
    assert told.value.message.endswith(
        f"{apps / 'a.yaml'} (apps/a.yaml is a symbolic link, and Flux's sources have none)"
    )


DATE = "2024-02-31"


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("apps/kustomization.yaml", f"commonAnnotations: {{d: {DATE}}}\nresources: [../base]\n"),
        ("base/kustomization.yaml", f"commonAnnotations: {{d: {DATE}}}\n"),
    ],
)
def test_a_date_that_there_is_not_is_text_to_kustomize(
    file: str, text: str, called: Path, tmp_path: Path
) -> None:
    """Mutant: read either as YAML 1.1 has it: an error of Python's."""
    tree = tmp_path / "tree"
    (tree / "base").mkdir()
    (tree / "base" / "kustomization.yaml").write_text("")
    (tree / "apps" / "kustomization.yaml").write_text("resources: [../base]\n")
    (tree / file).write_text(text)

    with Tree(tree) as builder:
        (made,) = builder.build({"path": "./apps"})

    assert made["kind"] == "ConfigMap"
    written = yaml.safe_load(called.read_text())
    wanted = {"d": DATE} if file.startswith("apps") else None
    assert written.get("commonAnnotations") == wanted


def test_where_neither_is_it_is_said_before_anything_is_copied(
    called: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path(tmp_path, monkeypatch)

    with pytest.raises(KustomizeFailed) as error:
        Tree(tmp_path / "tree")

    assert error.value.reference == "kustomize-missing"
    assert not called.exists()
