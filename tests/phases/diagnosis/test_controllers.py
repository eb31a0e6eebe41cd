"""Flux's own controllers: there or not, their version, and their options."""

from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.attempts import holding
from phases.diagnosis.controllers import attempt_ends, option_of, releases, version_of, workers_of
from tests.phases.diagnosis.flux_objects import SINCE, deployment, hr, ks, source
from tests.phases.diagnosis.scenes import found_by, recorded, scene

KUSTOMIZE = "kustomize-controller"
READY = ("True", "ReconciliationSucceeded", "")
ALL = tuple(deployment(name) for name in ("helm-controller", KUSTOMIZE, "source-controller"))


def test_a_controller_that_is_gone_holds_everything_of_its_kind_that_is_not_ready() -> None:
    looked_at = scene(
        recorded("kustomization-deleting-controller-down"), ks("new"), ks("done", ready=READY)
    )

    (found,) = found_by("F1", looked_at)

    assert found.subject == "deployment/flux-system/kustomize-controller"
    assert found.blocks == (
        "kustomization/flux-system/solo",
        "kustomization/flux-system/new",
    )
    assert (found.cause, found.clears_itself, found.since) == ("absent", "no", None)


@pytest.mark.parametrize(
    ("work", "cause", "clears"),
    [
        (deployment(KUSTOMIZE, available=0), "unavailable", "unknown"),
        (deployment(KUSTOMIZE, available=0, replicas=0), "scaled-to-zero", "no"),
        (deployment(KUSTOMIZE, available=1, replicas=0), "scaled-to-zero", "no"),
    ],
)
def test_a_controller_that_does_not_run(work: dict[str, Any], cause: str, clears: str) -> None:
    (found,) = found_by("F1", scene(ks("a"), work))

    assert (cause, clears, SINCE) == (found.cause, found.clears_itself, found.since)


@pytest.mark.parametrize(
    "objects",
    [
        (ks("a"), *ALL),
        (
            ks("a"),
            deployment("kustomize-controller-2", labels={"app.kubernetes.io/component": KUSTOMIZE}),
        ),
        (ks("a"), deployment(KUSTOMIZE, available=0, namespace="aaa"), deployment(KUSTOMIZE)),
        (),
        (deployment(KUSTOMIZE, available=0),),
    ],
    ids=["runs", "by its label", "one of two runs", "no Flux", "nothing to reconcile"],
)
def test_no_finding(objects: tuple[dict[str, Any], ...]) -> None:
    assert found_by("F1", scene(*objects)) == []


def test_one_that_is_scaled_to_zero_is_missed_by_what_it_should_make() -> None:
    """There is nothing of its kind yet. Mutants: ask for an object of the kind; blame one that only starts."""
    inventory = {"roots": ["flux-system/a"], "kustomizations": [{"key": "flux-system/a"}]}
    off = deployment(KUSTOMIZE, available=0, replicas=0)

    (found,) = found_by("F1", scene(off, inventory=inventory))

    assert (found.cause, found.clears_itself) == ("scaled-to-zero", "no")
    assert found.blocks == ("kustomization/flux-system/a",)
    starts = deployment(KUSTOMIZE, available=0)
    assert found_by("F1", scene(starts, inventory=inventory)) == []
    helm = deployment("helm-controller", available=0, replicas=0)
    assert found_by("F1", scene(helm, inventory=inventory)) == [], "no release is expected"


def test_one_controller_is_not_another() -> None:
    looked_at = scene(ks("a"), deployment("helm-controller"), deployment("web"))

    assert [found.cause for found in found_by("F1", looked_at)] == ["absent"]
    assert version_of(looked_at, KUSTOMIZE) is None


def test_an_absent_controller_is_looked_for_beside_the_others() -> None:
    looked_at = scene(ks("a"), deployment("helm-controller", namespace="flux"))

    assert [f.subject for f in found_by("F1", looked_at)] == [f"deployment/flux/{KUSTOMIZE}"]


def test_deployments_that_could_not_be_listed_say_nothing() -> None:
    assert found_by("F1", scene(ks("a"), unlisted=("Deployment",))) == []


def test_what_the_inventory_still_expects_may_come() -> None:
    workload = {"kind": "Deployment", "key": f"flux-system/{KUSTOMIZE}", "pods": 1}

    (found,) = found_by("F1", scene(ks("a"), inventory={"workloads": [workload]}))

    assert found.clears_itself == "unknown"


