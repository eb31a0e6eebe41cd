"""
What is not in the artifact is not expected.

Mutants, each tried: leave out the defaults, the files of the tree, or ``spec.ignore``; take it before the others; match
a folder's patterns against the whole path; let the first pattern decide; forget to take the files out of the copy.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rekindle.adapters import gitops
from rekindle.adapters.sourceignore import left_out

FILES = ("a.yaml", "apps/b.yaml", "apps/old/c.yaml", "clusters/x.png", ".github/ci.yaml")
USUAL = {"clusters/x.png", ".github/ci.yaml"}
# What each case adds to the tree (.sourceignore by folder), spec.ignore, and what is out.
CASES: list[tuple[str, dict[str, str], str, set[str]]] = [
    ("the defaults", {}, "", USUAL),
    ("a file at the root", {"": "/apps/old/\n"}, "", USUAL | {"apps/old/c.yaml"}),
    ("a comment and an empty line", {"": "# a.yaml\n\n"}, "", USUAL),
    ("a folder's own, for itself", {"apps": "/b.yaml\n"}, "", USUAL | {"apps/b.yaml"}),
    ("a folder's own, not for others", {"apps": "a.yaml\nx.*\n"}, "", USUAL),
    ("a deeper one comes later", {"": "*.yaml\n", "apps": "!*.yaml\n"}, "", USUAL | {"a.yaml"}),
    ("spec.ignore", {}, "a.yaml", USUAL | {"a.yaml"}),
    ("spec.ignore leaves the defaults", {}, "# nothing", USUAL),
    ("spec.ignore comes last", {"apps": "b.yaml\n"}, "!b.yaml", USUAL),
    ("what is taken back", {}, "!*.png", USUAL - {"clusters/x.png"}),
    (
        "all but one folder",
        {},
        "/*\n!/apps",
        {"a.yaml", "clusters/x.png", ".github/ci.yaml"},
    ),
    (
        "a file of a folder that is out",
        {},
        "/apps/\n!/apps/old/c.yaml",
        USUAL | {"apps/b.yaml"},
    ),
]


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("given", "ignore", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_an_artifact_has_not(
    tmp_path: Path, given: dict[str, str], ignore: str, wanted: set[str]
) -> None:
    for name in FILES:
        write(tmp_path, name, "")
    for folder, text in given.items():
        write(tmp_path, f"{folder}/.sourceignore".removeprefix("/"), text)

    found = {path.relative_to(tmp_path).as_posix() for path in left_out(tmp_path, ignore)}

    assert {name for name in found if not name.endswith(".sourceignore")} == wanted


def test_an_artifact_has_no_link_and_a_linked_sourceignore_counts(tmp_path: Path) -> None:
    """Mutants: keep those that lead somewhere, or to folders; read no ``.sourceignore`` that is a link."""
    tree, other = tmp_path / "tree", tmp_path / "other"
    for name in FILES:
        write(tree, name, "")
    write(other, "ignore", "b.yaml\n")
    (tree / "apps" / ".sourceignore").symlink_to(other / "ignore")
    (tree / "c.yaml").symlink_to("a.yaml")
    (tree / "folder").symlink_to(other)
    (tree / "nowhere").symlink_to("gone")

    found = {path.relative_to(tree).as_posix() for path in left_out(tree)}

    links = {"apps/.sourceignore", "c.yaml", "folder", "nowhere"}
    assert found == USUAL | links | {"apps/b.yaml"}


ROOTS = """
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {ignore: "/apps/drafts/"}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, sourceRef: {kind: GitRepository, name: flux-system}}
"""
# Prints what the kustomization.yaml of a folder lists, as the real one would for plain files.
KUSTOMIZE = """#!/bin/sh
for folder; do :; done
sed -n 's/^- //p' "$folder/kustomization.yaml" | while read -r file; do echo ---; cat "$folder/$file"; done
"""


def test_a_tree_with_both_counts_only_what_flux_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "bin/kustomize", KUSTOMIZE)
    (tmp_path / "bin" / "kustomize").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    tree = tmp_path / "tree"
    write(tree, "roots/ks.yaml", ROOTS)
    write(tree, "apps/.sourceignore", "*.off.yaml\n")
    for name in ("web", "drafts/new", "old.off"):
        space = name.replace("/", "-").replace(".", "-")
        text = f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {space}}}\n"
        write(tree, f"apps/{name}.yaml", text)

    rendered = gitops.inventory(tree, tree / "roots")

    assert rendered.inventory["namespaces"] == ["web"]
    assert (tree / "apps" / "drafts" / "new.yaml").is_file()
