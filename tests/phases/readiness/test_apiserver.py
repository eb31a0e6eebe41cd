"""
An attempt that failed for the API server itself, and the words beside it that only look like that.

Mutants, each killed here: any alternative of ``OWN_WORDS`` left out; without what has to come before them; without the
address that is both called and refused; of another reason; of another cluster.
"""

from __future__ import annotations

import msgspec
import pytest

from phases.objects import Flux
from phases.readiness.flux import kustomization

CALLED = 'Patch "https://10.96.0.1:443/apis/apps/v1/namespaces/apps/deployments/web?dryRun=All"'
REFUSED = "dial tcp 10.96.0.1:443: connect: connection refused"
OWN = {
    "timed out": "Deployment/apps/web dry-run failed: etcdserver: request timed out\n",
    "after a leader": "Deployment/apps/web dry-run failed: etcdserver: request timed out, possibly due to previous "
    "leader failure",
    "leader": "Deployment/apps/web apply failed: etcdserver: leader changed",
    "no leader": "Deployment/apps/web dry-run failed (InternalError): Internal error occurred: etcdserver: no leader",
    "stopped": "Deployment/apps/web dry-run failed: etcdserver: server stopped",
    "busy": "Deployment/apps/web dry-run failed: etcdserver: too many requests",
    "deleting": "Deployment/apps/web delete failed: etcdserver: leader changed",
    "refused": f"Deployment/apps/web dry-run failed: {CALLED}: {REFUSED}\n",
    "core": 'Secret/apps/x dry-run failed: Get "https://[fd00::1]:443/api/v1/namespaces/apps/secrets/x": '
    "dial tcp [fd00::1]:443: connect: connection refused",
    "too slow": "Deployment/apps/web dry-run failed (Timeout): Timeout: request did not complete within requested "
    "timeout - context deadline exceeded",
    "no answer": "Deployment/apps/web dry-run failed (Timeout): the server was unable to return a response in the "
    "time allotted, but may still be processing the request",
    "unavailable": "Deployment/apps/web dry-run failed (ServiceUnavailable): the server is currently unable to "
    "handle the request\n",
    "grpc": "Deployment/apps/web apply failed: rpc error: code = Unavailable desc = keepalive ping failed to "
    "receive ACK within timeout",
}
OTHERS = {
    "full": "Deployment/apps/web dry-run failed: etcdserver: mvcc: database space exceeded",
    "a webhook's etcd": 'Deployment/apps/web dry-run failed (Forbidden): admission webhook "a.example.com" denied '
    "the request: etcdserver: leader changed",
    "a webhook's grpc": 'Deployment/apps/web dry-run failed: admission webhook "a.example.com" denied the request: '
    "rpc error: code = Unavailable desc = no vault",
    "another server": f"Deployment/apps/web dry-run failed: {CALLED}: dial tcp 10.0.0.9:443: connect: connection "
    "refused",
    "no API": 'Deployment/apps/web dry-run failed: Get "https://10.0.0.9:443/token": dial tcp 10.0.0.9:443: '
    "connect: connection refused",
    "no context": "Deployment/apps/web dry-run failed: context deadline exceeded",
    "its own limit": "Deployment/apps/web dry-run failed: client rate limiter Wait returned an error: context "
    "deadline exceeded",
    "grpc of a kind": "Deployment/apps/web dry-run failed: rpc error: code = PermissionDenied desc = no",
    "said by nobody": "etcdserver: leader changed",
}


def cause(message: str, reason: str = "ReconciliationFailed", **spec: object) -> str:
    body = {
        "metadata": {"namespace": "flux-system", "name": "apps", "uid": "u1", "generation": 1},
        "spec": spec,
        "status": {
            "conditions": [
                {"type": "Ready", "status": "False", "reason": reason, "message": message}
            ]
        },
    }
    return str(kustomization(msgspec.convert(body, Flux), "", suspended=False).detail["cause"])


@pytest.mark.parametrize("message", OWN.values(), ids=OWN)
def test_what_the_api_server_says_of_itself_is_a_cause_that_clears(message: str) -> None:
    assert cause(message) == "apiserver:unavailable"


@pytest.mark.parametrize("message", OTHERS.values(), ids=OTHERS)
def test_what_others_say_is_not_the_api_servers(message: str) -> None:
    assert cause(message) == "reason:ReconciliationFailed"


def test_of_another_reason_it_is_another_servers() -> None:
    """A build that asks a key service: its words are that service's."""
    assert cause(OWN["grpc"], "BuildFailed") == "reason:BuildFailed"


def test_of_another_cluster_nobody_knows_how_its_api_server_is() -> None:
    remote = {"secretRef": {"name": "edge"}}

    assert cause(OWN["leader"], kubeConfig=remote) == "reason:ReconciliationFailed"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            'x dry-run failed (InternalError): Internal error occurred: failed calling webhook "a.example.com": '
            'failed to call webhook: Post "https://a.apps.svc:443/x": context deadline exceeded',
            "webhook:a.example.com",
            id="webhook",
        ),
        pytest.param(
            "Gauge/default/g dry-run failed (ServiceUnavailable): failed to get API group resources: unable to "
            "retrieve the complete list of server APIs: metrics.example.com/v1: the server is currently unable to "
            "handle the request",
            "api:metrics.example.com/v1",
            id="aggregated API",
        ),
    ],
)
def test_who_has_a_cause_of_its_own_keeps_it(message: str, expected: str) -> None:
    assert cause(message) == expected
