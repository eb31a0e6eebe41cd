"""What blocks what by its nature: only among what is not well."""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.structure import blocking
from tests.phases.diagnosis.scenes import failed, made, said, scene


def ks(name: str, ready: str = "False", **spec: Any) -> dict[str, Any]:
    return made("Kustomization", f"f/{name}", said("Ready", ready), spec=spec)


LEAVING = {"deletionTimestamp": "2027-01-15T07:50:00Z"}
DEPENDS: dict[str, Any] = {"dependsOn": [{"name": "a"}]}
ELSEWHERE: dict[str, Any] = {"dependsOn": [{"name": "a", "namespace": "other"}]}
SOURCE: dict[str, Any] = {"sourceRef": {"kind": "GitRepository", "name": "s"}}
FOREIGN: dict[str, Any] = {"sourceRef": {"kind": "HelmRelease", "name": "s"}}
AB = {"kustomization/f/a": ("kustomization/f/b",)}


@pytest.mark.parametrize(
    ("objects", "inventory", "edges"),
    [
        ((ks("a"), ks("b", **DEPENDS)), None, AB),
        ((ks("a"), ks("b", **ELSEWHERE)), None, {}),
        ((ks("a", "True"), ks("b", **DEPENDS)), None, {}),
        ((ks("a"), ks("b", "True", **DEPENDS)), None, {}),
        ((ks("a"), ks("b", **DEPENDS), made("HelmRelease", "f/a")), None, AB),
        # what is on its way out is not well, whatever it said last
        (
            (
                made("Kustomization", "f/a", said("Ready", "True"), metadata=LEAVING),
                ks("b", **DEPENDS),
            ),
            None,
            AB,
        ),
        ((ks("a", dependsOn=[{"name": "a"}]),), None, {}),
        (
            (failed("GitRepository", "f/s", "no"), ks("b", **SOURCE)),
            None,
            {"gitrepository/f/s": ("kustomization/f/b",)},
        ),
        ((failed("HelmRelease", "f/s", "no"), ks("b", **FOREIGN)), None, {}),
        ((ks("a"),), {"kustomizations": [{"key": "f/a"}, {"key": "f/b", "parent": "f/a"}]}, AB),
        (
            (ks("a"), ks("b", "True")),
            {"kustomizations": [{"key": "f/a"}, {"key": "f/b", "parent": "f/a"}]},
            {},
        ),
        (
            (),
            {"kustomizations": [{"key": "f/a"}, {"key": "f/b", "depends_on": ["f/a"]}]},
            AB,
        ),
    ],
)
def test_edges_run_from_what_blocks_to_what_is_blocked(
    objects: tuple[dict[str, Any], ...],
    inventory: dict[str, Any] | None,
    edges: dict[str, tuple[str, ...]],
) -> None:
    assert blocking(scene(*objects, inventory=inventory)) == edges


def test_what_could_not_be_listed_is_not_ill() -> None:
    inventory = {"kustomizations": [{"key": "f/a"}, {"key": "f/b", "parent": "f/a"}]}

    assert blocking(scene(inventory=inventory, unlisted=("Kustomization",))) == {}


ASKS = failed("Kustomization", "f/a", 'no matches for kind "Widget" in version "example.com/v1"')
PROVIDER = made("HelmRelease", "w/w", said("Ready", "False"))
CRD = made(
    "CustomResourceDefinition",
    "widgets.example.com",
    spec={"group": "example.com", "names": {"kind": "Widget"}},
)


def brought(provider: str = "helmrelease/w/w", parent: str | None = None) -> dict[str, Any]:
    return {
        "helmreleases": [{"key": "w/w", "parent": parent}],
        "crds": [{"name": "widgets.example.com", "provider": provider}],
    }


@pytest.mark.parametrize(
    ("objects", "inventory", "edges"),
    [
        ((ASKS, PROVIDER), brought(), {"helmrelease/w/w": ("crd/widgets.example.com",)}),
        ((ASKS, PROVIDER), {}, {}),
        ((ASKS, PROVIDER), brought(""), {}),
        # the CRD is there: what brings it explains nothing
        ((ASKS, PROVIDER, CRD), brought(), {}),
        # in a deadlock neither explains the other
        ((ASKS,), brought(parent="f/a"), {"kustomization/f/a": ("helmrelease/w/w",)}),
    ],
)
def test_what_brings_a_crd_explains_why_its_kind_is_missing(
    objects: tuple[dict[str, Any], ...],
    inventory: dict[str, Any],
    edges: dict[str, tuple[str, ...]],
) -> None:
    assert blocking(scene(*objects, inventory=inventory)) == edges
