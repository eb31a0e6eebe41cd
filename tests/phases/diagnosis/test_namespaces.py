"""Namespaces on their way out, who waits for them, and what must not be taken for one."""

from __future__ import annotations

import pytest

from phases.snapshot import Holder
from tests.phases.diagnosis.flux_objects import deployment
from tests.phases.diagnosis.scenes import (
    AT,
    dangers,
    failed,
    found_by,
    holder,
    made,
    recorded,
    said,
    scene,
)

DEAD_API = recorded("namespace-terminating-dead-apiservice")
HELD = recorded("namespace-terminating-cr-finalizer")
GUARDED = recorded("namespace-terminating-webhook-down")
ACTIVE = recorded("namespace-active")
BEHIND = recorded("recover-kustomization-infra-false-reconciliationfailed")
INFRA = "kustomization/flux-system/infra"
GONE_AT = "2027-01-15T07:50:00Z"  # ten minutes before the look


def leaving(name: str, *conditions: object, **metadata: object) -> dict[str, object]:
    given = {"deletionTimestamp": GONE_AT, **metadata}
    return made("Namespace", name, *conditions, metadata=given)  # type: ignore[arg-type]


def remaining(at: float) -> object:
    return said("NamespaceContentRemaining", "True", "SomeResourcesRemain", "pods. has 3", at)


@pytest.mark.parametrize(
    ("rule", "namespace", "says", "danger"),
    [
        ("N1", DEAD_API, "API metrics.k8s.io/v1beta1 does not answer", "destructive"),
        (
            "N1",
            leaving("x", said("NamespaceDeletionDiscoveryFailure", "True", "", "no answer at all")),
            "an API group does not answer (no answer at all)",
            "destructive",
        ),
        (
            "N2",
            leaving(
                "x",
                said(
                    "NamespaceDeletionGroupVersionParsingFailure",
                    "True",
                    "GroupVersionParsingFailed",
                    "unexpected GroupVersion string: a/b/c",
                ),
            ),
            "a version that is none (unexpected GroupVersion string: a/b/c)",
            "destructive",
        ),
        ("N3", GUARDED, 'failed calling webhook "guard.example.com"', "never"),
    ],
)
def test_the_deleter_says_itself_what_is_in_its_way(
    rule: str, namespace: dict[str, dict[str, object]], says: str, danger: str
) -> None:
    (found,) = found_by(rule, scene(namespace))

    assert found.subject == f"namespace/{namespace['metadata']['name']}"
    assert says in found.message
    assert danger in dangers(found)
    assert found.clears_when
    assert found.since is not None
    assert found.since > AT - 86_400 * 365


@pytest.mark.parametrize("rule", ["N1", "N2", "N3", "N4", "N10", "N11"])
def test_an_active_namespace_has_no_finding(rule: str) -> None:
    assert found_by(rule, scene(ACTIVE)) == []


@pytest.mark.parametrize("rule", ["N1", "N2", "N3", "N4"])
def test_conditions_of_a_deletion_that_is_over_mean_nothing(rule: str) -> None:
    old = {**DEAD_API, "metadata": {**DEAD_API["metadata"]}}
    del old["metadata"]["deletionTimestamp"]

    assert found_by(rule, scene(old)) == []


@pytest.mark.parametrize("rule", ["N1", "N2", "N3", "N4"])
def test_a_condition_that_is_false_is_in_nobodys_way(rule: str) -> None:
    """With only a pod left that has a finalizer all five are False."""
    assert found_by(rule, scene(recorded("namespace-terminating-pod-finalizer"))) == []


def test_how_long_it_is_terminating_is_never_its_age() -> None:
    (found,) = found_by(
        "N4",
        scene(leaving("x", remaining(AT - 5), deletionTimestamp="2027-01-15T07:59:40Z")),
    )

    assert found.since == AT - 20
    assert found.clears_itself == "yes"


@pytest.mark.parametrize(
    ("conditions", "held", "clears"),
    [
        ((remaining(AT),), (), ["unknown"]),
        ((remaining(AT),), (holder("a", namespace="x"),), []),
        ((remaining(AT), said("NamespaceFinalizersRemaining", "True")), (), []),
        ((), (), []),
    ],
)
def test_a_namespace_is_being_emptied_when_nothing_holds_it(
    conditions: tuple[object, ...], held: tuple[Holder, ...], clears: list[str]
) -> None:
    found = found_by("N4", scene(leaving("x", *conditions), holders={"namespace/x": held}))

    assert [finding.clears_itself for finding in found] == clears


