"""An inventory as a text, and what is no inventory at all."""

from __future__ import annotations

import pytest
import yaml

from journal.errors import Diagnosed
from phases.existing import NEEDED
from phases.inventory import Inventory
from phases.snapshot import Seen, Snapshot, Unseen
from rekindle.inventoried import Taken, checked, listed, of_both, of_cluster
from rekindle.inventoryfile import text

EMPTY = {"schema": "rekindle.inventory/1"}
ITEM = {"kind": "Deployment", "key": "apps/on", "pods": 2}


def test_an_object_is_a_line_and_what_is_usual_is_left_out() -> None:
    kustomizations = [{"key": "apps/yes"}, {"key": "apps/web", "wait": True, "parent": "apps/yes"}]
    fields = {"kustomizations": kustomizations, "workloads": [ITEM], "pods": 2, "nodes": ["1e3"]}
    made = text(Taken(Inventory.model_validate({**EMPTY, **fields}), "here"))

    assert made.splitlines()[3:] == [
        "schema: rekindle.inventory/1",
        "nodes:",
        "- 1e3",
        "kustomizations:",
        "- {key: apps/yes}",
        "- {key: apps/web, parent: apps/yes, wait: true}",
        "workloads:",
        "- {kind: Deployment, key: apps/on, pods: 2}",
        "pods: 2",
    ]


@pytest.mark.parametrize("name", ["on", "1", "1.10", "0x1f", "null", "2025-06-01"])
def test_a_name_that_looks_like_something_else_stays_a_name(name: str) -> None:
    """Mutant: write names without quotes, and a node called ``on`` is a truth value."""
    taken = Taken(Inventory.model_validate({**EMPTY, "nodes": [name]}), "here")

    assert yaml.safe_load(text(taken))["nodes"] == [name]


def test_no_comment_becomes_a_line_of_its_own() -> None:
    """Mutant: write what a cluster says as it stands: a message of two lines would add an object."""
    lines = ("x: a\nnodes: [evil]", "y: b\u2028nodes: [evil]")
    taken = Taken(Inventory.model_validate(EMPTY), "a\rb", {"a/b": "K\nx"}, lines, lines)
    made = text(taken)

    assert yaml.safe_load(made) == {**EMPTY, "pods": 0}
    assert sum("evil" in line for line in made.splitlines()) == 4


def test_what_the_cluster_lacks_is_said_with_who_has_it() -> None:
    """Mutant: join without a word: what is lost would look as if it had never been."""
    fields = {"nodes": ["n1"], "namespaces": ["apps"]}
    git = Taken(Inventory.model_validate({**EMPTY, **fields}), "git", notes=("a",))
    both = of_both(git, Taken(Inventory.model_validate(EMPTY), "there", unready=("b: c",)))

    assert (both.origin, both.notes) == ("git, and from there", ("a",))
    assert both.unready == (
        "k8s-node/n1: the plan has it, and the cluster has not",
        "namespace/apps: Git has it, and the cluster has not",
        "b: c",
    )


def test_long_lists_are_cut_and_counted() -> None:
    assert listed(("a", "b", "c"), 2) == ("a", "b", "... and 1 more")
    assert listed(("a", "b"), 2) == ("a", "b")


def test_what_no_plan_could_load_is_refused_at_its_place() -> None:
    workloads = [ITEM, {**ITEM, "pods": 100_001}]
    with pytest.raises(Diagnosed, match=r"workloads\.1\.pods: ") as raised:
        checked({**EMPTY, "workloads": workloads})

    assert (raised.value.reference, raised.value.exit_code) == ("inventory-invalid", 78)


@pytest.mark.parametrize(
    ("code", "reference", "exit_code"),
    [
        ("denied", "kubeconfig-unusable", 78),
        ("foreign", "kubeconfig-unusable", 78),
        ("refused", "api-unanswered", 69),
        ("silent", "api-unanswered", 69),
        ("odd", "api-unanswered", 69),
    ],
)
def test_whose_fault_it_is_decides_the_exit_code(code: str, reference: str, exit_code: int) -> None:
    looks = dict.fromkeys(NEEDED, Unseen(0.0, code, "why"))
    with pytest.raises(Diagnosed) as raised:
        of_cluster(Snapshot(at=0.0, objects={**looks, "Pod": Seen({}, 0.0)}), "it")

    assert (raised.value.reference, raised.value.exit_code) == (reference, exit_code)
