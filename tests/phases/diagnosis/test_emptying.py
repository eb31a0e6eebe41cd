"""Namespaces that nothing holds and that are not empty yet, with what a real namespace controller wrote (1.36.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.scenes import AT, found_by, holder, made, said, scene, stamp

GONE = stamp(AT - 90)
PODS = "unexpected items still remain in namespace: x for gvr: /v1, Resource=pods"
DENIED = 'admission webhook "keep.example.com" denied the request: the policy'
REFUSED = "Failed to delete all resource types, 1 remaining: "


def leaving(message: str = "") -> dict[str, Any]:
    """A namespace as it was seen: what outlives its grace is a failure, and all else is False."""
    failed = said(
        "NamespaceDeletionContentFailure",
        "True" if message else "False",
        "ContentDeletionFailed" if message else "ContentDeleted",
        message,
    )
    others = (
        said("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered"),
        said("NamespaceContentRemaining", "False", "ContentRemoved"),
        said("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers"),
    )
    return made("Namespace", "x", failed, *others, metadata={"deletionTimestamp": GONE})


def ending(name: str, at: float, **metadata: object) -> dict[str, Any]:
    return made("Pod", name, metadata={"deletionTimestamp": stamp(at), **metadata})


@pytest.mark.parametrize(
    ("message", "rules"),
    [
        (REFUSED + PODS, ["N4"]),
        (REFUSED + DENIED, ["N3"]),
        (f"Failed to delete all resource types, 2 remaining: [{PODS}, {DENIED}]", ["N3"]),
        ("something else", ["N3"]),
    ],
)
def test_what_outlives_its_grace_is_not_refused(message: str, rules: list[str]) -> None:
    """Mutants: any such words will do, so that a refusal beside them is lost; none, so that nobody refuses."""
    looked_at = scene(leaving(message))

    found = {rule: found_by(rule, looked_at) for rule in ("N3", "N4")}

    assert [rule for rule, findings in found.items() if findings] == rules
    (finding,) = found[rules[0]]
    assert finding.evidence == ("Namespace/x .status.conditions[NamespaceDeletionContentFailure]",)
    assert finding.clears_itself == "unknown"


@pytest.mark.parametrize(("until", "clears"), [(AT + 1, "yes"), (AT - 1, "unknown")])
def test_pods_have_until_their_grace_is_over(until: float, clears: str) -> None:
    """All five conditions are False then. Mutants: any pod, of any namespace; the first of them decides."""
    pods = (ending("x/a", until), ending("x/b", until - 100), ending("y/c", until + 100))

    (found,) = found_by("N4", scene(leaving(), *pods, made("Pod", "x/new")))

    assert found.clears_itself == clears
    assert "2 pods (a, b) may take until " in found.message
    assert stamp(until) in found.message
    assert found.since == AT - 90


def test_pods_that_are_held_are_another_matter() -> None:
    pod = ending("x/a", AT + 1, finalizers=["example.com/keep"])
    free = ending("x/a", AT + 1)

    assert found_by("N4", scene(leaving(), pod)) == []
    held = {"namespace/x": (holder("b", namespace="x"),)}
    assert found_by("N4", scene(leaving(), free, holders=held)) == []
