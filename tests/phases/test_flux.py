"""Kustomizations, HelmReleases and sources: stricter than ``flux get``."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.objects import Condition, Flux, Source
from phases.readiness.flux import cause_of, helm_release, kustomization, short, source

GOAL = "main@sha1:98844bf039d9b1f37cd9184ed24b4dfab2c24cad"
OLD = "main@sha1:0000000039d9b1f37cd9184ed24b4dfab2c24cad"


def condition(text: str) -> dict[str, str]:
    """``Ready=False/Reason message``."""
    head, _, message = text.partition(" ")
    kind, _, rest = head.partition("=")
    status, _, reason = rest.partition("/")
    return {"type": kind, "status": status, "reason": reason, "message": message}


def flux(
    *conditions: str,
    generation: int = 2,
    observed: int = 2,
    revision: str = GOAL,
    **rest: Any,  # noqa: ANN401
) -> Flux:
    metadata = {"name": "apps", "namespace": "flux-system", "uid": "u1", "generation": generation}
    body = {
        "metadata": {**metadata, **rest.get("metadata", {})},
        "spec": rest.get("spec", {}),
        "status": {
            "observedGeneration": observed,
            "lastAppliedRevision": revision,
            "conditions": [condition(text) for text in conditions],
        },
    }
    return msgspec.convert(body, Flux)


DELETED = {"deletionTimestamp": "2026-06-12T10:00:00Z"}


@pytest.mark.parametrize(
    ("found", "code", "reason"),
    [
        (None, "Absent", ""),
        (flux("Ready=True/x"), "Ready", ""),
        (flux("Ready=True/x", metadata=DELETED), "Terminating", "is being deleted"),
        (
            flux("Ready=True/x", spec={"suspend": True}),
            "Suspended",
            "suspended in the cluster only",
        ),
        # Ready, and still not synced.
        (flux("Ready=True/x", observed=1), "Progressing", "the latest generation"),
        (
            flux("Ready=True/x", revision=OLD),
            "Progressing",
            "applied main@00000000, goal main@98844bf0",
        ),
        (flux("Ready=True/x", revision=""), "Progressing", "applied nothing"),
        # Never reconciled: kstatus calls this Current.
        (flux(observed=-1), "Progressing", "not reconciled yet"),
        (flux("Ready=Unknown/Progressing", observed=-1), "Progressing", "not reconciled yet"),
        (
            flux(
                "Reconciling=True/Progressing Running health checks with a timeout of 59m30s",
                "Ready=Unknown/Progressing",
            ),
            "Progressing",
            "Running health checks",
        ),
        (flux("Ready=False/BuildFailed no", observed=-1), "Blocked", "BuildFailed: no"),
        (flux("Stalled=True/InvalidCELExpression", "Ready=False/x"), "Failed", "x: "),
    ],
)
def test_kustomizations(found: Flux | None, code: str, reason: str) -> None:
    fact = kustomization(found, GOAL, suspended=False)

    assert (code, reason) == (fact.code, fact.reason[: len(reason)])


def test_what_git_suspends_is_expected_to_be_suspended() -> None:
    suspended = flux(spec={"suspend": True})

    assert "Ready" == kustomization(suspended, GOAL, suspended=True).code
    assert "Ready" == helm_release(suspended, suspended=True).code


def test_without_a_goal_any_revision_will_do() -> None:
    assert "Ready" == kustomization(flux("Ready=True/x", revision=OLD), "", suspended=False).code


@pytest.mark.parametrize(
    ("reconciling", "parked"),
    [
        (
            "Reconciling=True/ProgressingWithRetry",
            True,
        ),  # not work in progress: waits for its retry
        ("Reconciling=True/Progressing", False),
        ("Reconciling=False/Progressing", True),
    ],
)
def test_parked_is_told_from_held_by_a_worker(reconciling: str, parked: bool) -> None:  # noqa: FBT001
    fact = kustomization(flux(reconciling, "Ready=False/x"), GOAL, suspended=False)

    assert parked is fact.detail["parked"]


@pytest.mark.parametrize(
    ("found", "code", "cause"),
    [
        (None, "Absent", None),
        (flux("Ready=True/x"), "Ready", None),
        (flux("Ready=True/x", observed=1), "Progressing", None),
        (flux("Ready=Unknown/Progressing"), "Progressing", None),
        (flux(), "Progressing", None),
        (flux("Ready=True/x", metadata=DELETED), "Terminating", None),
        (flux("Ready=True/x", spec={"suspend": True}), "Suspended", None),
        (flux("Stalled=True/RetriesExceeded", "Ready=False/x"), "Failed", "RetriesExceeded"),
        (flux("Stalled=False/RetriesExceeded", "Ready=False/x"), "Blocked", "reason:x"),
        # Remediated: back at the old revision, not well.
        (flux("Remediated=True/RollbackSucceeded", "Ready=False/y"), "Blocked", "reason:y"),
    ],
)
def test_helm_releases(found: Flux | None, code: str, cause: str | None) -> None:
    fact = helm_release(found)

    assert (code, cause) == (fact.code, fact.detail.get("cause"))


def git(*conditions: str, revision: str = GOAL, **rest: Any) -> Source:  # noqa: ANN401
    body = {
        "metadata": {"name": "flux-system", "uid": "u1", **rest.get("metadata", {})},
        "spec": rest.get("spec", {}),
        "status": {
            "conditions": [condition(text) for text in conditions],
            "artifact": {"revision": revision} if revision else None,
        },
    }
    return msgspec.convert(body, Source)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (None, "Absent"),
        (git("Ready=True/Succeeded"), "Ready"),
        (git("Ready=True/Succeeded", revision=""), "Progressing"),
        (git(), "Progressing"),
        (git("Ready=False/GitOperationFailed"), "Blocked"),  # also with an old artifact: stale
        (git("Ready=True/x", spec={"suspend": True}), "Suspended"),
        (git("Ready=True/x", metadata=DELETED), "Terminating"),
    ],
)
def test_sources(found: Source | None, code: str) -> None:
    assert code == source(found).code


def test_a_source_tells_what_it_serves() -> None:
    assert GOAL == source(git("Ready=True/Succeeded")).detail["revision"]


TIMEOUT = "timeout waiting for: ["
CAUSES = {
    "kind:Widget.example.com": 'x dry-run failed: no matches for kind "Widget" in version "example.com/v1"',
    "namespace:apps": f"{TIMEOUT}Namespace/apps status: 'Terminating', Namespace/db status: 'Terminating']",
    "namespace:db": 'secrets "x" is forbidden: unable to create new content in namespace db because it is '
    "being terminated",
    "namespace-gone:apps": f"{TIMEOUT}Namespace/apps status: 'NotFound']",
    "namespace-missing:apps": 'Deployment/apps/x not found: namespaces "apps" not found',
    "reason:ReconciliationFailed": "anything else",
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_message_names_what_has_to_clear_first(cause: str) -> None:
    ready = Condition("Ready", "False", "ReconciliationFailed", CAUSES[cause])

    assert cause == cause_of(ready, "flux-system")


@pytest.mark.parametrize(
    ("reason", "message", "cause"),
    [
        (
            "DependencyNotReady",
            "dependency 'flux-system/infra' is not ready",
            "dependency:flux-system/infra",
        ),
        ("DependencyNotReady", "dependency 'infra' is not ready", "dependency:home/infra"),
        ("DependencyNotReady", "unable to get 'a/b' dependency: not found", "dependency:a/b"),
        ("DependencyNotReady", "something new", "dependency:home/?"),
        ("ArtifactFailed", "Source artifact not found, retrying in 3s", "source"),
        # A chart is no source that rekindle watches.
        ("SourceNotReady", "HelmChart 'a/b' is not ready", "reason:SourceNotReady"),
        ("HealthCheckFailed", "no list", "health:"),
        (
            "HealthCheckFailed",
            (
                "health check failed after 30s: failed early due to stalled resources: "
                "[Deployment/slow/stuck status: 'Failed', StatefulSet/db/main status: 'InProgress']"
            ),
            "health:Deployment/slow/stuck,StatefulSet/db/main",
        ),
    ],
)
def test_a_reason_names_what_has_to_clear_first(reason: str, message: str, cause: str) -> None:
    assert cause == cause_of(Condition("Ready", "False", reason, message), "home")


def test_revisions_are_shortened_to_what_people_compare() -> None:
    assert ("main@98844bf0", "6.5.4") == (short(GOAL), short("6.5.4"))
