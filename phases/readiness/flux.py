"""
Kustomizations, HelmReleases, sources, ExternalSecrets and stores.

The predicate for a Kustomization is stricter than ``flux get``: Ready at an old revision is not synced. Reasons and
messages are those of kustomize-controller 1.9 and helm-controller 1.6; patterns are checked against recorded objects.
"""

from __future__ import annotations

import re
from typing import Any

from journal.entries import Fact
from phases.codes import ABSENT, BLOCKED, FAILED, PROGRESSING, READY, SUSPENDED, TERMINATING
from phases.objects import Condition, ExternalSecret, Flux, Meta, Source, condition

NO_MATCH = re.compile(r'no matches for kind "([^"]+)" in version "([^"/]+)/([^"]+)"')
TERMINATING_NAMESPACE = re.compile(
    r"Namespace/([a-z0-9.-]+) status: 'Terminating'"
    r"|content in namespace ([a-z0-9.-]+) because it is being terminated"
)
HEALTH_ITEM = re.compile(r"([A-Z][A-Za-z]+/[a-z0-9./-]+) status: '")
HEALTH_ITEMS = 5
# A namespace that went while the attempt waited for it: the attempt is lost, the next one makes it anew.
GONE_NAMESPACE = re.compile(r"Namespace/([a-z0-9.-]+) status: 'NotFound'")
MISSING_NAMESPACE = re.compile(r'namespaces "([a-z0-9.-]+)" not found')
DEPENDENCY = re.compile(r"dependency '([^']+)'|unable to get '([^']+)' dependency")
# Ready, says the controller, and there is no Secret: it ended its work by deleting or not making one.
GONE_SECRET = {"SecretDeleted", "SecretMissing"}
TEXT_BYTES = 200
# Where a nudge leaves its token: Flux's objects, and External Secrets'.
NUDGES = ("reconcile.fluxcd.io/requestedAt", "force-sync")


def kustomization(found: Flux | None, goal: str, *, suspended: bool) -> Fact:
    """Judge a Kustomization against the goal revision (empty: not known yet)."""
    early = _early(found, suspended=suspended)
    if early is not None or found is None:
        return early or Fact(ABSENT)
    ready = condition(found.status.conditions, "Ready")
    handled = _handled(found.status.last_handled_reconcile_at)
    detail = {**_identity(found.metadata), **handled}
    if _is_stalled(found.status.conditions):
        return Fact(FAILED, _text(ready), _since(ready), {**detail, "cause": "stalled"})
    if ready is None or ready.status == "Unknown":
        return Fact(PROGRESSING, _progress(found.status.conditions), detail=detail)
    if ready.status == "False":
        cause = cause_of(ready, found.metadata.namespace)
        parked = _is_parked(found.status.conditions)
        return Fact(
            BLOCKED, _text(ready), _since(ready), {**detail, "cause": cause, "parked": parked}
        )
    if found.status.observed_generation != found.metadata.generation:
        return Fact(PROGRESSING, "the latest generation is not reconciled", detail=detail)
    if goal and found.status.last_applied_revision != goal:
        applied = found.status.last_applied_revision or "nothing"
        return Fact(PROGRESSING, f"applied {short(applied)}, goal {short(goal)}", detail=detail)
    return Fact(READY, detail=detail)


def helm_release(found: Flux | None, *, suspended: bool = False) -> Fact:
    """Judge a HelmRelease; Stalled with RetriesExceeded leaves only through a reset."""
    early = _early(found, suspended=suspended)
    if early is not None or found is None:
        return early or Fact(ABSENT)
    ready = condition(found.status.conditions, "Ready")
    handled = _handled(found.status.last_handled_reconcile_at)
    detail = {**_identity(found.metadata), **handled}
    stalled = condition(found.status.conditions, "Stalled")
    if stalled is not None and stalled.status == "True":
        return Fact(FAILED, _text(ready), _since(stalled), {**detail, "cause": stalled.reason})
    if ready is None or ready.status == "Unknown":
        return Fact(PROGRESSING, _progress(found.status.conditions), detail=detail)
    if ready.status == "False":
        cause = cause_of(ready, found.metadata.namespace)
        return Fact(BLOCKED, _text(ready), _since(ready), {**detail, "cause": cause})
    if found.status.observed_generation != found.metadata.generation:
        return Fact(PROGRESSING, "the latest generation is not reconciled", detail=detail)
    return Fact(READY, detail=detail)


def source(found: Source | None) -> Fact:
    """Judge a source; detail.revision is what it serves."""
    if found is None:
        return Fact(ABSENT)
    if found.metadata.deletion_timestamp is not None:
        return Fact(TERMINATING, since=found.metadata.deletion_timestamp.timestamp())
    ready = condition(found.status.conditions, "Ready")
    revision = found.status.artifact.revision if found.status.artifact else ""
    detail = {**_identity(found.metadata), "revision": revision}
    if found.spec.suspend:
        return Fact(SUSPENDED, "suspended", detail=detail)
    if ready is not None and ready.status == "True" and revision:
        return Fact(READY, detail=detail)
    if ready is not None and ready.status == "False":
        cause = f"reason:{ready.reason}"
        return Fact(BLOCKED, _text(ready), _since(ready), {**detail, "cause": cause})
    return Fact(PROGRESSING, _text(ready), detail=detail)


