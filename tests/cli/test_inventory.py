"""``rekindle inventory``: what should exist, as a file to review, and never a broken cluster's leftovers."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from phases.inventory import Inventory
from rekindle.adapters.resources import RESOURCES
from tests.adapters.conftest import write_kubeconfig
from tests.adapters.scripted import Answer as Scripted
from tests.adapters.scripted import ScriptedApi, refused
from tests.cli.conftest import Answer, Program
from tests.init.kustomize import put_on_path
from tests.phases import cluster_objects as made
from tests.testbed import build

pytestmark = pytest.mark.program

EXAMPLES = Path(__file__).parents[2] / "examples"
ANTON = EXAMPLES / "anton"
FLUX_CRDS = ".toolkit.fluxcd.io"


def read(text: str) -> Inventory:
    return Inventory.model_validate(yaml.safe_load(text))


def as_sets(found: Inventory) -> dict[str, Any]:
    """Everything but the order, and without Flux' own CRDs: no chart of the example's tree has them."""
    said = found.model_dump(mode="json", by_alias=True)
    said["crds"] = [item for item in said["crds"] if not item["name"].endswith(FLUX_CRDS)]
    return {
        key: sorted(value, key=json.dumps) if isinstance(value, list) else value
        for key, value in said.items()
    }


def test_a_healthy_cluster_gives_the_examples_inventory(rekindle: Program) -> None:
    answer = rekindle("inventory", "--from", "cluster", "--scenario", "healthy")
    written = read((ANTON / "inventory.yaml").read_text("utf-8"))

    assert answer.code == 0
    assert as_sets(read(answer.out)) == as_sets(written)
    assert "104 pods of 61 workloads; 49 Kustomizations, 31 HelmReleases" in answer.err
    assert "not known" not in answer.err  # of autoscalers, too, of which it has none


def test_the_same_cluster_gives_the_same_text(rekindle: Program) -> None:
    words = ("inventory", "--from", "cluster", "--scenario", "healthy")

    first, second = rekindle(*words), rekindle(*words)

    assert first.out == second.out
    comment = [line for line in first.out.splitlines() if line.startswith("#")]
    assert "# From the simulated cluster anton at 2025-06-01T09:00:00Z." in comment


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("june-12", "there is none: what Flux follows is gone"),
        ("node-lost", "k8s-node/k8s-2: Kubelet stopped posting node status"),
    ],
)
def test_a_cluster_that_is_not_healthy_is_refused_with_what_is_not(
    rekindle: Program, scenario: str, said: str
) -> None:
    """Mutant: take it all the same: 23 of 23 pods would be green for ever after."""
    answer = rekindle("inventory", "--from", "cluster", "--scenario", scenario)

    assert (answer.code, answer.out) == (78, "")
    assert "error (cluster-unhealthy): " in answer.err
    assert said in answer.err
    assert "--even-unhealthy" in answer.err


def test_an_unhealthy_cluster_may_be_taken_and_that_is_said_loudly(rekindle: Program) -> None:
    """Mutant: answer 0, or say it on stderr alone: the file is what people review."""
    answer = rekindle(
        "inventory", "--from", "cluster", "--scenario", "node-lost", "--even-unhealthy"
    )

    assert answer.code == 1
    assert "WARNING: taken from a cluster in which" in answer.err
    assert "# THE CLUSTER WAS NOT HEALTHY." in answer.out
    assert "# - k8s-node/k8s-2: Kubelet stopped posting node status." in answer.out
    assert read(answer.out).pods == 104


def test_no_api_is_no_inventory(rekindle: Program) -> None:
    answer = rekindle("inventory", "--from", "cluster", "--scenario", "cold-start")

    assert (answer.code, answer.out) == (69, "")
    assert "error (api-unanswered): " in answer.err


def test_even_unhealthy_needs_an_api(rekindle: Program) -> None:
    """Mutant: ask for health alone, and an empty inventory is written."""
    words = ("inventory", "--from", "cluster", "--scenario", "cold-start", "--even-unhealthy")

    assert rekindle(*words).code == 69


KUBECONFIG = {
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "home", "user": "u"}}],
    "clusters": [{"name": "home", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "a-token"}}],
}


def test_a_dead_api_is_69_and_a_kubeconfig_that_is_none_is_78(rekindle: Program) -> None:
    file = rekindle.folder / "kubeconfig"
    file.write_text(yaml.safe_dump(KUBECONFIG))

    dead = rekindle("inventory", "--from", "cluster", "--kubeconfig", str(file))
    none = rekindle("inventory", "--from", "cluster", "--kubeconfig", str(file) + ".missing")

    assert (dead.code, "error (api-unanswered): the cluster home does not" in dead.err) == (
        69,
        True,
    )
    assert (none.code, "error (kubeconfig-unusable): " in none.err) == (78, True)
    assert "a-token" not in dead.err


CONTROLLERS = [
    made.deployment(f"flux-system/{name}-controller") for name in ("source", "kustomize", "helm")
]


AUTOSCALERS = RESOURCES["HorizontalPodAutoscaler"][0].path()
CLAIM = {"name": "a", "persistentVolumeClaim": {"claimName": "data"}}


@contextmanager
def served(folder: Path, objects: list[dict[str, Any]], denied: str = "") -> Iterator[str]:
    """A kubeconfig of an API that serves these; nobody may list what is *denied*, a path."""
    with ScriptedApi() as api:
        for kind, places in RESOURCES.items():
            items = [found for found in objects if found["kind"] == kind]
            body = {"kind": f"{kind}List", "metadata": {"resourceVersion": "7"}, "items": items}
            api.on(places[0].path(), Scripted(json.dumps(body).encode()))
        if denied:
            api.on(denied, refused(403))
        yield str(write_kubeconfig(folder / "kubeconfig", api.url))


def test_an_inventory_is_taken_through_a_kubeconfig(rekindle: Program, tmp_path: Path) -> None:
    with served(tmp_path, [*made.healthy(), *CONTROLLERS]) as kubeconfig:
        answer = rekindle("inventory", "--from", "cluster", "--kubeconfig", kubeconfig)

    assert (answer.code, read(answer.out).pods) == (0, 7)
    assert "# From the cluster c at 20" in answer.out
    owners = {item.key: item.owner for item in read(answer.out).workloads}
    assert owners["apps/web"] == "helmrelease/apps/web"
    assert owners["apps/extra"] == "kustomization/apps/web"


def test_an_inventory_knows_who_makes_the_volumes_of_a_class(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutant: list only what a run watches."""
    told = [{"name": "a", "args": ["--drivername=disks.example.com"]}]
    spec = {"storageClassName": "fast"}
    stored = [
        {"kind": "StorageClass", "metadata": made.meta("fast"), "provisioner": "disks.example.com"},
        {"kind": "PersistentVolumeClaim", "metadata": made.meta("apps/data"), "spec": spec},
        made.deployment("apps/driver", spec={"template": {"spec": {"containers": told}}}),
        made.deployment("apps/reader", spec={"template": {"spec": {"volumes": [CLAIM]}}}),
    ]
    with served(tmp_path, [*made.healthy(), *CONTROLLERS, *stored]) as kubeconfig:
        answer = rekindle(
            "inventory", "--from", "cluster", "--even-unhealthy", "--kubeconfig", kubeconfig
        )

    needs = {item.key: item.needs for item in read(answer.out).workloads}
    assert needs["apps/reader"] == ("deployment/apps/driver",)


