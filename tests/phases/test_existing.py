"""What exists, as an inventory: whose an object is, Flux's labels say."""

from __future__ import annotations

from typing import Any

import pytest

from phases.existing import inventory_of
from phases.inventory import Inventory
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import recorded, scene

OTHER = {"kind": "OCIRepository", "name": "podinfo"}


def taken(*objects: dict[str, Any]) -> Inventory:
    return Inventory.model_validate(inventory_of(scene(*objects)))


def test_everything_that_is_there_is_listed_with_whose_it_is() -> None:
    found = taken(*made.healthy())

    assert found.model_dump(mode="json", by_alias=True) == {
        "schema": "rekindle.inventory/1",
        "nodes": ["n1"],
        "source": {"kind": "GitRepository", "namespace": "flux-system", "name": "flux-system"},
        "roots": ["flux-system/cluster"],
        "namespaces": ["apps"],
        "kustomizations": [
            {
                "key": "apps/web",
                "parent": "flux-system/cluster",
                "depends_on": [],
                "wait": False,
                "suspended": False,
            },
            {
                "key": "flux-system/cluster",
                "parent": None,
                "depends_on": [],
                "wait": False,
                "suspended": False,
            },
        ],
        "helmreleases": [
            {"key": "apps/web", "parent": "apps/web", "depends_on": [], "suspended": False}
        ],
        "externalsecrets": [{"key": "apps/login", "parent": "apps/web", "store": "vault"}],
        "stores": ["vault"],
        "crds": [{"name": "gadgets.example.com", "provider": "helmrelease/apps/web"}],
        "workloads": [
            {"kind": "DaemonSet", "key": "apps/agent", "pods": 1, "owner": ""},
            {
                "kind": "Deployment",
                "key": "apps/extra",
                "pods": 1,
                "owner": "kustomization/apps/web",
            },
            {"kind": "Deployment", "key": "apps/web", "pods": 2, "owner": "helmrelease/apps/web"},
        ],
        "pods": 4,
        "unknown": [],
    }


def test_a_real_controller_says_whose_an_object_is() -> None:
    """Recorded from kustomize-controller: a Deployment and a Kustomization that it applied."""
    applied = recorded("deployment-applied-by-flux")
    child = recorded("kustomization-apps-true-reconciliationsucceeded")
    found = taken(applied, child, made.kustomization("flux-system/cluster-apps"))

    (workload,) = found.workloads
    assert (workload.key, workload.pods) == ("apps/web", 30)
    assert workload.owner == "kustomization/flux-system/apps"
    assert [(item.key, item.parent) for item in found.kustomizations] == [
        ("flux-system/apps", "flux-system/cluster-apps"),
        ("flux-system/cluster-apps", None),
    ]


def test_what_the_spec_says_is_kept() -> None:
    depends = [{"name": "b"}, {"name": "c", "namespace": "n"}]
    one = made.kustomization("a/a", wait=True, suspend=True, dependsOn=depends)
    (item,) = taken(one).kustomizations

    assert (item.wait, item.suspended, item.depends_on) == (True, True, ("a/b", "n/c"))


def test_a_root_that_applies_itself_is_a_root() -> None:
    """Mutant: take its own label for a parent, and a cluster of ``flux bootstrap`` has no root."""
    own = made.kustomization("flux-system/flux-system", "kustomize:flux-system/flux-system")

    assert taken(own).roots == ("flux-system/flux-system",)


def test_a_release_that_a_bootstrap_installed_is_known_by_helms_annotations() -> None:
    """Mutant: leave the annotations out: helmfile sets no label of Flux's."""
    helm = {"meta.helm.sh/release-name": "cilium", "meta.helm.sh/release-namespace": "kube-system"}
    installed = made.deployment("kube-system/cilium-operator", annotations=helm)

    (known,) = taken(installed, made.release("kube-system/cilium")).workloads
    (unknown,) = taken(installed).workloads

    assert (known.owner, unknown.owner) == ("helmrelease/kube-system/cilium", "")


@pytest.mark.parametrize(
    ("sources", "unknown"),
    [
        ([made.OURS, made.OURS, OTHER], ("a/k2",)),
        ([made.OURS, made.OURS, {**made.OURS, "name": "second"}], ("a/k2",)),
        ([OTHER, made.OURS], ("a/k0",)),
        ([OTHER], ("a/k0",)),
    ],
)
def test_who_follows_another_source_is_named(
    sources: list[dict[str, Any]], unknown: tuple[str, ...]
) -> None:
    """Mutant: count any kind of source for ours: then an OCIRepository may become the source of all."""
    found = taken(*(made.kustomization(f"a/k{n}", source=one) for n, one in enumerate(sources)))

    assert found.unknown == unknown


def test_a_crd_that_its_release_has_left_behind_is_not_expected() -> None:
    """Mutant: list it, and no recovery ever ends: nothing brings it again."""
    left, own = made.crd("old.example.com", "helm:apps/gone"), made.crd("own.example.com")
    found = taken(*made.healthy(), left, own)

    assert [item.name for item in found.crds] == ["gadgets.example.com", "own.example.com"]


def test_namespaces_that_the_api_server_makes_for_itself_are_left_out() -> None:
    names = ("default", "kube-node-lease", "kube-public", "kube-system")

    assert taken(*map(made.namespace, names)).namespaces == ("default", "kube-system")
