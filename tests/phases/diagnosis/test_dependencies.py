"""Dependencies that can never be met, and what only looks like one."""

from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.graph import roots_of
from phases.diagnosis.structure import blocking
from tests.phases.diagnosis.flux_objects import OLDER, REVISION, hr, ks, source
from tests.phases.diagnosis.scenes import found_by, recorded, scene

READY = ("True", "ReconciliationSucceeded", "")
WAITS = ("False", "DependencyNotReady", "dependency 'flux-system/rook' not found: x")
BEHIND = (
    "False",
    "DependencyNotReady",
    "dependency 'flux-system/infra' revision is not up to date",
)
ON_ROOK = {"dependsOn": [{"name": "rook"}]}
ELSEWHERE = {"dependsOn": [{"name": "rook", "namespace": "storage"}]}
ON_INFRA = {"dependsOn": [{"name": "infra"}]}


def test_a_recorded_dependency_that_does_not_exist() -> None:
    (found,) = found_by("K2", scene(recorded("kustomization-dep-absent-false-dependencynotready")))

    assert found.subject == "kustomization/flux-system/dep-absent"
    assert found.message.endswith("depends on what does not exist: flux-system/nobody")
    assert found.since is not None


def test_a_recorded_release_that_depends_on_nobody() -> None:
    (found,) = found_by("H6", scene(recorded("helmrelease-dep-absent-false-dependencynotready")))

    assert "flux-system/nobody" in found.message


def test_the_same_name_in_another_namespace_is_suggested() -> None:
    looked_at = scene(ks("a", ready=WAITS, spec=ON_ROOK), ks("rook", namespace="storage"))

    (found,) = found_by("K2", looked_at)

    assert "did it mean storage/rook?" in found.message


def test_a_release_is_no_kustomization() -> None:
    assert (
        len(
            found_by(
                "K2", scene(ks("a", ready=WAITS, spec=ON_ROOK), hr("rook", namespace="flux-system"))
            )
        )
        == 1
    )


@pytest.mark.parametrize(
    ("objects", "more"),
    [
        ([ks("a", ready=WAITS, spec=ON_ROOK), ks("rook")], {}),
        ([ks("a", ready=WAITS, spec=ELSEWHERE), ks("rook", namespace="storage")], {}),
        ([ks("a", ready=READY, spec=ON_ROOK)], {}),
        ([ks("a", ready=("False", "BuildFailed", "x"), spec=ON_ROOK)], {}),
        ([ks("a", ready=WAITS, spec={**ON_ROOK, "suspend": True})], {}),
        (
            [ks("a", ready=WAITS, spec=ON_ROOK)],
            {"inventory": {"kustomizations": [{"key": "flux-system/rook"}]}},
        ),
    ],
    ids=[
        "exists",
        "exists elsewhere",
        "is ready",
        "fails elsewhere",
        "is suspended",
        "is still to come",
    ],
)
def test_no_dangling_dependency(objects: list[dict[str, Any]], more: dict[str, Any]) -> None:
    assert found_by("K2", scene(*objects, **more)) == []


def test_kinds_that_could_not_be_listed_lack_nothing() -> None:
    looked_at = scene(
        hr("a", ready=("False", "DependencyNotReady", "x"), spec=ON_ROOK),
        unlisted=("Kustomization",),
    )

    assert found_by("K2", looked_at) == []
    assert len(found_by("H6", looked_at)) == 1


def test_only_an_inventory_knows_that_nobody_will_bring_it() -> None:
    broken = ks("a", ready=WAITS, spec=ON_ROOK)

    assert [f.clears_itself for f in found_by("K2", scene(broken))] == ["unknown"]
    assert [f.clears_itself for f in found_by("K2", scene(broken, inventory={}))] == ["no"]


