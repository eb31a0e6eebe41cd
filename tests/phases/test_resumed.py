"""
Who is woken because a person resumed what was stuck: what was stuck, what no fact tells the end of, and no other.

Mutants, each killed here: any condition of ``is_resumed`` or ``is_blind`` left out; what a worker holds is woken; what
only a deadline ended is woken.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.answer import Act, Answer, Stuck, Wait
from engine.folding import fold_all
from engine.judging import Rules, answers_of, spelled
from journal import entries as e
from journal.entries import Finding
from phases import flux_synced
from phases.clearing import is_blind
from phases.recipe import recipe
from phases.sentence import STANDING_SECONDS
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


def test_after_a_deadline_only_what_was_named_is_woken() -> None:
    """All that was waited for is stuck by then, and nobody was told what is wrong with any one of it."""
    many = {
        f"kustomization/flux-system/k{n}": failed("reason:BuildFailed", uid=f"k{n}")
        for n in range(20)
    }
    keys = [{"key": subject.removeprefix("kustomization/")} for subject in many]
    listed = [{"key": "flux-system/cluster"}, {"key": "flux-system/apps"}, *keys]
    the_plan = plan({"inventory": {"kustomizations": listed}})
    known = facts({**READY, **many, APPS: failed("reason:ArtifactFailed", uid="apps")})
    root = Finding(APPS, "no-key", "no key", clears_itself="no", rule="K7", root=True)
    memory = fold_all(
        memory_of(the_plan, known, {}, 0),
        [
            e.FindingsChanged(at=START + 10, changed={"f": root}),
            e.Moved(at=START + 10, source="cni-up", target="flux-synced", why=""),
            e.TimerFired(at=START + 500, name="deadline/flux-synced", due=START + 500),
        ],
    )
    assert memory.passed(START + 10 + STANDING_SECONDS)
    ended = answers_of(Rules.of(recipe(), the_plan), memory)
    told = {s: answer.reference for s, answer in ended.items() if isinstance(answer, Stuck)}
    assert told == {**dict.fromkeys(many, "state-deadline-passed"), APPS: "cause-cannot-clear"}

    resumed = fold_all(
        memory,
        [
            e.Decided(
                at=START + 500,
                state="flux-synced",
                answers={subject: spelled(answer) for subject, answer in ended.items()},
            ),
            e.RunInterrupted(at=START + 500, why="stuck"),
            e.RunResumed(at=RESUMED_AT, holder="me", idle_seconds=100.0, fresh_deadlines=True),
        ],
    )
    then = flux_synced.decide(the_plan, known, {"f": root}, resumed)

    assert [subject for subject, answer in then.items() if isinstance(answer, Act)] == [APPS]
    assert not any("turn to be woken" in getattr(a, "reason", "") for a in then.values())


def test_a_release_is_reset_with_the_same_token() -> None:
    act = answers(WEB, failed("object:ConfigMap/apps/values"), WEB)[WEB]

    assert isinstance(act, Act)
    assert act.arguments["reset"] is True


def test_what_is_seen_to_be_there_is_not_blind() -> None:
    seen = facts({"secret/flux-system/sops-age": "Ready"})

    assert not is_blind("object:Secret/flux-system/sops-age", seen)
    assert is_blind("object:Secret/flux-system/sops-age", {})
    assert not is_blind("dependency:flux-system/other", {})
