"""``rekindle diagnose``: roots for people, everything for programs, and an exit code for scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from phases.diagnosis.scene import Scene
from phases.snapshot import Unseen
from rekindle.diagnosed import document, lines, of_scene
from tests.adapters.conftest import write_kubeconfig
from tests.adapters.scripted import ScriptedApi
from tests.adapters.talos_nodes import make_certificate
from tests.cli.conftest import Program
from tests.phases.diagnosis.flux_objects import deployment
from tests.phases.diagnosis.scenes import AT, failed, made, said, scene, stamp
from tests.phases.diagnosis.test_absent import without


def test_the_seeds_night_is_named_by_its_cause(rekindle: Program) -> None:
    answer = rekindle("diagnose", "--scenario", "june-12")

    assert answer.code == 2
    assert "namespace storage is Terminating: 3 cephblockpools hold finalizers" in answer.out
    assert "2 h 6 m" in answer.out
    assert "never clears" in answer.out


def test_the_seeds_two_blockers_and_the_lost_network_are_all_there_is(rekindle: Program) -> None:
    """Eleven kinds of red rows, three causes: what waiting can never mend, before anybody has waited for it."""
    roots = rekindle("diagnose", "--scenario", "june-12", "--json").document["roots"]

    assert {(r["rule"], r["clears_itself"]) for r in roots} == {
        ("C4", "no"),
        ("N6", "no"),
        ("T16", "no"),
    }


def test_the_document_has_findings_roots_and_proof(rekindle: Program) -> None:
    document = rekindle("diagnose", "--scenario", "june-12", "--json").document

    assert (document["schema"], document["verdict"]) == ("rekindle.diagnosis/1", "critical")
    (root,) = [r for r in document["roots"] if r["subject"] == "namespace/storage"]
    assert root["proof"].startswith("seen on a real controller (rook ")
    assert {r["danger"] for r in root["remedies"]} >= {"look", "destructive", "never"}
    assert root["id"] in document["findings"]
    assert all(found["proof"] for found in document["findings"].values())


def test_the_graph_can_be_drawn_from_the_document(rekindle: Program) -> None:
    """Mutants: leave out what findings block; leave out what subjects block by their nature."""
    document = rekindle("diagnose", "--scenario", "june-12", "--json").document
    edges = document["blocking"]

    for root in document["roots"]:
        reached, todo = set(), list(edges.get(root["subject"], ()))
        while todo:
            subject = todo.pop()
            if subject not in reached:
                reached.add(subject)
                todo.extend(edges.get(subject, ()))
        assert set(root["victims"]) <= reached, root["id"]
    assert any(root["victims"] for root in document["roots"])


def test_the_evidence_is_there_for_whoever_wants_it(rekindle: Program) -> None:
    answer = rekindle("diagnose", "--scenario", "june-12", "-v")

    assert "evidence" in answer.out
    assert "read in its source" in answer.out
    assert "rule         N6" in answer.out
    tree = [line for line in answer.out.splitlines() if line.startswith("      ")]
    told = [line for line in tree if re.search(r" \([A-Z]\d+, ", line)]
    found = rekindle("diagnose", "--scenario", "june-12", "--json").document
    assert len(told) >= len(found["findings"]) - len(found["roots"])


def test_the_versions_that_speak_are_said() -> None:
    """What a message means depends on them. Mutant: one that no tag tells is left out of the line."""
    found = of_scene(
        scene(
            deployment("kustomize-controller", image="x/kustomize-controller:v1.6.1@sha256:aa"),
            deployment("helm-controller", image="x/helm-controller@sha256:aa"),
        )
    )

    assert document(found)["controllers"] == {"kustomize-controller": "1.6.1"}
    said = (
        "controllers: helm-controller of unknown version, kustomize-controller 1.6.1, "
        "source-controller of unknown version"
    )
    assert said in list(lines(found, verbose=True))
    assert not [line for line in lines(found, verbose=False) if line.startswith("controllers")]


def test_no_cluster_is_no_health(rekindle: Program, tmp_path: Path) -> None:
    """
    A kubeconfig that is none says nothing of any cluster: 78, with a reference; an API that is silent: 3.

    Mutants: call a look that saw nothing healthy; ``_must_let_us_look`` without its ``raise``.
    """
    answer = rekindle("diagnose", "--kubeconfig", str(tmp_path / "missing"))

    assert answer.code == 78
    assert "error (kubeconfig-unusable): " in answer.err
    assert "missing" in answer.err
    assert not answer.out


def test_an_api_that_is_silent_is_no_health(rekindle: Program, tmp_path: Path) -> None:
    write_kubeconfig(tmp_path / "k", "https://127.0.0.1:1")
    answer = rekindle("diagnose", "--kubeconfig", str(tmp_path / "k"))

    assert answer.code == 3
    assert "nothing could be listed" in answer.out
    assert "refused" in answer.out


def test_what_is_no_api_is_no_health_and_its_certificate_is_said_once_at_most(
    rekindle: Program, tmp_path: Path
) -> None:
    """
    Whatever answers there, it knows none of the kinds of a cluster: that nothing was seen is said, and exit code 3.

    Mutants: take each kind that it does not know for an empty one; let urllib3 warn at each request.
    """
    file = tmp_path / "k"
    with ScriptedApi(tls=make_certificate(tmp_path, "api").context()) as api:
        kubeconfig = json.loads(write_kubeconfig(file, api.url).read_text())
        kubeconfig["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
        file.write_text(json.dumps(kubeconfig))
        answer = rekindle("diagnose", "--kubeconfig", str(file))
        assert api.asked

    assert (answer.code, answer.out.count("\n")) == (3, 1)
    assert answer.out.startswith("nothing could be listed, so nothing can be said: ")
    assert "Warning" not in answer.err


@pytest.mark.parametrize("kind", ["Namespace", "Node", "Pod"])
def test_who_did_not_see_what_every_cluster_has_cannot_call_it_well(kind: str) -> None:
    """Mutant: judge by what was seen, whatever that was."""
    found = of_scene(_unseen(without(), kind))

    assert found.verdict == "unknown"
    assert document(found)["verdict"] == "unknown"
    (said, *_) = lines(found, verbose=False)
    assert said.startswith(
        f"it cannot be told whether all is well: {kind} could not be listed (no)"
    )
    assert of_scene(_unseen(without(), "Job")).verdict == "healthy"


def test_what_waiting_may_not_mend_is_said_whatever_else_was_not_seen() -> None:
    """Mutant: ask for what was not seen first."""
    broken = without("deployment/apps/web")
    assert of_scene(broken).verdict == "critical"

    assert of_scene(_unseen(broken, "Node")).verdict == "critical"


@pytest.mark.parametrize(("suspended", "verdict"), [(True, "critical"), (False, "warning")])
def test_what_is_suspended_never_clears_whatever_it_said_last(
    *, suspended: bool, verdict: str
) -> None:
    """The kind that it lacked is served by now: who is not suspended gets by. It answered 1."""
    lacked = failed("Kustomization", "f/a", LACKED, spec={"suspend": suspended})

    found = of_scene(scene(lacked, SERVED, *CONTROLLERS))

    assert (found.verdict, len(found.roots)) == (verdict, 1)


def test_what_blocks_next_is_told_after_what_blocks_now() -> None:
    """Mutant: count it among the causes that block now."""
    timed_out = "timeout waiting for: [Deployment/apps/db status: 'InProgress']"
    first = made("Kustomization", "f/db", said("Ready", "False", "HealthCheckFailed", timed_out))
    then = made(
        "Kustomization",
        "f/a",
        said("Ready", "False", "BuildFailed", "kustomize build failed: x"),
        spec={"dependsOn": [{"name": "db"}]},
    )

    told = list(lines(of_scene(scene(first, then, *CONTROLLERS)), verbose=False))

    assert told[0] == "1 cause"
    assert told[2].startswith("Kustomization f/db waited in vain")
    assert any(line.startswith("will block next: Kustomization f/a cannot be") for line in told)


LACKED = 'no matches for kind "Widget" in version "example.com/v1"'
CONTROLLERS = [deployment(f"{name}-controller") for name in ("helm", "kustomize", "source")]
SERVED = made(
    "CustomResourceDefinition",
    "widgets.example.com",
    said("Established", "True"),
    spec={
        "group": "example.com",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [{"name": "v1", "served": True}],
    },
)


def _unseen(whole: Scene, kind: str) -> Scene:
    objects = {**whole.snapshot.objects, kind: Unseen(0.0, "denied", "no")}
    return Scene(replace(whole.snapshot, objects=objects), whole.inventory)


def test_an_inventory_that_is_none_is_refused_at_its_place(
    rekindle: Program, tmp_path: Path
) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text("schema: rekindle.inventory/1\ncolour: red\n")

    answer = rekindle("diagnose", "--scenario", "june-12", "--inventory", str(file))

    assert answer.code == 64
    assert "2:1: colour: unknown key" in answer.err


def test_what_blocks_most_is_said_with_what_it_goes_through(rekindle: Program) -> None:
    """The issue's own chain. Mutant: leave out *through*, or the kinds."""
    answer = rekindle("diagnose", "--scenario", "june-12")

    chain = (
        r"blocks +88: kustomization flux-system/cluster-apps → 47 Kustomizations, 31 HelmReleases, "
    )
    assert re.search(chain, answer.out)