AUTOSCALER = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": made.meta("apps/web"),
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": 9,
    },
}


def test_what_an_autoscaler_adds_is_not_expected_and_the_file_says_so(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutants: list only what a run watches; say nothing of it."""
    words = ("inventory", "--from", "cluster", "--kubeconfig")
    with served(tmp_path, [*made.healthy(), *CONTROLLERS, AUTOSCALER]) as kubeconfig:
        answer = rekindle(*words, kubeconfig)
        document = json.loads(rekindle(*words, kubeconfig, "--json").out)

    found = read(answer.out)
    assert {item.key: item.pods for item in found.workloads}["apps/web"] == 1
    assert (answer.code, found.pods) == (0, 6)
    comment = answer.out.partition("schema:")[0].splitlines()
    said = comment.index("# Autoscalers scale these, and what they add is not missed:")
    assert comment[said + 1 :] == ["# - deployment/apps/web: at least 1; it had 2"]
    assert "autoscaled: 1 workload, counted without the pods" in answer.err
    assert document["autoscaled"] == ["deployment/apps/web: at least 1; it had 2"]


def test_where_autoscalers_may_not_be_listed_the_pods_of_now_count_and_the_file_says_so(
    rekindle: Program, tmp_path: Path
) -> None:
    with served(tmp_path, [*made.healthy(), *CONTROLLERS, AUTOSCALER], denied=AUTOSCALERS) as file:
        answer = rekindle("inventory", "--from", "cluster", "--kubeconfig", file)

    assert (answer.code, read(answer.out).pods) == (0, 7)
    assert "# - how few pods autoscalers leave, " in answer.out
    assert "HorizontalPodAutoscaler cannot be listed: " in answer.err
    assert "it had" not in answer.out


def test_what_a_diagnosis_finds_is_not_healthy_either(rekindle: Program, tmp_path: Path) -> None:
    """Everything is Ready and nobody reconciles it. Mutant: leave the roots of the diagnosis out."""
    with served(tmp_path, made.healthy()) as kubeconfig:
        answer = rekindle("inventory", "--from", "cluster", "--kubeconfig", kubeconfig)

    assert answer.code == 78
    assert "nobody reconciles Kustomizations" in answer.err


def written(rekindle: Program, *more: str) -> Answer:
    words = ("inventory", "--from", "cluster", "--scenario", "healthy", "-o", "inventory.yaml")
    return rekindle(*words, *more)


def test_a_file_is_written_as_a_whole_and_readable_for_all(rekindle: Program) -> None:
    answer = written(rekindle)
    file = rekindle.folder / "inventory.yaml"

    assert (answer.code, answer.out) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o644
    assert read(file.read_text("utf-8")).pods == 104
    assert [path.name for path in rekindle.folder.iterdir() if "inventory" in path.name] == [
        "inventory.yaml"
    ]


def test_a_file_that_was_reviewed_is_not_replaced_by_the_way(rekindle: Program) -> None:
    file = rekindle.folder / "inventory.yaml"
    file.write_text("reviewed\n")

    refused = written(rekindle)

    assert (refused.code, "error (output-exists): " in refused.err) == (64, True)
    assert file.read_text() == "reviewed\n"
    assert written(rekindle, "--force").code == 0
    assert file.read_text() != "reviewed\n"


def test_a_folder_that_cannot_be_written_is_named(rekindle: Program) -> None:
    words = ("inventory", "--from", "cluster", "--scenario", "healthy", "-o", "none/inventory.yaml")
    answer = rekindle(*words)

    assert (answer.code, "error (output-unwritable): cannot write none/" in answer.err) == (
        74,
        True,
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--from", "cluster", "--plan", "recovery.yaml"],
        ["--from", "git", "--scenario", "healthy"],
        ["--scenario", "healthy"],
        ["--from", "cluster", "--scenario", "healthy", "--kubeconfig", "k"],
        ["--repository", "."],
        ["--roots", "."],
        ["--plan", "recovery.yaml", "--repository", ".", "--roots", "."],
    ],
)
def test_what_would_be_ignored_is_refused(rekindle: Program, words: list[str]) -> None:
    answer = rekindle("inventory", *words)

    assert (answer.code, "error (inventory-sources): " in answer.err) == (64, True)


def test_the_document_has_the_inventory_and_what_is_to_be_said_of_it(rekindle: Program) -> None:
    document = written(rekindle, "--json").document

    assert (document["schema"], document["file"]) == ("rekindle.inventoried/1", "inventory.yaml")
    assert (document["unready"], document["inventory"]["pods"]) == ([], 104)


@pytest.fixture
def kustomize() -> dict[str, str]:
    """The testbed's kubectl on PATH: its kustomize is the real one, on every machine the same."""
    return {"PATH": f"{build.ensure()}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The smallest example with a tree, and none of the files that its plan still lacks."""
    folder = tmp_path / "minimal"
    shutil.copytree(EXAMPLES / "minimal", folder)
    (folder / "inventory.yaml").unlink()
    (folder / "kubernetes").mkdir()
    echo = {"name": "echo", "namespace": "default"}
    objects = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": echo, "spec": {"replicas": 2}},
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {**echo, "name": "agent"}},
    ]
    (folder / "kubernetes" / "echo.yaml").write_text(yaml.safe_dump_all(objects))
    return folder


