"""
HelmReleases that do not get there (catalogue H1-H3, H7-H11, and X4).

Signatures: helm-controller 1.6.3 (internal/reconcile/atomic_release.go, unlock.go) and Helm v4.2's own errors. A
release keeps Reconciling=True/Progressing while it waits; Ready=False with it is a failure all the same. Messages of
Helm may quote whole objects, values among them: only names are taken from those. Without retries, and that is the
default, every failed action is a stalled release: the rule that knows the cause speaks, not the one that counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from journal.entries import Finding, Remedy
from phases.diagnosis.attempts import failing, stalled
from phases.diagnosis.flux_findings import finding
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import (
    NO,
    UNKNOWN,
    YES,
    Proof,
    Rule,
    destructive,
    look,
    nudge,
    reversible,
)
from phases.diagnosis.scene import Scene, path_of
from phases.diagnosis.waited import are_ready
from phases.objects import Condition, Flux, condition, key_of
from phases.readiness.flux import HEALTH_ITEM
from phases.readiness.kinds import NO_MATCH, NOT_SERVED, Unserved, unserved

KIND: Final = "HelmRelease"
ACTION_FAILED: Final = {"InstallFailed", "UpgradeFailed"}
RESET: Final = nudge(
    "annotate it with requestedAt and resetAt, the same token, once the cause is gone"
)
# The cause of a release that has given up for what is over by now: ``phases.nudges`` asks for it.
ONLY_A_RESET: Final = "only-a-reset-is-missing"
UNINSTALL: Final = destructive("uninstall the release: it takes its volumes and CRDs with it")
LOCKED = re.compile(r"another operation \(install/upgrade/rollback\) is in progress")
HOOK = re.compile(r"failed (pre|post)-(install|upgrade|rollback)")
OUT_OF_TIME = re.compile(
    r"context deadline exceeded|would exceed context deadline|timed out waiting|timeout waiting for"
)
# Name and kind, as Helm's client-side patch says it, and as its server-side apply does.
IMMUTABLE = re.compile(
    r'cannot patch "(?P<name>[^"]+)" with kind (?P<kind>\w+): .*field is immutable'
    r"|server-side apply failed for object (?:\S+/)?(?P<applied>\S+) \S+, Kind=(?P<of>\w+): .*field is immutable"
)
OWNED = re.compile(
    r'(\w+) "([^"]+)" in namespace "([^"]*)" exists and cannot be imported .*invalid ownership metadata'
)
# What Helm answers where its record of the release is neither of one that is installed nor of one that failed.
CUT_OFF = re.compile(r'"(?P<name>[^"]+)" has no deployed releases')
REMEDIED: Final = {
    "RollbackSucceeded": "was rolled back to its former revision",
    "UninstallSucceeded": "was uninstalled again",
}
# Signatures that a rule of their own speaks for.
OWN: Final = (NO_MATCH, NOT_SERVED, IMMUTABLE, OWNED, LOCKED, CUT_OFF)
HOOKS: Final = look(
    "whether the hook's Job waits for a Deployment that waits for the Job; then no hooks, in Git"
)
Told = tuple[str, str, str, tuple[Remedy, ...]]


def _exhausted(scene: Scene) -> Iterator[Finding]:
    """H1: all its retries are used up; only a change, or a reset by annotation, starts it again."""
    for found, ready in failing(scene, KIND):
        said = stalled(found)
        if said is None or said.reason != "RetriesExceeded" or _is_own(ready):
            continue
        mended = are_ready(scene, HEALTH_ITEM.findall(ready.message))
        now = "; what it waited for is ready by now" if mended else ""
        yield finding(
            scene,
            KIND,
            found,
            "H1",
            said,
            cause=ONLY_A_RESET if mended else "RetriesExceeded",
            message=f"HelmRelease {key_of(found.metadata)} has given up ({quote(said.message)}): {_brief(ready)}{now}",
            clears_itself=NO,
            evidence=(path_of(KIND, found.metadata, "status.conditions[Stalled]"),),
            clears_when="it was reset after its cause is gone",
            remedies=(RESET, destructive("forceAt: a forced upgrade replaces objects"), UNINSTALL),
        )


def _no_target(scene: Scene) -> Iterator[Finding]:
    """H2: it should be rolled back, and there is nothing to roll back to."""
    for found, ready in failing(scene, KIND):
        said = stalled(found)
        if said is not None and said.reason == "MissingRollbackTarget":
            mended = are_ready(scene, HEALTH_ITEM.findall(ready.message))
            now = "; what it waited for is ready by now" if mended else ""
            yield finding(
                scene,
                KIND,
                found,
                "H2",
                said,
                cause=ONLY_A_RESET if mended else "MissingRollbackTarget",
                message=f"HelmRelease {key_of(found.metadata)} has no revision to go back to: {_brief(ready)}{now}",
                clears_itself=NO,
                evidence=(path_of(KIND, found.metadata, "status.conditions[Stalled]"),),
                clears_when="it was reset after its cause is gone",
                remedies=(RESET, look("install.remediation, or RetryOnFailure, in Git"), UNINSTALL),
            )


def _locked(scene: Scene) -> Iterator[Finding]:
    """H3: its controller died in the middle of an action; it unlocks the release by itself."""
    for found in scene.of(KIND).values():
        said = condition(found.status.conditions, "Released")
        if said is None or said.status != "False" or found.spec.suspend:
            continue
        if said.reason == "PendingRelease" or LOCKED.search(said.message):
            yield finding(
                scene,
                KIND,
                found,
                "H3",
                said,
                cause="locked",
                message=f"HelmRelease {key_of(found.metadata)} was left in the middle of an action, and is locked",
                clears_itself=NO if stalled(found) else YES,
                evidence=(path_of(KIND, found.metadata, "status.conditions[Released]"),),
                clears_when="helm-controller has unlocked it, at its next attempt",
                remedies=(
                    nudge("annotate it with reconcile.fluxcd.io/requestedAt"),
                    destructive("delete its sh.helm.release.v1 Secret: the history goes with it"),
                ),
            )


def _each(
    scene: Scene, rule: str, tell: Callable[[Scene, Flux, Condition], Told | None]
) -> Iterator[Finding]:
    """Tell of actions that failed; a stalled release needs a reset besides."""
    for found, ready in failing(scene, KIND):
        told = tell(scene, found, ready) if ready.reason in ACTION_FAILED else None
        if told is None:
            continue
        cause, text, clears, remedies = told
        over = stalled(found) is not None
        mended = over and clears == YES
        yield finding(
            scene,
            KIND,
            found,
            rule,
            ready,
            cause=ONLY_A_RESET if mended else cause,
            message=f"HelmRelease {key_of(found.metadata)} {text}"
            + ("; its retries are used up" if over else ""),
            clears_itself=NO if over else clears,
            clears_when="an attempt after the cause is gone succeeds",
            remedies=remedies if RESET in remedies else (*remedies, RESET),
        )


def _out_of_time(scene: Scene) -> Iterable[Finding]:
    """H7: it waited, and its objects, or a hook, did not get there."""

    def tell(scene: Scene, found: Flux, ready: Condition) -> Told | None:
        if _is_hook(ready):
            text = f"waited for a hook that did not end: {_brief(ready)}"
            return "hook", text, UNKNOWN, (HOOKS,)
        if not OUT_OF_TIME.search(ready.message) or stalled(found):
            return None
        mended = are_ready(scene, HEALTH_ITEM.findall(ready.message))
        now = "; it is ready by now" if mended else ""
        text = f"waited in vain: {_brief(ready)}{now}"
        return "timed-out", text, YES if mended else UNKNOWN, (look("what it waited for"), RESET)

    return _each(scene, "H7", tell)


def _no_kind(scene: Scene) -> Iterable[Finding]:
    """H8: it holds objects of a kind that nothing defines, or did not at its last attempt."""

    def tell(scene: Scene, _: Flux, ready: Condition) -> Told | None:
        asked = next(unserved(ready.message), None)
        if asked is None:
            return None
        there = _defined(scene, asked)
        version = f"{asked.group}/{asked.version}".strip("/")
        what = f"{asked.kind or asked.crd} ({version})"
        if there:
            return "kind", f"found no {what}; {there[0]} is there by now", YES, (RESET,)
        text = f"holds a {what}, and nothing defines that kind"
        clears = (
            NO if scene.inventory is None and scene.seen("CustomResourceDefinition") else UNKNOWN
        )
        return "kind", text, clears, (look("who provides the kind, and that it comes first"),)

    return _each(scene, "H8", tell)


def _defined(scene: Scene, asked: Unserved) -> list[str]:
    if asked.kind:
        return scene.kinds_of(asked.kind, asked.group)
    return [asked.crd] if scene.get("CustomResourceDefinition", asked.crd) else []


def _immutable(scene: Scene) -> Iterable[Finding]:
    """H9: it changes what cannot be changed; with a Job that is over, deleting that Job is enough."""

    def tell(_: Scene, __: Flux, ready: Condition) -> Told | None:
        said = IMMUTABLE.search(" ".join(ready.message.split()))
        if said is None:
            return None
        kind, name = said["kind"] or said["of"], said["name"] or said["applied"]
        what = f"{kind} {name}"
        job = reversible(f"delete the completed {what}; the next attempt makes it anew")
        force = destructive("force: true: it deletes and makes anew whatever cannot be patched")
        remedies = (job, force) if kind == "Job" else (look(f"rename {what} in Git"), force)
        return "immutable", f"changes a field of {what} that cannot be changed", NO, remedies

    return _each(scene, "H9", tell)


def _not_ours(scene: Scene) -> Iterable[Finding]:
    """H10: an object of its is there already, and belongs to another release or to none."""

    def tell(_: Scene, __: Flux, ready: Condition) -> Told | None:
        said = OWNED.search(" ".join(ready.message.split()))
        if said is None:
            return None
        what = f"{said[1]} {said[3]}/{said[2]}" if said[3] else f"{said[1]} {said[2]}"
        return (
            "ownership",
            f"cannot take over {what}: it exists, and is another release's or nobody's",
            NO,
            (
                reversible(f"adopt {what}: meta.helm.sh annotations, and managed-by: Helm"),
                destructive(f"delete {what}"),
            ),
        )

    return _each(scene, "H10", tell)


def _cut_off(scene: Scene) -> Iterable[Finding]:
    """X4: it was being uninstalled when helm-controller went, and whoever took its finalizer off left Helm's record."""

    def tell(_: Scene, __: Flux, ready: Condition) -> Told | None:
        said = CUT_OFF.search(ready.message)
        if said is None:
            return None
        secret = f"sh.helm.release.v1.{said['name']}"
        return (
            "uninstall-cut-off",
            "cannot be upgraded: Helm's record says that it is being uninstalled, and nobody ends that",
            NO,
            (
                look(f"the Secrets {secret}.v*: their label status says uninstalling"),
                reversible(
                    f"delete those Secrets of {said['name']}: what runs stays, and the next attempt installs over it"
                ),
                UNINSTALL,
            ),
        )

    return _each(scene, "X4", tell)


