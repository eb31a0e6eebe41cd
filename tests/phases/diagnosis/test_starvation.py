"""Four health checks that never end stop a whole controller."""

from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.flux_objects import SINCE, deployment, hr, ks
from tests.phases.diagnosis.scenes import AT, found_by, recorded, scene

UNKNOWN = ("Unknown", "Progressing", "Reconciliation in progress")
CHECKS = ("True", "Progressing", "Running health checks for revision x with a timeout of 59m30s")
RETRY = ("True", "ProgressingWithRetry", CHECKS[2])
FAILED = ("False", "HealthCheckFailed", "timeout waiting for: []")
REQUESTED = {"reconcile.fluxcd.io/requestedAt": "t1"}


def held(count: int, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return [ks(f"held-{n}", ready=UNKNOWN, reconciling=CHECKS, **more) for n in range(count)]


def test_all_workers_busy_and_somebody_waits() -> None:
    looked_at = scene(
        *held(3), ks("held-4", ready=UNKNOWN, reconciling=CHECKS, since=AT - 31), ks("new")
    )

    (found,) = found_by("K16", looked_at)

    assert found.blocks == ("kustomization/flux-system/new",)
    assert found.subject == "deployment/flux-system/kustomize-controller"
    assert "all 4 workers" in found.message
    assert found.since == AT - 31, "since all of them are busy"
    assert found.evidence[0].endswith("ends by 2027-01-15T08:57:50Z")


def test_what_holds_a_worker_is_recorded() -> None:
    drift = recorded("accident2-kustomization-infra-detecting-drift")
    other = recorded("accident2-kustomization-hc-timeout-detecting-drift")
    two = deployment("kustomize-controller", args=["--concurrent=2"])

    (found,) = found_by("K16", scene(drift, other, two, ks("new")))

    assert "flux-system/hc-timeout, flux-system/infra" in found.message


@pytest.mark.parametrize(
    "waiting",
    [
        ks("new"),
        ks("overdue", ready=FAILED, reconciling=RETRY, since=AT - 121),
        ks("nudged", ready=FAILED, reconciling=RETRY, annotations=REQUESTED),
    ],
)
def test_who_waits_for_a_worker(waiting: dict[str, Any]) -> None:
    assert len(found_by("K16", scene(*held(4), waiting))) == 1


@pytest.mark.parametrize(
    "objects",
    [
        [*held(3), ks("new")],
        held(5),
        held(5, annotations=REQUESTED),
        [
            *held(4),
            ks("parked", ready=FAILED, reconciling=RETRY, status={"lastHandledReconcileAt": "t0"}),
        ],
        [*held(4), ks("parked", ready=FAILED, reconciling=RETRY)],
        [*held(4), ks("ready", ready=("True", "ReconciliationSucceeded", ""))],
        [*held(4), ks("paused", spec={"suspend": True})],
        [*held(4), ks("leaving", deleted=SINCE)],
        [
            *held(4),
            ks(
                "answered",
                ready=FAILED,
                reconciling=RETRY,
                annotations=REQUESTED,
                status={"lastHandledReconcileAt": "t1"},
            ),
        ],
        [*[ks(f"parked-{n}", ready=FAILED, reconciling=RETRY) for n in range(4)], ks("new")],
        [*held(4), ks("new"), deployment("kustomize-controller", args=["--concurrent=10"])],
    ],
    ids=[
        "a free worker",
        "nobody waits",
        "nudged at work",
        "nudged before",
        "parked",
        "ready",
        "suspended",
        "leaving",
        "answered",
        "retries",
        "10 workers",
    ],
)
def test_no_starvation(objects: list[dict[str, Any]]) -> None:
    assert found_by("K16", scene(*objects)) == []


def test_releases_starve_as_well_and_waiting_ones_hold_no_worker() -> None:
    action = ("True", "Progressing", "Running 'install' action with timeout of 5m0s")
    busy = [hr(f"r{n}", ready=UNKNOWN, reconciling=action) for n in range(4)]
    failed = [
        hr(f"f{n}", ready=("False", "InstallFailed", ""), reconciling=action) for n in range(4)
    ]

    assert [f.subject for f in found_by("K16", scene(*busy, hr("new")))] == [
        "deployment/flux-system/helm-controller"
    ]
    assert found_by("K16", scene(*failed, hr("new"))) == []


def test_the_controller_is_named_where_it_runs() -> None:
    work = deployment("kustomize-controller", namespace="flux")

    (found,) = found_by("K16", scene(*held(4), ks("new"), work))

    assert (found.subject, found.uid) == (
        "deployment/flux/kustomize-controller",
        "uid-kustomize-controller",
    )


def test_when_the_action_of_a_release_ends_is_not_told() -> None:
    action = ("True", "Progressing", "Running 'install' action with timeout of 5m0s")
    spec = {"interval": "1h"}
    busy = [hr(f"r{n}", ready=UNKNOWN, reconciling=action, spec=spec) for n in range(4)]

    (found,) = found_by("K16", scene(*busy, hr("new"), deployment("kustomize-controller")))

    assert not any("ends by" in path for path in found.evidence)


@pytest.mark.parametrize(("since", "count"), [(AT - 29, 0), (AT - 30, 1)])
def test_a_queue_that_moves_is_progress_and_no_cause(since: float, count: int) -> None:
    """Recipe: without ``_moves`` a healthy recovery of many Kustomizations is called starved all along."""
    just = ks("just", ready=UNKNOWN, reconciling=CHECKS, since=since)

    assert len(found_by("K16", scene(*held(3), just, ks("new")))) == count
