"""
Promise: ``init`` writes a plan that ``plan`` accepts, for both generations of the template, and says what is unknown.

Mutants, each tried: replace a file that is there; answer 0 though plan does not accept it; copy a talosconfig's key
into the plan; leave the inventory's gaps unsaid; follow our own roots.yaml on a second run.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.cli.conftest import Program
from tests.init.kustomize import put_on_path
from tests.testbed import build

pytestmark = pytest.mark.program

REPOSITORIES = Path(__file__).parents[2] / "examples" / "repositories"
BOTH = ("task-talhelper", "just-topf")
WRITTEN = ("recovery/roots.yaml", "recovery/inventory.yaml", "recovery.yaml")


@pytest.fixture
def path(tmp_path: Path) -> dict[str, str]:
    """A kustomize on PATH, the same on every machine."""
    stand_in = put_on_path(tmp_path / "programs")
    return {"PATH": f"{stand_in}{os.pathsep}{os.environ['PATH']}", "KUBECONFIG": ""}


def copied(rekindle: Program, name: str) -> Path:
    folder = rekindle.folder / name
    shutil.copytree(REPOSITORIES / name, folder)
    return folder


@pytest.mark.parametrize("name", BOTH)
def test_plan_accepts_what_init_writes(rekindle: Program, path: dict[str, str], name: str) -> None:
    folder = copied(rekindle, name)

    answer = rekindle("init", name, env=path)
    checked = rekindle("plan", "--check", f"{name}/recovery.yaml", env=path)

    assert (answer.code, answer.out) == (0, ""), answer.err
    assert "accepts it: review it, then `rekindle plan" in answer.err
    assert (checked.code, checked.err) == (0, "")
    assert "a plan for home with 3 nodes" in checked.out
    assert all((folder / file).is_file() for file in WRITTEN)


@pytest.mark.parametrize("name", BOTH)
def test_a_repository_without_a_talosconfig_is_used_with_yours(
    rekindle: Program, path: dict[str, str], tmp_path: Path, name: str
) -> None:
    """Mutants: look into the repository alone; name yours from the plan's folder, which is another on each machine."""
    folder, home = copied(rekindle, name), tmp_path / "home"
    (theirs,) = folder.rglob("talosconfig")
    (home / ".talos").mkdir(parents=True)
    theirs.rename(home / ".talos" / "config")
    yours = {**path, "HOME": str(home), "TALOSCONFIG": ""}

    answer = rekindle("init", name, env=yours)

    assert answer.code == 0, answer.err
    assert f"took: {home}/.talos/config, for the repository has no talosconfig" in answer.err
    assert "  talosconfig: ~/.talos/config # yours" in (folder / "recovery.yaml").read_text("utf-8")
    assert rekindle("plan", "--check", f"{name}/recovery.yaml", env=yours).code == 0


def test_your_kubeconfig_is_compared_and_nothing_of_it_is_told(
    rekindle: Program, path: dict[str, str], tmp_path: Path
) -> None:
    folder, yours = copied(rekindle, "just-topf"), tmp_path / "yours"
    cluster = 'cluster: {server: "https://192.0.2.11:6443", certificate-authority-data: PLANTED}'
    yours.write_text(
        "current-context: PLANTED\n"
        "contexts: [{name: PLANTED, context: {cluster: c, user: u}}]\n"
        f"clusters: [{{name: c, {cluster}}}]\n"
        "users: [{name: u, user: {token: PLANTED}}]\n"
    )
    named = f"{tmp_path / 'gone'}{os.pathsep}{yours}"

    answer = rekindle("init", "just-topf", env={**path, "KUBECONFIG": named})

    assert answer.code == 0, answer.err
    said = f"took: {yours} of $KUBECONFIG to compare, for the repository has no kubeconfig"
    assert f"{said}: it speaks to these nodes\n" in answer.err
    plan = (folder / "recovery.yaml").read_text("utf-8")
    assert "  kubeconfig: recovery/kubeconfig # " in plan
    assert "PLANTED" not in answer.err + answer.out + plan


def test_an_editor_is_told_the_schema_of_the_plan(rekindle: Program, path: dict[str, str]) -> None:
    """Mutant: name the schema and do not write it."""
    folder = copied(rekindle, "just-topf")
    assert rekindle("init", "just-topf", env=path).code == 0
    first = (folder / "recovery.yaml").read_text("utf-8").splitlines()[0]
    schema = folder / first.removeprefix("# yaml-language-server: $schema=")

    assert schema.read_text("utf-8") == rekindle("schema").out
    plan = yaml.safe_load((folder / "recovery.yaml").read_text("utf-8"))
    jsonschema.validate(plan, json.loads(schema.read_text("utf-8")))


@pytest.mark.parametrize("name", BOTH)
def test_plan_looks_by_it_for_a_cluster_that_does_not_answer(
    rekindle: Program, path: dict[str, str], name: str
) -> None:
    copied(rekindle, name)
    assert rekindle("init", name, env=path).code == 0
    talosctl = rekindle.folder / "programs" / "talosctl"
    talosctl.symlink_to("/bin/false")
    code = "import rekindle.foresight as f; f.LOOK_SECONDS = 1.0"

    answer = rekindle("plan", f"{name}/recovery.yaml", "--json", code=code, env=path)

    assert answer.code == 3, answer.err
    assert answer.document["cluster"] == "home"
    assert answer.document["states"][0]["goal"] == "unknown"


