"""
How long objects say that their last success was: only while they are not Ready.

Mutants, each tried: tell it of what is Ready; take the first of a history, whatever came of it; take the duration of a
release's last action whatever came of that; count what is no duration as none at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from journal.entries import Fact
from phases.objects import Flux
from phases.readiness.flux import kustomization, took
from phases.readiness.releases import helm_release
from tests.phases.making import decoded
from tests.phases.readiness.given import condition

CAPTURES = Path(__file__).parents[1] / "data" / "captures"
NOT_READY = "Ready=False/DependencyNotReady dependency 'a/b' is not ready"
WORKS = "Ready=Unknown/Progressing"
STALLS = ("Stalled=True/InvalidCELExpression", "Ready=False/InvalidCELExpression")


def judged(kind: str, *conditions: str, **status: Any) -> Fact:  # noqa: ANN401
    body = {
        "metadata": {"name": "x", "namespace": "y", "uid": "u", "generation": 1},
        "status": {
            "observedGeneration": 1,
            "conditions": [condition(text) for text in conditions],
            **status,
        },
    }
    found = msgspec.convert(body, Flux)
    return (
        kustomization(found, "", suspended=False)
        if kind == "kustomization"
        else helm_release(found)
    )


def attempts(*said: tuple[str, str]) -> dict[str, Any]:
    return {
        "history": [
            {"lastReconciledStatus": status, "lastReconciledDuration": span}
            for status, span in said
        ]
    }


FAILED, DONE = ("HealthCheckFailed", "30.2s"), ("ReconciliationSucceeded", "1m5.46s")
OLDER = ("ReconciliationSucceeded", "9s")


@pytest.mark.parametrize("conditions", [(NOT_READY,), (WORKS,), (), STALLS])
def test_a_kustomization_tells_of_its_last_attempt_that_succeeded(
    conditions: tuple[str, ...],
) -> None:
    fact = judged("kustomization", *conditions, **attempts(FAILED, DONE, OLDER))

    assert fact.detail["took"] == 65.5
    assert "took" not in judged("kustomization", *conditions, **attempts(FAILED)).detail


@pytest.mark.parametrize("conditions", [(NOT_READY,), (WORKS,), STALLS])
def test_a_release_tells_of_its_last_action_if_that_succeeded(conditions: tuple[str, ...]) -> None:
    span = {"lastAttemptedReleaseActionDuration": "3m0.1s"}
    released = judged("helmrelease", *conditions, "Released=True/InstallSucceeded", **span)
    taken_back = judged("helmrelease", *conditions, "Released=False/UpgradeFailed", **span)

    assert released.detail["took"] == 180.1
    assert "took" not in taken_back.detail
    assert "took" not in judged("helmrelease", *conditions, **span).detail


@pytest.mark.parametrize("kind", ["kustomization", "helmrelease"])
def test_the_next_success_of_what_is_ready_is_no_news(kind: str) -> None:
    """It is attempted again every interval, and never takes as long as before."""

    def after(span: str) -> Fact:
        told = {"lastAttemptedReleaseActionDuration": span, **attempts((DONE[0], span))}
        return judged(kind, "Ready=True/x", "Released=True/x", **told)

    assert after("1.2s") == after("1.3s")


@pytest.mark.parametrize(
    ("text", "said"),
    [("692.682446ms", {"took": 0.7}), ("1h0m2s", {"took": 3602.0}), ("", {}), ("soon", {})],
)
def test_durations_are_read_in_go_s_words(text: str, said: dict[str, float]) -> None:
    assert took(text) == said


def recorded(name: str) -> Flux:
    found: Flux = decoded((CAPTURES / f"{name}.json").read_bytes(), Flux)
    return found


def test_real_controllers_tell_it_so() -> None:
    """Recorded: kustomize-controller tells of attempts in its history, helm-controller of its last action only."""
    applied, failed = recorded("kustomization-deleting-prune-blocked-by-webhook"), "kustomization-"
    assert [a.last_reconciled_status for a in applied.status.history] == [DONE[0]]
    assert took(applied.status.history[0].last_reconciled_duration) == {"took": 5.9}
    late = kustomization(recorded(f"{failed}hc-timeout-true-timeout"), "", suspended=False)
    assert "took" not in late.detail, "none of its attempts has succeeded"
    good, never = recorded("helmrelease-good"), recorded("helmrelease-never-ready")
    assert took(good.status.last_attempted_release_action_duration) == {"took": 5.9}
    assert [release.last_reconciled_duration for release in good.status.history] == [""]
    assert never.status.last_attempted_release_action_duration == "20.5449543s"
    assert "took" not in helm_release(never).detail
