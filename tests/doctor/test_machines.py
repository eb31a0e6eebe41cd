"""
Machine configurations: each reason to refuse one, and only that node's.

Mutants: leave out any line of ``_refused``; compare with ``cluster.ca``; drop ``target``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from phases.section import Section
from phases.verbs import APPLY
from rekindle.doctor import machines
from rekindle.doctor.check import Check
from tests.doctor.making import (
    CLUSTER_CA,
    OTHER_CA,
    TALOS_CA,
    Change,
    Machine,
    machine,
    section,
    talosconfig,
)

VALID = {"talosctl validate": 0}


def looked(folder: Path, codes: dict[str, int | None] | None = None, **plan: object) -> Check:
    host = Machine(codes=VALID if codes is None else codes).host
    (found,) = machines.rows(host, section(folder, **plan))
    return found


def test_a_rendered_configuration_of_this_cluster_is_in_order(tmp_path: Path) -> None:
    assert "ok" == str(looked(tmp_path).verdict)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_text("["), "is no YAML"),
        (lambda path: path.write_text("apiVersion: v1alpha1"), "has no machine configuration"),
        (lambda path: machine(path, ca=OTHER_CA), "of another cluster"),
        (lambda path: machine(path, kind="worker"), "is of a worker"),
        (lambda path: machine(path, sops={"age": []}), "encrypted by sops"),
    ],
)
def test_a_configuration_that_must_not_be_applied_forbids_it_for_its_node(
    tmp_path: Path, change: Change, said: str
) -> None:
    change(tmp_path / "cp.yaml")
    found = looked(tmp_path)

    assert said in found.said
    assert ("red", [APPLY], "node/cp") == (str(found.verdict), [*found.blocks], found.target)


def test_a_configuration_that_is_gone_forbids_it_too(tmp_path: Path) -> None:
    plan: Section = section(tmp_path)
    (tmp_path / "cp.yaml").unlink()
    (found,) = machines.rows(Machine().host, plan)

    assert ("red", [APPLY]) == (str(found.verdict), [*found.blocks])
    assert "No such file" in found.said
    assert "render it" in found.todo


def test_another_file_than_was_planned_is_refused_before_the_node_would(tmp_path: Path) -> None:
    node = {"address": "192.0.2.1", "config": str(tmp_path / "cp.yaml"), "sha256": "0" * 64}
    talos = {"talosconfig": str(tmp_path / "talosconfig"), "nodes": {"cp": node}}
    found = looked(tmp_path, talos=talos)

    assert "another file than when the plan was read" in found.said
    assert {APPLY} == found.blocks


def several(folder: Path, **files: str | None) -> dict[str, Check]:
    """A node for each of *files*, with that ``cluster.ca`` (None: another cluster's ``machine.ca`` as well)."""
    nodes = {}
    for name, cluster_ca in files.items():
        path, talos_ca = folder / f"{name}.yaml", OTHER_CA if cluster_ca is None else TALOS_CA
        machine(path, ca=talos_ca, cluster={"ca": {"crt": cluster_ca or OTHER_CA}})
        nodes[name] = {"address": "192.0.2.1", "config": str(path)}
    talos = {"talosconfig": str(folder / "talosconfig"), "nodes": nodes}
    host = Machine(codes=VALID).host
    rows = machines.rows(host, section(folder, talos=talos))
    return {row.id.rpartition("/")[2]: row for row in rows}


def test_two_with_a_kubernetes_each_are_not_of_one_cluster(tmp_path: Path) -> None:
    """
    Talos would take both, for ``machine.ca`` is the same.

    Mutants: leave out ``_divided``; believe the most of them; name no node to compare with.
    """
    found = several(tmp_path, a=CLUSTER_CA, b=OTHER_CA, c=CLUSTER_CA)

    assert ["red"] * 3 == [str(row.verdict) for row in found.values()]
    assert {frozenset({APPLY})} == {row.blocks for row in found.values()}
    assert ["node/a", "node/b", "node/c"] == [row.target for row in found.values()]
    assert "is of another Kubernetes than b: " in found["a"].said
    assert "is of another Kubernetes than a and 1 more: " in found["b"].said


def test_one_that_is_refused_anyway_or_tells_no_ca_accuses_no_other(tmp_path: Path) -> None:
    """Mutants: compare with all; take no CA for another."""
    found = several(tmp_path, a=CLUSTER_CA, b=CLUSTER_CA, c=None, d="ENC[x]")

    assert ["ok", "ok", "red", "ok"] == [str(row.verdict) for row in found.values()]
    assert "is of another cluster: machine.ca" in found["c"].said


def test_the_first_control_plane_of_an_old_cluster_is_one(tmp_path: Path) -> None:
    machine(tmp_path / "cp.yaml", kind="init")

    assert "ok" == str(looked(tmp_path).verdict)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: machine(folder / "cp.yaml", ca=""),
        lambda folder: talosconfig(folder / "talosconfig", ca=""),
        lambda folder: (folder / "talosconfig").write_text("["),
    ],
)
def test_without_a_ca_to_compare_it_is_unknown_and_forbids_nothing(
    tmp_path: Path, change: Change
) -> None:
    change(tmp_path)
    found = looked(tmp_path)

    assert ("unknown", frozenset()) == (str(found.verdict), found.blocks)


@pytest.mark.parametrize(("code", "verdict"), [(0, "ok"), (1, "warning"), (None, "ok")])
def test_what_talosctl_does_not_find_valid_is_a_warning(
    tmp_path: Path, code: int | None, verdict: str
) -> None:
    assert verdict == str(looked(tmp_path, {"talosctl validate": code}).verdict)


@pytest.mark.parametrize(("seconds", "verdict"), [(-60, "ok"), (60, "warning")])
@pytest.mark.parametrize("place", ["talconfig.yaml", "../topf.yaml"])
def test_a_source_that_was_changed_since_is_a_warning(
    tmp_path: Path, place: str, seconds: int, verdict: str
) -> None:
    folder = tmp_path / "clusterconfig"
    folder.mkdir()
    machine(folder / "cp.yaml")
    source, written = folder / place, (folder / "cp.yaml").stat().st_mtime
    source.touch()
    os.utime(source, (written + seconds, written + seconds))

    assert verdict == str(looked(folder).verdict)
