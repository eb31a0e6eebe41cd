"""
Kustomizations: stricter than ``flux get``, and what their messages name.

Mutants, killed here: ProgressingWithRetry taken for work in progress; the revision not asked of a dependency of the
same source; a source that is not Ready good enough; what the source serves not compared.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from journal.entries import Fact
from phases.objects import Condition, Flux
from phases.readiness.flux import cause_of, dependency, kustomization, short
from tests.phases.readiness.given import DELETED, GONE_AT, MOVED_AT, cases, condition, said

GOAL = "main@sha1:98844bf039d9b1f37cd9184ed24b4dfab2c24cad"
OLD = "main@sha1:0000000039d9b1f37cd9184ed24b4dfab2c24cad"


def flux(
    *conditions: str,
    generation: int = 2,
    observed: int = 2,
    revision: str = GOAL,
    **rest: Any,  # noqa: ANN401
) -> Flux:
    metadata = {"name": "apps", "namespace": "flux-system", "uid": "u1", "generation": generation}
    body = {
        "metadata": {**metadata, **rest.get("metadata", {})},
        "spec": rest.get("spec", {}),
        "status": {
            "observedGeneration": observed,
            "lastAppliedRevision": revision,
            "conditions": [condition(text) for text in conditions],
        },
    }
    return msgspec.convert(body, Flux)


@pytest.mark.parametrize(
    ("found", "code", "reason"),
    [
        (None, "Absent", ""),
        (flux("Ready=True/x"), "Ready", ""),
        (flux("Ready=True/x", metadata=DELETED), "Terminating", "is being deleted"),
        (
            flux("Ready=True/x", spec={"suspend": True}),
            "Suspended",
            "suspended in the cluster only",
        ),
        # Ready, and still not synced.
        (flux("Ready=True/x", observed=1), "Progressing", "the latest generation"),
        (
            flux("Ready=True/x", revision=OLD),
            "Progressing",
            "applied main@00000000, goal main@98844bf0",
        ),
        (flux("Ready=True/x", revision=""), "Progressing", "applied nothing"),
        # Never reconciled: kstatus calls this Current.
        (flux(observed=-1), "Progressing", "not reconciled yet"),
        (flux("Ready=Unknown/Progressing", observed=-1), "Progressing", "not reconciled yet"),
        (
            flux(
                "Reconciling=True/Progressing Running health checks with a timeout of 59m30s",
                "Ready=Unknown/Progressing",
            ),
            "Progressing",
            "Running health checks",
        ),
        (flux("Ready=False/BuildFailed no", observed=-1), "Blocked", "BuildFailed: no"),
        (flux("Stalled=True/InvalidCELExpression", "Ready=False/x"), "Failed", "x: "),
    ],
)
def test_kustomizations(found: Flux | None, code: str, reason: str) -> None:
    fact = kustomization(found, GOAL, suspended=False)

    assert (code, reason) == (fact.code, fact.reason[: len(reason)])


READY = {"says_ready": True, "applied": GOAL}


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        (("Ready=True/x",), {**READY, "parked": True}),
        (("Ready=False/x",), {"parked": True}),
        (("Ready=Unknown/x", "Reconciling=True/Progressing"), {"parked": False}),
        (("Ready=False/x", "Reconciling=True/ProgressingWithRetry"), {"parked": True}),
        ((), {"parked": True}),
    ],
)
def test_of_what_is_suspended_it_is_told_what_its_dependents_go_by(
    conditions: tuple[str, ...], told: dict[str, Any]
) -> None:
    fact = kustomization(flux(*conditions, spec={"suspend": True}), GOAL, suspended=False)

    assert fact.detail == {"uid": "u1", "generation": 2, **told}


def test_what_git_suspends_is_expected_to_be_suspended() -> None:
    suspended = flux(spec={"suspend": True})

    assert "Ready" == kustomization(suspended, GOAL, suspended=True).code


def test_without_a_goal_any_revision_will_do() -> None:
    assert "Ready" == kustomization(flux("Ready=True/x", revision=OLD), "", suspended=False).code


@pytest.mark.parametrize(
    ("reconciling", "parked"),
    [
        (
            "Reconciling=True/ProgressingWithRetry",
            True,
        ),  # not work in progress: waits for its retry
        ("Reconciling=True/Progressing", False),
        ("Reconciling=False/Progressing", True),
    ],
)
def test_parked_is_told_from_held_by_a_worker(reconciling: str, parked: bool) -> None:  # noqa: FBT001
    fact = kustomization(flux(reconciling, "Ready=False/x"), GOAL, suspended=False)

    assert parked is fact.detail["parked"]


TIMEOUT = "timeout waiting for: ["
CAUSES = {
    # Recorded: kustomize-controller 1.9.5 after the CRD, which it had known, was deleted.
    "kind:Gadget.bench.example": "Gadget/bench/app-04-1 not found: the server could not find the requested "
    "resource (patch gadgets.bench.example app-04-1)\n",
    "kind:Widget.example.com": 'x dry-run failed: no matches for kind "Widget" in version "example.com/v1"',
    "namespace:apps": f"{TIMEOUT}Namespace/apps status: 'Terminating', Namespace/db status: 'Terminating']",
    "namespace:db": 'secrets "x" is forbidden: unable to create new content in namespace db because it is '
    "being terminated",
    "namespace-gone:apps": f"{TIMEOUT}Namespace/apps status: 'NotFound']",
    "namespace-missing:apps": 'Deployment/apps/x not found: namespaces "apps" not found',
    "webhook:guard.example.com": "x dry-run failed (InternalError): Internal error occurred: failed calling webhook "
    '"guard.example.com": failed to call webhook: Post "https://g.p.svc:443/x?timeout=2s": service "g" not found',
    # Recorded: kustomize-controller 1.9.5, an object of an aggregated API without a Service.
    "api:metrics.example.com/v1beta1": "Gauge/default/g dry-run failed (ServiceUnavailable): failed to get API group "
    "resources: unable to retrieve the complete list of server APIs: metrics.example.com/v1beta1: the server is "
    "currently unable to handle the request",
    "reason:ReconciliationFailed": "anything else",
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_message_names_what_has_to_clear_first(cause: str) -> None:
    ready = Condition("Ready", "False", "ReconciliationFailed", CAUSES[cause])

    assert cause == cause_of(ready, "flux-system")


@pytest.mark.parametrize(
    ("reason", "message", "cause"),
    [
        (
            "DependencyNotReady",
            "dependency 'flux-system/infra' is not ready",
            "dependency:flux-system/infra",
        ),
        ("DependencyNotReady", "dependency 'infra' is not ready", "dependency:home/infra"),
        ("DependencyNotReady", "unable to get 'a/b' dependency: not found", "dependency:a/b"),
        ("DependencyNotReady", "something new", "dependency:home/?"),
        ("ArtifactFailed", "Source artifact not found, retrying in 3s", "source"),
        (
            "ArtifactFailed",
            "kustomization path not found: stat /tmp/x/no-such-folder: no such file or directory",
            "path",
        ),
        # A chart is no source that rekindle watches.
        ("SourceNotReady", "HelmChart 'a/b' is not ready", "reason:SourceNotReady"),
        ("HealthCheckFailed", "no list", "health:"),
        (
            "HealthCheckFailed",
            (
                "health check failed after 30s: failed early due to stalled resources: "
                "[Deployment/slow/stuck status: 'Failed', StatefulSet/db/main status: 'InProgress']"
            ),
            "health:Deployment/slow/stuck,StatefulSet/db/main",
        ),
    ],
)
def test_a_reason_names_what_has_to_clear_first(reason: str, message: str, cause: str) -> None:
    assert cause == cause_of(Condition("Ready", "False", reason, message), "home")


def test_what_is_judged_is_not_cut_and_no_attempt_changes_its_order() -> None:
    """kustomize-controller writes what it waited for as it comes. Mutants: the first five; as they come."""
    items = [f"Deployment/apps/d{number}" for number in (6, 5, 4, 3, 2, 1, 0, 6)]
    message = ", ".join(f"{item} status: 'InProgress'" for item in items)
    ready = Condition("Ready", "False", "HealthCheckFailed", f"timeout waiting for: [{message}]")

    assert cause_of(ready, "home") == f"health:{','.join(sorted(set(items)))}"


@pytest.mark.parametrize(
    ("reference", "message", "source"),
    [
        ({"name": "x"}, "no artifact", "gitrepository/flux-system/x"),
        ({"name": "x", "namespace": "home"}, "no artifact", "gitrepository/home/x"),
        ({"name": "x", "kind": "Bucket"}, "no artifact", "bucket/flux-system/x"),
        ({"name": "x"}, "kustomization path not found: stat x", None),
        (None, "no artifact", None),
    ],
)
def test_who_waits_for_a_source_says_which(
    reference: dict[str, str] | None, message: str, source: str | None
) -> None:
    ref = {"kind": "GitRepository", **reference} if reference else None
    found = flux(f"Ready=False/ArtifactFailed {message}", spec={"sourceRef": ref})

    assert kustomization(found, "", suspended=False).detail.get("source") == source


def test_revisions_are_shortened_to_what_people_compare() -> None:
    assert ("main@98844bf0", "6.5.4") == (short(GOAL), short("6.5.4"))


def judged(found: Flux | None, **rest: Any) -> Fact:  # noqa: ANN401
    return kustomization(found, rest.pop("goal", GOAL), suspended=False, **rest)


def served(code: str = "Ready", revision: str = GOAL) -> Fact:
    return Fact(code, detail={"revision": revision})


SYNCED = flux("Ready=True/x")
HELD = {**DELETED, "finalizers": ["finalizers.fluxcd.io"]}
PARKED = "Reconciling=True/ProgressingWithRetry"
RICH = {
    "trap: never Ready, generation -1: in progress for ever for kstatus": (
        judged(flux("Ready=False/BuildFailed", PARKED, observed=-1)),
        "Blocked reason:BuildFailed",
    ),
    "trap: stalled is not retried before its spec changes": (
        judged(flux("Ready=False/AccessDenied", "Stalled=True/AccessDenied")),
        "Failed! stalled",
    ),
    "stalled, and says nothing else": (judged(flux("Stalled=True/x")), "Failed! stalled"),
    "trap: a source that is not Ready serves an old revision": (
        judged(SYNCED, source=served("Blocked")),
        "Blocked source",
    ),
    "trap: Ready at what the source served before": (
        judged(SYNCED, goal="", source=served(revision=OLD)),
        "Progressing",
    ),
    "trap: at the source's revision, which is not the goal": (
        judged(flux("Ready=True/x", revision=OLD), source=served(revision=OLD)),
        "Progressing",
    ),
    "synced with its source": (judged(SYNCED, source=served()), "Ready"),
    "held by Flux's finalizer": (
        judged(flux("Ready=True/x", metadata=HELD)),
        "Terminating finalizers.fluxcd.io",
    ),
}


@pytest.mark.parametrize(("fact", "expected"), cases(RICH))
def test_what_a_verdict_adds(fact: Fact, expected: str) -> None:
    assert expected == said(fact)


def test_since_when_is_the_condition_s_or_the_deletion_s() -> None:
    conditions = ("Ready=False/x", "Stalled=True/x Ready=False/x")

    assert [MOVED_AT] * 2 == [judged(flux(*text.split())).since for text in conditions]
    assert GONE_AT == judged(flux("Ready=True/x", metadata=HELD)).since


STEPS = {
    "Fetching manifests for revision main@sha1:98844bf": "Fetching manifests",
    "Building manifests for revision main with a timeout of 59m30s": "Building manifests",
    "Detecting drift for revision main with a timeout of 59m30s": "Detecting drift",
    "Running health checks for revision main with a timeout of 59m30s": "Running health checks",
    "Reconciliation in progress": "Reconciliation in progress",
}


@pytest.mark.parametrize("text", STEPS)
def test_the_step_is_the_beginning_of_what_reconciling_says(text: str) -> None:
    fact = judged(flux(f"Reconciling=True/Progressing {text}", "Ready=Unknown/Progressing"))

    assert ("Progressing", STEPS[text]) == (fact.code, fact.reason[: len(STEPS[text])])
    assert "timeout" not in fact.reason


CEL = {"expression": "true"}
DEPENDENCIES = {
    "not there": (None, {}, "Absent"),
    "ready": (SYNCED, {}, "Ready"),
    "not ready": (flux("Ready=False/x"), {}, "Progressing"),
    "says nothing": (flux(), {}, "Progressing"),
    "of an older generation": (flux("Ready=True/x", observed=1), {}, "Progressing"),
    "trap: a new commit makes all wait for all again": (SYNCED, {"serves": OLD}, "Progressing"),
    "at the revision of the source that both share": (SYNCED, {"serves": GOAL}, "Ready"),
    "trap: of another source, any revision will do": (
        flux("Ready=True/x", revision=OLD),
        {},
        "Ready",
    ),
    "trap: suspended, and good enough": (flux("Ready=True/x", spec={"suspend": True}), {}, "Ready"),
    "trap: being deleted, and good enough": (flux("Ready=True/x", metadata=DELETED), {}, "Ready"),
    "trap: an expression decides alone": (flux("Ready=False/x"), CEL, "Unobservable"),
    "an expression, additive, and not Ready": (
        flux("Ready=False/x"),
        {**CEL, "additive": True},
        "Progressing",
    ),
    "an expression, additive, and Ready": (SYNCED, {**CEL, "additive": True}, "Unobservable"),
}


@pytest.mark.parametrize(("found", "rest", "expected"), cases(DEPENDENCIES))
def test_dependencies_as_their_dependents_see_them(
    found: Flux | None, rest: dict[str, Any], expected: str
) -> None:
    assert expected == said(dependency(found, **rest))
