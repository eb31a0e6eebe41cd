"""Every rule against every recorded object: what each shows, and that nothing else is seen in it."""

from __future__ import annotations

import pytest

from phases.diagnosis.catalogue import BY_ID, RULES, diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.rule import Proof
from phases.diagnosis.structure import blocking
from tests.phases.diagnosis.scenes import recorded, rules_of, scene
from tests.testbed.causes.expected import EVERYTHING, family_of

# Alone in a cluster: no controller is listed as a Deployment, so F1 speaks for all of Flux and is left out here.
SHOWN = {
    "accident2-kustomization-hc-timeout-detecting-drift": [],
    "accident2-kustomization-infra-detecting-drift": [],
    "gitrepository-no-branch": ["S2"],
    "gitrepository-ready": [],
    "gitrepository-unreachable": ["S2"],
    "helmchart-no-chart": ["S3"],
    "helmrelease-after-bad-false-dependencynotready": ["H6"],
    "helmrelease-dep-absent-false-dependencynotready": ["H6"],
    "helmrelease-good": [],
    "helmrelease-good-false-sourcenotready": ["H4"],
    "helmrelease-good-true-installsucceeded": [],
    "helmrelease-good-unknown-progressing": [],
    "helmrelease-needs-crd-false-installfailed": ["H8"],
    "helmrelease-never-ready-false-installfailed": ["H1"],
    "helmrelease-no-chart": ["H4"],
    "helmrelease-rollback-false-installfailed": ["H1"],
    "helmrelease-rollback-unknown-progressing": [],
    "kustomization-apps-false-dependencynotready": ["K2"],
    "kustomization-apps-none-none": [],
    "kustomization-apps-true-reconciliationsucceeded": [],
    "kustomization-apps-unknown-progressing": [],
    "kustomization-bad-build-false-buildfailed": ["K10"],
    "kustomization-bad-path-false-artifactfailed": ["K6"],
    "kustomization-cluster-apps-false-artifactfailed": ["K5"],
    "kustomization-crd-missing-false-reconciliationfailed": [],
    "kustomization-deleting-controller-down": ["K20"],
    "kustomization-deleting-prune-blocked-by-webhook": ["K20"],
    "kustomization-dep-absent-false-dependencynotready": ["K2"],
    "kustomization-hc-timeout-false-healthcheckfailed": ["K14"],
    "kustomization-hc-timeout-true-timeout": ["K13"],
    "kustomization-ns-missing-false-reconciliationfailed": [],
    "kustomization-source-broken": ["K5"],
    "kustomization-suspended": ["K18"],
    "kustomization-webhook-down": [],
    "recover-kustomization-infra-false-reconciliationfailed": [],
}
OURS = {"E", "F", "H", "K", "S"}


@pytest.mark.parametrize("name", SHOWN)
def test_a_recorded_object_shows_this_and_nothing_else(name: str) -> None:
    found = [rule for rule in rules_of(scene(recorded(name))) if rule[0] in OURS - {"F"}]

    assert SHOWN[name] == found


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(RULES)


def test_what_is_said_to_be_seen_on_a_controller_is_seen_by_the_live_test() -> None:
    """
    ``tests/system/test_causes.py`` asks a real cluster for each of them, and for their neighbours.

    It asks for L4 as well: there is nobody who gives addresses, but nobody either who says why not.
    """
    claimed = {rule.id for rule in RULES if rule.proof is Proof.CONTROLLER}

    assert claimed == {cause.rule for cause in EVERYTHING} - {"L4"}


def test_a_neighbour_is_what_its_rule_could_name() -> None:
    """
    One of another family proves nothing: no finding of the rule can be about it.

    Recipe: let the neighbour of L12 be ``deployment/apps/web``.
    """
    other = {cause.id: cause.well for cause in EVERYTHING if family_of(cause.well) != cause.family}

    assert {} == other


def test_a_finding_says_what_will_clear_it_and_what_can_be_done() -> None:
    for name in SHOWN:
        for finding in diagnose(scene(recorded(name))).values():
            assert finding.clears_when
            assert finding.remedies
            assert finding.evidence
            assert finding.clears_itself in {"yes", "no", "unknown"}


def test_what_others_wait_for_is_the_one_root_and_they_are_its_victims() -> None:
    """``dep-waiting`` depends on ``hc-timeout``: an edge, and no finding of its own."""
    looked_at = scene(
        recorded("kustomization-hc-timeout-true-timeout"),
        recorded("kustomization-dep-waiting"),
        unlisted=("Deployment",),
    )

    (root,) = roots_of(diagnose(looked_at), blocking(looked_at))

    assert ("K13", ("kustomization/flux-system/dep-waiting",)) == (root.finding.rule, root.victims)


def test_a_source_that_fails_is_the_root_of_what_it_feeds() -> None:
    looked_at = scene(
        recorded("gitrepository-unreachable"),
        recorded("kustomization-source-broken"),
        unlisted=("Deployment",),
    )

    (root,) = roots_of(diagnose(looked_at), blocking(looked_at))

    assert ("S2", ("kustomization/flux-system/source-broken",)) == (root.finding.rule, root.victims)


def test_a_chart_that_fails_is_the_root_of_its_release() -> None:
    looked_at = scene(
        recorded("helmchart-no-chart"), recorded("helmrelease-no-chart"), unlisted=("Deployment",)
    )

    (root,) = roots_of(diagnose(looked_at), blocking(looked_at))

    assert ("S3", ("helmrelease/flux-system/no-chart",)) == (root.finding.rule, root.victims)
