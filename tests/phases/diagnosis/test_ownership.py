"""One object, two owners."""

from __future__ import annotations

from typing import Any

from tests.phases.diagnosis.scenes import found_by, made, scene


def owner(name: str, *ids: str) -> dict[str, Any]:
    entries = [{"id": entry, "v": "v1"} for entry in ids]
    return made("Kustomization", name, status={"inventory": {"entries": entries}})


def test_a_shared_namespace_is_said_once_with_all_its_owners() -> None:
    shared = "_storage__Namespace"
    found = found_by(
        "N12",
        scene(
            owner("f/a", shared, "storage_x_apps_Deployment"),
            owner("f/b", shared, "_system__node_rbac.authorization.k8s.io_ClusterRole"),
            owner("f/c", shared, "other_x_apps_Deployment"),
        ),
    )

    (finding,) = found
    assert finding.subject == "kustomization/f/a"
    assert "f/a, f/b, f/c apply the same 1 object (Namespace storage)" in finding.message
    assert finding.clears_itself == "no"
    assert len(finding.evidence) == 3


def test_namespaced_objects_and_colons_are_readable() -> None:
    ids = ("storage_x_apps_Deployment", "_system__node_rbac.authorization.k8s.io_ClusterRole")

    (finding,) = found_by("N12", scene(owner("f/a", *ids), owner("f/b", *ids)))

    assert "(ClusterRole system:node, Deployment storage/x)" in finding.message


def test_what_each_has_alone_is_no_overlap() -> None:
    assert found_by("N12", scene(owner("f/a", "_x__Namespace"), owner("f/b"))) == []
    assert found_by("N12", scene(made("Kustomization", "f/c"))) == []
    assert found_by("N12", scene(owner("f/a", "_x__Namespace", "_x__Namespace"))) == []
