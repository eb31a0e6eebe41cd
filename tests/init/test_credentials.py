"""
talosconfig and kubeconfig: which is taken, which context it speaks of, and never what is secret in it.

Mutants, each tried: take any talosconfig of two; say nothing of a second context; put the
text of a broken one into its error.
"""

from __future__ import annotations

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


def test_a_talosconfig_that_is_no_yaml_is_refused_without_what_it_holds(drafted: Read) -> None:
    text = TALOSCONFIG.replace("ca: PLANTED-CA", 'ca: "PLANTED-CA')
    with pytest.raises(SourceUnreadable) as raised:
        drafted({"talos/talconfig.yaml": TALCONFIG, THEIRS: text})

    assert raised.value.message.startswith(f"{THEIRS}:")
    assert "PLANTED" not in raised.value.message