def external_secret(found: ExternalSecret | None, store: str) -> Fact:
    """Judge an ExternalSecret; its controller does not watch stores, so a failed one waits out its backoff."""
    if found is None:
        return Fact(ABSENT)
    if found.metadata.deletion_timestamp is not None:
        return Fact(TERMINATING, since=found.metadata.deletion_timestamp.timestamp())
    ready = condition(found.status.conditions, "Ready")
    detail = _identity(found.metadata)
    if ready is None or ready.status == "Unknown":
        return Fact(PROGRESSING, "not synced yet", detail=detail)
    if ready.status == "False":
        cause = f"store:{store}"
        return Fact(BLOCKED, _text(ready), _since(ready), {**detail, "cause": cause})
    if ready.reason in GONE_SECRET:
        cause = f"reason:{ready.reason}"
        return Fact(BLOCKED, _text(ready), _since(ready), {**detail, "cause": cause})
    return Fact(READY, detail=detail)


def store(found: ExternalSecret | None) -> Fact:
    """Judge a store. Valid is strong; ValidationUnknown says that nobody could ask the provider."""
    if found is None:
        return Fact(ABSENT)
    ready = condition(found.status.conditions, "Ready")
    if ready is None or ready.status == "Unknown":
        return Fact(PROGRESSING, "not validated yet")
    if ready.status == "False":
        return Fact(BLOCKED, _text(ready), _since(ready), {"cause": f"reason:{ready.reason}"})
    reason = "" if ready.reason == "Valid" else f"{ready.reason}: not verified"
    return Fact(READY, reason)


def cause_of(ready: Condition, namespace: str) -> str:
    """
    Name what has to clear first.

    ``kind:K.group``, ``namespace:N`` (``-gone``, ``-missing``), ``dependency:NS/N``, ``health:K/NS/N,…``, ``source``,
    or a reason.
    """
    match = NO_MATCH.search(ready.message)
    if match:
        return f"kind:{match[1]}.{match[2]}"
    match = TERMINATING_NAMESPACE.search(ready.message)
    if match:
        return f"namespace:{match[1] or match[2]}"
    match = GONE_NAMESPACE.search(ready.message)
    if match:
        return f"namespace-gone:{match[1]}"
    match = MISSING_NAMESPACE.search(ready.message)
    if match:
        return f"namespace-missing:{match[1]}"
    if ready.reason == "DependencyNotReady":
        match = DEPENDENCY.search(ready.message)
        name = (match[1] or match[2]) if match else "?"
        return f"dependency:{name if '/' in name else f'{namespace}/{name}'}"
    if ready.reason == "HealthCheckFailed":
        waited = HEALTH_ITEM.findall(ready.message)[:HEALTH_ITEMS]
        return f"health:{','.join(waited)}"
    if ready.reason == "ArtifactFailed":
        return "source"
    return f"reason:{ready.reason}"


def short(revision: str) -> str:
    """Shorten ``main@sha1:…`` to what people compare."""
    branch, separator, digest = revision.partition("@sha1:")
    return f"{branch}@{digest[:8]}" if separator else revision[:24]


def _early(found: Flux | None, *, suspended: bool) -> Fact | None:
    if found is None:
        return Fact(ABSENT)
    if found.metadata.deletion_timestamp is not None:
        since = found.metadata.deletion_timestamp.timestamp()
        return Fact(TERMINATING, "is being deleted", since, _identity(found.metadata))
    if found.spec.suspend and suspended:
        return Fact(READY, "suspended, as Git has it")
    if found.spec.suspend:
        return Fact(SUSPENDED, "suspended in the cluster only", detail=_identity(found.metadata))
    return None


def _handled(token: str) -> dict[str, Any]:
    """Say which nudge of ours a controller has answered with a whole attempt."""
    return {"handled_at": token} if "#" in token else {}


def _identity(metadata: Meta) -> dict[str, Any]:
    """Say which object this is, and which of our nudges reached it: a token of ours names its run behind a #."""
    found: dict[str, Any] = {"uid": metadata.uid, "generation": metadata.generation}
    for name in NUDGES:
        token = metadata.annotations.get(name, "")
        if "#" in token:
            found["requested_at"] = token
    return found


def _is_stalled(conditions: tuple[Condition, ...]) -> bool:
    stalled = condition(conditions, "Stalled")
    return stalled is not None and stalled.status == "True"


def _is_parked(conditions: tuple[Condition, ...]) -> bool:
    """Progressing means that a worker holds it now; anything else waits for its retry."""
    reconciling = condition(conditions, "Reconciling")
    return (
        reconciling is None or reconciling.status != "True" or reconciling.reason != "Progressing"
    )


def _progress(conditions: tuple[Condition, ...]) -> str:
    reconciling = condition(conditions, "Reconciling")
    text = reconciling.message if reconciling is not None else ""
    # The timeout in this text is a label, not a deadline; people have read it as an error.
    return re.sub(r" with a timeout of \S+", "", text)[:TEXT_BYTES] or "not reconciled yet"


def _text(ready: Condition | None) -> str:
    if ready is None:
        return ""
    return f"{ready.reason}: {' '.join(ready.message.split())}"[:TEXT_BYTES]


def _since(found: Condition | None) -> float | None:
    if found is None or found.last_transition_time is None:
        return None
    return found.last_transition_time.timestamp()
