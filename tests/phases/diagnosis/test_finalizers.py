"""Finalizers that hold a namespace: whose they are, whether they can clear, and what nobody could list."""

from __future__ import annotations

import pytest

from tests.phases.diagnosis.scenes import (
    AT,
    dangers,
    found_by,
    holder,
    made,
    recorded,
    scene,
    stamp,
)

HELD = recorded("namespace-terminating-cr-finalizer")
NAME = HELD["metadata"]["name"]
FLUX = "finalizers.fluxcd.io"
RULES = ("N5", "N6", "N7", "N8", "N9")


@pytest.mark.parametrize(
    ("finalizers", "rule", "clears_with_its_controller"),
    [
        (("example.com/keep",), "N5", "yes"),
        (("cephblockpool.ceph.rook.io",), "N6", "unknown"),
        (("ceph.rook.io/disaster-protection",), "N6", "unknown"),
        (("objectbucket.io/finalizer",), "N6", "unknown"),
        ((FLUX,), "N7", "unknown"),
        (("longhorn.io",), "N8", "unknown"),
        (("snapshot.storage.kubernetes.io/volumesnapshot-bound-protection",), "N8", "unknown"),
        (("external-attacher/driver-longhorn-io",), "N8", "unknown"),
        (("kubernetes.io/pvc-protection",), "N8", "unknown"),
        (("kubernetes.io/pv-protection",), "N8", "unknown"),
        (("apps.victoriametrics.com/finalizer",), "N9", "yes"),
        ((FLUX, "example.com/keep"), "N5", "yes"),
        ((FLUX, "ceph.rook.io/disaster-protection"), "N6", "unknown"),
    ],
)
def test_a_finalizer_belongs_to_one_family(
    finalizers: tuple[str, ...], rule: str, clears_with_its_controller: str
) -> None:
    held = (holder("a", finalizers=finalizers, owner_alive=True),)
    looked_at = scene(HELD, holders={f"namespace/{NAME}": held})

    found = {name: found_by(name, looked_at) for name in RULES}

    assert [name for name, findings in found.items() if findings] == [rule]
    (finding,) = found[rule]
    assert finding.subject == f"namespace/{NAME}"
    assert finding.clears_itself == clears_with_its_controller
    assert finding.since is not None
    assert {"look", "destructive", "never"} <= dangers(finding)


@pytest.mark.parametrize(("age", "clears"), [(59, "yes"), (61, "unknown")])
def test_flux_lives_and_may_be_refused_all_the_same(age: int, clears: str) -> None:
    """Seen on a real cluster: a webhook refused the prune, and Ready stayed True. Mutant: leave the age out."""
    young = {**HELD, "metadata": {**HELD["metadata"], "deletionTimestamp": stamp(AT - age)}}
    held = {f"namespace/{NAME}": (holder("a", finalizers=(FLUX,), owner_alive=True),)}

    (found,) = found_by("N7", scene(young, holders=held))

    assert found.clears_itself == clears


@pytest.mark.parametrize(
    ("alive", "clears", "says"),
    [
        ((True, True), "yes", "2 things hold finalizers"),
        ((False, False), "no", "2 things hold finalizers of a controller that is gone"),
        ((True, False), "no", "2 things hold finalizers"),
        ((True, None), "unknown", "2 things hold finalizers"),
        ((None, None), "unknown", "2 things hold finalizers"),
    ],
)
def test_one_dead_controller_is_enough_to_hold_a_namespace(
    alive: tuple[bool | None, ...], clears: str, says: str
) -> None:
    held = tuple(holder(f"h{i}", owner_alive=one) for i, one in enumerate(alive))

    (found,) = found_by("N5", scene(HELD, holders={f"namespace/{NAME}": held}))

    assert (found.clears_itself, found.message.endswith(says)) == (clears, True)


def test_each_family_is_a_finding_of_its_own() -> None:
    held = (holder("hr", finalizers=(FLUX,)), holder("pool", finalizers=("ceph.rook.io/x",)))
    looked_at = scene(HELD, holders={f"namespace/{NAME}": held})

    assert [len(found_by(rule, looked_at)) for rule in RULES] == [0, 1, 1, 0, 0]


