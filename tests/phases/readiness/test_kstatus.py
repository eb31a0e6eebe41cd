"""
Kinds without a rule: kstatus' order, the first hit wins.

Mutants, killed here: Reconciling and Stalled asked by rank instead of in list order; Ready=False is a failure; a
missing observedGeneration is an old one; a wait that ends when something is Terminating.
"""

from __future__ import annotations

from typing import Any

import pytest

from phases.more_objects import Anything
from phases.readiness.kstatus import ends_wait, existing, generic
from tests.phases.readiness.given import DELETED, MOVED_AT, cases, made, said

BUSY, STALLED, READY = "Reconciling=True/Progressing at it", "Stalled=True/Broken", "Ready=True/x"


def thing(
    *conditions: str,
    generation: int = 2,
    observed: int | None = 2,
    **metadata: Any,  # noqa: ANN401
) -> Anything:
    status = {} if observed is None else {"observedGeneration": observed}
    found: Anything = made(Anything, *conditions, status=status, generation=generation, **metadata)
    return found


TABLE = {
    "not there": (None, "Absent"),
    "1: deletion comes before all": (thing(READY, observed=1, **DELETED), "Terminating"),
    "2: then the generation": (thing(READY, observed=1), "Progressing"),
    "trap: -1 is a generation, and an old one": (thing(READY, observed=-1), "Progressing"),
    "trap: a missing observedGeneration is no error": (thing(READY, observed=None), "Ready"),
    "trap: no generation, nothing to compare": (thing(READY, generation=0, observed=7), "Ready"),
    "3: Reconciling": (thing(BUSY, READY), "Progressing"),
    "3: Stalled": (thing(STALLED, READY), "Failed! reason:Broken"),
    "3: in list order, Reconciling first": (thing(BUSY, STALLED), "Progressing"),
    "3: in list order, Stalled first": (thing(STALLED, BUSY), "Failed! reason:Broken"),
    "what is False is not said": (thing("Reconciling=False/x", "Stalled=False/x", READY), "Ready"),
    "5: Ready": (thing(READY), "Ready"),
    "trap: Ready=False is never a failure": (thing("Ready=False/Broken"), "Progressing"),
    "Ready=Unknown": (thing("Ready=Unknown/x"), "Progressing"),
    "trap: who says nothing is Current": (thing(), "Ready"),
    "trap: other conditions say nothing": (thing("Available=False/x"), "Ready"),
    "held": (thing(**DELETED, finalizers=["a/b", "c/d"]), "Terminating a/b, c/d"),
}


@pytest.mark.parametrize(("found", "expected"), cases(TABLE))
def test_generic(found: Anything | None, expected: str) -> None:
    assert expected == said(generic(found))


def test_a_verdict_by_default_says_so() -> None:
    assert ("nothing says otherwise", "") == (generic(thing()).reason, generic(thing(READY)).reason)


def test_since_when() -> None:
    assert [MOVED_AT] * 3 == [generic(thing(c)).since for c in (BUSY, STALLED, "Ready=False/x")]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, "Absent"),
        (thing(), "Ready"),
        (thing("Ready=False/x"), "Ready"),
        (thing(observed=1), "Progressing"),
        (thing(STALLED), "Failed! reason:Broken"),
        (thing(**DELETED), "Terminating"),
    ],
)
def test_some_are_ready_by_being_there(found: Anything | None, expected: str) -> None:
    assert expected == said(existing(found))


WAITS = {
    "all current": ({"Ready"}, False, True),
    "current and failed": ({"Ready", "Failed"}, False, True),
    "trap: failed beside what is in progress": ({"Failed", "Progressing"}, False, False),
    "health checks fail fast": ({"Failed", "Progressing"}, True, True),
    "trap: Terminating never ends it": ({"Ready", "Terminating"}, True, False),
    "NotFound never ends it": ({"Ready", "Absent"}, True, False),
    "Unknown never ends it": ({"Unobservable"}, True, False),
    "in progress": ({"Progressing"}, True, False),
}


@pytest.mark.parametrize(("codes", "fail_fast", "expected"), cases(WAITS))
def test_when_flux_stops_waiting(codes: set[str], fail_fast: bool, expected: bool) -> None:  # noqa: FBT001
    assert expected is ends_wait(codes, fail_fast=fail_fast)
