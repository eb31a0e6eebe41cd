"""What a Kustomization's status says, and what it only seems to say."""

from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.graph import roots_of
from phases.diagnosis.structure import blocking, subject_of_item
from phases.diagnosis.waited import are_ready
from tests.phases.diagnosis.flux_objects import OLDER, REVISION, deployment, hr, ks, source
from tests.phases.diagnosis.scenes import AT, found_by, recorded, scene, stamp

READY = ("True", "ReconciliationSucceeded", "")
RETRY = ("True", "ProgressingWithRetry", "Running health checks for revision x")
WEB = "timeout waiting for: [Deployment/apps/web status: 'InProgress']"
EARLY = "failed early due to stalled resources: [Deployment/apps/web status: 'Failed']"


def timed_out(text: str = WEB) -> dict[str, Any]:
    return ks(
        "a",
        ready=("False", "HealthCheckFailed", f"health check failed after 30s: {text}"),
        reconciling=RETRY,
    )


def web(available: int) -> dict[str, Any]:
    return deployment("web", namespace="apps", available=available)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("kustomization-hc-timeout-true-timeout", "K13"),
        ("kustomization-hc-timeout-false-healthcheckfailed", "K14"),
    ],
)
def test_a_recorded_health_check_names_what_it_waited_for(name: str, rule: str) -> None:
    given = recorded(name)

    (found,) = found_by(rule, scene(given))

    assert "waited in vain for Deployment/slow/stuck" in found.message
    assert found.clears_itself == "unknown"


@pytest.mark.parametrize(
    ("at", "said"), [(AT, "; next attempt at "), (AT + 60, "; its next attempt was due at ")]
)
def test_a_parked_kustomization_says_when_it_is_tried_again(at: float, said: str) -> None:
    (found,) = found_by("K13", scene(timed_out(), at=at))

    assert found.message.endswith(f"{said}2027-01-15T08:00:20Z")


@pytest.mark.parametrize(("available", "clears"), [(1, "yes"), (0, "unknown")])
def test_what_is_ready_by_now_only_lacks_the_next_attempt(available: int, clears: str) -> None:
    (found,) = found_by("K13", scene(timed_out(), web(available)))

    assert (clears, clears == "yes") == (found.clears_itself, "ready by now" in found.message)


def test_the_two_ways_in_which_a_health_check_fails_are_two_rules() -> None:
    assert [len(found_by(rule, scene(timed_out(WEB)))) for rule in ("K13", "K14")] == [1, 0]
    assert [len(found_by(rule, scene(timed_out(EARLY)))) for rule in ("K13", "K14")] == [0, 1]


def test_a_stage_that_timed_out_is_no_health_check() -> None:
    """``timeout waiting for: [Namespace/apps status: 'Terminating']``: the namespace is the matter."""
    looked_at = scene(recorded("recover-kustomization-infra-false-reconciliationfailed"))

    assert found_by("K13", looked_at) == []
    assert blocking(looked_at)["namespace/apps"] == ("kustomization/flux-system/infra",)


def test_what_was_waited_for_explains_who_waited() -> None:
    broken = hr(
        "web",
        ready=("False", "InstallFailed", "timeout waiting for: []"),
        stalled=("True", "RetriesExceeded", "x"),
    )
    looked_at = scene(
        timed_out("timeout waiting for: [HelmRelease/apps/web status: 'InProgress']"), broken
    )
    findings = {f.rule: f for rule in ("K13", "H1") for f in found_by(rule, looked_at)}

    (root,) = roots_of(findings, blocking(looked_at))

    assert (root.id, root.victims) == ("H1", ("kustomization/flux-system/a",))


def test_a_release_that_is_well_by_now_explains_nobody() -> None:
    well = hr("web", ready=("True", "InstallSucceeded", ""))
    looked_at = scene(
        timed_out("timeout waiting for: [HelmRelease/apps/web status: 'InProgress']"), well
    )

    assert blocking(looked_at) == {}
    assert [f.clears_itself for f in found_by("K13", looked_at)] == ["yes"]


@pytest.mark.parametrize(
    ("kind", "type_", "clears"),
    [
        ("Job", "Complete", "yes"),
        ("Job", "Failed", "unknown"),
        ("Certificate", "Ready", "yes"),
        ("Widget", "Ready", "unknown"),
    ],
)
def test_what_no_inventory_has_is_looked_at_again_as_well(
    kind: str, type_: str, clears: str
) -> None:
    """Mutant: only workloads and Flux's own are looked at."""
    condition = {"type": type_, "status": "True"}
    given = {
        "kind": kind,
        "metadata": {"name": "x", "namespace": "apps"},
        "status": {"conditions": [condition]},
    }
    there = (given,) if kind != "Widget" else ()
    waited = timed_out(f"timeout waiting for: [{kind}/apps/x status: 'InProgress']")

    assert [f.clears_itself for f in found_by("K13", scene(waited, *there))] == [clears]


