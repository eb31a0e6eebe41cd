"""
talosconfig and kubeconfig: which is taken, which context it speaks of, and never what is secret in it.

Mutants, each tried: take any talosconfig of two; say nothing of a second context; put the
text of a broken one into its error; look outside although the repository has one; take one of other nodes from there;
take the first name of $KUBECONFIG alone, or one that is not there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rekindle.adopting.reading import SourceUnreadable
from tests.init.conftest import TALCONFIG, TOPF, Read

TALOSCONFIG = """\
context: home
contexts:
  home:
    endpoints: [192.0.2.11]
    ca: PLANTED-CA
    crt: PLANTED-CRT
    key: PLANTED-KEY
"""
KUBECONFIG = """\
current-context: home
contexts:
  - {name: home, context: {cluster: c, user: u}}
clusters:
  - {name: c, cluster: {server: "https://192.0.2.10:6443", certificate-authority-data: PLANTED-CA}}
users:
  - {name: u, user: {token: PLANTED-TOKEN}}
"""
THEIRS = "talos/clusterconfig/talosconfig"


def test_the_one_that_the_tool_writes_is_taken(drafted: Read) -> None:
    draft = drafted(
        {"talos/talconfig.yaml": TALCONFIG, THEIRS: TALOSCONFIG, "talosconfig": TALOSCONFIG}
    )

    assert draft.credentials.talosconfig == THEIRS
    assert draft.credentials.there
    assert any(f"{THEIRS} rather than talosconfig" in choice for choice in draft.taken)
    assert draft.credentials.notes == []


def test_where_that_is_missing_the_only_other_one_is_taken(drafted: Read) -> None:
    draft = drafted({"talos/topf.yaml": TOPF, "talosconfig": TALOSCONFIG})

    assert (draft.credentials.talosconfig, draft.credentials.there) == ("talosconfig", True)


def test_of_two_others_none_is(drafted: Read) -> None:
    draft = drafted(
        {"talos/topf.yaml": TOPF, "a/talosconfig": TALOSCONFIG, "b/talosconfig": TALOSCONFIG}
    )

    assert (draft.credentials.talosconfig, draft.credentials.there) == ("talos/talosconfig", False)
    assert "which talosconfig is the cluster's: a/talosconfig, b/talosconfig are there" in list(
        draft.unknown()
    )
    assert any("`topf talosconfig > talosconfig` in talos/" in said for said in draft.missing)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's home with ``.talos/config``."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("TALOSCONFIG", raising=False)
    (home / ".talos").mkdir()
    (home / ".talos" / "config").write_text(TALOSCONFIG, "utf-8")
    return home


def test_where_the_repository_has_none_yours_is_taken_and_said(drafted: Read, home: Path) -> None:
    draft = drafted({"talos/talconfig.yaml": TALCONFIG})

    yours = str(home / ".talos" / "config")
    assert (draft.credentials.talosconfig, draft.credentials.there) == (yours, True)
    said = f"{yours}, for the repository has no talosconfig: its context home speaks of these nodes"
    assert said in draft.taken
    assert not any("talosconfig" in missing for missing in draft.missing)


def test_the_one_of_the_environment_comes_first(
    drafted: Read, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "named").write_text(TALOSCONFIG, "utf-8")
    monkeypatch.setenv("TALOSCONFIG", str(home / "named"))

    assert drafted({"talos/topf.yaml": TOPF}).credentials.talosconfig == str(home / "named")


def test_one_of_the_environment_that_is_in_the_repository_is_named_from_there(
    drafted: Read, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALOSCONFIG", str(tmp_path / "talos" / "mine"))
    draft = drafted({"talos/topf.yaml": TOPF, "talos/mine": TALOSCONFIG})

    assert home.is_dir()
    assert draft.credentials.talosconfig == "talos/mine"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("192.0.2.11", "198.51.100.1"), ""),
        (("[192.0.2.11]", "[]"), ""),
        (("context: home", "context: other"), "its context home speaks of these nodes, and is not"),
        (("ca: PLANTED-CA", 'ca: "PLANTED-CA'), "is of this cluster: "),
    ],
    ids=["other nodes", "no nodes", "another context", "no YAML"],
)
def test_yours_of_another_cluster_is_not_taken(
    drafted: Read, home: Path, change: tuple[str, str], said: str
) -> None:
    (home / ".talos" / "config").write_text(TALOSCONFIG.replace(*change), "utf-8")
    draft = drafted({"talos/talconfig.yaml": TALCONFIG})

    assert (draft.credentials.talosconfig, draft.credentials.there) == (THEIRS, False)
    assert [said in note for note in draft.credentials.notes] == [True] * bool(said)
    assert "PLANTED" not in " ".join(draft.unknown())


@pytest.mark.parametrize("files", [(THEIRS,), ("talosconfig",), ("a/talosconfig", "b/talosconfig")])
def test_one_of_the_repository_keeps_yours_out(
    drafted: Read, home: Path, files: tuple[str, ...]
) -> None:
    draft = drafted({"talos/talconfig.yaml": TALCONFIG, **dict.fromkeys(files, TALOSCONFIG)})

    assert str(home) not in " ".join([draft.credentials.talosconfig, *draft.taken])


def test_of_several_contexts_the_current_one_is_what_talosctl_uses(drafted: Read) -> None:
    away = TALOSCONFIG + "  away: {endpoints: [198.51.100.1]}\n"
    draft = drafted({"talos/talconfig.yaml": TALCONFIG, THEIRS: away})

    assert any(f"context home of {THEIRS} rather than away" in said for said in draft.taken)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("context: home", "context: other"), "it names no current one"),
        (("192.0.2.11", "198.51.100.1"), "its context home speaks of none of the nodes"),
    ],
)
def test_a_context_that_is_not_the_clusters_is_said(
    drafted: Read, change: tuple[str, str], said: str
) -> None:
    draft = drafted({"talos/talconfig.yaml": TALCONFIG, THEIRS: TALOSCONFIG.replace(*change)})

    assert any(said in note for note in draft.unknown())


def test_a_kubeconfig_of_another_server_is_said(drafted: Read) -> None:
    files = {"talos/talconfig.yaml": TALCONFIG, "kubeconfig": KUBECONFIG}
    assert not any("kubeconfig" in note for note in drafted(files).unknown())

    files["kubeconfig"] = KUBECONFIG.replace("192.0.2.10", "198.51.100.1")
    (said,) = [note for note in drafted(files).unknown() if "kubeconfig" in note]

    assert said == "whether kubeconfig is of this cluster: kubeconfig:5 speaks to 198.51.100.1"


@pytest.fixture
def named(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubeconfig that is the second of ``$KUBECONFIG``, after one that is not there."""
    folder = tmp_path_factory.mktemp("kube")
    (folder / "mine").write_text(KUBECONFIG, "utf-8")
    paths = (folder / "not-there", folder / "mine", folder / "third")
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["", *map(str, paths)]))
    return folder / "mine"


