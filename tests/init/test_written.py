"""
Promise: what is written reads back as what was read, whatever stands in the files; what is not known is no key.

Mutants, each tried: write values without quotes; write an unknown address as an empty one; let a name begin a line.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from rekindle.adopting.draft import draft
from rekindle.adopting.reading import FILLED_IN
from rekindle.adopting.written import Place, plan
from tests.init.conftest import TALCONFIG, TOPF, Read, write

scalars = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def text_of(drafted: Read, files: dict[str, str], folder: Path) -> str:
    return plan(drafted(files), Place(folder / "recovery.yaml", folder))


@given(cluster=scalars, address=scalars)
@example(cluster="\x85", address="0\x850")
def test_any_value_reads_back_or_is_no_key(cluster: str, address: str) -> None:
    """Also those of several lines, of YAML's own signs, and of what looks like a number."""
    nodes = [{"hostname": "k8s-1", "ipAddress": address, "controlPlane": True}]
    source = yaml.safe_dump({"clusterName": cluster, "nodes": nodes})  # PyYAML loses a raw U+0085
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), {"talconfig.yaml": source})
        made = plan(draft(folder, None, None), Place(folder / "recovery.yaml", folder))
    written = yaml.safe_load(made)
    first = address.partition(",")[0].strip()

    known = cluster != "" and not FILLED_IN.search(cluster)
    assert written.get("cluster") == (cluster if known else None)
    node = written["talos"]["nodes"]["k8s-1"]
    usable = address != "" and not FILLED_IN.search(address)
    assert node.get("address") == (first if usable else None)
    assert node["role"] == "controlplane"


def test_each_value_has_its_place_beside_it(drafted: Read, tmp_path: Path) -> None:
    lines = text_of(drafted, {"talos/talconfig.yaml": TALCONFIG}, tmp_path).splitlines()

    assert "cluster: home # talos/talconfig.yaml:1" in lines
    (node,) = [line for line in lines if "k8s-2" in line]
    assert node == (
        "    k8s-2: {address: 192.0.2.12, role: worker, config: talos/clusterconfig/home-k8s-2.yaml}"
        " # talos/talconfig.yaml:9; not there yet"
    )


def test_what_is_not_known_stands_where_it_would_stand(drafted: Read, tmp_path: Path) -> None:
    source = TOPF.replace("192.0.2.12", "${SECOND}").replace("home", "'{{ name }}'")
    text = text_of(drafted, {"talos/topf.yaml": source}, tmp_path)
    written, lines = yaml.safe_load(text), text.splitlines()

    assert "cluster" not in written
    assert "address" not in written["talos"]["nodes"]["k8s-2"]
    here = lines.index(next(line for line in lines if line.startswith("    k8s-2: ")))
    assert lines[here - 1].startswith(
        "    # not known: address of k8s-2: nodes[1].ip at talos/topf"
    )
    assert any(line.startswith("# not known: cluster: clusterName at ") for line in lines)
    assert any(line.startswith("  # not known: daemonset: ") for line in lines)


def test_a_plan_beside_its_repository_finds_the_way_back(drafted: Read, tmp_path: Path) -> None:
    root = tmp_path / "cluster"
    made = drafted({"cluster/talos/topf.yaml": TOPF, "cluster/scripts/bootstrap-apps.sh": ""})
    inside = draft(root, None, None)
    written = yaml.safe_load(plan(inside, Place(tmp_path / "plans" / "home.yaml", root)))

    assert made.machines.file == "cluster/talos/topf.yaml"
    assert written["repository"] == "../cluster"
    assert written["commands"]["apps"]["directory"] == "../cluster"
    assert written["talos"]["talosconfig"] == "../cluster/talos/talosconfig"
    assert written["talos"]["nodes"]["k8s-1"]["config"] == "../cluster/talos/rendered/k8s-1.yaml"
    assert written["inventory"] == {"file": "recovery/inventory.yaml"}


@pytest.mark.parametrize("folder", ["a\nb: c", "a\x1b[31m", "a # b"])
def test_a_folders_name_begins_no_line(drafted: Read, tmp_path: Path, folder: str) -> None:
    text = text_of(drafted, {f"{folder}/talconfig.yaml": TALCONFIG}, tmp_path)
    written = yaml.safe_load(text)

    assert "\x1b" not in text
    assert written["talos"]["nodes"]["k8s-1"]["config"] == (
        f"{folder}/clusterconfig/home-k8s-1.yaml"
    )
    assert set(written) == {
        "cluster",
        "talos",
        "kubernetes",
        "cni",
        "flux",
        "inventory",
        "commands",
    }


def test_flux_in_another_namespace_has_its_controllers_there(drafted: Read, tmp_path: Path) -> None:
    instance = (
        "kind: FluxInstance\nmetadata: {namespace: gitops}\nspec:\n  sync: {url: 'https://a/b.git', "
        "ref: refs/heads/main, path: talos}\n"
    )
    text = text_of(drafted, {"talos/topf.yaml": TOPF, "flux.yaml": instance}, tmp_path)
    flux = yaml.safe_load(text)["flux"]

    assert flux["source"] == "gitops/gitops"
    assert "gitops/kustomize-controller" in flux["controllers"]