def test_what_succeeded_waited_for_nothing() -> None:
    given = timed_out()
    given["status"]["conditions"][0]["status"] = "True"

    assert blocking(scene(given)) == {}


@pytest.mark.parametrize(
    ("items", "objects"),
    [
        ([], []),
        (["Deployment/apps/web"], []),
        (["Deployment/apps/web", "Deployment/apps/db"], [web(1)]),
        (["Namespace/plain"], [recorded("namespace-active")]),
        (["Deployment/apps/web"], [deployment("web", namespace="apps", replicas=2)]),
    ],
    ids=["nothing", "not there", "one of two", "a kind that is not judged", "half of it"],
)
def test_in_doubt_it_is_not_ready(items: list[str], objects: list[dict[str, Any]]) -> None:
    assert not are_ready(scene(*objects), items)


def test_a_daemon_set_is_ready_where_all_its_pods_are() -> None:
    status = {"desiredNumberScheduled": 3, "currentNumberScheduled": 3, "updatedNumberScheduled": 3}
    status |= {"numberAvailable": 3, "numberReady": 3}
    agents = {"kind": "DaemonSet", "metadata": {"name": "c", "namespace": "k"}, "status": status}

    assert are_ready(scene(agents), ["DaemonSet/k/c"])
    assert not are_ready(
        scene({**agents, "status": {**status, "numberReady": 2, "numberAvailable": 2}}),
        ["DaemonSet/k/c"],
    )


def test_a_deployment_that_does_not_say_how_many_wants_one() -> None:
    given = web(1)
    del given["spec"]["replicas"]

    assert are_ready(scene(given), ["Deployment/apps/web"])


def test_what_says_nothing_yet_waited_for_nothing() -> None:
    assert blocking(scene(ks("new"), hr("new"))) == {}


def test_awaited_objects_are_named_as_facts_name_them() -> None:
    assert subject_of_item("CustomResourceDefinition/x.example.com") == "crd/x.example.com"
    assert subject_of_item("ClusterSecretStore/vault") == "store/vault"
    assert subject_of_item("Deployment/a/b") == "deployment/a/b"


SIMPLE: list[tuple[str, dict[str, Any], str]] = [
    (
        "K15",
        ks("a", ready=("False", "HealthCheckCanceled", "New reconciliation triggered by G/a/b")),
        "unknown",
    ),
    ("K17", ks("a", ready=("False", "PruneFailed", "delete refused")), "unknown"),
    (
        "K19",
        ks("a", ready=("False", "AccessDenied", "x"), stalled=("True", "AccessDenied", "x")),
        "no",
    ),
    (
        "K19",
        ks(
            "a",
            ready=("False", "InvalidCELExpression", "x"),
            stalled=("True", "InvalidCELExpression", "x"),
        ),
        "no",
    ),
    (
        "K19",
        hr(
            "a",
            ready=("False", "FeatureGateDisabled", "x"),
            stalled=("True", "FeatureGateDisabled", "x"),
        ),
        "no",
    ),
    ("K18", ks("a", spec={"suspend": True}), "no"),
    ("K18", hr("a", spec={"suspend": True}), "no"),
    ("K18", source("GitRepository", spec={"suspend": True}), "no"),
    ("K18", source("HelmRepository", spec={"suspend": True}), "no"),
]


@pytest.mark.parametrize(("rule", "given", "clears"), SIMPLE)
def test_signatures(rule: str, given: dict[str, Any], clears: str) -> None:
    assert [found.clears_itself for found in found_by(rule, scene(given))] == [clears]


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        ("K15", ks("a", ready=("False", "HealthCheckFailed", "x"))),
        ("K17", ks("a", ready=("False", "ReconciliationFailed", "x"))),
        ("K18", ks("a", ready=READY)),
        ("K18", ks("a", deleted=AT - 5, spec={"suspend": True})),
        ("K19", ks("a", ready=("False", "AccessDenied", "x"))),
        (
            "K19",
            ks("a", ready=("False", "AccessDenied", "x"), stalled=("False", "AccessDenied", "x")),
        ),
        (
            "K19",
            hr(
                "a", ready=("False", "InstallFailed", "x"), stalled=("True", "RetriesExceeded", "x")
            ),
        ),
    ],
)
def test_no_such_signature(rule: str, given: dict[str, Any]) -> None:
    assert found_by(rule, scene(given)) == []