@pytest.mark.system
def test_a_tree_is_rendered_before_there_is_a_plan_that_loads(
    rekindle: Program, tree: Path, kustomize: dict[str, str]
) -> None:
    """Mutant: load the whole plan, which wants the inventory that is only being made."""
    answer = rekindle("inventory", "--plan", str(tree / "recovery.yaml"), env=kustomize)
    found = read(answer.out)

    assert answer.code == 0
    assert (found.nodes, found.pods) == (("node-1",), 3)
    assert "# From the Git tree minimal at no commit." in answer.out


@pytest.mark.system
def test_a_tree_needs_no_plan(rekindle: Program, tree: Path, kustomize: dict[str, str]) -> None:
    words = ("--repository", str(tree), "--roots", str(tree / "roots.yaml"))
    answer = rekindle("inventory", *words, env=kustomize)

    assert (answer.code, read(answer.out).pods) == (0, 2)
    assert "# - how many pods the DaemonSets have: no nodes are known without a plan" in answer.out


@pytest.fixture
def stand_in(tmp_path: Path) -> dict[str, str]:
    """A kustomize for machines without one, which refuses a resource with a key twice as the real one does."""
    return {"PATH": f"{put_on_path(tmp_path / 'programs')}{os.pathsep}{os.environ['PATH']}"}