def test_what_is_short_is_counted_and_is_not_well_though_nothing_is_in_its_way() -> None:
    """
    23 of 104 is not green, and that it clears by itself nobody said.

    Mutants: count nothing; call it healthy, or what clears by itself, where no rule finds anything.
    """
    starting = made(
        "Deployment",
        "apps/web",
        spec={"replicas": 2},
        status={"replicas": 2},
        metadata={"creationTimestamp": stamp(AT - 60)},
    )
    found = of_scene(without("deployment/apps/web", instead=(starting,)))

    assert found.roots == ()
    assert found.verdict == "critical"
    told = list(lines(found, verbose=False))
    assert told[0].endswith(
        "but not all that is expected is there yet, and nothing says that it comes"
    )
    assert told[1] == "of what is expected: 3 of 5 pods are ready; everything is there"
    assert document(found)["counts"]["pods"] == {"there": 3, "expected": 5}
    well = of_scene(without())
    assert (well.verdict, list(lines(well, verbose=False))[1]) == (
        "healthy",
        "of what is expected: 5 of 5 pods are ready; everything is there",
    )


def test_of_kinds_of_which_not_all_is_there_it_is_said_how_many() -> None:
    found = of_scene(without("helmrelease/apps/web", "gitrepository/flux-system/flux-system"))

    counted = list(lines(found, verbose=False))[1]
    assert counted.endswith("there are 0 of 1 GitRepositories, 0 of 1 HelmReleases")
