"""Namespaces, CRDs, and what holds them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.objects import CustomResourceDefinition, Namespace
from phases.readiness.machinery import crd, holder, namespace
from phases.snapshot import Holder

DELETED = {"deletionTimestamp": "2026-06-12T10:00:00Z", "creationTimestamp": "2020-01-01T00:00:00Z"}
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


def a_crd(*conditions: tuple[str, str], **metadata: str) -> CustomResourceDefinition:
    body: dict[str, Any] = {
        "metadata": {"name": "widgets.example.com", **metadata},
        "spec": {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}},
        "status": {"conditions": [{"type": kind, "status": status} for kind, status in conditions]},
    }
    return msgspec.convert(body, CustomResourceDefinition)


NAMES, FINE = ("NamesAccepted", "True"), ("Established", "True")


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (None, "Absent"),
        (a_crd(NAMES, FINE), "Ready"),
        (a_crd(NAMES), "Progressing"),
        (a_crd(), "Progressing"),
        (a_crd(NAMES, ("Established", "False")), "Progressing"),
        (a_crd(("NamesAccepted", "False"), FINE), "Progressing"),
        (a_crd(NAMES, FINE, **DELETED), "Terminating"),  # established, and on its way out
    ],
)
def test_crds(found: CustomResourceDefinition | None, code: str) -> None:
    assert code == crd(found).code


def test_a_crd_says_what_it_serves() -> None:
    assert {"kind": "Widget", "group": "example.com"} == crd(a_crd(NAMES, FINE)).detail


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