def test_what_could_not_be_listed_is_counted_by_the_condition() -> None:
    (found,) = found_by("N5", scene(HELD))

    assert "finalizers are left in it: example.com/operator on 1" in found.message
    assert found.clears_itself == "unknown"
    assert [found_by(rule, scene(HELD)) for rule in RULES[1:]] == [[], [], [], []]


def test_what_holds_is_the_evidence_and_its_family_is_named() -> None:
    held = (holder("pool", finalizers=("ceph.rook.io/x",)),)

    (rook,) = found_by("N6", scene(HELD, holders={f"namespace/{NAME}": held}))
    (counted,) = found_by("N5", scene(HELD))

    assert rook.evidence == (f"holders[namespace/{NAME}] Thing/pool uid-pool",)
    assert rook.message.endswith("1 thing holds finalizers of a controller that is gone (Rook's)")
    assert counted.evidence == (
        f"Namespace/{NAME} .status.conditions[NamespaceFinalizersRemaining]",
    )


def test_a_list_that_is_empty_is_believed_over_a_condition_that_is_older() -> None:
    assert found_by("N5", scene(HELD, holders={f"namespace/{NAME}": ()})) == []


def test_a_pod_holds_a_namespace_whose_conditions_are_all_false() -> None:
    namespace = recorded("namespace-terminating-pod-finalizer")
    key = f"namespace/{namespace['metadata']['name']}"
    pod = holder("p", "pods", group="", kind="Pod", finalizers=("example.com/hold",))

    (found,) = found_by("N5", scene(namespace, holders={key: (pod,)}))

    assert "1 pod holds finalizers" in found.message


def test_a_namespace_can_be_held_by_itself() -> None:
    namespace = recorded("namespace-terminating-spec-finalizer")
    key = f"namespace/{namespace['metadata']['name']}"

    (found,) = found_by("N5", scene(namespace, holders={key: ()}))

    assert "its own finalizer is left: example.com/ns" in found.message
    assert found.clears_itself == "unknown"
    assert all(not found_by(rule, scene(namespace)) for rule in RULES[1:])


def test_the_deleters_own_finalizer_holds_nothing() -> None:
    plain = recorded("namespace-terminating-pod-finalizer")

    assert plain["spec"]["finalizers"] == ["kubernetes"]
    assert found_by("N5", scene(plain)) == []


def test_finalizers_of_a_namespace_that_nobody_deletes_are_no_finding() -> None:
    kept = made("Namespace", "x", metadata={"finalizers": ["example.com/keep"]})
    held = {"namespace/x": (holder("a"),)}

    assert [found_by(rule, scene(kept, holders=held)) for rule in RULES] == [[], [], [], [], []]


OPERATORS = {
    "N6": ("ceph.rook.io/disaster-protection", "storage/rook-ceph-operator"),
    "N7": (FLUX, "flux-system/kustomize-controller"),
    "N9": ("apps.victoriametrics.com/finalizer", "observability/vm-operator"),
}


@pytest.mark.parametrize("rule", OPERATORS)
@pytest.mark.parametrize(
    ("available", "clears"), [(None, {"no"}), (0, {"unknown"}), (1, {"yes", "unknown"})]
)
def test_whose_deployment_is_gone_is_gone(
    rule: str, available: int | None, clears: set[str]
) -> None:
    """Mutants: a controller that is down is gone; any Deployment will do; unlisted Deployments are gone."""
    finalizer, key = OPERATORS[rule]
    work = made("Deployment", key, status={"availableReplicas": available or 0})
    other = made("Deployment", f"{key}-exporter", status={"availableReplicas": 1})
    held = {f"namespace/{NAME}": (holder("a", finalizers=(finalizer,)),)}
    works = (other,) if available is None else (other, work)

    (finding,) = found_by(rule, scene(HELD, *works, holders=held))
    assert finding.clears_itself in clears
    assert ("of a controller that is gone" in finding.message) == (available is None)
    (unlisted,) = found_by(rule, scene(HELD, holders=held, unlisted=("Deployment",)))
    assert unlisted.clears_itself == "unknown"
