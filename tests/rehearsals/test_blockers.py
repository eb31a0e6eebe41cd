"""
Dead registrations in whole rehearsals: doubt, blindness, and a backend that comes by itself.

Promises: what was removed is not removed twice on doubt; what cannot be listed is neither removed nor waited for; a
backend that is expected is waited for, and nobody is asked; a webhook that nobody answers is found before it has
refused anybody.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from journal import entries as e
from phases.snapshot import MORE_KINDS, Snapshot, Unseen
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import (
    AdmissionWebhook,
    AggregatedApi,
    Scenario,
    find_scenario,
    load_scenario,
)
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


@pytest.mark.parametrize("first", [True, False])
def test_of_two_configurations_with_one_webhook_the_dead_one_is_asked_about(*, first: bool) -> None:
    """
    Two releases of one chart bring the same name twice. Mutants: the first of a name counts, or the last.

    Then the one that serves is accused, nobody is asked about the other, and the run waits until its deadline.
    """
    found = loaded("dead-webhook")
    (dead,) = found.initial.webhooks
    serves = replace(
        dead, configuration="twin", service="kube-system/twin", backend="kube-system/coredns"
    )
    hooks = (serves, dead) if first else (dead, serves)
    begun = replace(found, initial=replace(found.initial, webhooks=hooks))
    run, cluster = story("dead-webhook", found=begun, operator=found.operator)

    assert run.to_the_end() == "done"

    asked = {x.subject for x in run.book.entries() if isinstance(x, e.ApprovalAsked)}
    assert {s for s in asked if "webhook" in s} == {"validatingwebhookconfiguration/policy-engine"}
    assert set(cluster.api.all("ValidatingWebhookConfiguration")) == {"twin"}
    told = {
        key for x in run.book.entries() if isinstance(x, e.FindingsChanged) for key in x.changed
    }
    assert "WH1:validatingwebhookconfiguration/twin" not in told


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


WH1 = "WH1:validatingwebhookconfiguration/guard"


def guarded(name: str, **fields: Any) -> Scenario:  # noqa: ANN401
    """A scenario in which somebody must be asked about every ExternalSecret, and about nothing yet."""
    found = loaded(name)
    given: dict[str, Any] = {
        "configuration": "guard",
        "name": "guard.example.com",
        "service": "policy/guard",
        "resources": ("externalsecrets.external-secrets.io",),
        **fields,
    }
    return replace(found, initial=replace(found.initial, webhooks=(AdmissionWebhook(**given),)))


def found_and_refused(entries: list[e.AnyEntry]) -> tuple[float | None, float | None]:
    """When the dead webhook was named first, and when the first object was told no because of it."""
    named = (x.at for x in entries if isinstance(x, e.FindingsChanged) and WH1 in x.changed)
    refused = (
        x.at
        for x in entries
        if isinstance(x, e.Observed)
        and any(f.detail.get("cause") == "webhook:guard.example.com" for f in x.changed.values())
    )
    return next(named, None), next(refused, None)


def test_a_webhook_that_nobody_answers_is_found_before_it_refuses_anybody() -> None:
    """
    On june-12 nobody applies a secret before the held namespaces are back. Mutant: watch ``KINDS`` alone.
    """
    found = guarded("june-12")
    run, cluster = story("june-12", found=found, seed=found.seed, operator=found.operator)

    assert run.to_the_end() == "done"

    entries = run.book.entries()
    named, refused = found_and_refused(entries)
    assert named == next(x.at for x in entries if isinstance(x, e.Observed))
    assert refused is not None
    assert refused > named + 30
    first = next(x for x in entries if isinstance(x, e.FindingsChanged)).changed[WH1]
    assert (first.blocks, first.clears_itself) == ((), "unknown")
    assert "Service policy/guard does not exist" in first.message
    assert cluster.actions.counts["webhook.remove"] == 1


def test_one_in_nobodys_way_is_named_and_let_be() -> None:
    found = guarded("healthy", resources=("gadgets.example.com",))
    run, cluster = story("healthy", found=found, operator=NOBODY)

    assert run.to_the_end() == "done"

    assert WH1 in run.book.folded().findings
    assert not cluster.actions.counts
    assert not [x for x in run.book.entries() if isinstance(x, e.ApprovalAsked)]


def test_who_may_not_list_services_finds_it_once_somebody_was_refused_and_goes_on() -> None:
    """What was not seen is no evidence; and what only rules read holds nobody up."""
    gone = dict.fromkeys(MORE_KINDS, Unseen(0.0, "denied", "forbidden"))

    def unread(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, objects={**snapshot.objects, **gone})

    found = guarded("june-12")
    run, _ = story(
        "june-12", found=found, seed=found.seed, operator=found.operator, blindfold=unread
    )

    assert run.to_the_end() == "done"

    named, refused = found_and_refused(run.book.entries())
    assert named is not None
    assert refused is not None
    assert named >= refused


@pytest.mark.parametrize("name", ["cold", "june", "healthy"])
def test_what_only_rules_read_is_in_no_journal_and_makes_no_turn(name: str) -> None:
    """The same story, entry by entry, by somebody who may not list any of these kinds."""
    gone = dict.fromkeys(MORE_KINDS, Unseen(0.0, "denied", "forbidden"))

    def unread(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, objects={**snapshot.objects, **gone})

    told = []
    for blindfold in (unread, lambda snapshot: snapshot):
        run, _ = story(name, blindfold=blindfold)
        assert run.to_the_end() == "done"
        told.append([x for x in run.book.entries() if not isinstance(x, e.FindingsChanged)])

    assert told[0] == told[1]
