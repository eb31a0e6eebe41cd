"""
Kustomizations, and what their messages name; what HelmReleases and sources share with them.

The predicate for a Kustomization is stricter than ``flux get``: Ready at an old revision is not synced. Reasons and
messages are those of kustomize-controller 1.9 and helm-controller 1.6; patterns are checked against recorded objects.
"""

from __future__ import annotations

import re
from typing import Any

from engine.patience import seconds
from journal.entries import Fact
from phases.codes import PROGRESSING, READY, SUSPENDED, UNOBSERVABLE, subject
from phases.more_objects import Chart
from phases.objects import Condition, Flux, Meta, Source, condition
from phases.readiness import apiserver
from phases.readiness.kinds import unserved
from phases.readiness.lacking import lacked
from phases.readiness.saying import (
    TEXT_BYTES,
    absent,
    blocked,
    failed,
    is_true,
    since_of,
    terminating,
    text_of,
)

TERMINATING_NAMESPACE = re.compile(
    r"Namespace/([a-z0-9.-]+) status: 'Terminating'"
    r"|content in namespace ([a-z0-9.-]+) because it is being terminated"
)
HEALTH_ITEM = re.compile(r"([A-Z][A-Za-z]+/[a-z0-9./-]+) status: '")
# A namespace that went while the attempt waited for it: the attempt is lost, the next one makes it anew.
GONE_NAMESPACE = re.compile(r"Namespace/([a-z0-9.-]+) status: 'NotFound'")
MISSING_NAMESPACE = re.compile(r'namespaces "([a-z0-9.-]+)" not found')
# The API server's words when a webhook with failurePolicy Fail cannot be called (apiserver pkg/util/webhook/error.go).
UNCALLED_WEBHOOK = re.compile(r'failed calling webhook "([^"]+)"')
# An aggregated API that nobody serves, asked for one of its own kinds (client-go discovery; recorded).
UNSERVED_API = re.compile(
    r"unable to retrieve the complete list of server APIs: ([a-z0-9.-]+/v[a-z0-9]+):"
)
# Causes that are just a name in a message, in the order in which they are looked for.
NAMED = (
    ("namespace-gone", GONE_NAMESPACE),
    ("namespace-missing", MISSING_NAMESPACE),
    ("webhook", UNCALLED_WEBHOOK),
    ("api", UNSERVED_API),
)
# kustomize-controller 1.9, of a source that is well: only another revision has the folder.
NO_PATH = "kustomization path not found"
DEPENDENCY = re.compile(r"dependency '([^']+)'|unable to get '([^']+)' dependency")
# Where a nudge leaves its token: Flux's objects, and External Secrets'.
NUDGES = ("reconcile.fluxcd.io/requestedAt", "force-sync")
SUCCEEDED = "ReconciliationSucceeded"
UNOBSERVED = "the latest generation is not reconciled"
# Its own Ready is True, and something else denies it: who wakes it knows that, and is not stopped by it.
SAYS_READY = {"says_ready": True}


def kustomization(
    found: Flux | None, goal: str, *, suspended: bool, source: Fact | None = None
) -> Fact:
    """
    Judge a Kustomization against the goal revision (empty: not known yet).

    *suspended*: Git itself suspends it. *source*: the verdict on its source, where it was judged: applied is only what
    a source that is Ready serves.
    """
    before = early("Kustomization", found, suspended=suspended)
    if before is not None or found is None:
        return before or absent()
    ready = condition(found.status.conditions, "Ready")
    detail = {**identity(found.metadata), **handled(found)}
    if not is_true(ready):
        detail |= _lasted(found)
    stalled = condition(found.status.conditions, "Stalled")
    if is_true(stalled):
        since = since_of(ready) if ready is not None else since_of(stalled)
        return failed(
            text_of(ready or stalled), "stalled", terminal=True, since=since, detail=detail
        )
    if ready is None or ready.status == "Unknown":
        return Fact(PROGRESSING, progress(found.status.conditions), detail=detail)
    if ready.status == "False":
        cause = _cause(found, ready)
        parked = {**detail, "parked": is_parked(found.status.conditions)}
        if cause == "source":
            parked |= _follows(found)
        return blocked(text_of(ready), cause, since_of(ready), parked)
    if found.status.observed_generation != found.metadata.generation:
        return Fact(PROGRESSING, UNOBSERVED, detail=detail)
    return _applied(found.status.last_applied_revision, goal, source, detail)