def _remediated(scene: Scene) -> Iterator[Finding]:
    """H11: a remediation has succeeded, so that what runs is old, or nothing."""
    for found, ready in failing(scene, KIND):
        said = condition(found.status.conditions, "Remediated")
        if said is None or said.status != "True" or said.reason not in REMEDIED or stalled(found):
            continue
        yield finding(
            scene,
            KIND,
            found,
            "H11",
            said,
            cause=said.reason,
            message=f"HelmRelease {key_of(found.metadata)} {REMEDIED[said.reason]} after a failure"
            f"{_cleaned(found)}: {_brief(ready)}",
            clears_itself=UNKNOWN,
            evidence=(path_of(KIND, found.metadata, "status.conditions[Remediated]"),),
            clears_when="an attempt succeeds",
            remedies=(
                look("what the remediation took away: RBAC and Secrets too, with cleanupOnFail"),
                RESET,
            ),
        )


def _cleaned(found: Flux) -> str:
    """Say whether the failed attempt's own objects went with it; which, only Helm's log tells."""
    actions = (found.spec.upgrade, found.spec.rollback)
    cleans = any(action is not None and action.cleanup_on_fail for action in actions)
    return ", and cleanupOnFail deleted what the attempt had made" if cleans else ""


def _is_hook(ready: Condition) -> bool:
    return bool(OUT_OF_TIME.search(ready.message) and HOOK.search(ready.message))


