"""
One question for every kind.

Mutants, killed here: Unseen taken for absent; an unknown kind refused; a kind without its rule.
"""

from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Fact
from phases import codes
from phases.more_objects import Anything, JobSpec
from phases.readiness.saying import absent, blocked, can_clear, failed
from phases.readiness.verdict import STRUCTS, Context, struct_of, verdict
from phases.snapshot import ALL_KINDS, KINDS, Unseen
from tests.phases.readiness.given import DELETED, GONE_AT, MOVED_AT, cases, made, said

ALWAYS = ("ConfigMap", "CronJob", "PodDisruptionBudget", "Secret")
UNJUDGED = {
    "Certificate",
    "CertificateSigningRequest",
    "Gateway",
    "VolumeAttachment",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "EndpointSlice",
}


@pytest.mark.parametrize("kind", [*STRUCTS, *ALWAYS, "Widget"])
def test_what_nobody_could_see_is_unobservable_and_not_absent(kind: str) -> None:
    unseen = verdict(kind, Unseen(MOVED_AT, "refused", "no route"))

    assert Fact("Unobservable", "no route", MOVED_AT) == unseen
    assert "Absent" == verdict(kind, None).code


@pytest.mark.parametrize("kind", [*STRUCTS, *ALWAYS, "Widget"])
def test_what_is_to_go_is_terminating_since_its_deletion(kind: str) -> None:
    found = made(struct_of(kind), "Ready=True/x", **DELETED, finalizers=["example.com/hold"])
    fact = verdict(kind, found)

    assert ("Terminating example.com/hold", GONE_AT) == (said(fact), fact.since)


@pytest.mark.parametrize("kind", [*STRUCTS, *ALWAYS, "Widget"])
def test_an_object_that_says_nothing_gets_a_verdict_of_the_vocabulary(kind: str) -> None:
    words = {codes.READY, codes.PROGRESSING, codes.UNOBSERVABLE}

    assert verdict(kind, made(struct_of(kind))).code in words


def test_every_kind_that_a_recovery_lists_has_a_struct_and_a_rule_of_its_own() -> None:
    assert set(KINDS) <= set(ALL_KINDS) <= set(STRUCTS)
    silent = {
        kind
        for kind in STRUCTS
        if verdict(kind, made(STRUCTS[kind])).reason == "nothing says otherwise"
    }
    assert UNJUDGED == silent


def test_an_unknown_kind_is_judged_as_kstatus_does() -> None:
    widget: Any = made(struct_of("Widget"), "Stalled=True/Broken")

    assert isinstance(widget, Anything)
    assert "Failed! reason:Broken" == said(verdict("Widget", widget))