def test_a_terminating_namespace_blocks_who_waits_for_it_and_all_that_should_be_in_it() -> None:
    waits = failed(
        "Kustomization", "f/a", "timeout waiting for: [Namespace/x status: 'Terminating']"
    )
    other = failed(
        "Kustomization", "f/b", "timeout waiting for: [Namespace/xx status: 'Terminating']"
    )
    refused = failed(
        "HelmRelease",
        "f/c",
        "unable to create new content in namespace x because it is being terminated",
    )
    inventory = {
        "kustomizations": [{"key": "x/d"}, {"key": "f/e"}],
        "helmreleases": [{"key": "x/h"}],
        "externalsecrets": [{"key": "x/s"}],
        "workloads": [{"kind": "Deployment", "key": "x/w", "pods": 1}],
    }
    dead = said("NamespaceDeletionDiscoveryFailure", "True")

    (found,) = found_by("N1", scene(leaving("x", dead), waits, other, refused, inventory=inventory))

    assert found.blocks == (
        "kustomization/f/a",
        "helmrelease/f/c",
        "kustomization/x/d",
        "helmrelease/x/h",
        "externalsecret/x/s",
        "deployment/x/w",
    )


@pytest.mark.parametrize(("unlisted", "blocks"), [((), 1), (("HelmRelease",), 0)])
def test_who_makes_something_in_a_namespace_waits_only_for_what_is_known_to_be_gone(
    unlisted: tuple[str, ...], blocks: int
) -> None:
    """Mutant: what could not be listed is gone."""
    inventory = {
        "kustomizations": [{"key": "f/p"}],
        "helmreleases": [{"key": "x/h", "parent": "f/p"}],
    }
    dead = said("NamespaceDeletionDiscoveryFailure", "True")

    (found,) = found_by("N1", scene(leaving("x", dead), inventory=inventory, unlisted=unlisted))

    assert found.blocks == ("helmrelease/x/h", *["kustomization/f/p"] * blocks)


def working(step: str, begun: float, **more: object) -> dict[str, object]:
    now = said("Reconciling", "True", "Progressing", f"{step} for revision main", begun)
    return made("Kustomization", "f/a", now, **more)


LABELS = {"kustomize.toolkit.fluxcd.io/name": "a", "kustomize.toolkit.fluxcd.io/namespace": "f"}


@pytest.mark.parametrize(
    ("step", "begun", "labels", "found"),
    [
        ("Detecting drift", AT - 61, LABELS, ["kustomization/f/a"]),
        ("Detecting drift", AT - 59, LABELS, []),
        ("Running health checks", AT - 61, LABELS, []),
        ("Detecting drift", AT - 61, {}, []),
    ],
)
def test_an_attempt_that_sits_in_the_stage_of_namespaces_is_recognized_by_their_labels(
    step: str, begun: float, labels: dict[str, str], found: list[str]
) -> None:
    looked_at = scene(leaving("x", labels=labels), working(step, begun))

    assert [finding.subject for finding in found_by("N10", looked_at)] == found


@pytest.mark.parametrize(
    ("image", "timeout", "until"),
    [
        ("kustomize-controller:v1.6.1", "10m", "1.6.1 ends its attempt by 2027-01-15T08:08:30Z"),
        ("kustomize-controller:v1.6.1", "80s", ""),
        ("kustomize-controller:v1.6.1", "", ""),
        ("kustomize-controller:v1.7.0", "10m", ""),
        ("kustomize-controller@sha256:aa", "10m", ""),
    ],
    ids=["known", "past", "no timeout", "60 s are past", "no version"],
)
def test_when_an_attempt_ends_is_said_where_the_version_tells(
    image: str, timeout: str, until: str
) -> None:
    """Mutants: say an end that is past; say one without its version."""
    held = working("Detecting drift", AT - 90, spec={"timeout": timeout})
    flux = deployment("kustomize-controller", image=image)

    (found,) = found_by("N10", scene(leaving("x", labels=LABELS), held, flux))

    said_so = "the deletion of namespace x is over"
    assert found.message.partition(said_so)[2] == (until and f"; kustomize-controller {until}")


