"""
What can never succeed is said at once, from what controllers wrote to the answer: no useless nudge comes before it.

Whoever looks at a finding alone does not see that an object was woken for nothing, and given five minutes for that.
Mutants, killed here: what a release gave up for is not kept; every failed artifact is its source's.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.answer import Act, Answer, Stuck, Wait
from phases import codes, flux_synced
from phases.objects import Flux
from phases.readiness.verdict import verdict
from phases.sentence import STANDING_SECONDS
from tests.phases.diagnosis.flux_objects import deployment, hr
from tests.phases.diagnosis.scenes import found_by, recorded, scene
from tests.phases.making import facts, memory_of, plan

APPS, WEB = "kustomization/flux-system/apps", "helmrelease/apps/web"
KNOWN = (
    *(f"deployment/flux-system/{name}-controller" for name in ("source", "kustomize", "helm")),
    "gitrepository/flux-system/flux-system",
    "namespace/apps",
    "crd/gadgets.example.com",
    "kustomization/flux-system/cluster",
    APPS,
    WEB,
    "store/vault",
    "externalsecret/apps/login",
)
STALLED = ("True", "RetriesExceeded", "Failed to install after 1 attempt(s)")
NO_KIND = 'Helm install failed: no matches for kind "Gizmo" in version "example.org/v1"'
TIMED_OUT = "Helm install failed: timeout waiting for: [Deployment/apps/web status: 'InProgress']"


def exhausted(message: str) -> dict[str, Any]:
    return hr("web", ready=("False", "InstallFailed", message), stalled=STALLED)


def answer(
    subject: str,
    found: dict[str, Any],
    rule: str,
    after: float,
    *others: dict[str, Any],
    **known: str,
) -> Answer:
    """Decide on an object as it is written down, and on what diagnosis finds of it, some seconds after the look."""
    kind = "HelmRelease" if subject == WEB else "Kustomization"
    fact = verdict(kind, msgspec.convert(found, Flux))
    said = facts({**dict.fromkeys(KNOWN, codes.READY), **known})
    said[subject] = fact
    (finding,) = found_by(rule, scene(found, *others))
    finding = msgspec.structs.replace(finding, subject=subject, root=True)
    the_plan = plan()
    told = {"findings": {"f": msgspec.to_builtins(finding)}, "found": 0}
    memory = memory_of(the_plan, said, told, after)
    return flux_synced.decide(the_plan, said, {"f": finding}, memory)[subject]


@pytest.mark.parametrize(
    ("subject", "found", "rule"),
    [
        (APPS, recorded("kustomization-bad-path-false-artifactfailed"), "K6"),
        (WEB, exhausted(NO_KIND), "H8"),
    ],
    ids=["a path that is not there", "a kind that nobody brings"],
)
def test_it_is_not_woken_and_is_stuck_once_its_cause_has_stood(
    subject: str, found: dict[str, Any], rule: str
) -> None:
    before = answer(subject, found, rule, STANDING_SECONDS - 1)
    after = answer(subject, found, rule, STANDING_SECONDS)

    assert isinstance(before, Wait), before
    assert isinstance(after, Stuck), after
    assert after.reference == "cause-cannot-clear"


def test_a_release_that_gave_up_is_waited_for_while_its_objects_come_up_and_reset_then() -> None:
    """The default of Helm: no retries, so that the first failure is the last."""
    found, late = exhausted(TIMED_OUT), {"deployment/apps/web": codes.PROGRESSING}
    there = deployment("web", namespace="apps")

    waits = answer(WEB, found, "H1", 400.0, **late)
    by_fact = answer(WEB, found, "H1", 40.0, **{"deployment/apps/web": codes.READY})
    by_look = answer(WEB, found, "H1", 40.0, there)

    assert isinstance(waits, Wait), waits
    assert isinstance(by_fact, Act), by_fact
    assert by_fact.arguments["reset"] is True
    assert str(by_fact.arguments["once"]).endswith("/health:Deployment/apps/web")
    assert by_look == by_fact
