"""Git says which Flux objects there are, the cluster what they brought."""

from __future__ import annotations

from typing import Any

from phases.hooks import ALL, Hook, Hooks
from phases.inventory import Inventory
from phases.joining import joined


def inventory(**fields: Any) -> Inventory:  # noqa: ANN401
    items = fields.get("workloads", [])
    pods = sum(item["pods"] for item in items)
    return Inventory.model_validate({"schema": "rekindle.inventory/1", "pods": pods, **fields})


def workload(key: str, owner: str = "", pods: int = 1) -> dict[str, Any]:
    return {"kind": "Deployment", "key": key, "owner": owner, "pods": pods}


def keys(found: Inventory) -> list[str]:
    return [item.key for item in found.workloads]


def test_the_clusters_workloads_of_gits_releases_are_taken_and_others_are_not() -> None:
    """Mutant: take every workload of the cluster, and what Git has dropped is expected for ever."""
    git = inventory(helmreleases=[{"key": "a/web"}])
    here = [workload("a/web", "helmrelease/a/web", 3), workload("a/old", "helmrelease/a/old")]
    cluster = inventory(
        helmreleases=[{"key": "a/web"}, {"key": "a/old"}],
        namespaces=["a"],
        workloads=[*here, workload("a/osd-0")],
    )

    both = joined(git, cluster)

    assert keys(both.inventory) == ["a/osd-0", "a/web"]
    assert (both.inventory.pods, both.inventory.namespaces) == (4, ("a",))
    assert (both.absent, both.left_out) == ((), ("helmrelease/a/old",))


def test_what_git_has_and_the_cluster_has_not_stays_and_is_said() -> None:
    """Mutant: take the cluster's lists alone: what it has lost would not be missed."""
    git = inventory(
        namespaces=["a"],
        kustomizations=[{"key": "a/k"}],
        stores=["vault"],
        crds=[{"name": "x.example.com"}],
        workloads=[workload("a/web", "kustomization/a/k", 2)],
    )

    both = joined(git, inventory())

    assert both.inventory.model_copy(update={"unknown": ()}) == git
    assert both.absent == (
        "namespace/a",
        "crd/x.example.com",
        "kustomization/a/k",
        "store/vault",
        "deployment/a/web",
    )


def test_pods_are_the_clusters_where_it_has_the_workload() -> None:
    owner = "kustomization/a/k"
    fields = {"kustomizations": [{"key": "a/k"}], "namespaces": ["a"]}
    both = joined(
        inventory(**fields, workloads=[workload("a/web", owner, 1)]),
        inventory(**fields, workloads=[workload("a/web", owner, 5)]),
    )

    assert both.inventory.pods == 5


def test_what_comes_from_a_foreign_source_is_taken_as_the_cluster_has_it() -> None:
    """Mutant: adopt only the first generation, and the grandchildren are left out."""
    git = inventory(kustomizations=[{"key": "f/other"}], unknown=["f/other"])
    cluster = inventory(
        kustomizations=[
            {"key": "f/other"},
            {"key": "b/grandchild", "parent": "a/child"},
            {"key": "a/child", "parent": "f/other"},
            {"key": "z/stray"},
        ],
        helmreleases=[{"key": "b/rel", "parent": "b/grandchild"}],
        externalsecrets=[{"key": "b/es", "parent": "b/grandchild", "store": "vault"}],
        stores=["vault", "unused"],
        namespaces=["b"],
        workloads=[workload("b/web", "helmrelease/b/rel")],
        unknown=["f/other", "a/child", "z/stray"],
    )

    both = joined(git, cluster)
    found = both.inventory

    assert [item.key for item in found.kustomizations] == ["a/child", "b/grandchild", "f/other"]
    assert [item.key for item in found.helmreleases] == ["b/rel"]
    assert [item.key for item in found.externalsecrets] == ["b/es"]
    assert (keys(found), [item.name for item in found.stores]) == (["b/web"], ["vault"])
    assert found.unknown == ("a/child", "f/other")
    assert both.left_out == ("kustomization/z/stray",)