def test_what_git_itself_suspends_is_no_finding() -> None:
    inventory = {
        "kustomizations": [{"key": "flux-system/a", "suspended": True}, {"key": "flux-system/b"}],
        "helmreleases": [{"key": "apps/c", "suspended": True}, {"key": "apps/d"}],
    }
    paused = {"suspend": True}
    looked_at = scene(
        ks("a", spec=paused),
        ks("b", spec=paused),
        hr("c", spec=paused),
        hr("d", spec=paused),
        inventory=inventory,
    )

    assert [found.subject for found in found_by("K18", looked_at)] == [
        "kustomization/flux-system/b",
        "helmrelease/apps/d",
    ]


def test_a_suspended_one_that_is_ready_still_blocks_who_waits_for_its_next_revision() -> None:
    behind = (
        "False",
        "DependencyNotReady",
        "dependency 'flux-system/a' revision is not up to date",
    )
    needs = {"dependsOn": [{"name": "a"}]}
    looked_at = scene(
        ks("a", ready=READY, spec={"suspend": True}),
        ks("b", ready=behind, spec=needs),
        ks("c", ready=behind),
    )

    assert [found.blocks for found in found_by("K18", looked_at)] == [
        ("kustomization/flux-system/b",)
    ]


@pytest.mark.parametrize(
    "name",
    ["kustomization-deleting-controller-down", "kustomization-deleting-prune-blocked-by-webhook"],
)
def test_recorded_deletions_that_do_not_end(name: str) -> None:
    given = recorded(name)
    given["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z"

    (found,) = found_by("K20", scene(given))

    assert found.since is not None
    assert AT - 5_000_000 < found.since < AT, "since it was deleted, not since it was made"


WAITING = {"deletionPolicy": "WaitForTermination", "timeout": "5m"}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (ks("a", deleted=AT - 120), ["unknown"]),
        (ks("a", deleted=AT - 120, spec=WAITING), ["yes"]),
        (ks("a", deleted=AT - 400, spec=WAITING), ["unknown"]),
        (ks("a", deleted=AT - 30), []),
        (
            {
                **ks("a", deleted=AT - 120),
                "metadata": {**ks("a", deleted=AT - 120)["metadata"], "finalizers": ["x/y"]},
            },
            [],
        ),
        (ks("a", ready=READY), []),
    ],
    ids=["hangs", "waits", "waited too long", "just begun", "somebody else's finalizer", "stays"],
)
def test_deletions(given: dict[str, Any], found: list[str]) -> None:
    assert found == [f.clears_itself for f in found_by("K20", scene(given))]


def test_a_deletion_that_waits_says_until_when() -> None:
    (found,) = found_by("K20", scene(ks("a", deleted=AT - 120, spec=WAITING)))

    assert "waits until about 2027-01-15T08:03:00Z" in found.message


def test_ready_at_an_old_revision_is_not_well() -> None:
    old = ks("a", ready=READY, status={"lastAppliedRevision": OLDER})

    (found,) = found_by("K21", scene(old, source("GitRepository", revision=REVISION)))

    assert found.message.endswith("says Ready, at main@00000000; its source serves main@11111111")
    assert found.since == AT - 100, "since the source serves it"


@pytest.mark.parametrize(
    ("given", "serving"),
    [
        (
            ks("a", ready=READY, status={"lastAppliedRevision": REVISION}),
            source("GitRepository", revision=REVISION),
        ),
        (
            ks("a", ready=READY, status={"lastAppliedRevision": OLDER}),
            source("GitRepository", revision=REVISION, updated=AT - 5),
        ),
        (ks("a", ready=READY, status={"lastAppliedRevision": OLDER}), source("GitRepository")),
        (
            ks("a", ready=READY, status={"lastAppliedRevision": OLDER}),
            source("GitRepository", "x", revision=REVISION),
        ),
        (
            ks("a", status={"lastAppliedRevision": OLDER}),
            source("GitRepository", revision=REVISION),
        ),
        (
            ks("a", ready=("False", "BuildFailed", ""), status={"lastAppliedRevision": OLDER}),
            source("GitRepository", revision=REVISION),
        ),
        (ks("a", ready=READY, spec={"suspend": True}), source("GitRepository", revision=REVISION)),
        (ks("a", ready=READY, deleted=AT - 5), source("GitRepository", revision=REVISION)),
    ],
    ids=[
        "the same",
        "a moment ago",
        "nothing served",
        "another source",
        "new",
        "not ready",
        "suspended",
        "leaving",
    ],
)
def test_not_stale(given: dict[str, Any], serving: dict[str, Any]) -> None:
    assert found_by("K21", scene(given, serving)) == []


