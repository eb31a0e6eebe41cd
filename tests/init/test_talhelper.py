"""
``talconfig.yaml``: nodes with their places; what envsubst fills in is known only where a plain file says it.

Mutants, each tried: take ``${NODE}`` for an address; take a value of talenv.yaml that is itself filled in; write
``clusterconfig/HOST.yaml``; say that a node without ``controlPlane`` is one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.adopting.reading import SourceUnreadable
from rekindle.adopting.written import Place, plan
from tests.init.conftest import TALCONFIG, Read


def test_nodes_have_their_address_role_and_file_with_their_places(drafted: Read) -> None:
    found = drafted({"talos/talconfig.yaml": TALCONFIG}).machines
    first, second = found.nodes

    assert (first.name.value, first.address.value, first.role.value) == (
        "k8s-1",
        "192.0.2.11",
        "controlplane",
    )
    assert (second.name.value, second.role.value) == ("k8s-2", "worker")
    assert first.config.value == "talos/clusterconfig/home-k8s-1.yaml"
    assert first.address.origin == "talos/talconfig.yaml:7"
    assert second.name.origin == "talos/talconfig.yaml:9"
    assert found.talosconfig == "talos/clusterconfig/talosconfig"
    assert (found.host, found.port) == ("192.0.2.10", 6443)


def test_a_node_is_a_worker_unless_it_says_otherwise(drafted: Read) -> None:
    text = TALCONFIG.replace("    controlPlane: true\n", "")

    assert drafted({"talconfig.yaml": text}).machines.nodes[0].role.value == "worker"


def test_a_variable_is_known_where_talenv_has_it_in_plain(drafted: Read) -> None:
    text = TALCONFIG.replace("192.0.2.11", "${FIRST}").replace("v1.13.7", "$version")
    env = "FIRST: 192.0.2.21\nversion: v1.13.8\n"

    found = drafted({"talos/talconfig.yaml": text, "talos/talenv.yaml": env}).machines

    assert found.nodes[0].address.value == "192.0.2.21"
    assert found.nodes[0].address.origin == "talos/talconfig.yaml:7, talos/talenv.yaml:1"
    assert found.version.value == "v1.13.8"


@pytest.mark.parametrize("env", ["", "OTHER: 192.0.2.21\n", "FIRST: ${OTHER}\n", "FIRST: ENC[x]\n"])
def test_a_variable_that_nobody_says_in_plain_is_not_known(drafted: Read, env: str) -> None:
    text = TALCONFIG.replace("192.0.2.11", "${FIRST}")
    files = {"talos/talconfig.yaml": text, "talos/talenv.sops.yaml": "FIRST: 192.0.2.66\n"}
    if env:
        files["talos/talenv.yaml"] = env

    draft = drafted(files)
    address = draft.machines.nodes[0].address

    assert (address.known, address.value) == (False, "")
    said = "k8s-1: nodes[0].ipAddress at talos/talconfig.yaml:7 is filled in elsewhere: ${FIRST}"
    assert said in list(draft.unknown())


@pytest.mark.parametrize("env", ["HOST: ENC[x]\n", "HOST: ${OTHER}\n", "HOST: {a: 1}\n"])
def test_a_variable_that_is_filled_in_itself_is_no_part_of_a_value(drafted: Read, env: str) -> None:
    text = TALCONFIG.replace("https://192.0.2.10", "https://${HOST}")
    found = drafted({"talos/talconfig.yaml": text, "talos/talenv.yaml": env}).machines

    assert (found.endpoint.known, found.host) == (False, "")


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{{.Hostname}}.yaml", "k8s-1.yaml"),
        (
            "{{ .ClusterName }}_{{ .Role }}_{{ .IPAddress }}.yaml",
            "home_controlplane_192.0.2.11.yaml",
        ),
    ],
)
def test_a_name_of_the_file_may_be_given_for_a_node_or_for_its_role(
    drafted: Read, template: str, name: str
) -> None:
    node = TALCONFIG.replace("true\n", f"true\n    filenameTmpl: '{template}'\n")
    role = f"{TALCONFIG}controlPlane: {{filenameTmpl: '{template}'}}\n"

    for text in (node, role):
        found = drafted({"talconfig.yaml": text}).machines.nodes
        assert found[0].config.value == f"clusterconfig/{name}"
        assert found[1].config.value == "clusterconfig/home-k8s-2.yaml"


def test_a_template_that_nobody_here_can_fill_in_is_not_known(drafted: Read) -> None:
    text = TALCONFIG.replace("true\n", "true\n    filenameTmpl: '{{ lower .Hostname }}'\n")

    assert not drafted({"talconfig.yaml": text}).machines.nodes[0].config.known


def test_a_cluster_without_a_known_name_leaves_its_files_unknown(drafted: Read) -> None:
    found = drafted({"talconfig.yaml": TALCONFIG.replace("home", "${NAME}")})

    assert not found.machines.nodes[0].config.known
    assert any(note.startswith("cluster: clusterName at ") for note in found.unknown())


def test_of_several_addresses_the_first_is_taken_and_that_is_said(drafted: Read) -> None:
    text = TALCONFIG.replace("192.0.2.11", '"192.0.2.11, 192.0.2.15"')
    draft = drafted({"talconfig.yaml": text})

    assert draft.machines.nodes[0].address.value == "192.0.2.11"
    assert any("took the first at talconfig.yaml:7" in note for note in draft.unknown())


@pytest.mark.parametrize("change", ["    ignoreHostname: true\n", ""])
def test_a_name_that_is_none_is_not_known(drafted: Read, change: str) -> None:
    text = TALCONFIG.replace("k8s-1\n", f"k8s-1\n{change}" if change else "K8S_1\n")

    assert not drafted({"talconfig.yaml": text}).machines.nodes[0].name.known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes:\n  - hostname: [\n", "talos/talconfig.yaml:3:1: "),
        ("clusterName: home\nclusterName: away\n", "talos/talconfig.yaml:2:1: clusterName: "),
        ("clusterName: home\n", "talos/talconfig.yaml:1:1: nodes: "),
        ("- one\n", "talos/talconfig.yaml:1:1: $: no mapping"),
        ("nodes: []\n---\na: 1\n", "2 documents"),
        (TALCONFIG.replace("k8s-2", "k8s-1"), "talos/talconfig.yaml:9: k8s-1 is the name of"),
    ],
)
def test_what_is_no_talconfig_is_refused_with_the_place(
    drafted: Read, text: str, said: str
) -> None:
    with pytest.raises(SourceUnreadable) as raised:
        drafted({"talos/talconfig.yaml": text})

    assert said in raised.value.message
    assert (raised.value.reference, raised.value.exit_code) == ("source-unreadable", 78)


def test_an_address_that_is_the_endpoints_may_be_the_vip(drafted: Read, tmp_path: Path) -> None:
    """A wiped node does not answer there. Mutant: ask it of a single node, whose endpoint is its own address."""
    several = TALCONFIG.replace("192.0.2.11", "192.0.2.10")
    draft = drafted({"talconfig.yaml": several})
    text = plan(draft, Place(tmp_path / "recovery.yaml", tmp_path))
    alone = drafted({"talconfig.yaml": several.partition("  - hostname: k8s-2")[0]})

    assert "k8s-1: whether 192.0.2.10 at talconfig.yaml:7 is its own: the endpoint has it" in list(
        draft.unknown()
    )
    assert "# not known: whether this address is its own" in text
    assert list(alone.of_nodes()) == []
