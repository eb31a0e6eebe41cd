"""``nodes.yaml`` and ``cluster.toml``: what the template is configured with, where nothing was rendered of it yet."""

from __future__ import annotations

import pytest

from rekindle.adopting.reading import SourceUnreadable
from tests.init.conftest import TALCONFIG, TOPF, Read

NODES = """\
nodes:
  - {name: k8s-1, address: 192.0.2.11, controller: true}
  - {name: k8s-2, address: 192.0.2.12, controller: false}
"""
CLUSTER = """\
[kubernetes.api]
addr = "192.0.2.10"

[[nodes]]
name = "k8s-1"
address = "192.0.2.11"
controller = true

[[nodes]]
name = "k8s-2"
address = "192.0.2.12"
controller = false
"""


def test_nodes_yaml_alone_is_enough_for_nodes(drafted: Read) -> None:
    draft = drafted({"nodes.yaml": NODES})
    found = draft.machines

    assert [node.fixed for node in found.nodes] == [
        ("k8s-1", "192.0.2.11", "controlplane"),
        ("k8s-2", "192.0.2.12", "worker"),
    ]
    assert found.nodes[0].config.value == "talos/clusterconfig/kubernetes-k8s-1.yaml"
    assert found.nodes[1].name.origin == "nodes.yaml:3"
    assert any("`task configure` has not been run here" in note for note in draft.unknown())


def test_cluster_toml_alone_is_enough_for_nodes(drafted: Read) -> None:
    found = drafted({"cluster.toml": CLUSTER}).machines

    assert [node.fixed for node in found.nodes] == [
        ("k8s-1", "192.0.2.11", "controlplane"),
        ("k8s-2", "192.0.2.12", "worker"),
    ]
    assert found.nodes[1].config.value == "talos/rendered/k8s-2.yaml"
    assert found.nodes[1].name.origin == "cluster.toml:9"
    assert found.endpoint.value == "https://192.0.2.10:6443"


@pytest.mark.parametrize(
    ("file", "text", "rendered"),
    [("nodes.yaml", NODES, TALCONFIG), ("cluster.toml", CLUSTER, TOPF)],
)
def test_an_input_that_no_longer_agrees_is_named_and_not_taken(
    drafted: Read, file: str, text: str, rendered: str
) -> None:
    """Mutant: take the input, though nodes get what was rendered."""
    source = "talos/talconfig.yaml" if rendered == TALCONFIG else "talos/topf.yaml"
    same = drafted({source: rendered, file: text})
    other = drafted({source: rendered, file: text.replace("192.0.2.12", "192.0.2.99")})

    assert not any(file in note for note in same.unknown())
    (said,) = [note for note in other.unknown() if file in note]
    assert f"why {file} differs from {source}, which is what nodes get: " in said
    assert other.machines.nodes[1].address.value == "192.0.2.12"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[nodes]]\nname = \n", "cluster.toml:2:8: Invalid value"),
        ("[network]\n", "cluster.toml:1:1: nodes: "),
    ],
)
def test_what_is_no_cluster_toml_is_refused_with_the_place(
    drafted: Read, text: str, said: str
) -> None:
    with pytest.raises(SourceUnreadable) as raised:
        drafted({"cluster.toml": text})

    assert raised.value.message.startswith(said)


def test_a_nodes_yaml_deeper_down_is_something_else(drafted: Read) -> None:
    """Dashboards of nodes are called so, too. Mutant: look for it everywhere."""
    draft = drafted({"talconfig.yaml": TALCONFIG, "kubernetes/apps/grafana/nodes.yaml": "- a\n"})

    assert draft.machines.file == "talconfig.yaml"
    assert not any("nodes.yaml" in note for note in draft.unknown())
