"""Aggregated APIs that do not answer: recorded ones, and what only looks like one."""

from __future__ import annotations

from typing import Any

import pytest

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

NAMESPACE = recorded("namespace-terminating-dead-apiservice")
NOT_FOUND = recorded("apiservice-servicenotfound")
EMPTY = recorded("apiservice-endpointsnotfound")
REFUSED = recorded("apiservice-faileddiscoverycheck")
SUBJECT = "apiservice/v1beta1.metrics.k8s.io"
SERVICE = made("Service", "kube-system/metrics-server")
RULES = ("AP1", "AP2", "AP3")


def api(reason: str, message: str = "", status: str = "False") -> dict[str, Any]:
    spec = {
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "service": {"namespace": "kube-system", "name": "metrics-server", "port": 443},
    }
    available = said("Available", status, reason, message)
    return made("APIService", "v1beta1.metrics.k8s.io", available, spec=spec)


@pytest.mark.parametrize(
    ("found", "rule", "says"),
    [
        (NOT_FOUND, "AP1", "Service kube-system/metrics-server does not exist"),
        (EMPTY, "AP2", "Service kube-system/metrics-server has no endpoints"),
        (REFUSED, "AP3", "behind Service kube-system/metrics-server, it refuses connections"),
        (api("ServicePortError"), "AP1", "does not listen on port 443"),
        (api("ServiceAccessError", "why", "Unknown"), "AP1", "cannot be checked (why)"),
        (api("MissingEndpoints"), "AP2", "has no ready endpoint"),
        (api("EndpointsAccessError", "why", "Unknown"), "AP2", "cannot be checked (why)"),
        (api("FailedDiscoveryCheck", "x509: unknown authority"), "AP3", "is not trusted"),
        (api("FailedDiscoveryCheck", "Client.Timeout exceeded"), "AP3", "not answer in time"),
        (api("FailedDiscoveryCheck", "bad status from https://x: 503"), "AP3", "with an error"),
        (api("FailedDiscoveryCheck", "something else"), "AP3", "something else"),
    ],
)
def test_each_reason_is_one_cause(found: dict[str, Any], rule: str, says: str) -> None:
    findings = {name: found_by(name, scene(found)) for name in RULES}

    assert [name for name, several in findings.items() if several] == [rule]
    (finding,) = findings[rule]
    assert (finding.subject, finding.clears_itself) == (SUBJECT, "unknown")
    assert says in finding.message
    assert "metrics.k8s.io/v1beta1" in finding.message
    assert finding.since is not None
    assert {"look", "destructive"} <= dangers(finding)


@pytest.mark.parametrize(
    ("found", "objects", "clears"),
    [
        (NOT_FOUND, (SERVICE,), "yes"),
        (NOT_FOUND, (), "unknown"),
        (EMPTY, (SERVICE,), "unknown"),
        (EMPTY, (SERVICE, endpoints("kube-system/metrics-server", False)), "unknown"),
        (EMPTY, (SERVICE, endpoints("kube-system/metrics-server", None)), "yes"),
        (EMPTY, (SERVICE, endpoints("other/metrics-server", True)), "unknown"),
        (
            api("ServicePortError"),
            (SERVICE, endpoints("kube-system/metrics-server", True)),
            "unknown",
        ),
        (REFUSED, (SERVICE, endpoints("kube-system/metrics-server", True)), "unknown"),
    ],
)
def test_the_aggregator_looks_again_by_itself_once_the_backend_is_there(
    found: dict[str, Any], objects: tuple[dict[str, Any], ...], clears: str
) -> None:
    (finding,) = [f for rule in RULES for f in found_by(rule, scene(found, *objects))]

    assert finding.clears_itself == clears


@pytest.mark.parametrize(("unlisted", "clears"), [("Service", "yes"), ("EndpointSlice", "unknown")])
def test_endpoints_that_could_not_be_listed_are_unknown(unlisted: str, clears: str) -> None:
    ready = endpoints("kube-system/metrics-server", True)

    (finding,) = found_by("AP2", scene(EMPTY, SERVICE, ready, unlisted=(unlisted,)))

    assert finding.clears_itself == clears


def test_a_slice_may_have_no_list_of_endpoints_at_all() -> None:
    bare = {**endpoints("kube-system/metrics-server"), "endpoints": None}

    (finding,) = found_by("AP2", scene(EMPTY, SERVICE, bare))

    assert finding.clears_itself == "unknown"


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "found",
    [
        api("Passed", "all checks passed", "True"),
        api("ServiceNotFound", "a reason of the past", "True"),
        made("APIService", "v1.apps", said("Available", "False", "ServiceNotFound")),
        made("APIService", "v1.apps", spec={"service": {"name": "x", "namespace": "y"}}),
        api("SomethingNew"),
    ],
)
def test_an_api_that_answers_or_that_the_api_server_serves_is_well(
    found: dict[str, Any], rule: str
) -> None:
    assert found_by(rule, scene(found)) == []


def test_one_dead_api_is_the_root_of_all_namespaces_that_cannot_be_emptied() -> None:
    other = made(
        "Namespace",
        "other",
        said(
            "NamespaceDeletionDiscoveryFailure",
            "True",
            "DiscoveryFailed",
            "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of "
            "server APIs: custom.metrics.k8s.io/v1beta1: stale GroupVersion discovery",
        ),
        metadata={"deletionTimestamp": "2027-01-15T07:50:00Z"},
    )
    prune = failed(
        "Kustomization",
        "f/a",
        "unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion",
    )
    looked_at = scene(NAMESPACE, NOT_FOUND, prune, other, unlisted=("Deployment",))

    roots = roots_of(diagnose(looked_at), blocking(looked_at))

    assert [(root.id, root.victims) for root in roots] == [
        (f"AP1:{SUBJECT}", ("kustomization/f/a", f"namespace/{NAMESPACE['metadata']['name']}")),
        ("N1:namespace/other", ()),
    ]
