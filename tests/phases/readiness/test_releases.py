"""
HelmReleases: Ready=True is believed only where nothing denies it.

Mutants, killed here: Stalled asked after Ready=False; Remediated not asked; the history not asked; TestSuccess asked of
a release that runs no tests; failures counted whatever the strategy; what it gave up for asked of any Stalled, or of
none; its source kept.
"""

from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Fact
from phases.objects import Flux
from phases.readiness.releases import helm_release, is_repeating
from phases.readiness.saying import can_clear
from tests.phases.readiness.given import DELETED, GONE_AT, MOVED_AT, cases, made, said

READY, RELEASED = "Ready=True/InstallSucceeded", "Released=True/InstallSucceeded"
LOST = "Ready=False/InstallFailed Helm install failed"
GONE_KIND = 'Ready=False/InstallFailed no matches for kind "Widget" in version "example.com/v1"'
WAITED = "Ready=False/InstallFailed timeout waiting for: "
WAITED += "[Deployment/apps/b status: 'InProgress', Deployment/apps/a status: 'InProgress']"
EXCEEDED = "Stalled=True/RetriesExceeded Failed to install after 1 attempt(s)"
GOOD = "Stalled=True/AccessDenied no"
TESTS = {"test": {"enable": True}}
FOR_EVER = {"install": {"strategy": {"name": "RetryOnFailure"}}}


def release(
    *conditions: str,
    last: str = "deployed",
    chart: str = "1.2.3",
    observed: int = 2,
    failures: int = 0,
    spec: Any = None,  # noqa: ANN401
    **metadata: Any,  # noqa: ANN401
) -> Flux:
    status = {
        "observedGeneration": observed,
        "history": [{"status": last, "chartVersion": chart}, {"status": "superseded"}]
        if last
        else [],
        "failures": failures,
    }
    found: Flux = made(Flux, *conditions, spec=spec, status=status, generation=2, **metadata)
    return found


TABLE = {
    "not there": (None, "Absent"),
    "ready": (release(READY, RELEASED), "Ready"),
    "of an older generation": (release(READY, RELEASED, observed=1), "Progressing"),
    "under way": (release("Ready=Unknown/Progressing"), "Progressing"),
    "says nothing yet": (release(last=""), "Progressing"),
    "failed": (release(LOST, last="failed"), "Blocked reason:InstallFailed"),
    "its kind is missing": (release(GONE_KIND, last="failed"), "Blocked kind:Widget.example.com"),
    "its chart is not there": (
        release("Ready=False/SourceNotReady HelmChart 'a/b' is not ready", last=""),
        "Blocked reason:SourceNotReady",
    ),
    "trap: exhausted leaves only by a change or a reset": (
        release(EXCEEDED, LOST, last="failed"),
        "Failed! RetriesExceeded",
    ),
    "trap: exhausted, and what it gave up for is named": (
        release(EXCEEDED, GONE_KIND, last="failed"),
        "Failed! kind:Widget.example.com",
    ),
    "its own objects are what it gave up for": (
        release(EXCEEDED, WAITED, last="failed"),
        "Failed! health:Deployment/apps/a,Deployment/apps/b",
    ),
    "trap: taken back, its objects are gone or of before": (
        release(EXCEEDED, WAITED, "Remediated=True/RollbackSucceeded"),
        "Failed! RetriesExceeded",
    ),
    "trap: a chart's source is nobody's to see": (
        release(EXCEEDED, "Ready=False/ArtifactFailed no artifact"),
        "Failed! RetriesExceeded",
    ),
    "trap: stalled, and what Ready says is of no failure": (
        release(EXCEEDED, GONE_KIND.replace("False", "Unknown", 1)),
        "Failed! RetriesExceeded",
    ),
    "stalled for good, whatever it names": (
        release(GOOD, GONE_KIND),
        "Failed! AccessDenied",
    ),
    "nothing to roll back to, and named": (
        release(GONE_KIND, "Stalled=True/MissingRollbackTarget"),
        "Failed! kind:Widget.example.com",
    ),
    "trap: nothing to roll back to": (
        release(LOST, "Stalled=True/MissingRollbackTarget"),
        "Failed! MissingRollbackTarget",
    ),
    "Stalled=False is not said": (
        release(LOST, "Stalled=False/RetriesExceeded"),
        "Blocked reason:InstallFailed",
    ),
    "trap: rolled back, it runs its old revision": (
        release("Ready=False/UpgradeFailed", "Remediated=True/RollbackSucceeded"),
        "Failed reason:UpgradeFailed",
    ),
    "trap: uninstalled, it is gone": (
        release(LOST, "Remediated=True/UninstallSucceeded", last="uninstalled"),
        "Failed reason:InstallFailed",
    ),
    "trap: remediated, and what has to clear first is known": (
        release(GONE_KIND, "Remediated=True/UninstallSucceeded", last=""),
        "Blocked kind:Widget.example.com",
    ),
    "remediated until retries are exceeded": (
        release(EXCEEDED, LOST, "Remediated=True/UninstallSucceeded"),
        "Failed! RetriesExceeded",
    ),
    "trap: locked, it unlocks itself": (release(LOST, last="pending-upgrade"), "Progressing"),
    "trap: Ready, and locked": (release(READY, last="pending-install"), "Progressing"),
    "trap: Ready, and its release failed": (
        release(READY, last="failed"),
        "Blocked release:failed",
    ),
    "trap: Ready, and not released": (
        release(READY, "Released=False/UpgradeFailed no"),
        "Blocked reason:UpgradeFailed",
    ),
    "no history was told": (release(READY, last=""), "Ready"),
    "trap: its tests have not run": (release(READY, RELEASED, spec=TESTS), "Progressing"),
    "trap: its tests failed": (
        release(READY, RELEASED, "TestSuccess=False/TestFailed no", spec=TESTS),
        "Blocked reason:TestFailed",
    ),
    "its tests passed": (release(READY, "TestSuccess=True/TestSucceeded", spec=TESTS), "Ready"),
    "tests that it does not run": (release(READY, "TestSuccess=False/TestFailed"), "Ready"),
    "suspended in the cluster only": (release(READY, spec={"suspend": True}), "Suspended"),
    "being deleted": (
        release(READY, **DELETED, finalizers=["finalizers.fluxcd.io"]),
        "Terminating finalizers.fluxcd.io",
    ),
}