TWICE = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {}\ndata: {}\n"


def test_a_key_that_stands_twice_is_an_error_of_the_operators_own_file(
    rekindle: Program, tree: Path, stand_in: dict[str, str]
) -> None:
    file = tree / "kubernetes" / "twice.yaml"
    file.write_text(TWICE)
    words = ("--repository", str(tree), "--roots", str(tree / "roots.yaml"))

    answer = rekindle("inventory", *words, env=stand_in)

    assert (answer.code, answer.out) == (78, "")
    said = f"error (duplicate-key): {file}:5: the key 'data' stands here and in line 4"
    assert said in answer.err


def test_a_key_that_stands_twice_in_what_nothing_reads_is_no_error(
    rekindle: Program, tree: Path, stand_in: dict[str, str]
) -> None:
    """
    A generator's file, and one that no kustomization names; what kustomize takes one of is noted.

    Mutants: refuse any YAML file below the path; write the note with the folder of this machine.
    """
    folder = tree / "kubernetes"
    (folder / "twice.yaml").write_text(TWICE)
    (folder / "app.yaml").write_text("a: 1\na: 2\n")
    (folder / "kustomization.yaml").write_text(
        "namespace: a\nnamespace: default\nresources: [echo.yaml]\n"
        "configMapGenerator: [{name: app, files: [app.yaml]}]\n"
    )
    words = ("--repository", str(tree), "--roots", str(tree / "roots.yaml"))

    answer = rekindle("inventory", *words, env=stand_in)

    assert (answer.code, read(answer.out).pods) == (0, 2)
    note = "which is meant: 'namespace' in lines 1 and 2 of kubernetes/kustomization.yaml"
    assert f"not known: {note}" in answer.err
    assert f"# - {note}: kustomize takes one of the two in silence" in answer.out


@pytest.mark.system
def test_what_git_has_and_the_cluster_has_not_is_not_healthy(
    rekindle: Program, tree: Path, kustomize: dict[str, str]
) -> None:
    words = ("--from", "both", "--plan", str(tree / "recovery.yaml"), "--scenario", "healthy")
    answer = rekindle("inventory", *words, env=kustomize)

    assert answer.code == 78
    assert "deployment/default/echo: Git has it" not in answer.err
    assert "kustomization/flux-system/cluster: Git has it, and the cluster has not" in answer.err


@pytest.mark.system
def test_both_together_give_the_examples_inventory(
    rekindle: Program, kustomize: dict[str, str]
) -> None:
    words = ("--from", "both", "--plan", str(ANTON / "recovery.yaml"), "--scenario", "healthy")
    answer = rekindle("inventory", *words, env=kustomize)
    expected = read((ANTON / "inventory.yaml").read_text("utf-8"))

    assert answer.code == 0
    assert as_sets(read(answer.out)) == as_sets(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("talos: {nodes: {n: {}}}\n", "flux.roots: is missing"),
        ("flux: {roots: nowhere.yaml}\n", "1:8: flux.roots: "),
        ("flux: {roots: recovery.yaml}\nrepository: nowhere\n", "2:1: repository: "),
        ("a: 1\na: 2\n", "2:1: a: this key stands at line 1 already"),
    ],
)
def test_a_plan_that_does_not_say_where_the_tree_is_is_told_so(
    rekindle: Program, text: str, said: str
) -> None:
    (rekindle.folder / "recovery.yaml").write_text(text)
    answer = rekindle("inventory")

    assert answer.code == 64
    assert said in answer.err
