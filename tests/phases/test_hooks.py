"""
Whom webhooks make wait, and for whom.

Mutants, each tried: failurePolicy, the operations, either selector or the conditions are not looked at; a namespace
that is not known is asked about; what is in no namespace is chosen by its labels; any of the owner's workloads will do.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.hooks import hooks_of
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
    *namespaces: str,
    owner: str = "helmrelease/ops/gadgets",
    subject: str = "kustomization/flux-system/apps",
    service: str = "hook",
    **fields: Any,  # noqa: ANN401  fields of a webhook
) -> list[str]:
    client = {"service": {"namespace": "ops", "name": service}}
    webhook = {"name": "a", "clientConfig": client, "rules": [RULE], **fields}
    raw = {"metadata": {"name": "a"}, "webhooks": [webhook]}
    found = msgspec.convert(raw, WebhookConfiguration)
    return hooks_of([(found, owner)], WORKLOADS, LABELS).needs(subject, {GADGETS: namespaces})


def rule(**fields: list[str]) -> dict[str, Any]:
    return {"rules": [{**RULE, **fields}]}


SURE: list[dict[str, Any]] = [
    {},
    {"failurePolicy": "Fail"},
    rule(operations=["*"]),
    rule(operations=["UPDATE", "CREATE"]),
    rule(apiGroups=["other.io", "example.com"], resources=["things", "gadgets"]),
    {"namespaceSelector": {"matchExpressions": [OUT]}},
    {"namespaceSelector": {"matchLabels": {"team": "a"}}},
    {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}},
    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "apps"}}},
]
NOT_SURE: list[dict[str, Any]] = [
    {"failurePolicy": "Ignore"},
    {"clientConfig": {"url": "https://elsewhere.example.com"}},
    rule(operations=["UPDATE", "DELETE"]),
    rule(resources=["*"]),
    rule(apiGroups=["*"]),
    rule(resources=["gadgets/status"]),
    rule(apiGroups=["other.io"]),
    {"objectSelector": {"matchLabels": {"a": "b"}}},
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
