"""A herd that is woken at once only queues in front of itself: few at a time, what others wait for first."""

from __future__ import annotations

from typing import Any

from engine.answer import Act, Answer, Wait
from phases import flux_synced
from phases.nudges import NUDGES_IN_FLIGHT
from tests.phases.making import facts, memory_of, plan

NAMES = ("e", "d", "c", "b", "a", "f")
# a ← b ← c ← d; e and f stand alone.
INVENTORY = {
    "kustomizations": [
        {"key": f"flux-system/{name}", "depends_on": [f"flux-system/{before}"] if before else []}
        for name, before in zip(NAMES, ("", "c", "b", "a", "", ""), strict=True)
    ],
    "helmreleases": [{"key": "apps/web"}],
    "externalsecrets": [],
    "stores": [],
    "crds": [],
    "roots": ["flux-system/a"],
}
READY = {
    "deployment/flux-system/source-controller": "Ready",
    "deployment/flux-system/kustomize-controller": "Ready",
    "deployment/flux-system/helm-controller": "Ready",
    "gitrepository/flux-system/flux-system": {"code": "Ready", "detail": {"revision": "main@1"}},
    "namespace/apps": "Ready",
}


def blocked(name: str) -> dict[str, Any]:
    return {"code": "Blocked", "detail": {"cause": "namespace:apps", "uid": f"uid-{name}"}}


def answers(attempts: tuple[dict[str, Any], ...] = (), now: float = 0) -> dict[str, Answer]:
    said = {f"kustomization/flux-system/{name}": blocked(name) for name in NAMES}
    known = facts({**READY, **said, "helmrelease/apps/web": blocked("web")})
    the_plan = plan({"inventory": INVENTORY})
    memory = memory_of(the_plan, known, {"attempts": attempts}, now)
    return flux_synced.decide(the_plan, known, {}, memory)


def woken(given: dict[str, Answer]) -> list[str]:
    return [
        s.rpartition("/")[2] for s, a in given.items() if isinstance(a, Act) and a.verb != "root"
    ]


def test_few_at_a_time_and_in_the_order_of_what_waits_for_what() -> None:
    """Mutants: sort by name alone; wake all."""
    given = answers()

    assert sorted(woken(given)) == ["a", "b", "e", "f"]
    assert len(woken(given)) == NUDGES_IN_FLIGHT
    assert given["helmrelease/apps/web"] == Wait(
        "its cause has cleared; waits for its turn to be woken"
    )


def test_what_is_in_flight_counts() -> None:
    running = {"verb": "flux.nudge", "target": "kustomization/flux-system/a", "at": -10}

    assert len(woken(answers((running, {**running, "target": "x"})))) == NUDGES_IN_FLIGHT - 2


def test_no_more_than_five_a_second_and_an_alarm_for_the_rest() -> None:
    """Mutant: leave out the alarm; nobody looks again before something else happens."""
    done = {"verb": "flux.nudge", "outcome": "done"}
    recent = tuple({**done, "target": f"t{n}", "at": 0.1 * n} for n in range(5))

    given = answers(recent, now=0.5)

    assert woken(given) == []
    alarms = [a.until for a in given.values() if isinstance(a, Wait) and a.until is not None]
    assert alarms == [10_001.0]
    assert len(woken(answers(recent, now=1.05))) == 1
