"""HelmReleases that failed, by what failed them."""

from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.releases import ONLY_A_RESET
from tests.phases.diagnosis.flux_objects import Said, deployment, hr
from tests.phases.diagnosis.scenes import found_by, recorded, rules_of, scene

PREFIX = "Helm upgrade failed for release apps/web with chart web@1.0.0: "
JOB = 'cannot patch "web-migrate" with kind Job: Job.batch "web-migrate" is invalid: spec.template: Invalid value: '
JOB += 'core.PodTemplateSpec{Env: "hunter2"}: field is immutable'
SERVICE = 'cannot patch "web" with kind Service: Service "web" is invalid: spec.clusterIP: field is immutable'
APPLIED = 'server-side apply failed for object apps/web apps/v1, Kind=Deployment: Deployment.apps "web" is invalid: '
APPLIED += 'spec.selector: Invalid value: {"matchLabels":{"app":"hunter2"}}: field is immutable'
APPLIED_JOB = APPLIED.replace("apps/v1, Kind=Deployment", "batch/v1, Kind=Job")
OWNED = 'Unable to continue with update: Service "web" in namespace "apps" exists and cannot be imported into the '
OWNED += 'current release: invalid ownership metadata; annotation validation error: missing key "meta.helm.sh/x"'
NO_KIND = 'resource mapping not found: no matches for kind "Widget" in version "example.com/v1"'
LOCKED = "another operation (install/upgrade/rollback) is in progress"
TIMEOUT = "timeout waiting for: [Deployment/apps/web status: 'InProgress']"
HOOK = "failed post-install: 1 error occurred: * timed out waiting for the condition"
WAITING = ("True", "Progressing", "Running 'upgrade' action with timeout of 5m0s")
EXHAUSTED = ("True", "RetriesExceeded", "Failed to upgrade after 1 attempt(s)")


