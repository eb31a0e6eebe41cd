"""
What comes after what: before anybody runs into it, and never in the place of what somebody complains of.

Mutants, each killed here: a namespace does not hold up who has to make it, or something in it; one that is there, or
that nothing expects, counts as to come; a network holds up Flux although a node has one, or although a controller has
its pod, or explains why a controller is not installed.
"""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import Root, roots_of
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking
from tests.phases.diagnosis.flux_objects import deployment
from tests.phases.diagnosis.scenes import AT, failed, found_by, holder, made, said, scene

CRD = "externalsecrets.external-secrets.io"
ROOT = "kustomization/flux-system/cluster"
C4, N5, T16 = f"C4:crd/{CRD}", "N5:namespace/storage", "T16:cni"
INVENTORY: dict[str, Any] = {
    "kustomizations": [
        {"key": "flux-system/cluster"},
        {"key": "flux-system/secrets", "parent": "flux-system/cluster"},
        {"key": "storage/disks", "parent": "flux-system/cluster"},
    ],
    "helmreleases": [{"key": "secrets/eso", "parent": "flux-system/secrets"}],
    "externalsecrets": [{"key": "app/creds", "parent": "flux-system/cluster"}],
    "crds": [{"name": CRD, "provider": "helmrelease/secrets/eso"}],
}
NO_CNI = "container runtime network not ready: cni plugin not initialized"
HELD = {"namespace/storage": (holder("a", owner_alive=False),)}
ITS_OWNER = {
    "kustomize.toolkit.fluxcd.io/name": "cluster",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
}


def node(name: str = "a", status: str = "False", message: str = NO_CNI) -> dict[str, Any]:
    return made("Node", name, said("Ready", status, "KubeletNotReady", message, AT - 60))


def leaving(**labels: str) -> dict[str, Any]:
    metadata = {"deletionTimestamp": "2027-01-15T07:50:00Z", "labels": labels}
    return made("Namespace", "storage", metadata=metadata)


def night(*objects: dict[str, Any], **more: Any) -> Scene:
    """The seed after its root was deleted: no network, a namespace that is held, and nothing of Flux."""
    given = {"inventory": INVENTORY, "holders": HELD, **more}
    return scene(node(), leaving(), *objects, **given)


def roots(looked_at: Scene) -> dict[str, Root]:
    return {root.id: root for root in roots_of(diagnose(looked_at), blocking(looked_at))}


def test_two_roots_and_what_is_next_once_both_are_solved() -> None:
    found = roots(night())

    assert {name: root.finding.next_after for name, root in found.items()} == {
        N5: (),
        T16: (),
        C4: (N5, T16),
    }
    assert list(found)[-1] == C4
    assert "cluster will need CRD" in found[C4].finding.message


@pytest.mark.parametrize(
    ("solved", "after"),
    [({"network": True}, (N5,)), ({"namespace": True}, (T16,)), (dict.fromkeys(HELD, True), ())],
    ids=["the network", "the namespace", "both"],
)
def test_what_is_solved_is_no_longer_before_it(solved: dict[str, bool], after: Any) -> None:
    objects = [] if "namespace" in solved or len(after) == 0 else [leaving()]
    objects += [node()] if T16 in after else [node(status="True", message="")]

    looked_at = scene(*objects, inventory=INVENTORY, holders=HELD if objects[1:] else None)

    assert roots(looked_at)[C4].finding.next_after == after


@pytest.mark.parametrize(
    ("labels", "inventory", "blocked"),
    [
        ({}, INVENTORY, True),
        ({}, {**INVENTORY, "kustomizations": INVENTORY["kustomizations"][:2]}, False),
        (ITS_OWNER, {**INVENTORY, "kustomizations": INVENTORY["kustomizations"][:2]}, True),
        (ITS_OWNER, {}, False),
        (ITS_OWNER, None, False),
    ],
    ids=["makes something in it", "nothing in it", "makes it", "is not expected", "nobody knows"],
)
def test_a_namespace_on_its_way_out_holds_up_who_has_to_make_it_or_something_in_it(
    labels: dict[str, str], inventory: dict[str, Any] | None, *, blocked: bool
) -> None:
    (found,) = found_by("N5", scene(leaving(**labels), inventory=inventory, holders=HELD))

    assert (ROOT in found.blocks) == blocked