@pytest.mark.parametrize(("found", "expected"), cases(TABLE))
def test_helm_releases(found: Flux | None, expected: str) -> None:
    assert expected == said(helm_release(found))


@pytest.mark.parametrize(("stalled", "given_up"), [(EXCEEDED, "RetriesExceeded"), (GOOD, None)])
def test_with_what_it_gave_up_is_told_beside_what_for(stalled: str, given_up: str | None) -> None:
    assert helm_release(release(stalled, GONE_KIND)).detail.get("given_up") == given_up


def test_what_git_suspends_is_expected_to_be_suspended() -> None:
    assert "Ready" == helm_release(release(spec={"suspend": True}), suspended=True).code


@pytest.mark.parametrize(
    ("wanted", "expected"), [("", "Ready"), ("1.2.3", "Ready"), ("1.3.0", "Progressing")]
)
def test_trap_ready_at_an_older_chart(wanted: str, expected: str) -> None:
    assert expected == said(helm_release(release(READY, RELEASED), chart_version=wanted))


def test_since_when_is_the_condition_s_or_the_deletion_s() -> None:
    found = [release(LOST), release(EXCEEDED, LOST), release(LOST, "Remediated=True/x")]

    assert [MOVED_AT] * 3 == [helm_release(one).since for one in found]
    assert GONE_AT == helm_release(release(READY, **DELETED)).since


def test_what_was_taken_back_may_still_come_and_what_is_exhausted_may_not() -> None:
    remediated = helm_release(release(LOST, "Remediated=True/UninstallSucceeded"))

    assert ("unknown", "no") == (can_clear(remediated), can_clear(helm_release(release(EXCEEDED))))


def failing(failures: int, text: str = "no", spec: Any = FOR_EVER) -> Fact:  # noqa: ANN401
    return helm_release(release(f"Ready=False/InstallFailed {text}", failures=failures, spec=spec))


REPEATS = {
    "trap: it retries for ever and never stalls": (failing(2), failing(3), True),
    "the same look": (failing(2), failing(2), False),
    "it failed once": (failing(0), failing(1), False),
    "it fails for another reason now": (failing(2), failing(3, "another"), False),
    "it began anew": (failing(4), failing(1), False),
    "with remediation Stalled will say so": (failing(2, spec={}), failing(3, spec={}), False),
    "it is ready now": (failing(2), helm_release(release(READY)), False),
}


@pytest.mark.parametrize(("earlier", "later", "expected"), cases(REPEATS))
def test_a_release_that_retries_for_ever_is_judged_by_its_words(
    earlier: Fact,
    later: Fact,
    expected: bool,  # noqa: FBT001
) -> None:
    assert expected is is_repeating(earlier, later)


@pytest.mark.parametrize(
    ("mode", "told"), [("enabled", {"compares": True}), ("warn", {}), ("disabled", {}), ("", {})]
)
def test_only_a_release_that_mends_what_differs_says_that_it_compares(
    mode: str, told: dict[str, bool]
) -> None:
    """Mutants: of every release with drift detection; of none."""
    spec = {"driftDetection": {"mode": mode}} if mode else None
    fact = helm_release(release(READY, RELEASED, spec=spec))

    assert fact.code == "Ready"
    assert {name: value for name, value in fact.detail.items() if name == "compares"} == told


def test_trap_under_the_gate_the_object_does_not_say_that_it_retries_for_ever() -> None:
    """
    helm-controller's DefaultToRetryOnFailure changes no spec: nothing tells such a release from one that gives up.

    So its failures are not told, it never repeats itself, and it is not said to be in vain either. Mutants: failures
    counted where no strategy is written; a release that has failed before taken for one that has given up.
    """
    gated = [failing(count, spec={"install": {"timeout": "5m"}}) for count in (2, 3)]

    assert ["Blocked reason:InstallFailed"] * 2 == [said(one) for one in gated]
    assert ["unknown"] * 2 == [can_clear(one) for one in gated]
    assert not any("failures" in one.detail for one in gated)
    assert not is_repeating(*gated)