def failed(text: str, reason: str = "UpgradeFailed", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return hr("web", ready=("False", reason, PREFIX + text), **more)


CASES: list[tuple[str, str, str, str]] = [
    (TIMEOUT, "H7", "timed-out", "unknown"),
    ("context deadline exceeded", "H7", "timed-out", "unknown"),
    (HOOK, "H7", "hook", "unknown"),
    (NO_KIND, "H8", "kind", "no"),
    (JOB, "H9", "immutable", "no"),
    (SERVICE, "H9", "immutable", "no"),
    (APPLIED, "H9", "immutable", "no"),
    (OWNED, "H10", "ownership", "no"),
    ('"web" has no deployed releases', "X4", "uninstall-cut-off", "no"),
]


@pytest.mark.parametrize(("text", "rule", "cause", "clears"), CASES)
def test_exactly_one_rule_knows_what_failed(text: str, rule: str, cause: str, clears: str) -> None:
    """Reconciling=True/Progressing is how a release waits: no work in progress."""
    looked_at = scene(failed(text, reconciling=WAITING), unlisted=("Deployment",))

    assert [name for name in rules_of(looked_at) if name != "C3"] == [rule]
    assert [(f.cause, f.clears_itself) for f in found_by(rule, looked_at)] == [(cause, clears)]


@pytest.mark.parametrize(
    ("text", "rule", "cause"), [case[:3] for case in CASES if case[2] != "timed-out"]
)
def test_a_stalled_release_is_told_by_its_cause_and_needs_a_reset(
    text: str, rule: str, cause: str
) -> None:
    looked_at = scene(failed(text, stalled=EXHAUSTED), unlisted=("Deployment",))

    assert [name for name in rules_of(looked_at) if name != "C3"] == [rule], cause
    (found,) = found_by(rule, looked_at)
    assert found.clears_itself == "no"
    assert "its retries are used up" in found.message
    assert sum("resetAt" in remedy.text for remedy in found.remedies) == 1


def test_a_stalled_release_that_ran_out_of_time_has_used_up_its_retries() -> None:
    looked_at = scene(failed(TIMEOUT, stalled=EXHAUSTED), unlisted=("Deployment",))

    assert rules_of(looked_at) == ["H1"]


@pytest.mark.parametrize(("text", "rule", "cause", "clears"), CASES)
def test_a_release_that_is_being_worked_on_has_not_failed(
    text: str, rule: str, cause: str, clears: str
) -> None:
    ready: Said = ("Unknown", "Progressing", PREFIX + text)

    assert found_by(rule, scene(hr("web", ready=ready))) == [], (cause, clears)


@pytest.mark.parametrize(("text", "rule", "cause", "clears"), CASES)
def test_the_same_words_of_no_action_are_something_else(
    text: str, rule: str, cause: str, clears: str
) -> None:
    assert found_by(rule, scene(failed(text, "ArtifactFailed"))) == [], (cause, clears)


@pytest.mark.parametrize(
    ("name", "rule", "clears", "words"),
    [
        (
            "helmrelease-never-ready-false-installfailed",
            "H1",
            "no",
            "Failed to install after 1 attempt(s)",
        ),
        (
            "helmrelease-rollback-false-installfailed",
            "H1",
            "no",
            "Failed to install after 2 attempt(s)",
        ),
        (
            "helmrelease-needs-crd-false-installfailed",
            "H8",
            "no",
            "holds a Widget (example.com/v1)",
        ),
    ],
)
def test_recorded_releases(name: str, rule: str, clears: str, words: str) -> None:
    (found,) = found_by(rule, scene(recorded(name)))

    assert found.clears_itself == clears
    assert words in found.message
    assert found.since is not None


def test_a_release_that_is_taken_back_and_tried_again_is_no_finding() -> None:
    """Remediated=True stays while the next attempt runs."""
    assert found_by("H11", scene(recorded("helmrelease-rollback-unknown-progressing"))) == []


def test_what_it_waited_for_may_be_ready_by_now() -> None:
    web = deployment("web", namespace="apps")

    (given_up,) = found_by("H1", scene(failed(TIMEOUT, stalled=EXHAUSTED), web))
    (retrying,) = found_by("H7", scene(failed(TIMEOUT), web))

    assert "is ready by now" in given_up.message
    assert given_up.clears_itself == "no", "only a reset starts it again"
    assert retrying.clears_itself == "yes"


NO_TARGET = ("True", "MissingRollbackTarget", "x")
WIDGETS = {
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {"group": "example.com", "names": {"kind": "Widget"}},
}


@pytest.mark.parametrize(
    ("rule", "text", "stalled", "there"),
    [
        ("H1", TIMEOUT, EXHAUSTED, deployment("web", namespace="apps")),
        ("H2", TIMEOUT, NO_TARGET, deployment("web", namespace="apps")),
        ("H8", NO_KIND, EXHAUSTED, WIDGETS),
    ],
)
def test_a_release_that_gave_up_for_what_is_over_lacks_only_its_reset(
    rule: str, text: str, stalled: Said, there: dict[str, Any]
) -> None:
    """``phases.nudges`` asks for this very cause. Mutant: any rule does not tell."""
    (over,) = found_by(rule, scene(failed(text, stalled=stalled), there))
    (stands,) = found_by(rule, scene(failed(text, stalled=stalled)))

    assert (over.cause, over.clears_itself) == (ONLY_A_RESET, "no")
    assert (stands.cause != ONLY_A_RESET, stands.clears_itself) == (True, "no")


@pytest.mark.parametrize(
    ("objects", "more", "clears"),
    [
        ([], {}, "no"),
        ([], {"unlisted": ("CustomResourceDefinition",)}, "unknown"),
        ([], {"inventory": {}}, "unknown"),
        (
            [
                {
                    "kind": "CustomResourceDefinition",
                    "metadata": {"name": "widgets.example.com"},
                    "spec": {"group": "example.com", "names": {"kind": "Widget"}},
                }
            ],
            {},
            "yes",
        ),
    ],
    ids=["nowhere", "not listed", "may come", "there by now"],
)
def test_a_kind_that_was_not_defined(
    objects: list[dict[str, Any]], more: dict[str, Any], clears: str
) -> None:
    assert [f.clears_itself for f in found_by("H8", scene(failed(NO_KIND), *objects, **more))] == [
        clears
    ]


def test_only_a_job_may_be_deleted_to_get_past_it() -> None:
    (job,) = found_by("H9", scene(failed(JOB)))
    (service,) = found_by("H9", scene(failed(SERVICE)))
    (applied,) = found_by("H9", scene(failed(APPLIED)))
    (applied_job,) = found_by("H9", scene(failed(APPLIED_JOB)))

    assert "Job web-migrate" in job.message
    assert "a field of Deployment web that" in applied.message
    assert "hunter2" not in str(applied)
    assert [f.remedies[0].danger for f in (applied, applied_job)] == ["look", "reversible"]
    assert "hunter2" not in str(job)
    assert job.remedies[0].danger == "reversible"
    assert service.remedies[0].danger == "look"


def test_values_that_helm_quotes_are_not_told() -> None:
    text = 'cannot patch "x" with kind Foo: spec: Invalid value: "hunter2": must be shorter'

    (found,) = found_by("H1", scene(failed(text, stalled=EXHAUSTED)))

    assert "hunter2" not in str(found)


PENDING: Said = (
    "False",
    "PendingRelease",
    "Unlocked Helm release apps/web.v1 in pending-install state",
)
REMEDIED: Said = ("True", "RollbackSucceeded", "x")


@pytest.mark.parametrize(
    ("rule", "given", "clears"),
    [
        ("H2", failed("x", stalled=("True", "MissingRollbackTarget", "x")), "no"),
        ("H3", hr("web", ready=PENDING, released=PENDING), "yes"),
        ("H3", hr("web", ready=PENDING, released=("False", "UpgradeFailed", LOCKED)), "yes"),
        ("H3", hr("web", ready=PENDING, released=PENDING, stalled=EXHAUSTED), "no"),
        ("H11", failed("x", remediated=REMEDIED), "unknown"),
        ("H11", failed("x", remediated=("True", "UninstallSucceeded", "x")), "unknown"),
    ],
)
def test_conditions(rule: str, given: dict[str, Any], clears: str) -> None:
    assert [found.clears_itself for found in found_by(rule, scene(given))] == [clears]


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        ("H1", failed("x")),
        ("H1", failed("x", stalled=("False", "RetriesExceeded", "x"))),
        ("H1", failed("x", stalled=("True", "MissingRollbackTarget", "x"))),
        ("H2", failed("x", stalled=EXHAUSTED)),
        ("H3", hr("web", released=("True", "PendingRelease", "x"))),
        ("H3", hr("web", released=("False", "UpgradeFailed", "x"))),
        ("H3", hr("web", released=PENDING, spec={"suspend": True})),
        ("H3", hr("web")),
        ("H11", failed("x", remediated=("False", "RollbackFailed", "x"))),
        ("H11", failed("x", remediated=("True", "RollbackFailed", "x"))),
        ("H11", failed("x", remediated=REMEDIED, stalled=EXHAUSTED)),
        ("H11", hr("web", ready=("True", "UpgradeSucceeded", ""), remediated=REMEDIED)),
    ],
)
def test_no_such_condition(rule: str, given: dict[str, Any]) -> None:
    assert found_by(rule, scene(given)) == []


