"""
Flux' first objects: a file that has them, or what a FluxInstance makes; several are refused.

Mutants, each tried: take a FluxInstance's URL with a password in it; take an application's own source for the root;
take the first of two FluxInstances; leave the folder of ``path`` unlooked at.
"""

from __future__ import annotations

from textwrap import indent

import pytest

from engine.errors import UsageWrong
from rekindle.adopting import written
from tests.init.conftest import TALCONFIG, Read

PAIR = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: NAME, namespace: flux-system}
spec: {url: "https://git.example.org/NAME.git"}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: NAME, namespace: flux-system}
spec: {path: ./kubernetes, sourceRef: {kind: GitRepository, name: NAME}}
"""
INSTANCE = """\
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec:
  sync:
    kind: GitRepository
    url: https://git.example.org/fleet.git
    ref: refs/heads/main
    path: kubernetes/flux
"""
SYNC = INSTANCE.partition("spec:\n")[2]
BASE = {"talconfig.yaml": TALCONFIG, "kubernetes/flux/a.yaml": "a: 1\n"}


def pair(name: str) -> str:
    return PAIR.replace("NAME", name)


def test_what_flux_bootstrap_wrote_is_taken_before_an_applications_own(drafted: Read) -> None:
    synced = "kubernetes/flux-system/gotk-sync.yaml"
    files = {synced: pair("fleet"), "apps/x.yaml": pair("x"), "other/y.yaml": pair("y")}
    found = drafted({**BASE, **files}).roots

    assert found.file == "kubernetes/flux-system/gotk-sync.yaml"
    assert (found.source.value, found.sync) == ("flux-system/fleet", None)
    assert found.choices == [f"the roots of {synced} rather than those of other/y.yaml"]


def test_a_pair_whose_path_is_not_here_is_somebody_elses(drafted: Read) -> None:
    other = pair("x").replace("./kubernetes", "./deploy")
    found = drafted({**BASE, "apps/x.yaml": other}).roots

    assert (found.file, found.sync) == ("", None)
    assert found.notes[0].startswith("flux.roots: no GitRepository with a Kustomization")


def test_the_same_roots_in_two_files_are_the_same_roots(drafted: Read) -> None:
    found = drafted({**BASE, "a/ks.yaml": pair("fleet"), "b/ks.yaml": pair("fleet")}).roots

    assert found.file == "a/ks.yaml"
    assert found.choices == ["the roots of a/ks.yaml rather than those of b/ks.yaml"]


def test_different_roots_are_refused_until_one_is_named(drafted: Read) -> None:
    files = {**BASE, "a/ks.yaml": pair("one"), "b/ks.yaml": pair("two")}
    with pytest.raises(UsageWrong) as raised:
        drafted(files)

    assert raised.value.reference == "init-ambiguous"
    assert "  a/ks.yaml\n  b/ks.yaml" in raised.value.message
    named = drafted(files, roots="b/ks.yaml").roots
    assert (named.file, named.source.value) == ("b/ks.yaml", "flux-system/two")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("kubernetes/flux/instance.yaml", INSTANCE),
        (
            "kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml",
            "kind: HelmRelease\nspec:\n  values:\n    instance:\n" + indent(SYNC, "    "),
        ),
        (
            "kubernetes/apps/flux-system/flux-instance/app/helm/values.yaml",
            "instance:\n" + SYNC,
        ),
    ],
)
def test_a_flux_instance_says_what_it_makes(drafted: Read, file: str, text: str) -> None:
    draft = drafted({**BASE, file: text})
    made = written.roots(draft)

    assert draft.roots.source.value == "flux-system/flux-system"
    assert f"  url: https://git.example.org/fleet.git # {file}:" in made
    assert "  interval: 1m # the chart's default\n" in made
    assert "  path: kubernetes/flux # " in made
    assert "secretRef" not in made


def test_its_objects_are_called_as_flux_operator_calls_them(drafted: Read) -> None:
    text = INSTANCE.replace("namespace: flux-system", "namespace: gitops")
    other = drafted({**BASE, "flux.yaml": text}).roots
    named = drafted({**BASE, "flux.yaml": f"{text}    name: fleet\n"}).roots

    assert (other.source.value, named.source.value) == ("gitops/gitops", "gitops/fleet")


def test_two_instances_that_say_different_things_are_refused(drafted: Read) -> None:
    other = INSTANCE.replace("fleet.git", "away.git")
    with pytest.raises(UsageWrong) as raised:
        drafted({**BASE, "a.yaml": INSTANCE, "b.yaml": other})

    assert "  a.yaml:5\n  b.yaml:5" in raised.value.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("https://git", "https://${HOST}"), "flux.roots: spec.sync.url at flux.yaml:7 is filled"),
        (
            ("https://git", "https://you:PLANTED@git"),
            "flux.roots: url at flux.yaml:7 has credentials in it",
        ),
        (("refs/heads/main", "${BRANCH}"), "flux.roots: spec.sync.ref at flux.yaml:8 is filled"),
    ],
)
def test_what_is_not_known_of_the_source_leaves_the_roots_unwritten(
    drafted: Read, change: tuple[str, str], said: str
) -> None:
    draft = drafted({**BASE, "flux.yaml": INSTANCE.replace(*change)})

    assert written.roots(draft) == ""
    notes = list(draft.unknown())
    assert any(note.startswith(said) for note in notes), notes
    assert "PLANTED" not in "".join(notes)


def test_a_path_that_is_no_folder_here_is_said(drafted: Read) -> None:
    draft = drafted({**BASE, "flux.yaml": INSTANCE.replace("kubernetes/flux", "gone")})

    assert any("names gone, no folder here" in note for note in draft.unknown())
