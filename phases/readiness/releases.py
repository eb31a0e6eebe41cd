"""
HelmReleases.

Ready=True is believed only where nothing else in the status denies it: what Helm itself last did, whether the tests
passed, which chart it was. Conditions and reasons are helm-controller 1.6's (api/v2/condition_types.go,
internal/reconcile/atomic_release.go, unlock.go). A release that a remediation took back is at its old revision or gone.
"""

from __future__ import annotations

from typing import Any

from journal.entries import Fact
from phases.codes import PROGRESSING, READY
from phases.objects import Condition, Flux, condition
from phases.readiness.flux import (
    SAYS_READY,
    UNOBSERVED,
    cause_of,
    early,
    handled,
    identity,
    progress,
    took,
    waited_for,
)
from phases.readiness.saying import absent, blocked, failed, is_true, since_of, text_of

DEPLOYED = "deployed"
LOCKED = "pending-"
UNLOCKS = "an action of Helm is under way; if it died, the lock is taken off by itself"
COMPARES = "enabled"  # spec.driftDetection.mode; helm-controller 1.6, internal/action/diff.go
RETRIES_FOR_EVER = "RetryOnFailure"
# What helm-controller gives up for: it leaves both only by a reset, or by a change.
GIVEN_UP = ("RetriesExceeded", "MissingRollbackTarget")


def helm_release(found: Flux | None, *, suspended: bool = False, chart_version: str = "") -> Fact:
    """
    Judge a HelmRelease; Stalled with RetriesExceeded leaves only through a change or a reset.

    detail.given_up: with which of ``GIVEN_UP`` it stalled; detail.cause is what it gave up for, where that is named.

    *suspended*: Git itself suspends it. *chart_version*: the version that its chart serves (empty: not known).
    """
    before = early("HelmRelease", found, suspended=suspended)
    if before is not None or found is None:
        return before or absent()
    conditions = found.status.conditions
    ready, stalled = condition(conditions, "Ready"), condition(conditions, "Stalled")
    detail = {**identity(found.metadata), **handled(found), **_attempts(found), **_compares(found)}
    if not is_true(ready):
        detail |= _lasted(found)
    if stalled is not None and is_true(stalled):
        return _stalled(found, ready, stalled, detail)
    if ready is None or ready.status == "Unknown":
        return Fact(PROGRESSING, progress(conditions), detail=detail)
    if ready.status == "False":
        return _not_ready(found, ready, detail)
    if found.status.observed_generation != found.metadata.generation:
        return Fact(PROGRESSING, UNOBSERVED, detail=detail)
    return _denied(found, chart_version, detail) or Fact(READY, detail=detail)


def _stalled(
    found: Flux, ready: Condition | None, stalled: Condition, detail: dict[str, Any]
) -> Fact:
    """Keep what it gave up for where that is named: a reset before that has cleared is an attempt for nothing."""
    since, text, cause = since_of(stalled), text_of(ready or stalled), stalled.reason
    if cause in GIVEN_UP:
        detail = {**detail, "given_up": cause}
        cause = _named(found, ready) or cause
    return failed(text, cause, terminal=True, since=since, detail=detail)


def _named(found: Flux, ready: Condition | None) -> str:
    """Return the cause that its last failure names; empty: none, or one whose end nobody here would see."""
    if ready is None or ready.status != "False":
        return ""
    cause = cause_of(ready, found.metadata.namespace)
    if not cause.startswith(("reason:", "source")):
        return cause
    # What a remediation took back is gone, or is that of the former revision: no end of this failure.
    taken_back = is_true(condition(found.status.conditions, "Remediated"))
    waited = [] if taken_back else waited_for(ready.message)
    return f"health:{','.join(waited)}" if waited else ""


def _not_ready(found: Flux, ready: Condition, detail: dict[str, Any]) -> Fact:
    if _is_locked(found):
        return Fact(PROGRESSING, UNLOCKS, detail=detail)
    cause = cause_of(ready, found.metadata.namespace)
    remediated = condition(found.status.conditions, "Remediated")
    if is_true(remediated) and cause.startswith("reason:"):
        # Nothing names what has to clear first: it failed, was taken back, and is tried again.
        return failed(text_of(ready), cause, terminal=False, since=since_of(ready), detail=detail)
    return blocked(text_of(ready), cause, since_of(ready), detail)


def _denied(found: Flux, chart_version: str, detail: dict[str, Any]) -> Fact | None:
    """Return what denies Ready=True; what a status does not tell denies nothing."""
    conditions = found.status.conditions
    denied = {**detail, **SAYS_READY}
    if _is_locked(found):
        return Fact(PROGRESSING, UNLOCKS, detail=detail)
    last = found.status.history[0] if found.status.history else None
    if last is not None and last.status not in {"", DEPLOYED}:
        return blocked(f"its release is {last.status}", f"release:{last.status}", detail=denied)
    released = condition(conditions, "Released")
    if released is not None and released.status != "True":
        cause = f"reason:{released.reason}"
        return blocked(text_of(released), cause, since_of(released), denied)
    tested = condition(conditions, "TestSuccess")
    if found.spec.test is not None and found.spec.test.enable and not is_true(tested):
        if tested is None or tested.status == "Unknown":
            return Fact(PROGRESSING, "its tests have not passed yet", detail=detail)
        return blocked(text_of(tested), f"reason:{tested.reason}", since_of(tested), denied)
    if last is not None and chart_version and last.chart_version != chart_version:
        text = f"released chart {last.chart_version or 'nothing'}, goal {chart_version}"
        return Fact(PROGRESSING, text, detail=detail)
    return None


def _is_locked(found: Flux) -> bool:
    last = found.status.history[0] if found.status.history else None
    return last is not None and last.status.startswith(LOCKED)


def _compares(found: Flux) -> dict[str, Any]:
    """Say whether it puts back what was deleted under it: only then does it help to ask it."""
    detection = found.spec.drift_detection
    return {"compares": True} if detection is not None and detection.mode == COMPARES else {}


def _attempts(found: Flux) -> dict[str, Any]:
    """Count failures where no condition ever says that it gave up."""
    actions = (found.spec.install, found.spec.upgrade)
    strategies = {a.strategy.name for a in actions if a is not None and a.strategy is not None}
    if RETRIES_FOR_EVER not in strategies or not found.status.failures:
        return {}
    return {"failures": found.status.failures}


def _lasted(found: Flux) -> dict[str, Any]:
    """
    Say how long Helm's last action was, what it waits for included, if that succeeded: it is told of failed ones too.

    Only of what is not Ready, as of Kustomizations. A rollback leaves what is deployed, and Released=False.
    """
    if not is_true(condition(found.status.conditions, "Released")):
        return {}
    return took(found.status.last_attempted_release_action_duration)


def is_repeating(earlier: Fact, later: Fact) -> bool:
    """Say whether a release that retries for ever failed again in the same words: its Stalled, which never comes."""
    counts = [fact.detail.get("failures") for fact in (earlier, later)]
    before, after = (count if isinstance(count, int) else 0 for count in counts)
    return 0 < before < after and bool(later.reason) and earlier.reason == later.reason
