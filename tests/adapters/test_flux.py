"""A nudge at the object itself: what is looked at last, before the annotation is written."""

from __future__ import annotations

import json

import pytest

from journal.entries import Json, Outcome
from rekindle.adapters import flux
from rekindle.adapters.kubernetes import Api
from tests.adapters.conftest import make_intent
from tests.adapters.scripted import Answer, ScriptedApi

HR = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases/apps"
GIT = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/apps"
KS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/apps"


def found(reason: str, ready: str = "False") -> Answer:
    conditions = [
        {"type": "Reconciling", "status": "True", "reason": reason},
        {"type": "Ready", "status": ready, "reason": "x"},
    ]
    metadata = {"name": "apps", "uid": "u1", "generation": 3, "resourceVersion": "41"}
    body = {"kind": "Kustomization", "metadata": metadata, "status": {"conditions": conditions}}
    return Answer(json.dumps(body).encode())


PATHS = {"GitRepository": GIT, "HelmRelease": HR, "Kustomization": KS}


def nudged(
    scripted: ScriptedApi,
    api: Api,
    answer: Answer,
    kind: str = "Kustomization",
    **more: Json,
) -> tuple[Outcome, str, int]:
    path = PATHS[kind]
    scripted.on(path, answer)
    scripted.on(path, answer, method="PATCH")
    arguments: dict[str, Json] = {
        "kind": kind,
        "namespace": "flux-system",
        "name": "apps",
        "uid": "u1",
        "generation": 3,
        "requested_at": "T#1",
        **more,
    }
    settled = flux.nudge(make_intent("flux.nudge", **arguments), api)
    return settled.outcome, settled.code, len(scripted.asked_for(path, "PATCH"))


def test_what_a_worker_holds_is_left_alone(scripted: ScriptedApi, api: Api) -> None:
    """Mutant: leave out the look at Reconciling; the nudge queues behind the worker, or cancels its health check."""
    assert nudged(scripted, api, found("Progressing")) == (Outcome.FAILED, "conflict", 0)


def test_what_is_parked_until_its_retry_is_woken(scripted: ScriptedApi, api: Api) -> None:
    assert nudged(scripted, api, found("ProgressingWithRetry")) == (Outcome.DONE, "", 1)


def test_a_release_that_waits_calls_itself_progressing_and_is_woken(
    scripted: ScriptedApi, api: Api
) -> None:
    """Mutant: judge a HelmRelease as a Kustomization; none that waits is ever woken."""
    waits, works = found("Progressing"), found("Progressing", ready="Unknown")

    assert nudged(scripted, api, waits, "HelmRelease") == (Outcome.DONE, "", 1)
    assert nudged(scripted, api, works, "HelmRelease")[:2] == (Outcome.FAILED, "conflict")


def test_a_source_that_a_worker_fetches_is_left_alone(scripted: ScriptedApi, api: Api) -> None:
    """Mutant: look at Reconciling of a Kustomization only; the nudge queues behind the fetch."""
    works, waits = found("Progressing"), found("ProgressingWithRetry")

    assert nudged(scripted, api, works, "GitRepository") == (Outcome.FAILED, "conflict", 0)
    assert nudged(scripted, api, waits, "GitRepository") == (Outcome.DONE, "", 1)


@pytest.mark.parametrize("kind", sorted(PATHS))
def test_what_became_ready_meanwhile_is_left_alone(
    scripted: ScriptedApi, api: Api, kind: str
) -> None:
    """Mutant: leave out the look at Ready; what came right by itself begins anew."""
    ready = found("ProgressingWithRetry", ready="True")

    assert nudged(scripted, api, ready, kind) == (Outcome.FAILED, "conflict", 0)


def test_what_was_ready_when_it_was_decided_is_woken(scripted: ScriptedApi, api: Api) -> None:
    """A parent that shall bring back what vanished. Mutant: refuse whatever is Ready."""
    ready = found("ProgressingWithRetry", ready="True")

    assert nudged(scripted, api, ready, ready=True) == (Outcome.DONE, "", 1)
    still = found("ProgressingWithRetry")
    assert nudged(scripted, api, still, ready=True)[:2] == (Outcome.DONE, "")