def test_only_who_depends_on_the_suspended_one_is_blocked() -> None:
    behind = ("False", "DependencyNotReady", "x")
    looked_at = scene(
        ks("a", spec={"suspend": True}),
        ks("b", ready=behind, spec={"dependsOn": [{"name": "other"}]}),
        ks("c", ready=behind, spec={"dependsOn": [{"name": "a", "namespace": "elsewhere"}]}),
        ks("d", ready=behind, spec={"dependsOn": [{"name": "a"}]}, namespace="elsewhere"),
        source("GitRepository", "b", spec={"suspend": True}, ready=READY),
        source("GitRepository", "c", ready=("False", "GitOperationFailed", "x")),
    )

    assert [found.blocks for found in found_by("K18", looked_at)] == [(), ()]


def test_a_deletion_without_a_span_waits_for_ever() -> None:
    endless = {"deletionPolicy": "WaitForTermination", "interval": ""}

    (waiting,) = found_by("K20", scene(ks("a", deleted=AT - 120, spec=endless)))
    (plain,) = found_by("K20", scene(ks("a", deleted=AT - 120)))

    assert (waiting.clears_itself, "until about" in waiting.message) == ("unknown", False)
    assert "its policy waits, then" in waiting.message
    assert "policy" not in plain.message


def test_the_source_of_another_namespace_is_compared_where_it_is_named() -> None:
    spec = {"sourceRef": {"kind": "GitRepository", "name": "x", "namespace": "elsewhere"}}
    looked_at = scene(
        ks("a", ready=READY, status={"lastAppliedRevision": OLDER}, spec=spec),
        ks("b", ready=READY, status={"lastAppliedRevision": OLDER}, spec={"sourceRef": None}),
        source("GitRepository", "x", namespace="elsewhere", revision=REVISION),
    )

    assert [found.subject for found in found_by("K21", looked_at)] == [
        "kustomization/flux-system/a"
    ]


@pytest.mark.parametrize(("revision", "count"), [(REVISION, 1), ("", 0)])
def test_an_artifact_that_does_not_say_since_when_counts(revision: str, count: int) -> None:
    serving = source("GitRepository", revision="x")
    serving["status"]["artifact"] = {"revision": revision}

    found = found_by(
        "K21", scene(ks("a", ready=READY, status={"lastAppliedRevision": OLDER}), serving)
    )

    assert [f.since for f in found] == [None] * count


def test_a_health_check_without_a_list_is_quoted() -> None:
    (found,) = found_by("K13", scene(timed_out("timeout waiting for: nobody knows")))

    assert "waited in vain for health check failed after 30s: timeout waiting for" in found.message


def unjudged(kind: str = "ExternalSecret", age: float = 61, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    group = "external-secrets.io" if kind == "ExternalSecret" else "example.com"
    entries = {"entries": [{"id": f"apps_creds_{group}_ExternalSecret", "v": "v1"}, {"id": "odd"}]}
    status = {"lastAppliedRevision": REVISION, "inventory": entries}
    since = more.get("made", AT - 864_000)
    made = {"name": "creds", "namespace": "apps", "creationTimestamp": stamp(since)}
    secret = {"kind": "ExternalSecret", "metadata": made, "status": more.get("status", {})}
    spec = {"wait": more.get("wait", True)}
    return [ks("a", ready=READY, since=AT - age, spec=spec, status=status), secret]


def test_ready_of_what_nobody_has_looked_at_says_nothing() -> None:
    (found,) = found_by("K21", scene(*unjudged()))

    assert (found.cause, found.blocks) == ("unjudged", ("externalsecret/apps/creds",))
    assert found.since == AT - 61
    assert "nobody has looked at ExternalSecret apps/creds yet" in found.message


@pytest.mark.parametrize(
    "objects",
    [
        unjudged(age=59),
        unjudged(wait=False),
        unjudged("Other"),
        unjudged()[:1],
        unjudged(status={"conditions": [{"type": "Ready", "status": "False"}]}),
        unjudged(made=AT - 59),
    ],
    ids=["just Ready", "nobody waits", "another group", "not there", "looked at", "made anew"],
)
def test_ready_of_what_was_looked_at(objects: list[dict[str, Any]]) -> None:
    assert found_by("K21", scene(*objects)) == []
