"""Webhooks that cannot be called, that are not trusted, that deny, and that are in nobody's way."""

from __future__ import annotations

from typing import Any

import pytest

from phases.blockers import SERVED_BY_NOW
from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.structure import blocking
from tests.phases.diagnosis.scenes import (
    dangers,
    endpoints,
    failed,
    found_by,
    made,
    recorded,
    said,
    scene,
)

DOWN = recorded("kustomization-webhook-down")
NAMESPACE = recorded("namespace-terminating-webhook-down")
HOOKED = "kustomization/flux-system/hooked"
NAME = "guard.example.com"
SERVICE = made("Service", "guard/webhook")
RULES = ("WH1", "WH2", "WH3")


def config(
    *names: str, kind: str = "Validating", policy: str = "Fail", url: str = ""
) -> dict[str, Any]:
    client = {"url": url} if url else {"service": {"namespace": "guard", "name": "webhook"}}
    hooks = [{"name": n, "clientConfig": client, "failurePolicy": policy} for n in names or (NAME,)]
    return {**made(f"{kind}WebhookConfiguration", "guard"), "webhooks": hooks}


def called(detail: str, subject: str = "f/a") -> dict[str, Any]:
    message = f'Deployment/a/b dry-run failed: failed calling webhook "{NAME}": {detail}'
    return failed("Kustomization", subject, message)


def test_a_recorded_refusal_blames_the_webhook_and_not_the_kustomization() -> None:
    looked_at = scene(
        DOWN, NAMESPACE, config(url="https://127.0.0.1:16998/guard"), unlisted=("Deployment",)
    )

    (found,) = found_by("WH1", looked_at)
    roots = roots_of(diagnose(looked_at), blocking(looked_at))

    assert found.subject == "validatingwebhookconfiguration/guard"
    assert found.uid == "uid-ValidatingWebhookConfiguration-guard"
    assert len(found.evidence) == 3
    assert "connect: connection refused" in found.message
    assert set(found.blocks) == {HOOKED, f"namespace/{NAMESPACE['metadata']['name']}"}
    assert found.since is not None
    assert dangers(found) == {"look", "nudge", "reversible", "destructive", "never"}
    assert [root.id for root in roots] == ["WH1:validatingwebhookconfiguration/guard"]


@pytest.mark.parametrize(
    "detail",
    [
        "connect: connection refused",
        'no endpoints available for service "webhook"',
        "context deadline exceeded",
        'service "webhook" not found',
    ],
)
def test_what_cannot_be_called_is_one_finding_a_configuration(detail: str) -> None:
    looked_at = scene(called(detail), called(detail, "f/b"), config(NAME, "other.example.com"))

    (found,) = found_by("WH1", looked_at)

    assert "2 webhooks (guard.example.com, other.example.com)" in found.message
    assert "Service guard/webhook does not exist" in found.message
    assert found.blocks == ("kustomization/f/a", "kustomization/f/b")
    assert found_by("WH2", looked_at) == []


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ((), "Service guard/webhook does not exist"),
        ((SERVICE,), "has no ready endpoint"),
        ((SERVICE, endpoints("guard/webhook", False, False)), "has no ready endpoint"),
    ],
)
@pytest.mark.parametrize("kind", ["Validating", "Mutating"])
def test_a_webhook_without_a_backend_refuses_whoever_comes_next(
    objects: tuple[dict[str, Any], ...], says: str, kind: str
) -> None:
    (found,) = found_by("WH1", scene(config(kind=kind), *objects))

    assert says in found.message
    assert (found.blocks, found.since, found.clears_itself) == ((), None, "unknown")


@pytest.mark.parametrize(
    ("objects", "unlisted"),
    [
        ((config(policy="Ignore"),), ()),
        ((config(url="https://example.com"),), ()),
        ((config(), SERVICE, endpoints("guard/webhook", True)), ()),
        ((config(), SERVICE, endpoints("guard/webhook", None)), ()),
        (
            (
                config(),
                SERVICE,
                endpoints("guard/webhook", False),
                endpoints("guard/webhook", True, True),
            ),
            (),
        ),
        ((config(), SERVICE), ("EndpointSlice",)),
        ((config(),), ("Service", "EndpointSlice")),
        ((config(), made("Service", "guard/webhook", spec={"type": "ExternalName"})), ()),
    ],
)
def test_a_webhook_that_is_served_or_ignored_or_not_seen_is_in_nobodys_way(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...]
) -> None:
    looked_at = scene(*objects, unlisted=unlisted)

    assert [found_by(rule, looked_at) for rule in RULES] == [[], [], []]


