"""
Namespaces, CRDs, APIServices, and what holds them.

Mutants, killed here: only NamespaceFinalizersRemaining read; Established asked before NamesAccepted; Installing taken
for a refusal; an unserved version served; an APIService without conditions Available.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.more_objects import ApiService
from phases.objects import CustomResourceDefinition, Namespace
from phases.readiness.machinery import api_service, crd, holder, namespace
from phases.snapshot import Holder
from tests.phases.readiness.given import MOVED_AT, cases, made, said

DELETED: dict[str, Any] = {
    "deletionTimestamp": "2026-06-12T10:00:00Z",
    "creationTimestamp": "2020-01-01T00:00:00Z",
}
HELD = {
    "type": "NamespaceFinalizersRemaining",
    "status": "True",
    "message": "Some content in the namespace has finalizers remaining: example.com/keep in 1",
}


def a_namespace(phase: str, *conditions: dict[str, str], **metadata: str) -> Namespace:
    body = {
        "metadata": {"name": "apps", "uid": "u1", **metadata},
        "status": {"phase": phase, "conditions": list(conditions)},
    }
    return msgspec.convert(body, Namespace)


@pytest.mark.parametrize(
    ("found", "code", "reason"),
    [
        (None, "Absent", ""),
        (a_namespace("Active"), "Ready", ""),
        (a_namespace(""), "Ready", ""),
        (a_namespace("Odd"), "Progressing", "phase Odd"),
        (a_namespace("Terminating", **DELETED), "Terminating", "is being deleted"),
        # The timestamp decides: the phase may lag.
        (a_namespace("Active", **DELETED), "Terminating", "is being deleted"),
        (a_namespace("Terminating", HELD, **DELETED), "Terminating", "Some content"),
        (
            a_namespace("Terminating", {**HELD, "status": "False"}, **DELETED),
            "Terminating",
            "is being",
        ),
    ],
)
def test_namespaces(found: Namespace | None, code: str, reason: str) -> None:
    fact = namespace(found)

    assert (code, reason) == (fact.code, fact.reason[: len(reason)])


def test_since_when_it_is_terminating_comes_from_the_deletion_not_from_its_age() -> None:
    fact = namespace(a_namespace("Terminating", **DELETED))

    assert 1_781_258_400.0 == fact.since


ESTABLISHED, ACCEPTED = "Established=True/InitialNamesAccepted", "NamesAccepted=True/NoConflicts"
CONFLICT, CLEANUP = (
    "NamesAccepted=False/PluralConflict",
    "customresourcecleanup.apiextensions.k8s.io",
)
GOING = "Terminating=True/InstanceDeletionInProgress"
VERSIONS = {"versions": [{"name": "v1", "served": True}, {"name": "v1beta1", "served": False}]}


def rich(*conditions: str, **metadata: Any) -> CustomResourceDefinition:  # noqa: ANN401
    spec = {"group": "example.com", "names": {"kind": "Widget"}, **VERSIONS}
    found: CustomResourceDefinition = made(
        CustomResourceDefinition, *conditions, spec=spec, **metadata
    )
    return found


WHOLE = rich(ACCEPTED, ESTABLISHED)
CRDS = {
    "not there": (None, {}, "Absent"),
    "established": (WHOLE, {}, "Ready"),
    "names accepted, not established": (rich(ACCEPTED), {}, "Progressing"),
    "new": (rich(), {}, "Progressing"),
    "trap: Installing is how every CRD begins": (
        rich(ACCEPTED, "Established=False/Installing"),
        {},
        "Progressing",
    ),
    "trap: not established for another reason": (
        rich(ACCEPTED, "Established=False/NotAccepted"),
        {},
        "Failed! reason:NotAccepted",
    ),
    "two CRDs clash": (rich(CONFLICT), {}, "Failed! reason:PluralConflict"),
    "trap: established long ago, and its names are not accepted any more": (
        rich(ESTABLISHED, CONFLICT),
        {},
        "Failed! reason:PluralConflict",
    ),
    "trap: the first Established counts": (
        rich(ACCEPTED, ESTABLISHED, "Established=False/NotAccepted"),
        {},
        "Ready",
    ),
    "trap: established, and on its way out": (
        rich(ACCEPTED, ESTABLISHED, GOING, **DELETED, finalizers=[CLEANUP]),
        {},
        f"Terminating {CLEANUP}, InstanceDeletionInProgress",
    ),
    "trap: its condition says so alone": (
        rich(ACCEPTED, ESTABLISHED, GOING),
        {},
        "Blocked deletion",
    ),
    "the version is served": (WHOLE, {"version": "v1"}, "Ready"),
    "trap: the version is there and not served": (
        WHOLE,
        {"version": "v1beta1"},
        "Blocked version:v1beta1",
    ),
    "trap: the version is unknown": (WHOLE, {"version": "v2"}, "Blocked version:v2"),
    "trap: established, and not in discovery yet": (WHOLE, {"discovered": False}, "Progressing"),
    "in discovery": (WHOLE, {"discovered": True}, "Ready"),
}


@pytest.mark.parametrize(("found", "rest", "expected"), cases(CRDS))
def test_crds(found: CustomResourceDefinition | None, rest: dict[str, Any], expected: str) -> None:
    assert expected == said(crd(found, **rest))


def test_since_when_its_names_are_refused() -> None:
    assert MOVED_AT == crd(rich(CONFLICT)).since


API = "Available"
APIS = {
    "not there": (None, "Absent"),
    "available": (made(ApiService, f"{API}=True/Passed"), "Ready"),
    "of the API server itself": (made(ApiService, f"{API}=True/Local"), "Ready"),
    "trap: kstatus asks for nothing": (
        made(ApiService, f"{API}=False/MissingEndpoints no"),
        "Blocked reason:MissingEndpoints",
    ),
    "trap: what could not be checked is Unknown": (
        made(ApiService, f"{API}=Unknown/ServiceAccessError"),
        "Progressing",
    ),
    "trap: says nothing yet": (made(ApiService), "Progressing"),
    "being deleted": (made(ApiService, f"{API}=True/Passed", **DELETED), "Terminating"),
}


@pytest.mark.parametrize(("found", "expected"), cases(APIS))
def test_api_services(found: ApiService | None, expected: str) -> None:
    assert expected == said(api_service(found))


def test_since_when_an_api_does_not_answer() -> None:
    assert MOVED_AT == api_service(made(ApiService, f"{API}=False/MissingEndpoints")).since


DELETION, CONTENT = (
    "NamespaceDeletion",
    "NamespaceContentRemaining=True/SomeResourcesRemain web in 3",
)
KEPT = "NamespaceFinalizersRemaining=True/SomeFinalizersRemain example.com/keep in 1"
SPACES = {
    "trap: all conditions False, and a finalizer of its own": (
        ("NamespaceContentRemaining=False/ContentRemoved",),
        {"finalizers": ["kubernetes", "example.com/mine"]},
        "example.com/mine",
        "is being deleted",
    ),
    "nothing is said yet": ((), {"finalizers": ["kubernetes"]}, "", "is being deleted"),
    "it counts down": ((CONTENT,), {}, "NamespaceContentRemaining", "is being deleted"),
    "finalizers": (
        (CONTENT, KEPT),
        {},
        "NamespaceFinalizersRemaining, NamespaceContentRemaining",
        "example.com/keep in 1",
    ),
    "trap: a dead APIService": (
        (f"{DELETION}DiscoveryFailure=True/DiscoveryFailed metrics is stale",),
        {},
        f"{DELETION}DiscoveryFailure",
        "metrics is stale",
    ),
    "a server that talks nonsense": (
        (f"{DELETION}GroupVersionParsingFailure=True/GroupVersionParsingFailed odd",),
        {},
        f"{DELETION}GroupVersionParsingFailure",
        "odd",
    ),
    "trap: a webhook that is down": (
        (f"{DELETION}ContentFailure=True/ContentDeletionFailed no answer",),
        {},
        f"{DELETION}ContentFailure",
        "no answer",
    ),
}


@pytest.mark.parametrize(("conditions", "spec", "blockers", "reason"), cases(SPACES))
def test_the_five_conditions_of_a_namespace_that_goes(
    conditions: tuple[str, ...], spec: dict[str, Any], blockers: str, reason: str
) -> None:
    found = made(
        Namespace, *conditions, spec=spec, status={"phase": "Terminating"}, **DELETED, namespace=""
    )
    fact = namespace(found)

    assert (f"Terminating {blockers}".rstrip(), reason) == (said(fact), fact.reason)


def test_a_crd_says_what_it_serves() -> None:
    assert {"kind": "Widget", "group": "example.com"} == crd(WHOLE).detail


def test_a_holder_carries_all_that_a_release_is_bound_to() -> None:
    found = Holder(
        "g",
        "v1",
        "widgets",
        "Widget",
        "apps",
        "w",
        "u7",
        ("g/keep",),
        deletion=5.0,
        owner_alive=None,
    )

    fact = holder(found)

    assert ("Holding", "Widget apps/w holds g/keep", 5.0) == (fact.code, fact.reason, fact.since)
    assert ("u7", ["g/keep"], None) == (
        fact.detail["uid"],
        fact.detail["finalizers"],
        fact.detail["owner_alive"],
    )
