"""
What is left out where it is asked about hundreds of subjects a turn, and changes no answer.

Mutants, each tried: ``mended`` keeps one rule less; ``_deployments`` forgets the family; ``_stamp`` keeps one instant
for all; what is certain is taken for what is needed.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.answer import Act
from journal.entries import Fact, Finding
from phases import codes, order
from phases.nudges import CONTROLLERS, MENDED, is_mended, mended, nudge, workers_by_family
from phases.section import Section
from tests.phases.making import START, facts, memory_of, plan

PLAN = plan()
SECTION: Section = PLAN.target
RELEASE = "helmrelease/apps/web"
FAILED = Fact(codes.FAILED, "it failed", since=START)


def found(rule: str) -> dict[str, Finding]:
    one = Finding(
        subject=RELEASE, cause="c", message="m", clears_itself="yes", rule=rule, since=START
    )
    return {"f": one}


@pytest.mark.parametrize("rule", [*sorted(MENDED), "H1", "C4"])
def test_what_was_mended_is_found_among_the_few_as_among_all(rule: str) -> None:
    findings = {**found(rule), **{f"other-{n}": one for n, one in enumerate(found("L7").values())}}

    assert is_mended(RELEASE, FAILED, mended(findings)) is is_mended(RELEASE, FAILED, findings)
    assert is_mended(RELEASE, FAILED, mended(findings)) is (rule in MENDED)


def test_each_controller_is_asked_for_its_own_workers() -> None:
    told = {
        f"deployment/flux-system/{controller}": {"code": "Ready", "detail": {"workers": count}}
        for count, controller in enumerate(CONTROLLERS.values(), start=2)
    }

    assert workers_by_family(SECTION, facts(told)) == {
        family: count for count, family in enumerate(CONTROLLERS, start=2)
    }


@pytest.mark.parametrize("later", [0.0, 0.5, 3600.0])
def test_a_nudge_bears_the_instant_of_its_turn(later: float) -> None:
    known = facts({RELEASE: {"code": "Failed", "detail": {"uid": "u1", "generation": 1}}})

    woken = nudge(SECTION, RELEASE, known[RELEASE], "x", memory_of(PLAN, known, {}, later))

    assert isinstance(woken, Act)
    at = datetime.fromtimestamp(START + later, UTC).isoformat()
    assert woken.arguments["requested_at"] == f"{at}#r1#x"


def test_what_is_behind_goes_by_what_is_certain_whatever_was_asked_before() -> None:
    """A Secret may have been put there beforehand: that it should be made holds nobody up for certain."""
    needs = ["externalsecret/apps/login"]
    inventory = {"kustomizations": [{"key": "flux-system/apps", "needs": needs}]}
    one, other = (plan({"inventory": inventory}).target for _ in range(2))
    held = {"externalsecret/apps/login"}

    order.remaining(one, facts({}), held)

    assert "kustomization/flux-system/apps" in dict(order.graph_of(one).needs)
    assert order.behind(one, facts({}), held) == order.behind(other, facts({}), held) == set()
    assert order.behind(one, facts({}), held) == set()