def _cause(found: Flux, ready: Condition) -> str:
    """Tell what is the API server's own; where it applies to another cluster, nobody here knows how that one's is."""
    cause = cause_of(ready, found.metadata.namespace)
    here = found.spec.kube_config is None
    if cause == apiserver.REASON and here and apiserver.is_its_own(ready.message):
        return apiserver.CAUSE
    return cause


def _lasted(found: Flux) -> dict[str, Any]:
    """
    Say how long its last attempt that succeeded was, health checks included.

    Only of what is not Ready: each success has another duration, and would be news of nothing. None comes before it is
    Ready again.
    """
    for attempts in found.status.history:
        if attempts.last_reconciled_status == SUCCEEDED:
            return took(attempts.last_reconciled_duration)
    return {}


def took(text: str) -> dict[str, float]:
    """Say for a detail what a duration in Go's words is in seconds; nothing, where it is none."""
    try:
        return {"took": round(seconds(text), 1)}
    except ValueError:
        return {}


def _applied(revision: str, goal: str, source: Fact | None, detail: dict[str, Any]) -> Fact:
    """Compare what was applied with what should be; ``flux get`` leaves this out."""
    served = str(source.detail.get("revision", "")) if source is not None else ""
    for wanted in filter(None, (goal, served)):
        if revision != wanted:
            text = f"applied {short(revision or 'nothing')}, goal {short(wanted)}"
            return Fact(PROGRESSING, text, detail=detail)
    if source is not None and source.code != READY:
        text = f"its source is {source.code}: {source.reason}"
        return blocked(text, "source", detail={**detail, **SAYS_READY})
    return Fact(READY, detail=detail)


def dependency(
    found: Flux | None, *, serves: str = "", expression: str = "", additive: bool = False
) -> Fact:
    """
    Judge a Kustomization as its dependents do (kustomize-controller, checkDependencies): that is another question.

    *serves*: the revision of the source that both share (empty: they share none), so that a new commit makes all wait
    for all again. *expression*: ``readyExpr`` decides alone, unless *additive* (AdditiveCELDependencyCheck) is on, and
    only the controller can evaluate it. Suspended or on its way out, a dependency that was Ready stays good enough.
    """
    if found is None:
        return absent("no such dependency")
    if expression and not additive:
        return Fact(UNOBSERVABLE, "an expression decides, and only its controller evaluates it")
    ready = condition(found.status.conditions, "Ready")
    if not is_true(ready) or found.status.observed_generation != found.metadata.generation:
        return Fact(PROGRESSING, "dependency is not ready")
    if serves and found.status.last_applied_revision != serves:
        return Fact(PROGRESSING, "dependency revision is not up to date")
    if expression:
        return Fact(UNOBSERVABLE, "an expression decides as well")
    return Fact(READY)


def cause_of(ready: Condition, namespace: str) -> str:
    """
    Name what has to clear first.

    ``kind:K.group``, ``namespace:N`` (``-gone``, ``-missing``), ``webhook:NAME``, ``api:GROUP/VERSION``,
    ``dependency:NS/N``, ``health:K/NS/N,…``, ``object:K/NS/N`` (a Secret or ConfigMap), ``source``,
    ``path`` (its folder), or a reason. What is the API server's own is no cause of this kind (``apiserver``).
    """
    for asked in unserved(ready.message):
        if asked.kind and asked.group:
            return f"kind:{asked.kind}.{asked.group}"
    match = TERMINATING_NAMESPACE.search(ready.message)
    if match:
        return f"namespace:{match[1] or match[2]}"
    for family, pattern in NAMED:
        match = pattern.search(ready.message)
        if match:
            return f"{family}:{match[1]}"
    if ready.reason == "DependencyNotReady":
        match = DEPENDENCY.search(ready.message)
        name = (match[1] or match[2]) if match else "?"
        return f"dependency:{name if '/' in name else f'{namespace}/{name}'}"
    if ready.reason == "HealthCheckFailed":
        return f"health:{','.join(waited_for(ready.message))}"
    if ready.reason == "ArtifactFailed":
        return "path" if NO_PATH in ready.message else "source"
    missing = lacked(ready, namespace)
    if missing:
        return f"object:{missing}"
    return f"reason:{ready.reason}"


