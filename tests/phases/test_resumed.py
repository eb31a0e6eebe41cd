"""
Who is woken because a person resumed what was stuck: what was stuck, what no fact tells the end of, and no other.

Mutants, each killed here: any condition of ``is_resumed`` or ``is_blind`` left out; what a worker holds is woken.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.answer import Act, Answer, Wait
from engine.folding import fold_all
from journal import entries as e
from phases import flux_synced
from phases.clearing import is_blind
from tests.phases.making import START, facts, memory_of, plan

READY = {
    "deployment/flux-system/source-controller": "Ready",
    "deployment/flux-system/kustomize-controller": "Ready",
    "deployment/flux-system/helm-controller": "Ready",
    "gitrepository/flux-system/flux-system": {"code": "Ready", "detail": {"revision": "main@1"}},
    "namespace/apps": "Ready",
    "crd/gadgets.example.com": "Ready",
    "kustomization/flux-system/cluster": "Ready",
    "store/vault": "Ready",
    "externalsecret/apps/login": "Ready",
    "helmrelease/apps/web": "Ready",
}
APPS, WEB = "kustomization/flux-system/apps", "helmrelease/apps/web"
RESUMED_AT = START + 600


def failed(cause: str, since: float = START + 10, **detail: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "code": "Blocked",
        "reason": "it failed",
        "since": since,
        "detail": {"cause": cause, "uid": "u1", **detail},
    }


def answers(subject: str, fact: dict[str, Any], stuck: str = APPS) -> dict[str, Answer]:
    the_plan = plan()
    known = facts({**READY, APPS: "Ready", subject: fact})
    memory = memory_of(the_plan, known, {}, 500)
    told: dict[str, Any] = {stuck: {"answer": "stuck"}}
    memory = fold_all(
        memory,
        [
            e.Decided(at=START + 500, state="flux-synced", answers=told),
            e.RunInterrupted(at=START + 500, why="stuck"),
            e.RunResumed(at=RESUMED_AT, holder="me", idle_seconds=100.0, fresh_deadlines=True),
        ],
    )
    return flux_synced.decide(the_plan, known, {}, memory)


@pytest.mark.parametrize(
    "cause", ["reason:BuildFailed", "object:Secret/flux-system/sops-age", "stalled"]
)
def test_what_was_stuck_for_what_nobody_sees_is_woken(cause: str) -> None:
    act = answers(APPS, failed(cause))[APPS]

    assert isinstance(act, Act)
    assert act.arguments["cause"] == f"resumed:{cause}"
    assert act.arguments["once"] == f"u1/1/resumed:{cause}@{RESUMED_AT:.0f}"
    assert "only an attempt shows whether" in act.reason


@pytest.mark.parametrize(
    ("fact", "stuck"),
    [
        pytest.param(failed("reason:BuildFailed"), WEB, id="another was stuck"),
        pytest.param(failed("reason:BuildFailed", RESUMED_AT + 1), APPS, id="it failed since"),
        pytest.param(failed("namespace-missing:other"), APPS, id="a fact would tell"),
        pytest.param(failed("reason:BuildFailed", parked=False), APPS, id="a worker holds it"),
    ],
)
def test_no_other_is(fact: dict[str, Any], stuck: str) -> None:
    assert isinstance(answers(APPS, fact, stuck)[APPS], Wait)


def test_a_release_is_reset_with_the_same_token() -> None:
    act = answers(WEB, failed("object:ConfigMap/apps/values"), WEB)[WEB]

    assert isinstance(act, Act)
    assert act.arguments["reset"] is True


def test_what_is_seen_to_be_there_is_not_blind() -> None:
    seen = facts({"secret/flux-system/sops-age": "Ready"})

    assert not is_blind("object:Secret/flux-system/sops-age", seen)
    assert is_blind("object:Secret/flux-system/sops-age", {})
    assert not is_blind("dependency:flux-system/other", {})