def test_a_release_that_retries_says_when() -> None:
    given = failed(TIMEOUT, reconciling=("True", "ProgressingWithRetry", "retrying after 5m0s"))

    assert "next attempt at 2027-01-15T08:03:20Z" in found_by("H7", scene(given))[0].message


def test_an_object_of_no_namespace_is_named_without_one() -> None:
    text = OWNED.replace('Service "web" in namespace "apps"', 'ClusterRole "web" in namespace ""')

    (found,) = found_by("H10", scene(failed(text)))

    assert "cannot take over ClusterRole web:" in found.message
    assert "cannot take over Service apps/web:" in found_by("H10", scene(failed(OWNED)))[0].message


def test_a_stalled_release_that_is_locked_is_told_once() -> None:
    text: Said = ("False", "UpgradeFailed", LOCKED)

    looked_at = scene(failed(LOCKED, stalled=EXHAUSTED, released=text), unlisted=("Deployment",))

    assert rules_of(looked_at) == ["H3"]


@pytest.mark.parametrize(
    ("spec", "said_so"),
    [
        ({"upgrade": {"cleanupOnFail": True}}, True),
        ({"rollback": {"cleanupOnFail": True}}, True),
        ({"upgrade": {"cleanupOnFail": False}}, False),
        ({}, False),
    ],
)
def test_a_remediation_says_whether_it_took_objects_away(
    spec: dict[str, Any],
    said_so: bool,  # noqa: FBT001
) -> None:
    (found,) = found_by("H11", scene(failed("x", remediated=REMEDIED, spec=spec)))

    assert ("cleanupOnFail deleted" in found.message) is said_so


def test_a_release_that_knew_a_kind_before_its_crd_went() -> None:
    text = (
        "server-side apply failed for object apps/w example.com/v1, Kind=Widget: the server could "
        "not find the requested resource (patch widgets.example.com w)"
    )

    (found,) = found_by("H8", scene(failed(text)))

    assert "holds a Widget (example.com/v1)" in found.message


def test_a_release_whose_uninstall_was_cut_off_is_known_as_it_was_seen() -> None:
    """Nine attempts of three, and no end: helm-controller counts none of them against its retries."""
    (found,) = found_by("X4", scene(recorded("helmrelease-uninstall-cut-off")))

    assert found.subject == "helmrelease/external-secrets/external-secrets"
    assert [remedy.danger for remedy in found.remedies] == [
        "look",
        "reversible",
        "destructive",
        "nudge",
    ]
    assert "sh.helm.release.v1.external-secrets.v*" in found.remedies[0].text