@pytest.mark.parametrize("labels", [{}, ITS_OWNER], ids=["something in it", "itself"])
def test_whom_nobody_could_list_is_not_said_to_be_to_come(labels: dict[str, str]) -> None:
    looked_at = scene(
        leaving(**labels), inventory=INVENTORY, holders=HELD, unlisted=("Kustomization",)
    )

    assert ROOT not in found_by("N5", looked_at)[0].blocks


@pytest.mark.parametrize(
    ("objects", "unlisted"),
    [
        ((made("Kustomization", "storage/disks"),), ()),
        ((failed("Kustomization", "flux-system/cluster", "kustomize build failed: x"),), ()),
        ((made("Kustomization", "flux-system/cluster", said("Ready", "Unknown")),), ()),
    ],
    ids=["it is made", "who complains of something else", "who is at it"],
)
def test_who_is_there_says_itself_what_holds_it(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...]
) -> None:
    looked_at = scene(leaving(), *objects, inventory=INVENTORY, holders=HELD, unlisted=unlisted)

    assert ROOT not in found_by("N5", looked_at)[0].blocks


def test_a_root_that_was_deleted_and_that_nobody_lets_go_of_has_to_be_made_again() -> None:
    """As on a real control plane: Flux went before it was through. Mutant: ``is_gone`` asks whether it is there."""
    gone = {"deletionTimestamp": "2027-01-15T07:50:00Z", "finalizers": ["finalizers.fluxcd.io"]}
    going = made("Kustomization", "flux-system/cluster", metadata=gone)

    found = roots(night(going))

    assert {N5, T16} <= set(found[C4].finding.next_after)
    assert found[N5].finding.next_after == found[T16].finding.next_after == ()


def test_what_breaks_a_build_is_a_root_beside_the_namespace() -> None:
    broken = made(
        "Kustomization",
        "flux-system/cluster",
        said("Ready", "False", "BuildFailed", "kustomize build failed: x"),
    )

    assert f"K10:{ROOT}" in roots(night(broken, unlisted=("Deployment",)))


FLUX = ("kustomize-controller", "helm-controller", "source-controller")


@pytest.mark.parametrize(
    ("objects", "unlisted", "blocked"),
    [
        ((), (), True),
        (tuple(deployment(name, available=0) for name in FLUX), (), True),
        (tuple(deployment(name) for name in FLUX), (), False),
        ((node("b", "True", ""),), (), False),
        ((), ("Deployment",), False),
    ],
    ids=["is not there", "has no pod", "runs", "a node has a network", "nobody could see"],
)
def test_without_a_network_nothing_of_flux_is_made(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...], *, blocked: bool
) -> None:
    (found,) = found_by("T16", night(*objects, unlisted=unlisted))

    assert (ROOT in found.blocks) == blocked
    assert ("helmrelease/secrets/eso" in found.blocks) == blocked
    down = [f"deployment/flux-system/{name}" for name in FLUX]
    expected = set(down) if objects and blocked else set()
    assert {subject for subject in found.blocks if subject in down} == expected


def test_a_controller_without_a_pod_is_explained_and_one_that_is_not_installed_is_not() -> None:
    waiting = made("Kustomization", "flux-system/cluster", said("Ready", "Unknown"))

    (network,) = found_by("T16", night(waiting))
    without_pod = roots(night(waiting, *(deployment(name, available=0) for name in FLUX)))
    absent = roots(night(waiting))

    assert ROOT not in network.blocks
    assert [name for name in without_pod if name.startswith("F1")] == []
    assert [name for name in absent if name.startswith("F1")] == [
        "F1:deployment/flux-system/kustomize-controller"
    ]
