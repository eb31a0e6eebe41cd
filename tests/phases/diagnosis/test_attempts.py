"""Who is held by a worker, who is parked until when, and who only polls."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.diagnosis.attempts import failing, holding, next_attempt, timeout_of
from phases.objects import Flux
from tests.phases.diagnosis.flux_objects import SINCE, hr, ks
from tests.phases.diagnosis.scenes import recorded, scene

FAILED = ("False", "BuildFailed", "kustomize build failed: x")
RETRY = ("True", "ProgressingWithRetry", "Building manifests")
CHECKS = ("True", "Progressing", "Running health checks for revision x")
ACTION = ("True", "Progressing", "Running 'install' action with timeout of 5m0s")
UNKNOWN = ("Unknown", "Progressing", "")


def of(given: dict[str, Any]) -> Flux:
    return msgspec.convert(given, Flux, strict=False)


@pytest.mark.parametrize(
    ("spec", "after"),
    [
        ({"interval": "1h0m0s", "retryInterval": "2m0s"}, 120.0),
        ({"interval": "1h0m0s", "retryInterval": ""}, 3600.0),
        ({"interval": "59m30s", "retryInterval": ""}, 3570.0),
        ({"interval": "500ms", "retryInterval": ""}, 0.5),
        ({"interval": "nonsense", "retryInterval": ""}, None),
    ],
)
def test_a_failed_kustomization_is_parked_for_its_retry_interval(
    spec: dict[str, str], after: float | None
) -> None:
    found = of(ks("a", ready=FAILED, reconciling=RETRY, spec=spec))

    assert next_attempt("Kustomization", found) == (None if after is None else SINCE + after)


@pytest.mark.parametrize(
    "given",
    [
        ks("a", ready=("False", "DependencyNotReady", "x"), reconciling=RETRY),
        ks(
            "a",
            ready=("False", "ArtifactFailed", "Source artifact not found, retrying in 30s"),
            reconciling=RETRY,
        ),
        ks("a", ready=FAILED),
        ks("a", ready=FAILED, reconciling=CHECKS),
        ks("a", ready=("True", "ReconciliationSucceeded", ""), reconciling=RETRY),
        ks("a", ready=FAILED, reconciling=RETRY, stalled=("True", "InvalidCELExpression", "")),
        ks("a"),
    ],
    ids=["polls", "polls for its source", "never tried", "at work", "ready", "stalled", "new"],
)
def test_what_is_not_parked_has_no_next_attempt(given: dict[str, Any]) -> None:
    assert next_attempt("Kustomization", of(given)) is None


def test_without_an_instant_of_the_failure_nobody_can_tell() -> None:
    given = ks("a", ready=FAILED, reconciling=RETRY)
    del given["status"]["conditions"][0]["lastTransitionTime"]

    assert next_attempt("Kustomization", of(given)) is None


@pytest.mark.parametrize(
    ("text", "after"), [("retrying after 5m0s", 300.0), ("Helm install failed", None)]
)
def test_a_release_tells_itself_when_it_is_tried_again(text: str, after: float | None) -> None:
    found = of(
        hr(
            "a",
            ready=("False", "InstallFailed", "x"),
            reconciling=("True", "ProgressingWithRetry", text),
            spec={"interval": "1h"},
        )
    )

    assert next_attempt("HelmRelease", found) == (None if after is None else SINCE + after)


@pytest.mark.parametrize(
    ("kind", "given", "held"),
    [
        ("Kustomization", ks("a", ready=UNKNOWN, reconciling=CHECKS), True),
        (
            "Kustomization",
            ks("a", reconciling=("True", "Progressing", "Detecting drift for x")),
            True,
        ),
        (
            "Kustomization",
            ks("a", reconciling=("True", "Progressing", "Building manifests")),
            False,
        ),
        ("Kustomization", ks("a", reconciling=("True", "ProgressingWithRetry", CHECKS[2])), False),
        ("Kustomization", ks("a", reconciling=("False", "Progressing", CHECKS[2])), False),
        ("Kustomization", ks("a", deleted=SINCE, reconciling=CHECKS), False),
        ("HelmRelease", hr("a", ready=UNKNOWN, reconciling=ACTION), True),
        ("HelmRelease", hr("a", reconciling=ACTION), False),
        ("HelmRelease", hr("a", ready=("False", "InstallFailed", ""), reconciling=ACTION), False),
        ("HelmRelease", hr("a", ready=("True", "InstallSucceeded", ""), reconciling=ACTION), False),
        (
            "HelmRelease",
            hr("a", ready=UNKNOWN, reconciling=("True", "Progressing", "Fulfilling")),
            False,
        ),
    ],
)
def test_a_worker_holds_only_what_it_works_on(
    kind: str,
    given: dict[str, Any],
    held: bool,  # noqa: FBT001
) -> None:
    assert held == (holding(kind, of(given)) is not None)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("accident2-kustomization-infra-detecting-drift", True),
        ("recover-kustomization-infra-false-reconciliationfailed", False),
        ("kustomization-hc-timeout-true-timeout", False),
    ],
)
def test_recorded_kustomizations(name: str, held: bool) -> None:  # noqa: FBT001
    assert held == (holding("Kustomization", of(recorded(name))) is not None)


@pytest.mark.parametrize(
    ("spec", "span"),
    [
        ({"interval": "1h"}, 3570.0),
        ({"interval": "1h", "timeout": "5m"}, 300.0),
        ({"interval": "1h", "timeout": "15s"}, 30.0),
        ({"interval": "30s"}, 30.0),
        ({"interval": ""}, None),
    ],
)
def test_the_timeout_of_health_checks(spec: dict[str, str], span: float | None) -> None:
    assert span == timeout_of(of(ks("a", spec=spec)))


@pytest.mark.parametrize(
    "given",
    [
        ks("a", ready=FAILED, spec={"suspend": True}),
        ks("a", ready=FAILED, deleted=SINCE),
        ks("a", ready=UNKNOWN),
        ks("a"),
    ],
)
def test_what_is_suspended_or_leaving_or_undecided_does_not_fail(given: dict[str, Any]) -> None:
    assert list(failing(scene(given), "Kustomization")) == []