READY = "Ready=True/x"
PODS = {"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
BOUND = {"phase": "Bound"}
OWNER = {"claimRef": {"namespace": "apps", "name": "x"}}
DONE = {"latestMoverStatus": {"result": "Successful"}, "latestImage": {"name": "i"}}
CONTEXTS = {
    "pods of its own spec": ("Deployment", [], {}, PODS, Context(), "Ready"),
    "pods of the inventory": ("Deployment", [], {}, PODS, Context(expected=2), "Progressing"),
    "a StatefulSet": ("StatefulSet", [], {"replicas": 2}, PODS, Context(), "Progressing"),
    "a DaemonSet": ("DaemonSet", [], {}, {"desiredNumberScheduled": 1}, Context(), "Progressing"),
    "goal": ("Kustomization", [READY], {}, {}, Context(goal="main@sha1:1"), "Progressing"),
    "source": ("Kustomization", [READY], {}, {}, Context(source=absent()), "Blocked source"),
    "suspended": (
        "Kustomization",
        [READY],
        {"suspend": True},
        {},
        Context(suspended=True),
        "Ready",
    ),
    "suspended release": (
        "HelmRelease",
        [],
        {"suspend": True},
        {},
        Context(suspended=True),
        "Ready",
    ),
    "chart version": (
        "HelmRelease",
        [READY],
        {},
        {"history": [{"status": "deployed", "chartVersion": "1"}]},
        Context(chart_version="2"),
        "Progressing",
    ),
    "store": (
        "ExternalSecret",
        ["Ready=False/x"],
        {},
        {},
        Context(store="vault"),
        "Blocked store:vault",
    ),
    "opened": ("ExternalSecret", [READY], {}, {}, Context(opened=0.0), "Progressing"),
    "target": ("ExternalSecret", [READY], {}, {}, Context(target=frozenset()), "Blocked target"),
    "keys": (
        "ExternalSecret",
        [READY],
        {},
        {},
        Context(target=frozenset("a"), keys=frozenset("b")),
        "Blocked target",
    ),
    "now": (
        "Pod",
        ["PodScheduled=False/Unschedulable"],
        {},
        {"phase": "Pending"},
        Context(now=MOVED_AT + 60),
        "Failed reason:Unschedulable",
    ),
    "version": (
        "CustomResourceDefinition",
        ["Established=True/x"],
        {},
        {},
        Context(version="v1"),
        "Blocked version:v1",
    ),
    "discovered": (
        "CustomResourceDefinition",
        ["Established=True/x"],
        {},
        {},
        Context(discovered=False),
        "Progressing",
    ),
    "backs": ("Service", [], {}, {}, Context(backs=True, slices=()), "Blocked endpoints:apps/x"),
    "used": (
        "PersistentVolumeClaim",
        [],
        {"storageClassName": "fast"},
        {"phase": "Pending"},
        Context(used=False),
        "Blocked first-consumer",
    ),
    "claims": ("PersistentVolume", [], OWNER, BOUND, Context(claims={}), "Blocked claim:apps/x"),
    "counted": (
        "ReplicationDestination",
        [],
        {},
        DONE,
        Context(counted=0),
        "Failed! empty-restore",
    ),
    "machine": (
        "Node",
        [READY],
        {},
        {"nodeInfo": {"bootID": "b0"}},
        Context(machine=Fact("running", detail={"boot_id": "b1"})),
        "Progressing",
    ),
    "cordoned": (
        "Node",
        [READY],
        {"unschedulable": True},
        {"nodeInfo": {"bootID": "b1"}},
        Context(machine=Fact("running", detail={"boot_id": "b1"}), cordoned=True),
        "Ready",
    ),
}


@pytest.mark.parametrize(
    ("kind", "conditions", "spec", "status", "context", "expected"), cases(CONTEXTS)
)
def test_each_rule_gets_what_it_needs_beyond_the_object(
    kind: str,
    conditions: list[str],
    spec: dict[str, Any],
    status: dict[str, Any],
    context: Context,
    expected: str,
) -> None:
    found = made(struct_of(kind), *conditions, spec=spec, status=status)

    assert expected == said(verdict(kind, found, context))


def test_a_job_that_is_gone_is_judged_by_what_it_was_applied_with() -> None:
    gone = Context(as_applied=JobSpec(ttl_seconds_after_finished=60))

    assert "Ready" == verdict("Job", None, gone).code


CLEARS = {
    "ready": (Fact("Ready"), "yes"),
    "in progress": (Fact("Progressing"), "yes"),
    "absent": (absent(), "unknown"),
    "blocked": (blocked("", "store:vault"), "unknown"),
    "a namespace that is gone is made anew": (blocked("", "namespace-gone:apps"), "yes"),
    "a namespace that goes": (blocked("", "namespace:apps"), "unknown"),
    "failed": (failed("", "reason:x", terminal=False), "unknown"),
    "failed, and in vain to wait": (failed("", "reason:x", terminal=True), "no"),
    "suspended": (Fact("Suspended"), "no"),
    "terminating": (Fact("Terminating"), "unknown"),
    "unobservable": (Fact("Unobservable"), "unknown"),
}


@pytest.mark.parametrize(("fact", "expected"), cases(CLEARS))
def test_whether_waiting_alone_may_help(fact: Fact, expected: str) -> None:
    assert expected == can_clear(fact)
