"""
External Secrets: ExternalSecrets and the stores that they read.

Read in external-secrets helm-chart-2.9.0 (API v1; pkg/controllers/externalsecret, secretstore, util). Its controller
does not watch stores: what failed waits out its backoff, also when the store is well again. What is synced is written
down as ``GENERATION-HASH``, the hash over labels and annotations. No value of a Secret is ever seen here: of the
target only the names of its keys are asked for.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from journal.entries import Fact, Instant
from phases.codes import PROGRESSING, READY
from phases.objects import ExternalSecret, condition
from phases.readiness.flux import SAYS_READY, identity
from phases.readiness.lacking import backend_in, unreached
from phases.readiness.saying import absent, blocked, since_of, terminating, text_of

# Ready, says the controller, and there is no Secret: it ended its work by deleting or not making one.
GONE_SECRET = {"SecretDeleted", "SecretMissing"}
GONE_TARGET = {*GONE_SECRET, "ResourceDeleted", "ResourceMissing"}  # a target that is no Secret
VALID = "Valid"


def external_secret(
    found: ExternalSecret | None,
    store: str,
    *,
    opened: Instant | None = None,
    target: AbstractSet[str] | None = None,
    keys: AbstractSet[str] = frozenset(),
) -> Fact:
    """
    Judge an ExternalSecret that reads *store*.

    *opened*: what was synced before this instant proves nothing of this run (None: not asked). *target*: the names of
    the keys that its Secret has, empty where there is no Secret (None: not looked at); *keys*: those that it needs.
    """
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    ready = condition(found.status.conditions, "Ready")
    detail = identity(found.metadata)
    if ready is None or ready.status == "Unknown":
        return Fact(PROGRESSING, "not synced yet", detail=detail)
    if ready.status == "False":
        return blocked(text_of(ready), f"store:{store}", since_of(ready), detail)
    denied = {**detail, **SAYS_READY}
    if ready.reason in GONE_TARGET:
        return blocked(text_of(ready), f"reason:{ready.reason}", since_of(ready), denied)
    late = _is_late(found, opened)
    if late:
        return Fact(PROGRESSING, late, detail=detail)
    if target is not None and not target:
        return blocked("its Secret is not there", "target", detail=denied)
    if target is not None and keys - target:
        missing = ", ".join(sorted(keys - target))
        return blocked(f"its Secret lacks {missing}", "target", detail=denied)
    return Fact(READY, detail=detail)


def _is_late(found: ExternalSecret, opened: Instant | None) -> str:
    """Say why what it synced is of the past; empty: it is not."""
    generation, dash, _hash = found.status.synced_resource_version.partition("-")
    if dash and found.metadata.generation and generation != str(found.metadata.generation):
        return "not synced since its last change"
    if opened is None:
        return ""
    refreshed = found.status.refresh_time
    if refreshed is None or refreshed.timestamp() < opened:
        return "not synced since this run began"
    return ""


def store(found: ExternalSecret | None) -> Fact:
    """
    Judge a store. Valid is strong; ValidationUnknown says that nobody could ask the provider.

    detail.unreached: what it asked is outside of the cluster, as far as it says, and was not there at all.
    """
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    ready = condition(found.status.conditions, "Ready")
    if ready is None or ready.status == "Unknown":
        return Fact(PROGRESSING, "not validated yet")
    if ready.status == "False":
        detail, backend = identity(found.metadata), backend_in(ready.message)
        if backend:
            return blocked(text_of(ready), f"backend:{backend}", since_of(ready), detail)
        told = {**detail, "unreached": True} if unreached(ready.message) else detail
        return blocked(text_of(ready), f"reason:{ready.reason}", since_of(ready), told)
    if ready.reason != VALID:
        return Fact(READY, f"{ready.reason}: not verified", detail={"verified": False})
    return Fact(READY, since=since_of(ready))
