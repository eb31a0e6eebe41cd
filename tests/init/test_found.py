"""
Promise: a repository is walked within limits, through no link, and what cannot be looked at is said.

Mutants, each tried: follow a link to a folder; count nothing; open a pipe; read talsecret.sops.yaml.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine.errors import EnvironmentWrong, UsageWrong
from rekindle.adopting import found as walking
from rekindle.adopting.found import walk
from rekindle.adopting.reading import SourceUnreadable, document_of
from tests.init.conftest import TALCONFIG, Make, Read


def test_a_loop_of_links_is_no_loop(repository: Make) -> None:
    root = repository({"talos/talconfig.yaml": TALCONFIG})
    (root / "talos" / "up").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    found = walk(root)

    assert found.sources == ["talos/talconfig.yaml"]
    assert len(found.notes) == 1
    assert "self" in found.notes[0]


def test_what_is_made_or_put_away_is_not_entered(repository: Make) -> None:
    root = repository(
        {
            f"{folder}/talconfig.yaml": TALCONFIG
            for folder in (".git", ".private", ".venv", "node_modules", "talos")
        }
    )

    assert walk(root).sources == ["talos/talconfig.yaml"]


def test_a_tree_without_end_is_refused(repository: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository({f"files/{number}.txt": "" for number in range(12)})
    monkeypatch.setattr(walking, "MAXIMUM_ENTRIES", 10)
    with pytest.raises(EnvironmentWrong) as raised:
        walk(root)

    assert (raised.value.reference, raised.value.exit_code) == ("repository-too-large", 78)
    assert "files/ was reached" in raised.value.message


def test_a_tree_without_bottom_is_left_at_a_depth(repository: Make) -> None:
    deep = "/".join(["d"] * (walking.MAXIMUM_DEPTH + 3))
    found = walk(repository({f"{deep}/talconfig.yaml": TALCONFIG}))

    assert found.sources == []
    assert found.notes == [
        f"what is in {'/'.join(['d'] * (walking.MAXIMUM_DEPTH + 1))}, deeper than 24 folders"
    ]


@pytest.mark.parametrize("make", ["file", "nothing"])
def test_what_is_no_folder_is_refused(tmp_path: Path, make: str) -> None:
    path = tmp_path / "here"
    if make == "file":
        path.touch()
    with pytest.raises(UsageWrong) as raised:
        walk(path)

    assert (raised.value.reference, raised.value.exit_code) == ("repository-unreadable", 64)
    assert str(path) in raised.value.message


def test_a_folder_that_may_not_be_listed_is_said(
    repository: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, whom nothing is denied; so the system's answer is staged."""
    root = repository({"closed/talconfig.yaml": TALCONFIG, "talos/talconfig.yaml": TALCONFIG})
    listed = os.listdir

    def denied(path: Path) -> list[str]:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "listdir", denied)
    found = walk(root)

    assert found.sources == ["talos/talconfig.yaml"]
    assert found.notes == ["what is in closed: Permission denied"]


def test_a_pipe_is_not_waited_for(repository: Make) -> None:
    root = repository({})
    os.mkfifo(root / "talconfig.yaml")

    assert walk(root).sources == []


SECRETS = (
    "talos/talsecret.sops.yaml",
    "talos/talsecret.yaml",
    "talos/secrets.yaml",
    "kubernetes/secret.sops.yaml",
    "kubernetes/app/secret.yaml",
    "age.key",
)


def test_secrets_are_not_among_what_is_read(repository: Make) -> None:
    root = repository(dict.fromkeys(SECRETS, "kind: GitRepository\n"))

    assert walk(root).manifests == []


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"clusterName: \xff\xfe\n", "talconfig.yaml:1: not UTF-8 at byte 13"),
        (b"a: 1\n\x7fELF\x00\n", "talconfig.yaml:2: a NUL byte"),
        (b"a: 1\n# " + b"x" * (4 * 1024 * 1024), "talconfig.yaml: larger than 4194304 bytes"),
    ],
)
def test_what_is_no_text_is_refused_with_the_place(repository: Make, raw: bytes, said: str) -> None:
    root = repository({})
    (root / "talconfig.yaml").write_bytes(raw)
    with pytest.raises(SourceUnreadable) as raised:
        document_of(root, "talconfig.yaml")

    assert raised.value.message.startswith(said)


def test_a_date_that_there_is_not_is_refused_with_the_file(repository: Make) -> None:
    """Mutant: let PyYAML's own error through."""
    root = repository({"talconfig.yaml": "since: 2024-02-31\n"})
    with pytest.raises(SourceUnreadable) as raised:
        document_of(root, "talconfig.yaml")

    assert raised.value.message.startswith("talconfig.yaml:1:1: $: not YAML: ")


@pytest.mark.skipif(sys.platform != "linux", reason="a file that exists and cannot be read")
def test_a_file_that_cannot_be_read_is_refused(repository: Make) -> None:
    root = repository({})
    (root / "talconfig.yaml").symlink_to("/proc/self/mem")
    with pytest.raises(SourceUnreadable) as raised:
        document_of(root, "talconfig.yaml")

    assert raised.value.message == "talconfig.yaml: Input/output error"


def test_what_helps_and_cannot_be_read_is_said_and_not_the_end(drafted: Read) -> None:
    """Mutant: let the error of a helmfile through."""
    draft = drafted(
        {
            "talconfig.yaml": TALCONFIG,
            "bootstrap/helmfile.yaml": "releases: [\n",
            "kubeconfig": "a: b: c\n",
            "Taskfile.yaml": "\tno\n",
            "kubernetes/flux/ks.yaml": "kind: GitRepository\nkind: GitRepository\n",
        }
    )
    notes = list(draft.unknown())

    for said in (
        "the releases of bootstrap/helmfile.yaml: bootstrap/helmfile.yaml:2:1: ",
        "whether kubeconfig is of this cluster: kubeconfig:1:5: ",
        "the tasks of Taskfile.yaml: Taskfile.yaml:1:1: ",
        "what kubernetes/flux/ks.yaml says: kubernetes/flux/ks.yaml:2:1: ",
    ):
        assert any(note.startswith(said) for note in notes), (said, notes)
