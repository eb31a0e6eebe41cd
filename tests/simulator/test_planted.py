"""
An inventory becomes a tree that brings it, and what had to be assumed is said.

Mutants: let a release that Git does not know be brought by a root; forget a Kustomization that nobody brings.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from phases.inventory import Inventory
from rekindle.simulator.inventory import inventory_of
from rekindle.simulator.planted import Wanted, tree_of

ANTON = Path(__file__).parents[2] / "examples" / "anton" / "inventory.yaml"


def inventory(**fields: object) -> Inventory:
    return Inventory.model_validate({"schema": "rekindle.inventory/1", **fields})


def test_what_a_tree_of_an_inventory_brings_is_that_inventory() -> None:
    wanted = inventory(
        **{k: v for k, v in yaml.safe_load(ANTON.read_text()).items() if k != "schema"}
    )

    tree, notes = tree_of(wanted, Wanted(nodes=len(wanted.nodes)))

    again = Inventory.model_validate(inventory_of(tree, wanted.nodes, "flux-system/flux-system"))
    assert again == wanted
    assert not any("store onepassword" in note for note in notes)


def test_who_brings_a_store_of_an_inventory_of_before_is_guessed_and_said() -> None:
    """Mutants: believe a parent that is nobody's; guess where it is written down."""
    known = yaml.safe_load(ANTON.read_text())
    for listed in (["onepassword"], [{"name": "onepassword", "parent": "apps/nobody"}]):
        found = inventory(**{**known, "stores": listed})

        tree, notes = tree_of(found, Wanted(nodes=3))

        assert any("store onepassword" in x and "external-secrets-stores" in x for x in notes)
        again = inventory_of(tree, found.nodes, "flux-system/flux-system")
        assert again["stores"] == known["stores"]


def test_what_has_no_owner_is_brought_by_the_root_above_it_and_said() -> None:
    found = inventory(
        roots=["flux-system/apps"],
        namespaces=["web"],
        kustomizations=[
            {"key": "flux-system/apps"},
            {"key": "web/shop", "parent": "flux-system/apps"},
            {"key": "web/alone"},
        ],
        helmreleases=[{"key": "web/cart"}],
        workloads=[
            {"kind": "Deployment", "key": "web/front", "pods": 2},
            {"kind": "DaemonSet", "key": "web/agent", "pods": 1, "owner": "helmrelease/web/cart"},
        ],
        crds=[{"name": "carts.shop.example"}],
    )
    network = ("DaemonSet", "kube-system/cilium", 3)

    tree, notes = tree_of(found, Wanted(nodes=3, machinery=(network,)))

    assert tree.roots == ("flux-system/apps", "web/alone")
    brought = {(item.kind, item.id) for item in tree.kustomizations["flux-system/apps"].objects}
    assert {
        ("Deployment", "web/front"),
        ("HelmRelease", "web/cart"),
        ("Namespace", "web"),
    } <= brought
    assert ("CustomResourceDefinition", "carts.shop.example") in brought
    assert [item.id for item in tree.helmreleases["kube-system/cilium"].installs] == [network[1]]
    said = " / ".join(notes)
    for part in ("web/alone", "Deployment web/front", "HelmRelease web/cart", "carts.shop.example"):
        assert part in said
    assert "web/agent had 1 pods; here it has one on each node" in said
    assert "DaemonSet kube-system/cilium is not recorded: a release kube-system/cilium" in said


def test_an_inventory_of_nothing_but_workloads_has_a_root_of_its_own() -> None:
    found = inventory(workloads=[{"kind": "Deployment", "key": "web/front", "pods": 1}])

    tree, _ = tree_of(found, Wanted(nodes=1))

    assert [item.id for item in tree.kustomizations[tree.roots[0]].objects] == ["web/front"]


def test_whoever_holds_objects_of_a_kind_holds_one_and_no_second() -> None:
    """Mutants: bring none, and a rehearsal of a night goes on without the kind; one beside a listed secret."""
    wanted = inventory(
        roots=["flux-system/apps"],
        kustomizations=[
            {
                "key": "flux-system/apps",
                "needs": ["crd/externalsecrets.external-secrets.io", "crd/gadgets.example.com"],
            },
            {"key": "flux-system/more", "parent": "flux-system/apps", "needs": ["helmrelease/a/b"]},
        ],
        externalsecrets=[{"key": "apps/login", "parent": "flux-system/apps", "store": "vault"}],
        crds=[
            {
                "name": "externalsecrets.external-secrets.io",
                "provider": "kustomization/flux-system/more",
            },
            {"name": "gadgets.example.com", "provider": "kustomization/flux-system/more"},
        ],
    )

    tree, _ = tree_of(wanted, Wanted(nodes=1))

    held = tree.kustomizations["flux-system/apps"].objects
    assert [item.kind for item in held] == ["Kustomization", "ExternalSecret", "Gadget"]
    assert [item.kind for item in tree.kustomizations["flux-system/more"].objects] == [
        "CustomResourceDefinition",
        "CustomResourceDefinition",
    ]
    again = Inventory.model_validate(inventory_of(tree, ("n",), "flux-system/flux-system"))
    assert [item.needs for item in again.kustomizations] == [
        ("crd/externalsecrets.external-secrets.io", "crd/gadgets.example.com"),
        (),
    ]
