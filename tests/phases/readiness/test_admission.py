"""What stands in front of the API, as facts: whose backend it needs, and which webhooks must answer."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.facts import reduce
from phases.more_objects import ApiService, WebhookConfiguration
from phases.readiness.admission import api_services, configurations
from phases.snapshot import KINDS, Seen, Snapshot, Unseen
from tests.phases.making import plan

VALIDATING = "ValidatingWebhookConfiguration"
HELM = {"helm.toolkit.fluxcd.io/name": "metrics", "helm.toolkit.fluxcd.io/namespace": "mon"}
APPLIED = {
    "kustomize.toolkit.fluxcd.io/name": "apps",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
}


def api(status: str = "False", **meta: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "metadata": {"name": "v1.m.example.com", "uid": "u1", **meta},
        "spec": {
            "group": "m.example.com",
            "version": "v1",
            "service": {"namespace": "mon", "name": "metrics"},
        },
        "status": {
            "conditions": [{"type": "Available", "status": status, "reason": "ServiceNotFound"}]
        },
    }


def hook(name: str, policy: str = "Fail", service: str = "guard") -> dict[str, Any]:
    client = (
        {"service": {"namespace": "policy", "name": service}} if service else {"url": "https://x"}
    )
    return {"name": name, "failurePolicy": policy, "clientConfig": client}


def configuration(*hooks: dict[str, Any], **meta: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"metadata": {"name": "guard", "uid": "u2", **meta}, "webhooks": list(hooks)}


def apis(*bodies: dict[str, Any]) -> dict[str, ApiService]:
    found = (msgspec.convert(body, ApiService) for body in bodies)
    return {one.metadata.name: one for one in found}


def hooks(body: dict[str, Any]) -> dict[str, WebhookConfiguration]:
    found = msgspec.convert(body, WebhookConfiguration)
    return {found.metadata.name: found}


@pytest.mark.parametrize(
    ("status", "code"), [("False", "Blocked"), ("True", "Ready"), ("Unknown", "Progressing")]
)
def test_an_aggregated_api_is_judged_and_named_whole(status: str, code: str) -> None:
    facts = api_services(apis(api(status, labels=HELM)))

    fact = facts["apiservice/v1.m.example.com"]
    assert fact.code == code
    assert fact.detail == {
        "kind": "APIService",
        "name": "v1.m.example.com",
        "uid": "u1",
        "owner": "helmrelease/mon/metrics",
        "api": "m.example.com/v1",
        "services": ["mon/metrics"],
    }


def test_an_api_that_the_server_serves_itself_is_no_fact() -> None:
    assert api_services(apis({**api(), "spec": {"group": "apps", "version": "v1"}})) == {}


def test_only_webhooks_that_must_answer_are_named() -> None:
    body = configuration(
        hook("a"),
        hook("b", "Ignore"),
        hook("c", service="other"),
        hook("d", service=""),
        labels=APPLIED,
    )

    fact = configurations(VALIDATING, hooks(body))["validatingwebhookconfiguration/guard"]

    assert fact.code == "Seen"
    assert fact.detail == {
        "kind": VALIDATING,
        "name": "guard",
        "uid": "u2",
        "owner": "kustomization/flux-system/apps",
        "webhooks": {"a": "policy/guard", "c": "policy/other", "d": ""},
        "services": ["policy/guard", "policy/other"],
    }


def test_a_configuration_that_nobody_must_ask_is_there_all_the_same() -> None:
    """Its probe tells gone from harmless. Mutant: no fact without a webhook that must answer."""
    facts = configurations(VALIDATING, hooks(configuration(hook("b", "Ignore"))))

    assert facts["validatingwebhookconfiguration/guard"].detail["webhooks"] == {}


def test_what_is_on_its_way_out_says_so() -> None:
    gone = {"deletionTimestamp": "2026-11-22T20:40:59Z"}

    facts = configurations(VALIDATING, hooks(configuration(hook("a"), **gone)))
    served = api_services(apis(api(**gone)))

    assert {"Terminating"} == {fact.code for fact in (*facts.values(), *served.values())}


def test_what_did_not_change_is_not_judged_again() -> None:
    the_plan = plan()
    objects: dict[str, Any] = {kind: Seen({}, 1.0) for kind in KINDS}
    objects["APIService"] = Seen(apis(api()), 1.0)
    objects[VALIDATING] = Seen(hooks(configuration(hook("a"))), 1.0)

    first = reduce(the_plan, Snapshot(at=1.0, objects=objects))
    again = reduce(the_plan, Snapshot(at=9.0, objects=objects))

    for subject in ("apiservice/v1.m.example.com", "validatingwebhookconfiguration/guard"):
        assert first[subject] is again[subject]


def test_what_cannot_be_listed_is_unknown_and_breaks_nothing() -> None:
    the_plan = plan()
    objects: dict[str, Any] = {kind: Seen({}, 1.0) for kind in KINDS}
    unseen = {**objects, "APIService": Unseen(0.0, "denied"), VALIDATING: Unseen(0.0, "denied")}

    seeing = reduce(the_plan, Snapshot(at=1.0, objects=objects))
    blind = reduce(the_plan, Snapshot(at=1.0, objects=unseen))

    assert {s for s in seeing if seeing[s] != blind.get(s)} == {
        "kind/APIService",
        f"kind/{VALIDATING}",
    }