def test_a_store_is_applied_by_who_is_ours() -> None:
    """Git knows best; of the cluster a label counts if it names what is expected. Mutant: believe every label."""
    git = inventory(
        kustomizations=[{"key": "a/k"}],
        externalsecrets=[
            {"key": f"a/{name}", "store": name} for name in ("vault", "mine", "theirs", "lost")
        ],
        stores=[{"name": "vault", "parent": "a/k"}],
    )
    labelled = {"vault": "a/old", "mine": "a/k", "theirs": "a/old", "lost": None, "unread": "a/k"}
    cluster = inventory(stores=[{"name": n, "parent": p} for n, p in labelled.items()])

    found = joined(git, cluster).inventory.stores

    parents = {item.name: item.parent for item in found}
    assert parents == {"lost": None, "mine": "a/k", "theirs": None, "vault": "a/k"}


def test_what_git_suspends_brings_nothing() -> None:
    """Mutant: take what it once brought: a recovery from nothing would wait for it for ever."""
    flux = {
        "helmreleases": [{"key": "a/rel", "suspended": True}],
        "kustomizations": [{"key": "a/k", "suspended": True}],
    }
    here = [workload("a/web", "helmrelease/a/rel"), workload("a/own", "kustomization/a/k")]

    assert keys(joined(inventory(**flux), inventory(**flux, workloads=here)).inventory) == []


def test_the_plans_nodes_are_the_nodes() -> None:
    both = joined(inventory(nodes=["n2", "n1"]), inventory(nodes=["n1"]))

    assert (both.inventory.nodes, both.absent) == (("n2", "n1"), ("k8s-node/n2",))


def test_the_cluster_names_the_crds_of_what_git_holds() -> None:
    """Mutants: take what the cluster's Kustomization holds, which Git may have dropped; only Git's own CRDs."""
    git = inventory(
        kustomizations=[{"key": "a/k", "needs": ["crd/own.example.com"]}, {"key": "a/m"}],
        helmreleases=[{"key": "a/rel"}],
        crds=[{"name": "own.example.com"}],
    )
    cluster = inventory(
        kustomizations=[{"key": "a/k", "needs": ["crd/dropped.x.io"]}],
        crds=[
            {"name": "gadgets.x.io", "provider": "helmrelease/a/rel"},
            {"name": "dropped.x.io", "provider": "helmrelease/a/rel"},
        ],
    )

    both = joined(git, cluster, {"a/k": {("x.io", "Gadget"): {"a"}, ("y.io", "Gadget"): {"a"}}})

    assert [item.needs for item in both.inventory.kustomizations] == [
        ("crd/own.example.com", "crd/gadgets.x.io"),
        (),
    ]


def test_what_a_foreign_kustomization_needs_the_cluster_knows() -> None:
    """No tree of ours has what it holds. Mutants: leave it out; take it of Git's own, too."""
    git = inventory(kustomizations=[{"key": "a/k"}, {"key": "a/m"}], unknown=["a/k"])
    cluster = inventory(
        kustomizations=[
            {"key": "a/k", "needs": ["crd/gadgets.x.io"]},
            {"key": "a/m", "needs": ["crd/dropped.x.io"]},
        ],
        unknown=["a/k"],
    )

    both = joined(git, cluster).inventory.kustomizations

    assert [item.needs for item in both] == [("crd/gadgets.x.io",), ()]


def test_the_cluster_s_webhooks_are_asked_about_kubernetes_own_kinds() -> None:
    """Mutant: only about kinds that a CRD defines."""
    git = inventory(kustomizations=[{"key": "a/k"}])
    hook = Hook("deployment/a/hook", "", frozenset({"*.*"}), ALL)

    both = joined(git, inventory(), {"a/k": {("", "ConfigMap"): {"a"}}}, Hooks((hook,)))

    assert both.inventory.kustomizations[0].needs == ("deployment/a/hook",)


def test_the_cluster_s_webhooks_are_asked_about_what_git_holds() -> None:
    """Mutant: only about what the cluster's Kustomization holds."""
    git = inventory(kustomizations=[{"key": "a/k"}], helmreleases=[{"key": "a/rel"}])
    crds = [{"name": "gadgets.x.io", "provider": "helmrelease/a/rel"}]
    cluster = inventory(kustomizations=[{"key": "a/k"}], crds=crds)
    hook = Hook("deployment/a/hook", "helmrelease/a/rel", frozenset({"gadgets.x.io"}), ALL)

    both = joined(git, cluster, {"a/k": {("x.io", "Gadget"): {"a"}}}, Hooks((hook,)))

    needs = both.inventory.kustomizations[0].needs
    assert needs == ("crd/gadgets.x.io", "deployment/a/hook")
