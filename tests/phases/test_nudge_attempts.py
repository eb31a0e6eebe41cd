"""
A nudge is tried for each cause by itself, and given up for that cause alone.

It is sent once for a UID, a generation and the end of a cause, so that another of them is another wish: six that
arrived, or one that was refused, say nothing of it. Mutants, each killed here: count by the object; take what an object
says just now (it is suspended, it is being deleted) for a refusal that lasts; try the same one without end.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.allowing import allowed
from engine.answer import Act, Answer, Stuck, Wait
from engine.draft import Draft
from engine.judging import Rules
from engine.memory import Memory
from engine.observing import schedule_retries
from phases import flux_synced
from phases.recipe import recipe
from phases.verbs import NUDGE, VERBS
from tests.phases.making import START, facts, memory_of, plan

READY = {
    "deployment/flux-system/source-controller": "Ready",
    "deployment/flux-system/kustomize-controller": "Ready",
    "deployment/flux-system/helm-controller": "Ready",
    "gitrepository/flux-system/flux-system": {"code": "Ready", "detail": {"revision": "main@1"}},
    "namespace/apps": "Ready",
    "crd/gadgets.example.com": {
        "code": "Ready",
        "detail": {"kind": "Gadget", "group": "example.com"},
    },
    "kustomization/flux-system/cluster": "Ready",
    "kustomization/flux-system/apps": "Ready",
    "store/vault": "Ready",
    "externalsecret/apps/login": "Ready",
}
WEB = "helmrelease/apps/web"
PLAN = plan()
MOST = VERBS[NUDGE].retry.attempts
Attempts = list[dict[str, Any]]


def memory(attempts: Attempts, now: float, cause: str = "namespace:apps", **detail: Any) -> Memory:  # noqa: ANN401
    blocked = {
        "code": "Blocked",
        "reason": "it failed",
        "since": START + now - 5,
        "detail": {"cause": cause, **detail},
    }
    return memory_of(PLAN, facts({**READY, WEB: blocked}), {"attempts": attempts}, now)


def wished(now: Memory) -> Act:
    act = flux_synced.decide(PLAN, now.facts, {}, now)[WEB]
    assert isinstance(act, Act)
    return act


def given(now: Memory) -> Answer:
    return allowed(PLAN, now, WEB, wished(now), [])


def tried(now: Memory, outcome: str, code: str = "", why: str = "") -> dict[str, Any]:
    """Do what is wished, with this end."""
    return {
        "verb": NUDGE,
        "target": WEB,
        "outcome": outcome,
        "code": code,
        "at": now.now - START,
        "arguments": wished(now).arguments,
        "evidence": {"why": why} if why else {},
    }


def test_what_was_woken_for_many_causes_is_woken_for_one_more() -> None:
    """The seventh was stuck: "was tried 6 times; the last time: done"."""
    attempts: Attempts = []
    for number in range(MOST + 2):
        now = memory(attempts, 100.0 * (number + 1), generation=number)
        assert isinstance(given(now), Act), f"nudge {number + 1}"
        attempts.append(tried(now, "done"))


@pytest.mark.parametrize("code", ["transient", "conflict", "not-found", "precondition"])
def test_what_never_arrives_is_given_up_for_this_cause_and_not_for_the_next(code: str) -> None:
    attempts: Attempts = []
    for number in range(MOST):
        now = memory(attempts, 100.0 * (number + 1))
        assert isinstance(given(now), Act), f"attempt {number + 1}"
        attempts.append(tried(now, "failed", code))

    same = given(memory(attempts, 900.0))
    assert isinstance(same, Stuck)
    assert same.reference == "attempts-exhausted"
    assert isinstance(given(memory(attempts, 900.0, "kind:Gadget.example.com")), Act)
    assert isinstance(given(memory(attempts, 900.0, uid="another")), Act)


@pytest.mark.parametrize("why", ["it is being deleted", "it is suspended"])
def test_what_an_object_says_just_now_ends_nothing(why: str) -> None:
    """The look was older; a run of which nothing else is left would end as stuck before the next one shows it."""
    before = memory([], 100.0)
    once = [tried(before, "failed", "precondition", why)]

    draft = Draft(Rules.of(recipe(), PLAN), memory(once, 100.0), START + 100.0)
    schedule_retries(draft, lambda: 1.0)
    waits = given(draft.memory)

    assert isinstance(waits, Wait)
    assert why in waits.reason
    assert waits.until == START + 102.0


@pytest.mark.parametrize(
    "other", [{"uid": "anew"}, {"generation": 2}], ids=["made anew", "resumed"]
)
def test_a_refusal_stands_for_what_was_refused(other: dict[str, Any]) -> None:
    before = memory([], 100.0)
    refused = [tried(before, "failed", "denied", "no")]

    same = given(memory(refused, 200.0))
    assert isinstance(same, Stuck)
    assert same.reference == "action-refused"
    assert isinstance(given(memory(refused, 200.0, **other)), Act)
