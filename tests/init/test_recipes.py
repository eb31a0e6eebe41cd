"""What installs the CNI, and what the CNI is: by the repository's own recipes and releases, or not known."""

from __future__ import annotations

import pytest

from tests.init.conftest import TALCONFIG, Read

SCRIPT = {"scripts/bootstrap-apps.sh": "#!/bin/bash\n"}
JUST = {"justfile": "mod? bootstrap 'bootstrap'\n", "bootstrap/mod.just": "x := '1'\napps: a b\n"}
TASKFILE = 'env:\n  SOPS_AGE_KEY_FILE: "{{.ROOT_DIR}}/keys/age.key"\ntasks: {}\n'
HELMFILE = """\
releases:
  - name: cilium
    namespace: network
  - name: coredns
    namespace: kube-system
  - name: flux-instance
    namespace: flux-system
"""


def apps(drafted: Read, files: dict[str, str]) -> tuple[list[str], str, str]:
    """The command, its deadline and where it is from."""
    found = drafted({"talconfig.yaml": TALCONFIG, **files}).recipes.apps
    return ([], "", "") if found is None else (list(found.argv), found.deadline, found.origin)


@pytest.mark.parametrize(
    ("files", "argv", "origin"),
    [
        (SCRIPT, ["bash", "scripts/bootstrap-apps.sh"], "scripts/bootstrap-apps.sh:1"),
        (JUST, ["just", "bootstrap", "apps"], "bootstrap/mod.just:2"),
        (
            {".justfile": "mod bootstrap 'boot/b.just'\n", "boot/b.just": "@apps x='1':\n"},
            ["just", "bootstrap", "apps"],
            "boot/b.just:1",
        ),
        (
            {".taskfiles/bootstrap/Taskfile.yaml": "tasks:\n  apps: {cmd: a}\n"},
            ["task", "bootstrap:apps"],
            ".taskfiles/bootstrap/Taskfile.yaml:2",
        ),
        (
            {"Taskfile.yaml": "tasks:\n  bootstrap:apps: {cmd: a}\n"},
            ["task", "bootstrap:apps"],
            "Taskfile.yaml:2",
        ),
        (
            {"bootstrap/helmfile.yaml": HELMFILE},
            ["helmfile", "--file", "bootstrap/helmfile.yaml", "sync", "--hide-notes"],
            "bootstrap/helmfile.yaml:1",
        ),
    ],
)
def test_the_templates_ways_are_found(
    drafted: Read, files: dict[str, str], argv: list[str], origin: str
) -> None:
    found, _, where = apps(drafted, files)

    assert (found, where) == (argv, origin)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"justfile": "apps:\n"},
        {"justfile": "mod bootstrap\n", "bootstrap/mod.just": "apps := 'x'\n"},
        {"Taskfile.yaml": "tasks:\n  apps: {cmd: a}\n"},
        {".taskfiles/bootstrap/Taskfile.yaml": "tasks: {talos: {cmd: a}}\n"},
        {"bootstrap/helmfile.yaml": "releases: []\n"},
    ],
)
def test_what_is_none_of_them_is_not_known(drafted: Read, files: dict[str, str]) -> None:
    """Mutant: take any recipe that is called apps."""
    draft = drafted({"talconfig.yaml": TALCONFIG, **files})

    assert draft.recipes.apps is None
    assert any(note.startswith("commands: nothing here says") for note in draft.unknown())


def test_of_both_ways_the_newer_is_taken_and_that_is_said(drafted: Read) -> None:
    draft = drafted({"talconfig.yaml": TALCONFIG, **SCRIPT, **JUST})

    assert draft.recipes.apps is not None
    assert draft.recipes.apps.argv == ("just", "bootstrap", "apps")
    assert any("rather than `bash scripts/bootstrap-apps.sh`" in said for said in draft.taken)


@pytest.mark.parametrize(
    ("taskfile", "key"),
    [
        (TASKFILE, "keys/age.key"),
        (TASKFILE.replace("{{.ROOT_DIR}}", "{{.HOME}}"), ""),
        ("tasks: {}\n", None),
    ],
)
def test_the_age_key_is_named_and_never_opened(
    drafted: Read, taskfile: str, key: str | None
) -> None:
    files = {"Taskfile.yaml": taskfile, "keys/age.key": "AGE-SECRET-KEY-PLANTED\n", **SCRIPT}
    found = drafted({"talconfig.yaml": TALCONFIG, **files}).recipes.apps

    assert found is not None
    said = found.environment.get("SOPS_AGE_KEY_FILE")
    assert (said.value if said is not None else None) == key
    assert said is None or said.known == bool(key)


def test_the_network_is_what_the_helmfile_brings(drafted: Read) -> None:
    found = drafted({"talconfig.yaml": TALCONFIG, "bootstrap/helmfile.yaml": HELMFILE}).network

    assert (found.daemonset.value, found.daemonset.origin) == (
        "network/cilium",
        "bootstrap/helmfile.yaml:2",
    )
    assert [one.value for one in found.deployments] == [
        "network/cilium-operator",
        "kube-system/coredns",
    ]
    assert found.brings_flux


def test_a_helmfile_without_flux_leaves_open_what_installs_it(drafted: Read) -> None:
    helmfile = HELMFILE.replace("flux-instance", "other")
    draft = drafted({"talconfig.yaml": TALCONFIG, "bootstrap/helmfile.yaml": helmfile})

    assert any(note.startswith("flux.command: what installs Flux") for note in draft.unknown())


@pytest.mark.parametrize(
    ("talconfig", "files", "said"),
    [
        (TALCONFIG, {}, "no helmfile and no HelmRelease here has a CNI"),
        (
            TALCONFIG.replace("cniConfig: {name: none}\n", ""),
            {},
            "talconfig.yaml:1 lets Talos itself install flannel",
        ),
        (
            TALCONFIG,
            {"bootstrap/helmfile.yaml": "releases: [{name: calico, namespace: tigera}]\n"},
            "no helmfile and no HelmRelease here has a CNI that is known",
        ),
    ],
)
def test_another_network_is_not_guessed(
    drafted: Read, talconfig: str, files: dict[str, str], said: str
) -> None:
    draft = drafted({"talconfig.yaml": talconfig, **files})

    assert not draft.network.daemonset.known
    assert any(said in note for note in draft.unknown())


def test_flux_own_release_of_the_network_counts_where_no_helmfile_has_it(drafted: Read) -> None:
    file = "kubernetes/apps/kube-system/cilium/app/helmrelease.yaml"
    found = drafted({"talconfig.yaml": TALCONFIG, file: "kind: HelmRelease\n"}).network

    assert found.daemonset.value == "kube-system/cilium"
