"""
What controllers say may hold a password or a token; no finding hands it on.

Mutants: take ``redact_text`` out of ``rule.ask``; let a rule put a message in as it is.
"""

from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.catalogue import diagnose
from tests.phases.diagnosis.scenes import made, said, scene

TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
PLANTED = (
    f"https://admin:hunter2@10.0.0.1/x said no: Authorization: Bearer abcdefghijklmnop {TOKEN}"
)


@pytest.mark.parametrize(
    "found",
    [
        made(
            "APIService",
            "v1.example.com",
            said("Available", "False", "FailedDiscoveryCheck", PLANTED),
            spec={
                "group": "example.com",
                "version": "v1",
                "service": {"namespace": "a", "name": "b"},
            },
        ),
        made("Kustomization", "f/a", said("Ready", "False", "BuildFailed", PLANTED)),
        made("GitRepository", "f/a", said("Ready", "False", "GitOperationFailed", PLANTED)),
        made("HelmRelease", "f/a", said("Ready", "False", "InstallFailed", PLANTED)),
        made("ClusterSecretStore", "v", said("Ready", "False", "ValidationFailed", PLANTED)),
        made("Deployment", "a/b", said("ReplicaFailure", "True", "FailedCreate", PLANTED)),
    ],
    ids=lambda found: found["kind"],
)
def test_a_planted_secret_is_in_no_finding(found: dict[str, Any]) -> None:
    findings = diagnose(scene(found))
    told = " ".join(str(finding) for finding in findings.values())

    assert findings
    assert [secret for secret in ("hunter2", "abcdefghijklmnop", TOKEN) if secret in told] == []
