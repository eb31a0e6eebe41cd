"""``topf.yaml``: roles by their names here, files where ``topf render`` put them, nodes that only a program knows."""

from __future__ import annotations

from tests.init.conftest import TOPF, Read


def test_nodes_have_their_address_role_and_file_with_their_places(drafted: Read) -> None:
    found = drafted({"talos/topf.yaml": TOPF}).machines

    assert [node.fixed for node in found.nodes] == [
        ("k8s-1", "192.0.2.11", "controlplane"),
        ("k8s-2", "192.0.2.12", "worker"),
    ]
    assert found.nodes[1].address.origin == "talos/topf.yaml:9"
    assert found.nodes[1].config.value == "talos/rendered/k8s-2.yaml"
    assert found.talosconfig == "talos/talosconfig"
    assert found.render == "topf render --output ./rendered"


def test_what_was_rendered_to_topfs_own_folder_is_found_there(drafted: Read) -> None:
    """Mutant: take the template's folder whatever is on the disk."""
    found = drafted({"talos/topf.yaml": TOPF, "talos/output/k8s-2.yaml": ""}).machines

    assert [node.config.value for node in found.nodes] == [
        "talos/rendered/k8s-1.yaml",
        "talos/output/k8s-2.yaml",
    ]


def test_without_an_ip_the_name_is_the_address(drafted: Read) -> None:
    text = TOPF.replace("    ip: 192.0.2.11\n", "").replace("k8s-1", "k8s-1.example.org")

    assert drafted({"topf.yaml": text}).machines.nodes[0].address.value == "k8s-1.example.org"


def test_a_role_that_topf_does_not_have_is_not_known(drafted: Read) -> None:
    draft = drafted({"topf.yaml": TOPF.replace("role: worker", "role: storage")})

    assert "k8s-2: the role 'storage' at topf.yaml:10 is none of topf's" in list(draft.unknown())


def test_nodes_that_a_program_adds_are_said_to_be_unknown(drafted: Read) -> None:
    draft = drafted({"topf.yaml": f"{TOPF}nodesProvider: ./nodes.sh\n"})

    assert "which nodes ./nodes.sh adds, at topf.yaml:11" in list(draft.unknown())