def test_a_last_call_before_its_endpoints_came_is_said_to_be_one() -> None:
    looked_at = scene(
        called("connection refused"), config(), SERVICE, endpoints("guard/webhook", True)
    )

    (found,) = found_by("WH1", looked_at)

    assert "has endpoints by now, the last call failed (connection refused)" in found.message
    assert SERVED_BY_NOW in found.message  # so that nobody asks to remove it


def test_of_several_backends_the_one_that_is_missing_is_named() -> None:
    client = {"service": {"namespace": "guard", "name": "elsewhere"}}
    both = config()
    both["webhooks"] += [{"name": "other.example.com", "clientConfig": client}]
    looked_at = scene(called("refused"), both, SERVICE, endpoints("guard/webhook", True))

    (found,) = found_by("WH1", looked_at)

    assert "Service guard/elsewhere does not exist" in found.message


def test_endpoints_that_could_not_be_listed_leave_the_last_call_to_tell() -> None:
    looked_at = scene(called("connection refused"), config(), SERVICE, unlisted=("EndpointSlice",))

    (found,) = found_by("WH1", looked_at)

    assert found.message == f"webhook {NAME} cannot be called: connection refused"


def test_a_call_without_an_instant_failed_all_the_same() -> None:
    timeless = called("connection refused")
    del timeless["status"]["conditions"][0]["lastTransitionTime"]

    (found,) = found_by("WH1", scene(timeless))

    assert found.since is None


@pytest.mark.parametrize(
    ("unlisted", "clears"), [((), "yes"), (("MutatingWebhookConfiguration",), "unknown")]
)
def test_a_webhook_whose_configuration_is_gone_only_waits_for_the_next_attempt(
    unlisted: tuple[str, ...], clears: str
) -> None:
    (found,) = found_by("WH1", scene(called("connection refused"), unlisted=unlisted))

    assert (found.subject, found.clears_itself) == (f"webhook/{NAME}", clears)
    assert ("its configuration is gone by now" in found.message) == (clears == "yes")
    assert found.uid == ""
    assert len(found.evidence) == 1


@pytest.mark.parametrize(
    "detail",
    [
        "Post: x509: certificate signed by unknown authority",
        "certificate has expired or is not yet valid",
        "remote error: tls: bad certificate",
    ],
)
def test_a_webhook_that_is_not_trusted_is_another_cause(detail: str) -> None:
    looked_at = scene(called(detail), config(), SERVICE, endpoints("guard/webhook", True))

    (found,) = found_by("WH2", looked_at)

    assert found.subject == "validatingwebhookconfiguration/guard"
    assert "is not trusted" in found.message
    assert found.blocks == ("kustomization/f/a",)
    assert found_by("WH1", looked_at) == []


def test_a_denial_is_a_matter_for_git() -> None:
    message = 'admission webhook "policy.example.com" denied the request: no latest tags here'
    pods = said("ReplicaFailure", "True", "FailedCreate", message)
    looked_at = scene(failed("HelmRelease", "f/a", message), made("Deployment", "a/b", pods))

    found = {finding.subject: finding for finding in found_by("WH3", looked_at)}

    assert set(found) == {"helmrelease/f/a", "deployment/a/b"}
    first = found["helmrelease/f/a"]
    assert "against the policy of webhook policy.example.com: no latest tags here" in first.message
    silent = scene(failed("HelmRelease", "f/a", message.partition(":")[0]))
    assert found_by("WH3", silent)[0].message.endswith("no reason given")
    assert (first.clears_itself, dangers(first)) == ("no", {"look", "never"})
    assert [found_by(rule, looked_at) for rule in ("WH1", "WH2")] == [[], []]


@pytest.mark.parametrize(
    ("reason", "clears"),
    [
        ("labels are missing: owner", "no"),
        ('issuers.cert-manager.io "vault" not found', "unknown"),
        ("the class does not exist", "unknown"),
        ("StorageClass is not yet available", "unknown"),
        ("failed to look it up: context deadline exceeded", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_policy_that_misses_something_may_say_yes_once_it_is_there(
    reason: str, clears: str
) -> None:
    """Mutants: any denial is final; one without a reason is."""
    message = f'admission webhook "policy.example.com" denied the request: {reason}'

    (found,) = found_by("WH3", scene(failed("Kustomization", "f/a", message)))

    assert found.clears_itself == clears


@pytest.mark.parametrize("rule", RULES)
def test_who_is_ready_was_not_refused(rule: str) -> None:
    old = f'failed calling webhook "{NAME}": x509; admission webhook "{NAME}" denied the request'
    ready = made("HelmRelease", "f/a", said("Ready", "True"), said("Released", "False", "", old))

    assert found_by(rule, scene(ready)) == []