def test_what_a_foreign_source_may_bring_is_unknown_and_not_missing() -> None:
    """Mutant: leave ``unknown`` out of ``knows_not_all``."""
    broken = ks("a", ready=WAITS, spec=ON_ROOK)
    foreign = {"kustomizations": [{"key": "x/other"}], "unknown": ["x/other"]}

    assert [f.clears_itself for f in found_by("K2", scene(broken, inventory=foreign))] == [
        "unknown"
    ]


@pytest.mark.parametrize(
    ("infra", "clears"),
    [
        (ks("infra", ready=READY, status={"lastAppliedRevision": OLDER}), "yes"),
        (
            ks("infra", ready=READY, status={"lastAppliedRevision": OLDER}, spec={"suspend": True}),
            "no",
        ),
    ],
)
def test_a_dependency_at_an_older_revision(infra: dict[str, Any], clears: str) -> None:
    looked_at = scene(
        ks("apps", ready=BEHIND, spec=ON_INFRA), infra, source("GitRepository", revision=REVISION)
    )

    (found,) = found_by("K3", looked_at)

    assert clears == found.clears_itself
    assert "has applied main@11111111; it is at main@00000000" in found.message


@pytest.mark.parametrize(
    "objects",
    [
        [ks("infra", status={"lastAppliedRevision": REVISION}, ready=READY)],
        [],
        [ks("infra", status={"lastAppliedRevision": OLDER}, ready=READY), "not the message"],
    ],
    ids=["caught up", "gone", "waits for something else"],
)
def test_no_dependency_is_behind(objects: list[Any]) -> None:
    ready = WAITS if "not the message" in objects else BEHIND
    others = [found for found in objects if isinstance(found, dict)]
    serving = source("GitRepository", revision=REVISION, ready=("True", "Succeeded", ""))

    assert found_by("K3", scene(ks("apps", ready=ready, spec=ON_INFRA), serving, *others)) == []


def test_a_dependency_that_is_not_ready_is_an_edge() -> None:
    looked_at = scene(
        ks("infra", ready=("False", "BuildFailed", "kustomize build failed: x")),
        ks(
            "apps",
            ready=("False", "DependencyNotReady", "dependency 'flux-system/infra' is not ready"),
            spec=ON_INFRA,
        ),
    )

    assert found_by("K2", looked_at) == found_by("K3", looked_at) == []
    assert blocking(looked_at) == {
        "kustomization/flux-system/infra": ("kustomization/flux-system/apps",)
    }
    (root,) = roots_of({f.rule: f for f in found_by("K10", looked_at)}, blocking(looked_at))
    assert root.victims == ("kustomization/flux-system/apps",)


def test_a_release_that_the_inventory_expects_is_only_not_there_yet() -> None:
    broken = hr("a", ready=WAITS, spec=ON_ROOK)
    other = {"kustomizations": [{"key": "apps/rook"}]}
    expected = {"helmreleases": [{"key": "apps/rook"}]}

    assert len(found_by("H6", scene(broken, inventory=other))) == 1
    assert found_by("H6", scene(broken, inventory=expected)) == []


def test_nobody_is_told_to_depend_on_itself() -> None:
    (found,) = found_by("K2", scene(ks("rooks", ready=WAITS, spec=ON_ROOK)))

    assert "did it mean" not in found.message


@pytest.mark.parametrize(
    "objects",
    [
        [ks("apps", ready=BEHIND)],
        [ks("apps", ready=BEHIND), source("GitRepository")],
        [ks("apps", ready=BEHIND, spec={"sourceRef": None})],
    ],
    ids=["no source is listed", "nothing is served", "no source is named"],
)
def test_a_dependency_that_has_applied_nothing_is_behind_whatever_is_served(
    objects: list[dict[str, Any]],
) -> None:
    (found,) = found_by("K3", scene(*objects, ks("infra", ready=READY)))

    assert "has applied the new commit; it is at none" in found.message


def test_the_words_of_another_reason_tell_of_no_dependency() -> None:
    odd = ks("apps", ready=("False", "BuildFailed", BEHIND[2]))

    assert found_by("K3", scene(odd, ks("infra", ready=READY))) == []
