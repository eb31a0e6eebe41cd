"""Circles that no time ends, in dependsOn and beyond it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phases.diagnosis.providers import carriers
from tests.phases.diagnosis.flux_objects import hr, ks
from tests.phases.diagnosis.scenes import found_by, made, scene

READY = ("True", "ReconciliationSucceeded", "")
WAITS = ("False", "DependencyNotReady", "dependency 'flux-system/b' is not ready")
LABELS = {
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    "kustomize.toolkit.fluxcd.io/name": "parent",
}
CRD = "externalsecrets.external-secrets.io"
NO_KIND = (
    "False",
    "ReconciliationFailed",
    'ExternalSecret/x/y dry-run failed: no matches for kind "ExternalSecret" in version "external-secrets.io/v1"',
)
NO_WIDGET = (
    "False",
    "ReconciliationFailed",
    'no matches for kind "Widget" in version "example.com/v1"',
)


def on(*names: str) -> dict[str, Any]:
    return {"dependsOn": [{"name": name} for name in names]}


def test_a_circle_of_dependencies_is_one_finding() -> None:
    looked_at = scene(
        ks("c", ready=WAITS, spec=on("a")),
        ks("a", ready=WAITS, spec=on("b")),
        ks("b", ready=WAITS, spec=on("c")),
        ks("outside", ready=WAITS, spec=on("a")),
    )

    (found,) = found_by("K4", looked_at)

    assert found.subject == "kustomization/flux-system/a"
    assert found.blocks == ("kustomization/flux-system/b", "kustomization/flux-system/c")
    assert found.message.count(" depends on ") == 3
    assert (found.cause, found.clears_itself) == ("circle", "no")


def test_two_circles_through_one_object_are_two_findings() -> None:
    looked_at = scene(
        ks("a", ready=WAITS, spec=on("b", "c")),
        ks("b", ready=WAITS, spec=on("a")),
        ks("c", ready=WAITS, spec=on("a")),
    )

    assert [found.blocks for found in found_by("K4", looked_at)] == [
        ("kustomization/flux-system/b",),
        ("kustomization/flux-system/c",),
    ]


def test_what_depends_on_itself() -> None:
    (found,) = found_by("K4", scene(ks("a", ready=WAITS, spec=on("a"))))

    assert found.blocks == ()


def test_releases_have_circles_too() -> None:
    looked_at = scene(hr("a", ready=WAITS, spec=on("b")), hr("b", ready=WAITS, spec=on("a")))

    (found,) = found_by("K4", looked_at)

    assert (found.subject, found.uid) == ("helmrelease/apps/a", "uid-a")
    assert found.evidence == (
        "HelmRelease/apps/a .spec.dependsOn",
        "HelmRelease/apps/b .spec.dependsOn",
    )


def test_the_namespace_of_a_dependency_counts() -> None:
    other = {"dependsOn": [{"name": "a", "namespace": "elsewhere"}]}

    assert (
        found_by("K4", scene(ks("a", ready=WAITS, spec=on("b")), ks("b", ready=WAITS, spec=other)))
        == []
    )


def test_a_parent_that_waits_for_a_child_that_depends_on_it() -> None:
    child = ks("child", ready=WAITS, labels=LABELS, spec=on("parent"))

    (found,) = found_by("K4", scene(ks("parent", spec={"wait": True}), child))

    assert "waits until its kustomization/flux-system/child is ready" in found.message
    assert found_by("K4", scene(ks("parent"), child)) == [], (
        "without wait the parent is ready at once"
    )


@pytest.mark.parametrize(
    "objects",
    [
        [
            ks("a", ready=WAITS, spec=on("b")),
            ks("b", ready=WAITS, spec=on("c")),
            ks("c", ready=WAITS),
        ],
        [ks("a", ready=READY, spec=on("b")), ks("b", ready=READY, spec=on("a"))],
        [],
    ],
    ids=["a chain", "all are ready", "nothing"],
)
def test_no_circle(objects: list[dict[str, Any]]) -> None:
    assert found_by("K4", scene(*objects)) == []


def inventory(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "kustomizations": [
            {"key": "flux-system/root"},
            {"key": "flux-system/secrets", "parent": "flux-system/root"},
        ],
        "helmreleases": [{"key": "secrets/eso", "parent": "flux-system/secrets"}],
        "externalsecrets": [{"key": "apps/login", "parent": "flux-system/root"}],
        "crds": [{"name": CRD, "provider": "helmrelease/secrets/eso"}],
        **more,
    }


def test_a_root_that_holds_objects_of_a_kind_which_its_own_grandchild_brings() -> None:
    (found,) = found_by("K4", scene(ks("root", ready=NO_KIND), inventory=inventory()))

    assert f"kustomization/flux-system/root needs {CRD}" in found.message
    assert found.cause == "circle-through-a-kind", "a CRD may be applied out of band"
    assert (
        "helmrelease/secrets/eso is applied by kustomization/flux-system/secrets" in found.message
    )
    assert found.evidence == (
        "inventory helmrelease/secrets/eso",
        "Kustomization/flux-system/root .spec.dependsOn",
        "inventory kustomization/flux-system/secrets",
    )


def test_the_message_is_enough_where_the_inventory_lists_no_object_of_the_kind() -> None:
    listed = inventory(externalsecrets=[])

    assert len(found_by("K4", scene(ks("root", ready=NO_KIND), inventory=listed))) == 1
    assert found_by("K4", scene(ks("root", ready=NO_WIDGET), inventory=listed)) == []


WIDGETS = "widgets.example.com"


def needing(provider: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """The tree of ``inventory``, whose root holds a Widget."""
    roots = [{"key": "flux-system/root", "needs": [f"crd/{WIDGETS}", "deployment/secrets/eso"]}]
    return inventory(
        kustomizations=[*roots, *inventory()["kustomizations"][1:]],
        externalsecrets=[],
        crds=[{"name": WIDGETS, "provider": provider}],
        **more,
    )


def test_a_root_whose_kinds_only_the_inventory_tells() -> None:
    """Mutants: only ExternalSecrets are expected of a Kustomization; whatever it needs is a kind."""
    looked_at = scene(ks("root", ready=WAITS), inventory=needing("helmrelease/secrets/eso"))
    assert carriers(looked_at) == {WIDGETS: ("kustomization/flux-system/root",)}

    (found,) = found_by("K4", looked_at)

    assert f"kustomization/flux-system/root needs {WIDGETS}" in found.message
    assert found.cause == "circle-through-a-kind"


FLUX = made("Deployment", "flux-system/kustomize-controller")


@pytest.mark.parametrize(
    ("objects", "unlisted", "clears"),
    [
        # before Flux is there a bootstrap may bring any kind
        ((), (), "unknown"),
        ((ks("root", ready=WAITS),), (), "unknown"),
        ((), ("Deployment",), "unknown"),
        ((ks("root", ready=WAITS),), ("Deployment",), "no"),
        ((ks("root", ready=WAITS), FLUX), (), "no"),
        # who asked has found that none did
        ((ks("root", ready=NO_WIDGET),), (), "no"),
    ],
)
def test_no_kind_is_for_ever_before_flux_has_come(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...], clears: str
) -> None:
    """Mutants: it is always; who asked already may still hope; what is not listed is there."""
    listed = needing("helmrelease/secrets/eso")

    (found,) = found_by("K4", scene(*objects, inventory=listed, unlisted=unlisted))

    assert found.clears_itself == clears
    assert ("for ever" in found.message) == (clears == "no")
    assert ("unless a bootstrap brings the kind" in found.message) == (clears == "unknown")


@pytest.mark.parametrize("waits", [True, False])
def test_a_circle_of_dependencies_is_never_one_through_a_kind(waits: bool) -> None:  # noqa: FBT001
    """
    No CRD unties it, and so no CRD is asked for.

    Mutants: kinds are among the needs of the first pass; a circle around one that is told is another; C4 foretells of
    who waits for itself.
    """
    listed = needing("helmrelease/secrets/eso")
    first, second = listed["kustomizations"]
    listed["kustomizations"] = [{**first, "depends_on": [second["key"]]}, {**second, "wait": waits}]
    listed["kustomizations"][1] |= {"parent": None, "depends_on": [first["key"]]}
    looked_at = scene(
        ks("root", ready=WAITS, spec=on("secrets")),
        ks("secrets", ready=WAITS, spec=on("root")),
        inventory=listed,
    )

    assert [found.cause for found in found_by("K4", looked_at)] == ["circle"]
    assert found_by("C4", looked_at) == []


def test_who_brings_the_kind_of_its_own_objects_waits_for_nobody() -> None:
    """It applies its CRDs before all else. Mutant: whose provider is the holder itself is a need."""
    listed = needing("kustomization/flux-system/root")

    assert found_by("K4", scene(ks("root", ready=WAITS), inventory=listed)) == []


def test_the_kinds_of_a_network_are_there_before_any_kustomization_runs() -> None:
    """Mutant: who brings the network is no other than any provider."""
    cilium = {"kind": "DaemonSet", "key": "kube-system/cilium", "pods": 1}
    listed = needing(
        "helmrelease/secrets/eso", workloads=[{**cilium, "owner": "helmrelease/secrets/eso"}]
    )
    looked_at = scene(ks("root", ready=WAITS), inventory=listed)

    assert found_by("K4", looked_at) == found_by("C4", looked_at) == []


def test_the_kinds_of_what_commands_install_are_there_before_any_kustomization_runs() -> None:
    """Any network's, not only Cilium's. Mutant: what the plan installs first is no other than any provider."""
    looked_at = scene(
        ks("root", ready=WAITS),
        inventory=needing("helmrelease/secrets/eso"),
        unlisted=("Deployment",),
    )
    told = replace(looked_at, installed=frozenset({"helmrelease/secrets/eso"}))

    assert [found_by(rule, looked_at) != [] for rule in ("K4", "C4")] == [True, True]
    assert found_by("K4", told) == found_by("C4", told) == []


def test_a_child_that_was_applied_before_moves_by_itself() -> None:
    looked_at = scene(ks("root", ready=NO_KIND), ks("secrets"), inventory=inventory())

    assert found_by("K4", looked_at) == []


def test_a_kind_that_is_defined_is_not_waited_for() -> None:
    crd = {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": CRD},
        "spec": {"group": "external-secrets.io"},
    }

    assert found_by("K4", scene(ks("root", ready=NO_KIND), crd, inventory=inventory())) == []


@pytest.mark.parametrize("kind", ["CustomResourceDefinition", "HelmRelease"])
def test_what_could_not_be_listed_is_not_taken_for_absent(kind: str) -> None:
    looked_at = scene(ks("root", ready=NO_KIND), inventory=inventory(), unlisted=(kind,))

    assert found_by("K4", looked_at) == []


def test_two_circles_of_the_same_members_are_one_finding() -> None:
    child = ks("child", ready=WAITS, labels=LABELS, spec=on("parent"))
    parent = ks("parent", ready=WAITS, spec={"wait": True, **on("child")})

    assert len(found_by("K4", scene(parent, child))) == 1


@pytest.mark.parametrize("waits", [True, False])
def test_a_parent_of_the_inventory_waits_as_well(waits: bool) -> None:  # noqa: FBT001
    listed = {
        "kustomizations": [
            {"key": "flux-system/parent", "wait": waits},
            {
                "key": "flux-system/child",
                "parent": "flux-system/parent",
                "depends_on": ["flux-system/parent"],
            },
        ]
    }

    assert waits == bool(found_by("K4", scene(ks("parent"), inventory=listed)))


def test_what_never_was_applied_needs_its_kinds_too() -> None:
    looked_at = scene(
        ks("root"), ks("other", ready=("False", "BuildFailed", "x")), inventory=inventory()
    )

    assert len(found_by("K4", looked_at)) == 1
