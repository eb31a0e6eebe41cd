"""
Whom webhooks make wait, and for whom.

Mutants, each tried: failurePolicy, the operations, either selector or the conditions are not looked at; a namespace
that is not known is asked about; what is in no namespace is chosen by its labels; any of the owner's workloads will do;
a part counts for the whole; scope, version or the labels of objects are not looked at.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.hooks import hooks_of
from phases.kinds import Place, Where
from phases.more_objects import WebhookConfiguration

GADGETS = "gadgets.example.com"
BACKEND = "deployment/ops/hook"
WORKLOADS = [
    {"kind": "Deployment", "key": "ops/hook", "owner": "helmrelease/ops/gadgets"},
    {"kind": "Deployment", "key": "ops/other", "owner": "helmrelease/ops/gadgets"},
    {"kind": "StatefulSet", "key": "ops/lonely", "owner": "helmrelease/ops/lonely"},
    {"kind": "Deployment", "key": "ops/nobody-s", "owner": ""},
]
LABELS = {"apps": {"team": "a"}, "opted-out": {"checked": "no"}}
RULE = {"apiGroups": ["example.com"], "resources": ["gadgets"], "operations": ["CREATE"]}
OUT = {"key": "checked", "operator": "NotIn", "values": ["no"]}


def asked(  # what a Kustomization that holds gadgets in these namespaces needs
    *namespaces: Where,
    resource: str = GADGETS,
    owner: str = "helmrelease/ops/gadgets",
    subject: str = "kustomization/flux-system/apps",
    service: str = "hook",
    **fields: Any,  # noqa: ANN401  fields of a webhook
) -> list[str]:
    client = {"service": {"namespace": "ops", "name": service}}
    webhook = {"name": "a", "clientConfig": client, "rules": [RULE], **fields}
    raw = {"metadata": {"name": "a"}, "webhooks": [webhook]}
    found = msgspec.convert(raw, WebhookConfiguration)
    return hooks_of([(found, owner)], WORKLOADS, LABELS).needs(subject, {resource: namespaces})


def rule(**fields: list[str]) -> dict[str, Any]:
    return {"rules": [{**RULE, **fields}]}


SURE: list[dict[str, Any]] = [
    {},
    {"failurePolicy": "Fail"},
    rule(operations=["*"]),
    rule(operations=["UPDATE", "CREATE"]),
    rule(apiGroups=["other.io", "example.com"], resources=["things", "gadgets"]),
    rule(resources=["*"]),
    rule(resources=["*/*"]),
    rule(resources=["gadgets/*"]),
    rule(apiGroups=["*"]),
    rule(resources=["*"], apiGroups=["*"], operations=["*"]),
    {**rule(apiVersions=["*"]), "matchPolicy": "Exact"},
    rule(apiVersions=["v1"]),
    {"rules": [{**RULE, "scope": "Namespaced"}]},
    {"namespaceSelector": {"matchExpressions": [OUT]}},
    {"namespaceSelector": {"matchLabels": {"team": "a"}}},
    {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}},
    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "apps"}}},
]
NOT_SURE: list[dict[str, Any]] = [
    {"failurePolicy": "Ignore"},
    {"clientConfig": {"url": "https://elsewhere.example.com"}},
    rule(operations=["UPDATE", "DELETE"]),
    rule(resources=["gadgets/status"]),
    rule(resources=["*/status"]),
    rule(resources=["things"], apiGroups=["*"]),
    rule(resources=["*"], apiGroups=["other.io"]),
    rule(apiGroups=["other.io"]),
    {**rule(apiVersions=["v1"]), "matchPolicy": "Exact"},
    {"rules": [{**RULE, "scope": "Cluster"}]},
    {"objectSelector": {"matchLabels": {"a": "b"}}},
    {"objectSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}},
    {"matchConditions": [{"name": "a", "expression": "false"}]},
    {"namespaceSelector": {"matchLabels": {"team": "b"}}},
    {"namespaceSelector": {"matchExpressions": [{**OUT, "operator": "In"}]}},
    {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}},
    {"service": "nobody"},
]


@pytest.mark.parametrize("fields", SURE)
def test_what_a_webhook_is_asked_about_waits_for_who_answers(fields: dict[str, Any]) -> None:
    assert asked("apps", **fields) == [BACKEND]


@pytest.mark.parametrize("fields", NOT_SURE)
def test_what_is_not_sure_is_not_guessed(fields: dict[str, Any]) -> None:
    assert asked("apps", **fields) == []


def test_a_namespace_that_is_left_out_does_not_wait() -> None:
    out: dict[str, Any] = {"namespaceSelector": {"matchExpressions": [OUT]}}

    assert asked("opted-out", **out) == asked("nobody-knows", **out) == []
    assert asked("opted-out", "apps", **out) == [BACKEND]
    assert asked("", **out) == [BACKEND]


def test_what_a_webhook_s_owner_brings_itself_does_not_wait_for_it() -> None:
    apps = "kustomization/flux-system/apps"

    assert asked("apps", owner=apps) == []


def test_the_only_workload_of_its_owner_stands_behind_a_service_of_another_name() -> None:
    assert asked("apps", service="web", owner="helmrelease/ops/lonely") == [
        "statefulset/ops/lonely"
    ]
    assert asked("apps", service="web") == []
    assert asked("apps", service="web", owner="") == []


ALL_OF_IT = {"apiGroups": ["*"], "resources": ["*"], "operations": ["*"]}


@pytest.mark.parametrize("resource", ["configmaps.", "deployments.apps", "oddities.x.io"])
def test_who_is_asked_about_everything_is_asked_about_any_kind(resource: str) -> None:
    assert asked("apps", resource=resource, rules=[ALL_OF_IT]) == [BACKEND]
    core = [{**ALL_OF_IT, "apiGroups": [""]}]
    assert bool(asked("apps", resource=resource, rules=core)) == (resource == "configmaps.")


def test_nobody_is_asked_about_webhooks() -> None:
    webhooks = "validatingwebhookconfigurations.admissionregistration.k8s.io"

    assert asked("", resource=webhooks, rules=[ALL_OF_IT]) == []


def test_what_is_in_no_namespace_is_not_asked_about_by_a_rule_for_namespaces() -> None:
    within = {**ALL_OF_IT, "scope": "Namespaced"}

    assert asked("", rules=[within]) == []
    assert asked("", rules=[within, RULE]) == [BACKEND]
    assert asked("", rules=[within, ALL_OF_IT]) == [BACKEND]


def test_a_namespace_is_chosen_by_labels_that_nobody_here_knows() -> None:
    out: dict[str, Any] = {"rules": [ALL_OF_IT], "namespaceSelector": {"matchExpressions": [OUT]}}

    assert asked("", resource="namespaces.", **out) == []
    assert asked("", resource="nodes.", **out) == [BACKEND]
    assert asked("", resource="namespaces.", rules=[ALL_OF_IT]) == [BACKEND]


OBJECTS: list[tuple[dict[str, Any], bool]] = [
    ({"matchLabels": {"team": "a"}}, True),
    ({"matchLabels": {"team": "b"}}, False),
    ({"matchLabels": {"other": "a"}}, False),
    ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}, True),
    ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, False),
    ({"matchExpressions": [{"key": "out", "operator": "DoesNotExist"}]}, True),
    ({"matchExpressions": [{"key": "out", "operator": "Exists"}]}, False),
]


@pytest.mark.parametrize(("selector", "chosen"), OBJECTS)
def test_objects_are_chosen_by_their_labels_where_these_are_known(
    selector: dict[str, Any],
    chosen: bool,  # noqa: FBT001
) -> None:
    known = Place("apps", frozenset({("team", "a")}))

    assert asked(known, objectSelector=selector) == ([BACKEND] if chosen else [])
    assert asked("apps", objectSelector=selector) == []