def _is_own(ready: Condition) -> bool:
    line = " ".join(ready.message.split())
    return _is_hook(ready) or any(pattern.search(line) for pattern in OWN)


def _brief(ready: Condition) -> str:
    """Leave out which release of which chart it was: the object says so."""
    return quote(re.sub(r"^Helm \w+ failed for release \S+ with chart \S+: ", "", ready.message))


_SOURCE = "helm-controller 1.6.3 internal/reconcile/atomic_release.go"
_HELM = "helm v4.2 pkg/action and pkg/kube, through helm-controller 1.6.3"
_FIND: tuple[tuple[Any, ...], ...] = (
    ("H1", "all retries are used up", Proof.CONTROLLER, _SOURCE, _exhausted),
    ("H2", "there is nothing to roll back to", Proof.CONTROLLER, _SOURCE, _no_target),
    (
        "H3",
        "it was left locked",
        Proof.CONTROLLER,
        "helm-controller 1.6.3 internal/reconcile/unlock.go",
        _locked,
    ),
    ("H7", "it ran out of time", Proof.CONTROLLER, _HELM, _out_of_time),
    ("H8", "a kind is not defined", Proof.CONTROLLER, _HELM, _no_kind),
    ("H9", "a field cannot be changed", Proof.CONTROLLER, _HELM, _immutable),
    ("H10", "an object is not its own", Proof.CONTROLLER, _HELM, _not_ours),
    (
        "X4",
        "its uninstall was cut off",
        Proof.SOURCE,
        "helm v4.2 pkg/action/upgrade.go prepareUpgrade, pkg/storage/driver: no deployed releases",
        _cut_off,
    ),
    ("H11", "it was taken back after a failure", Proof.CONTROLLER, _SOURCE, _remediated),
)
RULES = tuple(Rule(*row) for row in _FIND)
