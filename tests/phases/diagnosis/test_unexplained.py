"""
What no rule explains is said all the same, and what one explains is not said twice.

Mutants: say it of what is progressing, suspended or on its way out; say it at once; leave out who is explained.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.flux_objects import hr, ks
from tests.phases.diagnosis.scenes import AT, found_by, rules_of, scene

ODD = ("False", "InstallFailed", "cannot do this: nobody ever saw this message")


def test_a_release_that_fails_for_a_reason_that_no_rule_knows_is_not_called_healthy() -> None:
    (found,) = found_by("X1", scene(hr("web", ready=ODD), unlisted=("Deployment",)))

    assert found.subject == "helmrelease/apps/web"
    assert found.message.startswith("HelmRelease apps/web is not ready, and no rule knows why: ")
    assert "nobody ever saw this message" in found.message
    assert (found.clears_itself, found.since) == ("unknown", AT - 100.0)
    assert {remedy.danger for remedy in found.remedies} == {"look"}


@pytest.mark.parametrize(
    "more",
    [
        {"ready": ("Unknown", "Progressing", "Running 'install' action")},
        {"ready": ("True", "InstallSucceeded", "well")},
        {"ready": ("False", "DependencyNotReady", "dependency 'apps/db' is not ready")},
        {"ready": ODD, "spec": {"suspend": True}},
        {"ready": ODD, "deleted": AT - 90.0},
        {"ready": ODD, "since": AT - 59.0},
    ],
)
def test_what_may_still_become_well_or_is_not_meant_to_be_is_not_accused(
    more: dict[str, Any],
) -> None:
    assert found_by("X1", scene(hr("web", **more), unlisted=("Deployment",))) == []


def test_what_a_rule_explains_is_not_said_twice() -> None:
    """Neither of the object that a finding is about, nor of those behind it."""
    broken = ks("a", ready=("False", "BuildFailed", "kustomize build failed: x"))
    looked_at = scene(broken, unlisted=("Deployment",))

    assert rules_of(looked_at) == ["K10"]


@pytest.mark.parametrize("suspended", [True, False])
def test_what_git_suspends_is_left_alone(*, suspended: bool) -> None:
    """No rule speaks for it: that it is suspended is meant. Mutant: leave that to K18."""
    inventory = {"helmreleases": [{"key": "apps/web", "suspended": suspended}]}
    looked_at = scene(
        hr("web", ready=ODD, spec={"suspend": suspended}),
        inventory=inventory,
        unlisted=("Deployment",),
    )

    assert len(found_by("X1", looked_at)) == (0 if suspended else 1)


SLOW = ("False", "ReconciliationFailed", "Pod/a/b dry-run failed: etcdserver: request timed out")


def test_who_failed_for_the_api_server_itself_is_told_that_and_that_it_is_tried_again() -> None:
    """The run knows that cause, and wakes it: nobody is told that no rule knows it."""
    (found,) = found_by("X1", scene(ks("apps", ready=SLOW), unlisted=("Deployment",)))

    assert "no rule knows why" not in found.message
    assert "the API server did not answer in time when it was tried" in found.message
    assert (found.cause, found.clears_itself) == ("apiserver", "yes")
    assert {remedy.danger for remedy in found.remedies} == {"look", "nudge"}


def test_of_the_api_server_of_another_cluster_nobody_here_knows() -> None:
    elsewhere = ks("apps", ready=SLOW, spec={"kubeConfig": {"secretRef": {"name": "there"}}})
    (found,) = found_by("X1", scene(elsewhere, unlisted=("Deployment",)))

    assert (found.cause, found.clears_itself) == ("unexplained", "unknown")