def waited_for(message: str) -> list[str]:
    """Name all that a health check waited for, and in one order: it is judged, and not only shown."""
    return sorted(set(HEALTH_ITEM.findall(message)))


def _follows(found: Flux) -> dict[str, Any]:
    """Say which source it follows: that of the plan is not everybody's."""
    named = found.spec.source_ref
    if named is None:
        return {}
    return {
        "source": subject(named.kind, f"{named.namespace or found.metadata.namespace}/{named.name}")
    }


def short(revision: str) -> str:
    """Shorten ``main@sha1:…`` to what people compare."""
    branch, separator, digest = revision.partition("@sha1:")
    return f"{branch}@{digest[:8]}" if separator else revision[:24]


def early(kind: str, found: Flux | None, *, suspended: bool) -> Fact | None:
    """Return the verdict that needs no condition, for Kustomizations and HelmReleases; None: its conditions decide."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata, detail=identity(found.metadata))
    if found.spec.suspend and suspended:
        return Fact(READY, "suspended, as Git has it")
    if found.spec.suspend:
        conditions = found.status.conditions
        # What was Ready stays good enough for what depends on it, and a worker brings its attempt to an end.
        detail = {**identity(found.metadata), "parked": not is_held(kind, conditions)}
        if is_true(condition(conditions, "Ready")):
            detail |= {**SAYS_READY, "applied": found.status.last_applied_revision}
        return Fact(SUSPENDED, "suspended in the cluster only", detail=detail)
    return None


def handled(found: Flux | Source | Chart) -> dict[str, Any]:
    """Say which nudge a controller has answered with a whole attempt: one of ours, or of somebody else."""
    token = found.status.last_handled_reconcile_at
    if not token:
        return {}
    return {"handled_at": token} if "#" in token else {"handled_foreign": token}


def identity(metadata: Meta) -> dict[str, Any]:
    """Say which object this is, and which of our nudges reached it: a token of ours names its run behind a #."""
    found: dict[str, Any] = {"uid": metadata.uid, "generation": metadata.generation}
    for name in NUDGES:
        token = metadata.annotations.get(name, "")
        if "#" in token:
            found["requested_at"] = token
    return found


def is_held(kind: str, conditions: tuple[Condition, ...]) -> bool:
    """
    Say whether a worker is at an object, by what it says itself.

    kustomize-controller and source-controller tell it by the reason of Reconciling; helm-controller leaves that at
    Progressing while it waits as well (1.6, recorded), and only Ready=Unknown means work. External Secrets tells it
    nowhere.
    """
    if kind != "HelmRelease":
        return not is_parked(conditions)
    ready = condition(conditions, "Ready")
    return ready is not None and ready.status == "Unknown"


def is_parked(conditions: tuple[Condition, ...]) -> bool:
    """
    Progressing means that a worker holds it now; anything else waits for its retry.

    Of Kustomizations and of sources (source-controller 1.9): a HelmRelease says Progressing while it waits.
    """
    reconciling = condition(conditions, "Reconciling")
    return (
        reconciling is None or reconciling.status != "True" or reconciling.reason != "Progressing"
    )


def progress(conditions: tuple[Condition, ...]) -> str:
    """Say which step is at work: the message of Reconciling begins with it."""
    reconciling = condition(conditions, "Reconciling")
    text = reconciling.message if reconciling is not None else ""
    # The timeout in this text is a label, not a deadline; people have read it as an error.
    return re.sub(r" with a timeout of \S+", "", text)[:TEXT_BYTES] or "not reconciled yet"
