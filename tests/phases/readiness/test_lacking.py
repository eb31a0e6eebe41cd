"""
What a failed attempt names that is not there, or that did not answer.

Mutants, killed here: a key that is missing is taken for an object that is; another reason is asked as well; what was
refused counts as not reached; a host of elsewhere is a Service of this cluster.
"""

from __future__ import annotations

import pytest

from phases.objects import Condition
from phases.readiness.flux import cause_of
from phases.readiness.lacking import backend_in, unreached
from phases.readiness.secrets import store
from phases.readiness.sources import source
from tests.phases.readiness.test_secrets import secret
from tests.phases.readiness.test_sources import git

VALUES = "could not resolve {} chart values reference '{}' with key 'values.yaml': {}"
MISSING = [
    (
        "BuildFailed",
        "post build failed for 'x': substitute from 'ConfigMap/settings' error: configmaps \"settings\" not found",
        "object:ConfigMap/home/settings",
    ),
    (
        "BuildFailed",
        "cannot get sops decryption Secret 'flux-system/sops-age': secrets \"sops-age\"\nnot found",
        "object:Secret/flux-system/sops-age",
    ),
    ("BuildFailed", 'secrets "sops-age" not found', "object:Secret/home/sops-age"),
    ("BuildFailed", "kustomize build failed: accumulating resources", "reason:BuildFailed"),
    (
        "ValuesError",
        VALUES.format("ConfigMap", "apps/values", 'configmaps "values" not found'),
        "object:ConfigMap/apps/values",
    ),
    (
        "ValuesError",
        VALUES.format("optional Secret", "apps/login", 'secrets "login" not found'),
        "object:Secret/apps/login",
    ),
    ("ValuesError", VALUES.format("Secret", "apps/login", "key not found"), "reason:ValuesError"),
    ("ValuesError", VALUES.format("Secret", "apps/login", "not YAML"), "reason:ValuesError"),
    ("ValuesError", "anything else", "reason:ValuesError"),
    ("InstallFailed", 'secrets "login" not found', "reason:InstallFailed"),
    (
        "AuthenticationFailed",
        "failed to get credential: failed to get secret 'apps/login': secrets \"login\" not found",
        "object:Secret/apps/login",
    ),
    (
        "AuthenticationFailed",
        "failed to get image pull secret for serviceaccount 'apps/x': secret 'apps/login' not found",
        "object:Secret/apps/login",
    ),
    (
        "AuthenticationFailed",
        "secret 'apps/login': key 'username' not found",
        "reason:AuthenticationFailed",
    ),
    (
        "AuthenticationFailed",
        "'ca.crt' not found in secret 'apps/login'",
        "reason:AuthenticationFailed",
    ),
    (
        "GitOperationFailed",
        "failed to get secret 'apps/login': secrets \"login\" not found",
        "reason:GitOperationFailed",
    ),
]


@pytest.mark.parametrize(("reason", "message", "cause"), MISSING)
def test_the_object_that_is_missing_is_the_cause(reason: str, message: str, cause: str) -> None:
    assert cause == cause_of(Condition("Ready", "False", reason, message), "home")


@pytest.mark.parametrize(
    ("message", "nobody"),
    [
        ("dial tcp: lookup git.example.com on 10.96.0.10:53: no such host", True),
        ("dial tcp: lookup git.example.com: i/o timeout", True),
        ("dial tcp 192.0.2.7:22: connect: connection refused", True),
        ("dial tcp 192.0.2.7:22: connect: network is unreachable", True),
        ("context deadline exceeded", True),
        ("authentication required", False),
        ("couldn't find remote ref refs/heads/main", False),
        ("ssh: handshake failed: knownhosts: key mismatch", False),
    ],
)
def test_what_was_not_there_is_told_from_what_said_no(message: str, nobody: bool) -> None:  # noqa: FBT001
    assert nobody == unreached(message)
    fact = source(git(f"Ready=False/GitOperationFailed {message}"))
    assert (fact.detail["cause"], fact.detail.get("unreached", False)) == (
        "reason:GitOperationFailed",
        nobody,
    )


@pytest.mark.parametrize(
    ("message", "backend"),
    [
        ('Get "http://connect.eso.svc.cluster.local:8080/v1": connection refused', "eso/connect"),
        ('Get "http://connect.eso.svc:8080/v1": no such host', "eso/connect"),
        ('Get "http://connect.eso.svc:8080/v1": 401 Unauthorized', ""),
        ('Get "https://vault.example.com/v1": connection refused', ""),
        ("unable to reach the provider: connection refused", ""),
    ],
)
def test_a_service_of_this_cluster_that_was_called_in_vain_is_named(
    message: str, backend: str
) -> None:
    assert backend == backend_in(message)


def test_a_store_names_its_backend_and_which_object_it_is() -> None:
    text = 'unable to validate store: Get "http://c.eso.svc:80/": connection refused'
    failed = secret("False", "ValidationFailed")
    (ready,) = failed.status.conditions
    called = type(failed)(
        failed.metadata, status=type(failed.status)((type(ready)("Ready", "False", "x", text),))
    )

    assert store(called).detail == {"uid": "u1", "generation": 0, "cause": "backend:eso/c"}
    assert store(failed).detail["cause"] == "reason:ValidationFailed"