def test_where_the_repository_has_no_kubeconfig_yours_is_looked_at_and_said(
    drafted: Read, named: Path
) -> None:
    draft = drafted({"talos/talconfig.yaml": TALCONFIG})

    said = f"{named} of $KUBECONFIG to compare, for the repository has no kubeconfig"
    assert f"{said}: it speaks to these nodes" in draft.taken
    assert not any("kubeconfig" in note for note in draft.credentials.notes)


def test_one_of_the_environment_that_is_not_there_is_passed_over(
    drafted: Read, named: Path
) -> None:
    """So is a pipe, which whoever reads it takes from the next who does."""
    named.unlink()
    draft = drafted({"talos/talconfig.yaml": TALCONFIG})

    assert not any("KUBECONFIG" in said for said in (*draft.taken, *draft.unknown()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("192.0.2.10", "198.51.100.1"), "{file}:5 speaks to 198.51.100.1"),
        (("PLANTED-CA", '"PLANTED-CA'), "{file}:8:1: "),
    ],
    ids=["another server", "no YAML"],
)
def test_yours_of_another_cluster_is_said(
    drafted: Read, named: Path, change: tuple[str, str], said: str
) -> None:
    named.write_text(KUBECONFIG.replace(*change), "utf-8")
    draft = drafted({"talos/talconfig.yaml": TALCONFIG})

    (note,) = [note for note in draft.unknown() if str(named) in note]
    assert note.startswith(f"whether {named} is of this cluster: {said.format(file=named)}")
    assert not any("it speaks to these nodes" in choice for choice in draft.taken)
    assert "PLANTED" not in " ".join([*draft.unknown(), *draft.taken])


def test_one_of_the_repository_keeps_your_kubeconfig_out(drafted: Read, named: Path) -> None:
    draft = drafted({"talos/talconfig.yaml": TALCONFIG, "kubeconfig": KUBECONFIG})

    assert str(named) not in " ".join([*draft.taken, *draft.unknown()])


def test_a_talosconfig_that_is_no_yaml_is_refused_without_what_it_holds(drafted: Read) -> None:
    text = TALOSCONFIG.replace("ca: PLANTED-CA", 'ca: "PLANTED-CA')
    with pytest.raises(SourceUnreadable) as raised:
        drafted({"talos/talconfig.yaml": TALCONFIG, THEIRS: text})

    assert raised.value.message.startswith(f"{THEIRS}:")
    assert "PLANTED" not in raised.value.message
