"""
ExternalSecrets and the stores that they read.

Mutants, killed here: SecretDeleted is Ready; the synced generation not compared; what was synced before this run
counts; the keys of the target not asked; a store that is being deleted is Valid.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.objects import ExternalSecret
from phases.readiness.saying import can_clear
from phases.readiness.secrets import external_secret, store
from tests.phases.readiness.given import GONE_AT, MOVED, MOVED_AT, cases, made, said


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
        (secret("True", "ResourceDeleted"), "Blocked", "reason:ResourceDeleted"),
        (secret("True", "ResourceMissing"), "Blocked", "reason:ResourceMissing"),
        (secret("True", "ResourceSynced"), "Ready", None),
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


@pytest.mark.parametrize(
    ("message", "cause", "nobody"),
    [
        ('Get "https://vault.example.org/v1": no such host', "reason:ValidationFailed", True),
        ('Get "https://vault.example.org/v1": 403 Forbidden', "reason:ValidationFailed", False),
        ('Get "http://connect.eso.svc:8080/v1": connection refused', "backend:eso/connect", False),
    ],
)
def test_a_store_tells_whether_anybody_was_there(message: str, cause: str, *, nobody: bool) -> None:
    """Of a backend in the cluster its own workloads say more. Mutants: never; of every failure."""
    found = made(
        ExternalSecret, f"Ready=False/ValidationFailed unable to validate store: {message}"
    )

    fact = store(found)

    assert (cause, nobody) == (fact.detail["cause"], fact.detail.get("unreached", False))


SYNCED = "Ready=True/SecretSynced"


def synced(
    *, generation: int = 2, version: str = "2-abc", refreshed: bool = True
) -> ExternalSecret:
    status = {"syncedResourceVersion": version} | ({"refreshTime": MOVED} if refreshed else {})
    found: ExternalSecret = made(ExternalSecret, SYNCED, status=status, generation=generation)
    return found


KEYS = {"target": frozenset({"user", "word"}), "keys": frozenset({"user"})}
TRAPS = {
    "synced": (synced(), {}, "Ready"),
    "trap: synced before its last change": (synced(generation=3), {}, "Progressing"),
    "trap: 12 is not 1": (synced(generation=1, version="12-abc"), {}, "Progressing"),
    "it does not tell what it synced": (synced(version=""), {}, "Ready"),
    "synced in this run": (synced(), {"opened": MOVED_AT}, "Ready"),
    "trap: a status of before, restored with the object": (
        synced(),
        {"opened": MOVED_AT + 1.0},
        "Progressing",
    ),
    "trap: never refreshed in this run": (synced(refreshed=False), {"opened": 0.0}, "Progressing"),
    "its Secret has what it needs": (synced(), KEYS, "Ready"),
    "trap: Ready, and there is no Secret": (synced(), {"target": frozenset()}, "Blocked target"),
    "trap: Ready, and its Secret lacks a key": (
        synced(),
        {"target": frozenset({"user"}), "keys": frozenset({"user", "word"})},
        "Blocked target",
    ),
    "nobody looked for its Secret": (synced(), {"keys": frozenset({"user"})}, "Ready"),
}


@pytest.mark.parametrize(("found", "rest", "expected"), cases(TRAPS))
def test_traps_of_external_secrets(
    found: ExternalSecret, rest: dict[str, Any], expected: str
) -> None:
    assert expected == said(external_secret(found, "vault", **rest))


def test_the_names_of_missing_keys_are_told_and_nothing_of_their_values() -> None:
    fact = external_secret(synced(), "vault", target=frozenset({"a"}), keys=frozenset({"c", "b"}))

    assert "its Secret lacks b, c" == fact.reason


FINALIZER = "secretstore.externalsecrets.io/finalizer"
DYING: dict[str, Any] = {**DELETED, "finalizers": [FINALIZER]}


def test_trap_a_store_that_is_being_deleted_is_not_valid() -> None:
    fact = store(made(ExternalSecret, "Ready=True/Valid", **DYING))

    assert (f"Terminating {FINALIZER}", GONE_AT) == (said(fact), fact.since)


def test_trap_a_store_that_nobody_could_ask_is_not_verified() -> None:
    weak, strong = (store(secret("True", reason)) for reason in ("ValidationUnknown", "Valid"))

    assert ({"verified": False}, {}) == (weak.detail, strong.detail)


def test_since_when_a_store_is_well() -> None:
    """Mutant: leave the instant out; who failed before it is not told from who failed after it."""
    assert store(made(ExternalSecret, "Ready=True/Valid")).since == MOVED_AT


def test_since_when_it_fails() -> None:
    lost = made(ExternalSecret, "Ready=False/SecretSyncedError no")

    assert [MOVED_AT] * 2 == [external_secret(lost, "vault").since, store(lost).since]
    assert "unknown" == can_clear(store(lost))