@pytest.mark.parametrize(
    ("name", "roles", "config", "argv"),
    [
        (
            "task-talhelper",
            ["controlplane"] * 3,
            "talos/clusterconfig/home-k8s-1.yaml",
            ["bash", "scripts/bootstrap-apps.sh"],
        ),
        (
            "just-topf",
            ["controlplane", "worker", "worker"],
            "talos/rendered/k8s-1.yaml",
            ["just", "bootstrap", "apps"],
        ),
    ],
)
def test_the_plan_says_what_the_repository_says(
    rekindle: Program,
    path: dict[str, str],
    name: str,
    roles: list[str],
    config: str,
    argv: list[str],
) -> None:
    folder = copied(rekindle, name)
    document = rekindle("init", name, "--json", env=path).document
    plan = yaml.safe_load((folder / "recovery.yaml").read_text("utf-8"))
    inventory = yaml.safe_load((folder / "recovery/inventory.yaml").read_text("utf-8"))

    nodes = plan["talos"]["nodes"]
    assert [node["address"] for node in nodes.values()] == [f"192.0.2.1{n}" for n in (1, 2, 3)]
    assert [node["role"] for node in nodes.values()] == roles
    assert nodes["k8s-1"]["config"] == config
    assert plan["cni"] == {
        "daemonset": "kube-system/cilium",
        "deployments": ["kube-system/cilium-operator", "kube-system/coredns"],
        "command": "apps",
    }
    assert plan["commands"]["apps"]["argv"] == argv
    assert inventory["nodes"] == ["k8s-1", "k8s-2", "k8s-3"]
    assert {item["key"] for item in inventory["kustomizations"]} >= {
        "flux-system/flux-system",
        "flux-system/cluster-apps",
        "default/echo",
    }
    assert (document["schema"], document["accepted"]) == ("rekindle.init/1", True)
    assert document["written"] == [f"{name}/{file}" for file in WRITTEN]
    assert any("workloads and CRDs of 5 HelmReleases" in note for note in document["not_known"])


@pytest.mark.parametrize("name", BOTH)
def test_nothing_secret_is_in_what_is_written_or_said(
    rekindle: Program, path: dict[str, str], name: str
) -> None:
    """The repositories' stand-ins are replaced by what would be recognised, and keys are added."""
    folder = copied(rekindle, name)
    for file in (*folder.rglob("*.sops.yaml"), *folder.rglob("talosconfig")):
        text = (
            file.read_text("utf-8")
            .replace("bm90IGEgc2VjcmV0", "PLANTED")
            .replace("ENC[", "PLANTED[")
        )
        file.write_text(text.replace("stand-in", "PLANTED"), "utf-8")
    (folder / "age.key").write_text("AGE-SECRET-KEY-PLANTED\n")
    (folder / "kubeconfig").write_text("users: [{name: u, user: {token: PLANTED}}]\n")

    answer = rekindle("init", name, "--json", env=path)

    assert answer.code == 0
    said = answer.out + answer.err
    said += "".join((folder / file).read_text("utf-8") for file in WRITTEN)
    assert "PLANTED" not in said


@pytest.mark.parametrize("there", WRITTEN)
def test_what_is_there_is_not_replaced(rekindle: Program, path: dict[str, str], there: str) -> None:
    folder = copied(rekindle, "just-topf")
    (folder / there).parent.mkdir(exist_ok=True)
    (folder / there).write_text("reviewed\n")

    answer = rekindle("init", "just-topf", env=path)
    left = {file: (folder / file).exists() for file in WRITTEN}
    forced = rekindle("init", "just-topf", "--force", env=path)

    assert (answer.code, "error (output-exists): " in answer.err) == (64, True)
    assert f"{there} is there already" in answer.err
    assert left == {file: file == there for file in WRITTEN}
    assert forced.code == 0, forced.err
    assert (folder / there).read_text("utf-8") != "reviewed\n"


def test_no_inventory_is_written_beside_a_device(rekindle: Program, path: dict[str, str]) -> None:
    """Mutant: take a device for a plan's place; root's schema, roots and inventory would lie in /dev."""
    folder = copied(rekindle, "just-topf")
    (folder / "new").mkdir()
    os.mkfifo(folder / "new" / "pipe")
    answer = rekindle("init", "just-topf", "--force", "-o", str(folder / "new" / "pipe"), env=path)

    assert answer.code == 64
    assert "pipe is no file, and others are written beside it" in answer.err
    assert ["pipe"] == [file.name for file in (folder / "new").iterdir()]


