"""
Dead registrations in whole rehearsals: doubt, blindness, and a backend that comes by itself.

Promises: what was removed is not removed twice on doubt; what cannot be listed is neither removed nor waited for; a
backend that is expected is waited for, and nobody is asked.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from journal import entries as e
from phases.snapshot import Snapshot, Unseen
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import AggregatedApi, Scenario, find_scenario, load_scenario
from tests.properties.clusters import NOBODY, story

VERBS = ("apiservice.remove", "webhook.remove")
KINDS = ("APIService", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def loaded(name: str) -> Scenario:
    return load_scenario(find_scenario(name))


def unlisted(snapshot: Snapshot) -> Snapshot:
    """The same look by somebody who may not list these kinds."""
    gone = dict.fromkeys(KINDS, Unseen(0.0, "denied", "forbidden"))
    return replace(snapshot, objects={**snapshot.objects, **gone})


@pytest.mark.parametrize("verb", VERBS)
def test_an_answer_that_was_lost_is_looked_for_and_nothing_is_removed_twice(verb: str) -> None:
    found = loaded("dead-webhook")
    faults = Faults(lost_answers=(f"{verb}#1",))
    run, cluster = story("dead-webhook", found=found, operator=found.operator, faults=faults)

    assert run.to_the_end() == "done"

    assert cluster.actions.counts[verb] == 1
    settled = [
        entry.by
        for entry in run.book.entries()
        if isinstance(entry, e.ActionSettled) and entry.verb == verb
    ]
    assert "probe" in settled


@pytest.mark.parametrize("verb", VERBS)
def test_a_request_that_never_arrived_is_sent_again_once_that_is_proven(verb: str) -> None:
    found = loaded("dead-webhook")
    faults = Faults(lost_requests=(f"{verb}#1",))
    run, cluster = story("dead-webhook", found=found, operator=found.operator, faults=faults)

    assert run.to_the_end() == "done"

    assert cluster.actions.counts[verb] == 2


def test_without_anybody_to_ask_nothing_is_removed() -> None:
    found = loaded("dead-webhook")
    run, cluster = story("dead-webhook", found=found, operator=NOBODY)

    ended = run.session()

    assert ended is not None
    assert ended.outcome == "waiting"
    assert {cluster.actions.counts[verb] for verb in VERBS} == {0}
    typed = {q.typed for q in ended.memory.approvals.values()}
    assert typed == {"v1beta1.custom.metrics.k8s.io", "policy-engine"}
    assert ended.memory.now - ended.memory.opened_at < 600


def test_what_cannot_be_listed_is_not_removed() -> None:
    found = loaded("dead-webhook")
    run, cluster = story("dead-webhook", found=found, operator=found.operator, blindfold=unlisted)

    ended = run.session()

    assert ended is not None
    assert ended.outcome != "done"
    assert {cluster.actions.counts[verb] for verb in VERBS} == {0}


@pytest.mark.parametrize("name", ["cold", "june", "healthy"])
def test_what_cannot_be_listed_holds_nothing_up(name: str) -> None:
    run, _ = story(name, blindfold=unlisted)

    assert run.to_the_end() == "done"


def test_a_backend_that_is_to_come_is_waited_for_and_nobody_is_asked() -> None:
    """The metrics server's pods wait for the network, and namespace storage for the metrics server."""
    found = loaded("june-12")
    served = AggregatedApi(
        "v1beta1.metrics.k8s.io", "kube-system/metrics-server", "kube-system/metrics-server"
    )
    begun = replace(found, initial=replace(found.initial, apis=(served,)))
    run, cluster = story("june-12", found=begun, seed=found.seed, operator=found.operator)
    assert _is_undiscovered(cluster.api.get("Namespace", "storage"))

    assert run.to_the_end() == "done"

    assert cluster.actions.counts["apiservice.remove"] == 0
    asked = [x.subject for x in run.book.entries() if isinstance(x, e.ApprovalAsked)]
    assert {subject.partition("/")[0] for subject in asked} == {"holder"}


def _is_undiscovered(namespace: Any) -> bool:  # noqa: ANN401
    found = {c.type: c.status for c in namespace.status.conditions}
    return bool(found["NamespaceDeletionDiscoveryFailure"] == "True")
