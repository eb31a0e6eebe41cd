"""
A Kustomization that is Ready since before a CRD that it needs was made: what it applied of that kind is gone.

Mutants, each killed here: two clocks that differ a little count; a CRD on its way out does; the oldest of several; one
that Git suspends is woken for it; what is not Ready is told another cause than its own.
"""

from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Fact
from phases.objects import CustomResourceDefinition, Flux
from phases.readiness.flux import kustomization
from phases.readiness.remade import SKEW_SECONDS, Kind, held_against, newest
from tests.phases.readiness.given import DELETED, MOVED_AT, cases, made

LATER = MOVED_AT + 3600.0
OLD, YOUNG = "2026-06-12T08:00:00Z", "2026-06-12T10:00:00Z"
WIDGETS, GADGETS = "widgets.example.com", "gadgets.example.com"
READY = made(Flux, "Ready=True/ReconciliationSucceeded")


def crd(name: str, at: str | None, **metadata: Any) -> CustomResourceDefinition:  # noqa: ANN401
    spec = {"group": "example.com", "names": {"kind": name.partition("s.")[0].capitalize()}}
    found: CustomResourceDefinition = made(
        CustomResourceDefinition, spec=spec, **{"name": name, "creationTimestamp": at, **metadata}
    )
    return found


def kind(at: float = LATER) -> Kind:
    return Kind(WIDGETS, "Widget.example.com", at)


NEEDS = (f"crd/{WIDGETS}", f"crd/{GADGETS}", "deployment/apps/web", "crd/gizmos.example.com")
KINDS = {
    "the youngest": (crd(WIDGETS, YOUNG), crd(GADGETS, OLD), kind()),
    "whichever that is": (
        crd(WIDGETS, OLD),
        crd(GADGETS, YOUNG),
        Kind(GADGETS, "Gadget.example.com", LATER),
    ),
    "trap: one that goes": (crd(WIDGETS, YOUNG, **DELETED), crd(GADGETS, None), None),
}


@pytest.mark.parametrize(("one", "other", "expected"), cases(KINDS))
def test_the_youngest_of_what_is_needed_counts(
    one: CustomResourceDefinition, other: CustomResourceDefinition, expected: Kind | None
) -> None:
    crds = {found.metadata.name: found for found in (one, other)}

    assert newest(NEEDS, crds) == expected
    assert newest((), crds) is None


@pytest.mark.parametrize(
    ("needed", "code"),
    [
        (None, "Ready"),
        (kind(MOVED_AT - 1.0), "Ready"),
        (kind(MOVED_AT + SKEW_SECONDS), "Ready"),
        (kind(MOVED_AT + SKEW_SECONDS + 1.0), "Blocked"),
    ],
)
def test_ready_since_before_it_was_made_is_not_ready(needed: Kind | None, code: str) -> None:
    assert judged(READY, needed).code == code


def judged(found: Flux, needed: Kind | None, *, suspended: bool = False) -> Fact:
    return held_against(kustomization(found, "", suspended=suspended), found, needed)


def test_it_says_what_was_made_anew_and_since_when_and_that_it_says_ready_itself() -> None:
    fact = judged(READY, kind())

    assert (
        fact.reason == f"CRD {WIDGETS} was made anew since: what was applied of that kind is gone"
    )
    assert fact.since == LATER
    assert (fact.detail["cause"], fact.detail["says_ready"]) == ("kind:Widget.example.com", True)
    assert fact.detail["uid"] == "u1"


def test_who_has_a_cause_of_its_own_keeps_it_and_whom_git_suspends_is_left_alone() -> None:
    failed = made(Flux, "Ready=False/BuildFailed it does not build")
    paused = made(Flux, "Ready=True/ReconciliationSucceeded", spec={"suspend": True})

    assert judged(failed, kind()).detail["cause"] == "reason:BuildFailed"
    assert judged(paused, kind(), suspended=True).code == "Ready"
    assert judged(made(Flux, "Ready=Unknown/Progressing"), kind()).code == "Progressing"
