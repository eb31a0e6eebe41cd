"""
Sources: an old artifact goes on being served, and is not Ready for that.

Mutants, killed here: Stalled is waited for like any failure; observedGeneration not asked; ArtifactOutdated not asked;
a HelmRepository of type oci waits for ever.
"""

from __future__ import annotations

from typing import Any

import pytest

from phases.more_objects import Chart
from phases.objects import Source
from phases.readiness.sources import source
from tests.phases.readiness.given import DELETED, GONE_AT, MOVED_AT, cases, made, said

REVISION = "main@sha1:98844bf039d9b1f37cd9184ed24b4dfab2c24cad"
READY, FAILED = "Ready=True/Succeeded", "Ready=False/GitOperationFailed no"


def git(
    *conditions: str,
    revision: str = REVISION,
    observed: int = 2,
    spec: Any = None,  # noqa: ANN401
    **metadata: Any,  # noqa: ANN401
) -> Source:
    status = {
        "artifact": {"revision": revision} if revision else None,
        "observedGeneration": observed,
    }
    found: Source = made(
        Source, *conditions, spec=spec, status=status, **{"generation": 2, **metadata}
    )
    return found


BROKEN = "Blocked reason:GitOperationFailed"
TABLE = {
    "not there": (None, "Absent"),
    "ready": (git(READY), "Ready"),
    "nothing to serve": (git(READY, revision=""), "Progressing"),
    "says nothing yet": (git(observed=0), "Progressing"),
    "being fetched": (git("Ready=Unknown/Progressing"), "Progressing"),
    "fetched never": (git(FAILED, "FetchFailed=True/x", revision=""), BROKEN),
    "trap: failed, and serves what it had": (
        git(FAILED, "FetchFailed=True/GitOperationFailed"),
        BROKEN,
    ),
    "trap: Ready of the spec before": (git(READY, observed=1), "Progressing"),
    "trap: -1 of a source never observed": (git(READY, observed=-1), "Progressing"),
    "no generation was told": (git(READY, observed=0), "Ready"),
    "trap: a newer artifact is known": (
        git(READY, "ArtifactOutdated=True/NewRevision"),
        "Progressing",
    ),
    "trap: Ready beside a failed fetch": (
        git(READY, "FetchFailed=True/GitOperationFailed"),
        BROKEN,
    ),
    "trap: stalled waits for a change": (
        git("Stalled=True/URLInvalid no", "Ready=False/URLInvalid no"),
        "Failed! reason:URLInvalid",
    ),
    "suspended": (git(READY, spec={"suspend": True}), "Suspended"),
    "being deleted": (
        git(READY, **DELETED, finalizers=["finalizers.fluxcd.io"]),
        "Terminating finalizers.fluxcd.io",
    ),
    "trap: a HelmRepository of type oci has no status": (
        git(revision="", observed=0, spec={"type": "oci"}),
        "Ready",
    ),
    "a chart": (
        made(Chart, "Ready=True/ChartPullSucceeded", status={"artifact": {"revision": "1.2.3"}}),
        "Ready",
    ),
    "trap: a chart that never will be": (
        made(Chart, "Stalled=True/InvalidChartReference", "Ready=False/InvalidChartReference"),
        "Failed! reason:InvalidChartReference",
    ),
    "a chart without its source": (
        made(Chart, "Ready=False/NoSourceArtifact"),
        "Blocked reason:NoSourceArtifact",
    ),
}


@pytest.mark.parametrize(("found", "expected"), cases(TABLE))
def test_sources(found: Source | Chart | None, expected: str) -> None:
    assert expected == said(source(found))


def test_a_source_tells_what_it_serves_also_when_that_is_old() -> None:
    assert [REVISION] * 2 == [source(git(text)).detail["revision"] for text in (READY, FAILED)]


@pytest.mark.parametrize(
    ("reconciling", "parked"),
    [
        ((), True),
        (("Reconciling=True/ProgressingWithRetry building artifact",), True),
        (("Reconciling=True/Progressing reconciliation in progress",), False),
    ],
)
def test_what_a_worker_fetches_just_now_is_told_from_what_waits_for_its_retry(
    reconciling: tuple[str, ...],
    parked: bool,  # noqa: FBT001
) -> None:
    """Mutant: leave it out; a source is nudged while it is fetched."""
    assert source(git(FAILED, *reconciling)).detail["parked"] is parked


def test_a_source_tells_which_nudge_it_answered_ours_or_somebody_else_s() -> None:
    """Mutant: leave it out; every nudge of a source is said to be taken up by nobody."""
    status = {"lastHandledReconcileAt": "2026-06-12T09:00:00Z#run#cause"}
    ours = source(made(Source, FAILED, status=status))
    foreign = source(made(Source, FAILED, status={"lastHandledReconcileAt": "2026-06-12"}))

    assert ours.detail["handled_at"] == "2026-06-12T09:00:00Z#run#cause"
    assert foreign.detail["handled_foreign"] == "2026-06-12"


def test_since_when_is_the_condition_s_or_the_deletion_s() -> None:
    assert MOVED_AT == source(git(FAILED)).since
    assert MOVED_AT == source(git("Stalled=True/x")).since
    assert GONE_AT == source(git(READY, **DELETED)).since
