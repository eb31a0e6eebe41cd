"""An inventory as a text, and what is no inventory at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from journal.errors import Diagnosed
from phases.existing import NEEDED
from phases.inventory import Inventory
from phases.snapshot import Seen, Snapshot, Unseen
from rekindle import inventoried
from rekindle.adapters import gitops
from rekindle.cli import inventory as cli
from rekindle.inventoried import Taken, checked, listed, of_both, of_cluster
from rekindle.inventoryfile import text
from rekindle.planfile import TreePlace
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import scene

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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


def test_git_s_storage_classes_are_known_when_the_cluster_s_claims_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which Git alone knows, as the cluster alone knows the claims of a chart. Mutant: ask the cluster without them."""
    empty = Inventory.model_validate(EMPTY)
    known = []

    def looked(_snapshot: Snapshot, name: str, classes: Mapping[str, str]) -> Taken:
        known.append(classes)
        return Taken(empty, name)

    git = Taken(empty, "git", classes={"fast": "kustomization/a/storage"})
    monkeypatch.setattr(inventoried, "of_git", lambda *_place, **_alone: git)
    monkeypatch.setattr(inventoried, "of_cluster", looked)
    here = str(tmp_path)

    cli.command.main(
        ["--from", "both", "--repository", here, "--roots", here, "--scenario", "healthy"],
        standalone_mode=False,
    )

    assert known == [git.classes]


def test_what_a_tree_tells_beside_its_inventory_is_kept_for_the_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: drop any of them."""
    named = {"helmrelease/a/b": (("OCIRepository", "a/oci"),)}
    held, classes = {"a/b": {("example.com", "Gadget"): {"a"}}}, {"fast": "kustomization/a/b"}
    rendered = gitops.Rendered(EMPTY, held=held, classes=classes, named=named)
    monkeypatch.setattr(gitops, "inventory", lambda *_place: rendered)

    taken = inventoried.of_git(TreePlace(tmp_path, tmp_path))

    assert (taken.held, taken.classes, taken.named) == (held, classes, named)


def test_the_cluster_s_webhooks_are_kept_for_what_git_holds() -> None:
    """Mutants: drop them after the look, or before they are joined."""
    taken = of_cluster(
        scene(
            made.deployment("ops/hook"),
            made.crd("gadgets.example.com"),
            {
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "check"},
                "webhooks": [
                    {
                        "name": "a",
                        "clientConfig": {"service": {"namespace": "ops", "name": "hook"}},
                        "rules": [
                            {
                                "apiGroups": ["example.com"],
                                "resources": ["gadgets"],
                                "operations": ["*"],
                            }
                        ],
                    }
                ],
            },
        ).snapshot,
        "there",
    )
    inventory = Inventory.model_validate({**EMPTY, "kustomizations": [{"key": "a/b"}]})
    git = Taken(inventory, "git", held={"a/b": {("example.com", "Gadget"): {"a"}}})

    (item,) = of_both(git, taken).inventory.kustomizations

    assert item.needs == ("crd/gadgets.example.com", "deployment/ops/hook")


def test_what_the_cluster_s_charts_bring_is_kept_for_what_git_names() -> None:
    """Mutants: drop either after its look."""
    taken = of_cluster(
        scene(made.release("a/r"), made.source("OCIRepository", "a/oci", "helm:a/r")).snapshot,
        "there",
    )
    releases = [{"key": "a/r"}, {"key": "a/web"}]
    inventory = Inventory.model_validate({**EMPTY, "helmreleases": releases})
    git = Taken(inventory, "git", named={"helmrelease/a/web": (("OCIRepository", "a/oci"),)})

    _, item = of_both(git, taken).inventory.helmreleases

    assert item.needs == ("helmrelease/a/r",)


def test_what_is_autoscaled_in_the_cluster_is_told_of_both_and_of_nothing_else() -> None:
    """Mutants: drop it when they are joined; tell of what was left out."""
    cluster = Inventory.model_validate({**EMPTY, "workloads": [ITEM], "pods": 2})
    taken = Taken(cluster, "there", autoscaled={"deployment/apps/on": 5, "deployment/apps/gone": 3})

    both = of_both(Taken(Inventory.model_validate(EMPTY), "git"), taken)

    told = [line for line in text(both).splitlines() if "at least" in line]
    assert told == ["# - deployment/apps/on: at least 2; it had 5"]


def test_why_a_kind_cannot_be_listed_is_told_without_its_secrets() -> None:
    """Mutant: put into a file that lies in Git what a proxy answered."""
    found = scene(made.deployment("apps/web")).snapshot
    denied = Unseen(0.0, "denied", "password: hunter2-and-more")
    looks = {**found.objects, "HorizontalPodAutoscaler": denied}

    (note,) = of_cluster(Snapshot(at=0.0, objects=looks), "there").notes

    assert "HorizontalPodAutoscaler cannot be listed: password: " in note
    assert "hunter2" not in note


def test_needs_stand_on_the_line_of_their_object() -> None:
    fields = {"kustomizations": [{"key": "a/b", "needs": ["crd/c.example.com"]}]}

    made = text(Taken(Inventory.model_validate({**EMPTY, **fields}), "here"))

    assert "- {key: a/b, needs: [crd/c.example.com]}" in made.splitlines()
