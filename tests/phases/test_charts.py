"""
What charts bring that others name, as a healthy cluster shows it, and what of that Git's objects need.

Mutants, each tried: what a Kustomization brings counts; a release that is gone, or that Git suspends, does; our own
source does; a Secret that an ExternalSecret of nobody's chart makes does; a store of another namespace does.
"""

from __future__ import annotations

from typing import Any

import pytest

from phases.charts import Charts, charts_in
from phases.existing import inventory_of
from phases.inventory import Inventory
from phases.joining import joined
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import scene

OURS = ("GitRepository", "flux-system/flux-system")
RELEASE = "helm:a/charts"
BROUGHT = "helmrelease/a/charts"
KEYS: dict[str, Any] = {"target": {"name": "written"}}


def store(key: str, owner: str, kind: str = "ClusterSecretStore") -> dict[str, Any]:
    return {**made.store(), "kind": kind, "metadata": made.meta(key, owner)}


@pytest.mark.parametrize(
    ("owner", "found"),
    [(RELEASE, BROUGHT), ("kustomize:a/charts", ""), ("helm:a/gone", ""), ("", "")],
)
def test_only_what_a_release_brings_is_the_charts(owner: str, found: str) -> None:
    objects = [
        made.source("OCIRepository", "a/oci", owner),
        made.source("Bucket", "a/bucket", owner),
        store("vault", owner),
        store("a/near", owner, "SecretStore"),
        made.secret("a/keys", owner, **KEYS),
    ]
    charts = charts_in(
        scene(made.release("a/charts"), made.kustomization("a/charts"), *objects), OURS
    )

    names = [
        ("OCIRepository", "a/oci"),
        ("Bucket", "a/bucket"),
        ("ExternalSecret", "a/keys"),
        ("SecretStore", "a/near"),
        ("ClusterSecretStore", "vault"),
    ]
    assert charts.brought == (dict.fromkeys(names, found) if found else {})
    assert charts.secrets == ({"a/written": "externalsecret/a/keys"} if found else {})


def test_our_own_source_is_there_before_everything() -> None:
    look = scene(made.release("a/charts"), made.source(owner=RELEASE))

    assert charts_in(look, OURS).brought == {}


STORES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({}, (BROUGHT,)),
    ({"secretStoreRef": {"name": "near"}}, (BROUGHT,)),
    ({"secretStoreRef": {"kind": "SecretStore", "name": "vault"}}, ()),
    ({"secretStoreRef": {"kind": "ClusterSecretStore", "name": "near"}}, ()),
    ({"secretStoreRef": {"name": "far"}}, ()),
    ({"secretStoreRef": None}, ()),
]


@pytest.mark.parametrize(("spec", "needs"), STORES)
def test_an_external_secret_needs_the_release_that_brings_its_store(
    spec: dict[str, Any], needs: tuple[str, ...]
) -> None:
    look = scene(
        made.release("a/charts"),
        store("vault", RELEASE),
        store("a/near", RELEASE, "SecretStore"),
        store("b/far", RELEASE, "SecretStore"),
        made.secret("a/keys", **spec),
    )
    (item,) = Inventory.model_validate(inventory_of(look)).externalsecrets

    assert item.needs == needs


def test_an_external_secret_of_a_chart_needs_its_release() -> None:
    look = scene(made.release("a/charts"), made.secret("a/keys", RELEASE))
    (item,) = Inventory.model_validate(inventory_of(look)).externalsecrets

    assert item.needs == (BROUGHT,)


def inventory(**fields: Any) -> Inventory:  # noqa: ANN401
    return Inventory.model_validate({"schema": "rekindle.inventory/1", **fields})


CHARTS = Charts(
    named={
        "kustomization/a/k": (("OCIRepository", "a/oci"), ("OCIRepository", "a/other")),
        "helmrelease/a/web": (("Secret", "a/written"), ("OCIRepository", "a/oci")),
        "helmrelease/a/charts": (("OCIRepository", "a/oci"),),
        "externalsecret/a/login": (("ClusterSecretStore", "vault"),),
    },
    brought={
        ("OCIRepository", "a/oci"): BROUGHT,
        ("OCIRepository", "a/other"): "helmrelease/a/elsewhere",
        ("ClusterSecretStore", "vault"): BROUGHT,
        ("ExternalSecret", "a/keys"): BROUGHT,
    },
    secrets={"a/written": "externalsecret/a/keys"},
)


def both(**charts: Any) -> Inventory:  # noqa: ANN401
    git = inventory(
        kustomizations=[{"key": "a/k"}],
        helmreleases=[{"key": "a/charts", **charts}, {"key": "a/web"}],
        externalsecrets=[{"key": "a/login"}],
    )
    secrets = [{"key": "a/keys", "needs": [BROUGHT]}, {"key": "a/stray"}]
    cluster = inventory(externalsecrets=secrets)
    return joined(git, cluster, charts=CHARTS).inventory


def test_git_s_objects_need_the_release_that_brings_what_they_name() -> None:
    found = both()

    assert [item.needs for item in found.kustomizations] == [(BROUGHT,)]
    assert [item.needs for item in found.helmreleases] == [
        (),
        ("externalsecret/a/keys", BROUGHT),
    ]
    assert {item.key: item.needs for item in found.externalsecrets} == {
        "a/keys": (BROUGHT,),
        "a/login": (BROUGHT,),
    }


def test_a_release_that_git_suspends_brings_nothing() -> None:
    found = both(suspended=True)

    assert not any(item.needs for item in found.kustomizations)
    assert not any(item.needs for item in found.helmreleases)
    assert not any(item.needs for item in found.externalsecrets)
    assert [item.key for item in found.externalsecrets] == ["a/login"]
