"""ExternalSecrets and the stores that they read."""

from __future__ import annotations

import msgspec
import pytest

from phases.objects import ExternalSecret
from phases.readiness.flux import external_secret, store


def secret(status: str = "", reason: str = "", **metadata: str) -> ExternalSecret:
    conditions = [{"type": "Ready", "status": status, "reason": reason}] if status else []
    body = {
        "metadata": {"name": "x", "uid": "u1", **metadata},
        "status": {"conditions": conditions},
    }
    return msgspec.convert(body, ExternalSecret)


DELETED = {"deletionTimestamp": "2026-06-12T10:00:00Z"}


@pytest.mark.parametrize(
    ("found", "code", "cause"),
    [
        (None, "Absent", None),
        (secret(), "Progressing", None),
        (secret("Unknown"), "Progressing", None),
        (secret("True", "SecretSynced"), "Ready", None),
        (secret("False", "SecretSyncedError"), "Blocked", "store:vault"),
        (secret("True", "SecretSynced", **DELETED), "Terminating", None),
        # These end the controller's work as well, and leave no Secret.
        (secret("True", "SecretDeleted"), "Blocked", "reason:SecretDeleted"),
        (secret("True", "SecretMissing"), "Blocked", "reason:SecretMissing"),
    ],
)
def test_external_secrets(found: ExternalSecret | None, code: str, cause: str | None) -> None:
    fact = external_secret(found, "vault")

    assert (code, cause) == (fact.code, fact.detail.get("cause"))


@pytest.mark.parametrize(
    ("found", "code", "reason"),
    [
        (None, "Absent", ""),
        (secret(), "Progressing", "not validated yet"),
        (secret("Unknown"), "Progressing", "not validated yet"),
        (secret("True", "Valid"), "Ready", ""),
        # Nobody could ask the provider: ready, and not verified.
        (secret("True", "ValidationUnknown"), "Ready", "ValidationUnknown: not verified"),
        (secret("False", "InvalidProviderConfig"), "Blocked", "InvalidProviderConfig: "),
    ],
)
def test_stores(found: ExternalSecret | None, code: str, reason: str) -> None:
    fact = store(found)

    assert (code, reason) == (fact.code, fact.reason)