@pytest.mark.parametrize(
    "conditions",
    [
        (),
        (said("Reconciling", "False", "Progressing", "Detecting drift"),),
        (said("Reconciling", "True", "ProgressingWithRetry", "Detecting drift"),),
        (
            {
                "type": "Reconciling",
                "status": "True",
                "reason": "Progressing",
                "message": "Detecting drift",
            },
        ),
    ],
)
def test_an_attempt_that_is_over_or_without_an_instant_is_not_held(
    conditions: tuple[object, ...],
) -> None:
    owner = made("Kustomization", "f/a", *conditions)  # type: ignore[arg-type]

    assert found_by("N10", scene(leaving("x", labels=LABELS), owner)) == []


def test_an_attempt_that_says_so_itself_is_told_once() -> None:
    message = "timeout waiting for: [Namespace/x status: 'Terminating']"
    ready = said("Ready", "False", "ReconciliationFailed", message)
    now = said("Reconciling", "True", "Progressing", "Detecting drift", AT - 90)

    looked_at = scene(leaving("x", labels=LABELS), made("Kustomization", "f/a", ready, now))

    assert len(found_by("N10", looked_at)) == 1


def test_a_busy_owner_is_blocked_by_the_namespace_before_it_says_so() -> None:
    dead = said("NamespaceDeletionDiscoveryFailure", "True")

    (found,) = found_by(
        "N1", scene(leaving("x", dead, labels=LABELS), working("Detecting drift", AT))
    )

    assert found.blocks == ("kustomization/f/a",)


def test_an_owner_that_does_something_else_is_not_blocked_by_its_labels() -> None:
    dead = said("NamespaceDeletionDiscoveryFailure", "True")

    (found,) = found_by("N1", scene(leaving("x", dead, labels=LABELS), working("Building", AT)))

    assert found.blocks == ()


def test_the_seed_names_all_its_namespaces() -> None:
    (found,) = found_by("N10", scene(BEHIND, *(leaving(n) for n in ("apps", "db", "infra"))))

    assert found.subject == INFRA
    assert (
        "cannot go on before the deletion of 3 namespaces (apps, db, infra) is over"
        in found.message
    )
    assert found.cause == "behind-a-terminating-namespace"
    assert "apps, db, infra" in found.remedies[0].text
    assert found.clears_itself == "unknown"
    assert found.since is not None
    assert dangers(found) == {"look", "nudge", "reversible", "never"}


@pytest.mark.parametrize(
    ("unlisted", "clears", "danger"),
    [((), "yes", {"nudge"}), (("Namespace",), "unknown", {"look", "nudge", "reversible", "never"})],
)
def test_once_the_namespaces_are_gone_only_the_next_attempt_is_missing(
    unlisted: tuple[str, ...], clears: str, danger: set[str]
) -> None:
    (found,) = found_by("N10", scene(BEHIND, unlisted=unlisted))

    assert (found.clears_itself, dangers(found)) == (clears, danger)
    assert "3 namespaces (apps, db, infra)" in found.message
    assert ("has not tried again since" in found.message) == (clears == "yes")
    assert (found.cause == "waits-for-its-next-attempt") == (clears == "yes")
    assert clears == "yes" or "apps, db, infra" in found.remedies[0].text


def test_a_namespace_that_came_back_is_not_in_the_way() -> None:
    back = made("Namespace", "apps", status={"phase": "Active"})

    (found,) = found_by("N10", scene(BEHIND, back, leaving("db")))

    assert "the deletion of namespace db is over" in found.message
    assert "keeps db Terminating" in found.remedies[0].text


@pytest.mark.parametrize("before", ["", "ConfigMap/held/new dry-run failed (Forbidden): "])
def test_what_is_refused_in_a_terminating_namespace_is_behind_it(before: str) -> None:
    """By the words that a real API was heard to refuse with."""
    message = before + recorded("error-create-in-terminating-namespace")["message"]
    refused = failed("Kustomization", "f/a", message)
    ready = made("Kustomization", "f/b", said("Ready", "True", "ReconciliationSucceeded", message))

    (found,) = found_by("N11", scene(refused, ready, leaving("held")))

    assert found.subject == "kustomization/f/a"
    assert "may create nothing before the deletion of namespace held is over" in found.message
    assert found_by("N10", scene(refused, leaving("held"))) == []
