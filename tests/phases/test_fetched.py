"""
A chart's source that failed before the network was up is woken once, and not tried again a quarter of an hour later.

Mutants, each killed here: any family left out of ``NUDGED``, ``SOURCES`` or ``KINDS``; the plan's own source is
judged twice; what nobody of the inventory needs is judged; a worker's is woken; what was woken in vain is answered for.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.answer import Act, Answer, Wait
from engine.folding import fold_all
from journal import entries as e
from journal.entries import Fact
from phases import codes, fetched, flux_synced, order
from phases.clearing import SOURCES
from phases.facts import reduce
from phases.nudges import CONFIRM_SECONDS
from phases.section import Section
from tests.phases.diagnosis.flux_objects import SINCE, flux, hr, ks, source
from tests.phases.diagnosis.scenes import scene
from tests.phases.making import START, facts, memory_of, plan

LOST = "failed to pull: dial tcp: lookup ghcr.io on 10.96.0.10:53: no such host"
REFUSED = "failed to pull: 401 unauthorized"
RETRY = ("True", "ProgressingWithRetry", "")
WAITING = ("False", "SourceNotReady", "HelmChart is not ready")
OCI = {"chartRef": {"kind": "OCIRepository", "name": "web"}}
CHART, CHARTS = "helmchart/apps/apps-web", "helmrepository/apps/charts"
UP = {
    "deployment/flux-system/source-controller": "Ready",
    "deployment/flux-system/kustomize-controller": "Ready",
    "deployment/flux-system/helm-controller": "Ready",
    "daemonset/kube-system/cilium": {"code": "Ready", "since": SINCE + 10},
    "deployment/kube-system/coredns": {"code": "Ready", "since": SINCE + 20},
    "gitrepository/flux-system/flux-system": {"code": "Ready", "detail": {"revision": "main@1"}},
    "namespace/apps": "Ready",
    "crd/gadgets.example.com": "Ready",
    "kustomization/flux-system/cluster": "Ready",
    "kustomization/flux-system/apps": "Ready",
    "store/vault": "Ready",
    "externalsecret/apps/login": "Ready",
    "helmrelease/apps/web": {"code": "Blocked", "detail": {"cause": "reason:SourceNotReady"}},
}
PLAN = plan()
SECTION: Section = PLAN.target


def lost(kind: str, name: str, message: str = LOST, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    ready = ("False", more.pop("reason", "FetchFailed"), message)
    return flux(kind, name, namespace="apps", **{"ready": ready, "reconciling": RETRY, **more})


def judged(*objects: dict[str, Any], **known: str) -> dict[str, Fact]:
    """*known*: the code of what is to be another than in ``UP``."""
    told = {"apps": "kustomization/flux-system/apps", "web": "helmrelease/apps/web"}
    given = facts({**UP, **{told[name]: code for name, code in known.items()}})
    return fetched.facts_of(SECTION, scene(*objects).snapshot, given)


def answers(
    *objects: dict[str, Any],
    up: dict[str, Any] | None = None,
    attempts: tuple[dict[str, Any], ...] = (),
    stuck: str = "",
) -> dict[str, Answer]:
    given = facts({**UP, **(up or {})})
    known = {**given, **fetched.facts_of(SECTION, scene(*objects).snapshot, given)}
    memory = memory_of(PLAN, known, {"attempts": attempts}, 1000)
    if stuck:
        told: dict[str, Any] = {stuck: {"answer": "stuck"}}
        later = SINCE + 900
        memory = fold_all(
            memory,
            [
                e.Decided(at=START + 1000, state="flux-synced", answers=told),
                e.RunInterrupted(at=START + 1000, why="stuck"),
                e.RunResumed(at=later, holder="me", idle_seconds=0.0),
            ],
        )
    found = flux_synced.decide(PLAN, known, {}, memory)
    return {s: a for s, a in found.items() if s.startswith(SOURCES)}


CHARTS_OF_HELM = (
    hr("web", ready=WAITING),
    lost("HelmChart", "apps-web", spec={"sourceRef": {"kind": "HelmRepository", "name": "charts"}}),
    lost("HelmRepository", "charts"),
)


@pytest.mark.parametrize(
    ("objects", "woken"),
    [
        pytest.param(
            (
                hr("web", ready=WAITING, spec=OCI, status={"helmChart": ""}),
                lost("OCIRepository", "web"),
            ),
            ["ocirepository/apps/web"],
            id="oci",
        ),
        pytest.param(CHARTS_OF_HELM, [CHART, CHARTS], id="chart and repository"),
    ],
)
def test_a_source_that_was_tried_before_the_network_was_up_is_woken(
    objects: tuple[dict[str, Any], ...], woken: list[str]
) -> None:
    told = answers(*objects)

    assert sorted(told) == woken
    for subject, act in told.items():
        assert isinstance(act, Act)
        assert act.verb == "flux.nudge"
        assert subject == f"{act.arguments['kind']}/apps/{act.arguments['name']}".lower()
        key = f"uid-{act.arguments['name']}/0/reason:FetchFailed@{SINCE:.0f}"
        assert act.arguments["once"] == key


def test_so_is_the_repository_of_another_tree() -> None:
    other = {"kind": "GitRepository", "name": "other", "namespace": "apps"}
    tree = (ks("apps", spec={"sourceRef": other}), lost("GitRepository", "other"))
    blocked = {"kustomization/flux-system/apps": {"code": "Blocked", "detail": {"cause": "x"}}}

    assert list(answers(*tree, up=blocked)) == ["gitrepository/apps/other"]


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param((CHARTS_OF_HELM[0], lost("OCIRepository", "web")), id="nobody needs it"),
        pytest.param(
            (CHARTS_OF_HELM[0], lost("HelmChart", "apps-web", REFUSED)), id="it was refused"
        ),
        pytest.param(
            (CHARTS_OF_HELM[0], lost("HelmChart", "apps-web", since=SINCE + 30)),
            id="it failed after the network was up",
        ),
        pytest.param(
            (
                CHARTS_OF_HELM[0],
                lost("HelmChart", "apps-web", reconciling=("True", "Progressing", "")),
            ),
            id="a worker holds it",
        ),
        pytest.param(
            (CHARTS_OF_HELM[0], lost("HelmChart", "apps-web", reason="SourceUnavailable")),
            id="it waits for its own source",
        ),
    ],
)
def test_no_other_is(objects: tuple[dict[str, Any], ...]) -> None:
    assert answers(*objects) == {}


def test_what_was_woken_in_vain_is_not_woken_again_and_keeps_nobody_waiting() -> None:
    failing = (CHARTS_OF_HELM[0], lost("HelmChart", "apps-web"))
    key = f"uid-apps-web/0/reason:FetchFailed@{SINCE:.0f}"
    arguments = {"once": key, "requested_at": "T#1"}
    nudged = {"verb": "flux.nudge", "target": CHART, "outcome": "done", "arguments": arguments}

    (asked,) = answers(*failing, attempts=({**nudged, "at": 990},)).values()
    assert isinstance(asked, Wait)
    assert asked.until == START + 990 + CONFIRM_SECONDS
    assert answers(*failing, attempts=({**nudged, "at": 0},)) == {}


def test_what_was_refused_is_woken_once_a_person_resumed_what_was_stuck_for_it() -> None:
    refused = (CHARTS_OF_HELM[0], lost("HelmChart", "apps-web", REFUSED))

    act = answers(*refused, stuck=CHART)[CHART]

    assert isinstance(act, Act)
    assert act.arguments["cause"] == "resumed:reason:FetchFailed"
    assert answers(*refused, stuck="helmrelease/apps/other") == {}


def test_facts_are_made_of_nothing_but_what_failed_and_is_needed() -> None:
    ready = source(
        "HelmChart", "apps-web", namespace="apps", ready=("True", "Ok", ""), revision="1"
    )
    own = lost("GitRepository", "flux-system")
    own["metadata"]["namespace"] = "flux-system"

    assert judged(CHARTS_OF_HELM[0], ready) == {}
    assert judged(ks("apps"), own, apps="Blocked") == {}
    assert sorted(judged(*CHARTS_OF_HELM)) == [CHART, CHARTS]
    assert judged(*CHARTS_OF_HELM, web="Ready") == {}
    assert judged(*CHARTS_OF_HELM[1:]) == {}


def test_they_are_facts_of_every_look() -> None:
    found = reduce(PLAN, scene(*CHARTS_OF_HELM).snapshot)

    assert found[CHART].detail["unreached"] is True
    assert found[CHARTS].code == codes.BLOCKED


def test_they_come_before_what_needs_them() -> None:
    """Mutant: a family is left out of ``order.FAMILIES``."""
    own, release = "gitrepository/flux-system/flux-system", "helmrelease/apps/web"
    tree = "kustomization/flux-system/apps"
    oci = "ocirepository/apps/web"

    assert order.urgency(SECTION, {}, [release, tree, CHART, CHARTS, oci, own]) == [
        *(own, oci, CHARTS, CHART),
        *(tree, release),
    ]