def test_each_kind_has_its_controller() -> None:
    looked_at = scene(ks("a"), hr("b"), source("GitRepository"), source("HelmRepository", "c"))

    assert {f.subject.rpartition("/")[2]: len(f.blocks) for f in found_by("F1", looked_at)} == {
        "helm-controller": 1,
        KUSTOMIZE: 1,
        "source-controller": 2,
    }


def test_a_repository_of_oci_charts_has_no_status_and_misses_none() -> None:
    looked_at = scene(source("HelmRepository", "c", spec={"type": "oci"}))

    assert [found.blocks for found in found_by("F1", looked_at)] == [()]


@pytest.mark.parametrize(
    ("image", "version", "release"),
    [
        ("ghcr.io/fluxcd/kustomize-controller:v1.6.1", (1, 6), "1.6.1"),
        ("registry:5000/kustomize-controller:v1.10.0@sha256:aa", (1, 10), "1.10.0"),
        ("kustomize-controller:1.9-rc.1", (1, 9), "1.9-rc.1"),
        ("ghcr.io/fluxcd/kustomize-controller@sha256:1234", None, ""),
        ("registry:5000/kustomize-controller", None, ""),
        ("istio/proxyv2:1.20", None, ""),
    ],
)
def test_the_version_is_that_of_the_image(
    image: str, version: tuple[int, int] | None, release: str
) -> None:
    looked_at = scene(deployment(KUSTOMIZE, image=image))

    assert version == version_of(looked_at, KUSTOMIZE)
    assert releases(looked_at) == ({KUSTOMIZE: release} if release else {})


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [
        ([], 4),
        (["--concurrent=20", "--requeue-dependency=5s"], 20),
        (["--concurrent", "8"], 8),
        (["--concurrent-ssa=16"], 4),
        (["--concurrent=0"], 4),
        (["--concurrent=many"], 4),
        (["concurrent=9"], 4),
    ],
)
def test_how_many_workers_it_has(arguments: list[str], workers: int) -> None:
    looked_at = scene(deployment(KUSTOMIZE, args=arguments))

    assert workers == workers_of(looked_at, KUSTOMIZE)


def test_defaults_differ_and_an_option_that_is_not_given_is_not_known() -> None:
    assert [workers_of(scene(), name) for name in ("helm-controller", "source-controller")] == [
        4,
        2,
    ]
    assert option_of(scene(), KUSTOMIZE, "concurrent") is None
    assert option_of(scene(deployment(KUSTOMIZE)), KUSTOMIZE, "concurrent") is None


@pytest.mark.parametrize(
    ("image", "step", "after"),
    [
        ("kustomize-controller:v1.6.1", "Detecting drift", 3570.0),
        ("kustomize-controller:v1.7.0", "Detecting drift", 60.0),
        ("kustomize-controller@sha256:aa", "Detecting drift", None),
        ("kustomize-controller:v1.6.1", "Running health checks", 3570.0),
        ("kustomize-controller:v1.9.4", "Running health checks", 3570.0),
    ],
)
def test_how_long_a_stage_is_awaited_depends_on_the_version(
    image: str, step: str, after: float | None
) -> None:
    text = f"{step} for revision x with a timeout of 59m30s"
    looked_at = scene(
        ks("a", reconciling=("True", "Progressing", text)), deployment(KUSTOMIZE, image=image)
    )
    found = looked_at.get("Kustomization", "flux-system/a")
    held = holding("Kustomization", found)

    assert held is not None
    assert attempt_ends(looked_at, found, held) == (None if after is None else SINCE + after)


@pytest.mark.parametrize("lacks", ["an instant", "a timeout"])
def test_without_instant_or_timeout_no_end_is_known(lacks: str) -> None:
    given = ks("a", reconciling=("True", "Progressing", "Running health checks for x"))
    if lacks == "an instant":
        del given["status"]["conditions"][0]["lastTransitionTime"]
    else:
        given["spec"]["interval"] = ""
    looked_at = scene(given)
    found = looked_at.get("Kustomization", "flux-system/a")
    held = holding("Kustomization", found)

    assert held is not None
    assert attempt_ends(looked_at, found, held) is None
