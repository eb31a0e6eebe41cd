"""Which program renders the tree, and how it is called: kustomize where there is one, else kubectl's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.adapters.kustomize import KustomizeFailed, Tree

# It tells how it was called, and renders one ConfigMap.
SCRIPTED = """#!/bin/sh
printf '%s\\n' "$0" "$@" >>"$CALLED"
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


def test_where_neither_is_it_is_said_before_anything_is_copied(
    called: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path(tmp_path, monkeypatch)

    with pytest.raises(KustomizeFailed) as error:
        Tree(tmp_path / "tree")

    assert error.value.reference == "kustomize-missing"
    assert not called.exists()