def test_it_says_the_same_twice(rekindle: Program, path: dict[str, str]) -> None:
    """What was written the first time is no source of the second."""
    folder = copied(rekindle, "task-talhelper")
    first = rekindle("init", "task-talhelper", env=path)
    texts = [(folder / file).read_text("utf-8") for file in WRITTEN]
    second = rekindle("init", "task-talhelper", "--force", env=path)

    assert second.err == first.err
    assert [(folder / file).read_text("utf-8") for file in WRITTEN] == texts


def test_without_kustomize_it_says_which_command_writes_the_inventory(
    rekindle: Program, path: dict[str, str]
) -> None:
    copied(rekindle, "just-topf")
    answer = rekindle("init", "just-topf", env={"PATH": "", "KUBECONFIG": ""})
    (said,) = [line for line in answer.err.splitlines() if "once that is mended" in line]
    words = said.partition("`rekindle ")[2].rstrip("`").split()

    assert answer.code == 1
    assert (
        "no inventory: neither kustomize nor kubectl is on PATH (kustomize-missing)" in answer.err
    )
    assert "inventory.file: cannot be read" in answer.err
    assert rekindle("plan", "--check", "just-topf/recovery.yaml").code == 64
    assert rekindle(*words, env=path).code == 0
    assert rekindle("plan", "--check", "just-topf/recovery.yaml", env=path).code == 0


def test_a_tree_that_does_not_build_leaves_a_plan_to_review(
    rekindle: Program, path: dict[str, str]
) -> None:
    folder = copied(rekindle, "just-topf")
    ks = folder / "kubernetes/flux/cluster/ks.yaml"
    ks.write_text(f"{ks.read_text('utf-8')}kind: Twice\n", "utf-8")

    answer = rekindle("init", "just-topf", env=path)

    assert answer.code == 1
    assert "no inventory: " in answer.err
    assert "(duplicate-key)" in answer.err
    assert (folder / "recovery.yaml").exists()


def test_what_the_operator_has_to_render_first_is_named(
    rekindle: Program, path: dict[str, str]
) -> None:
    folder = copied(rekindle, "task-talhelper")
    shutil.rmtree(folder / "talos/clusterconfig")
    answer = rekindle("init", "task-talhelper", "--json", env=path)

    assert (answer.code, answer.document["accepted"]) == (1, False)
    assert len(answer.document["problems"]) == 4
    assert answer.document["not_there"][0] == (
        "talos/clusterconfig/home-k8s-1.yaml: `talhelper genconfig` in talos/ writes it"
    )
    for problem in answer.document["problems"]:
        assert f"  {problem}" in answer.err
        assert problem.startswith("task-talhelper/recovery.yaml:")
        assert "does not exist" in problem


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ("nothing", 64, "error (init-nothing-found): "),
        ("two", 64, "error (init-ambiguous): "),
        ("broken", 78, "error (source-unreadable): repository/talos/topf.yaml:2:"),
        ("binary", 78, "error (source-unreadable): repository/talos/topf.yaml:1: not UTF-8"),
        ("gone", 64, "error (repository-unreadable): repository: No such file"),
        ("file", 64, "error (repository-unreadable): repository: Not a directory"),
    ],
)
def test_what_cannot_be_adopted_is_refused_and_nothing_is_written(
    rekindle: Program, path: dict[str, str], change: str, code: int, said: str
) -> None:
    folder = rekindle.folder / "repository"
    if change == "file":
        folder.touch()
    elif change != "gone":
        (folder / "talos").mkdir(parents=True)
    texts = {"broken": b"nodes: [\n", "binary": b"\xff\xfe", "two": b"nodes: []\n"}
    if change in texts:
        (folder / "talos/topf.yaml").write_bytes(texts[change])
    if change == "two":
        (folder / "topf.yaml").write_bytes(texts[change])

    answer = rekindle("init", "repository", env=path)

    assert (answer.code, answer.out) == (code, "")
    assert said.replace("repository/talos", "talos") in answer.err
    assert "hint: " in answer.err
    assert not (folder / "recovery.yaml").exists()


def test_what_a_repository_says_does_not_speak_to_the_terminal(
    rekindle: Program, path: dict[str, str]
) -> None:
    """Mutant: say a folder's name as it is."""
    folder = copied(rekindle, "just-topf")
    (folder / "talos").rename(folder / "talos\x1b[31m\nhint: run rm")

    answer = rekindle("init", "just-topf", env=path)

    assert answer.code == 0, answer.err
    assert "from talos [31m hint: run rm/topf.yaml" in answer.err
    assert "\x1b" not in answer.err
    assert not [line for line in answer.err.splitlines() if line.startswith("hint: run")]


@pytest.mark.system
@pytest.mark.parametrize("name", BOTH)
def test_the_real_kustomize_gives_the_same_inventory(
    rekindle: Program, path: dict[str, str], name: str
) -> None:
    folder = copied(rekindle, name)
    texts = []
    for programs in (path["PATH"], f"{build.ensure()}{os.pathsep}{os.environ['PATH']}"):
        env = {**path, "PATH": programs}
        assert rekindle("init", name, "--force", env=env).code == 0
        texts.append((folder / WRITTEN[1]).read_text("utf-8"))

    assert texts[0] == texts[1]
