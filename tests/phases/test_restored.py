"""
What claims wait for whose volumes are restored, as a healthy cluster shows it.

Mutants, each tried: the group of a source is not looked at; a source that is not there counts; any workload of the
operator's release will do, also of a Kustomization; each kind of repository is left out; a Secret of another namespace
counts; the older field restores anything; what brought a source, or its CRD, is gone.
"""

from __future__ import annotations

from typing import Any

import pytest

from phases.existing import inventory_of
from phases.inventory import Inventory
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import scene

GROUP = "volsync.backube"
FROM = {"apiGroup": GROUP, "kind": "ReplicationDestination", "name": "data"}
VOLSYNC = "helm:storage/volsync"
BROUGHT, SECRET = "kustomization/apps/restores", "externalsecret/apps/repository"
OPERATOR = "deployment/storage/volsync"
SNAPSHOT = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "data"}


def destination(owner: str = "kustomize:apps/restores", **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    spec = spec or {"restic": {"repository": "repository"}}
    return {
        "kind": "ReplicationDestination",
        "metadata": made.meta("apps/data", owner),
        "spec": spec,
    }


def snapshot(owner: str = "kustomize:apps/restores") -> dict[str, Any]:
    return {"kind": "VolumeSnapshot", "metadata": made.meta("apps/data", owner)}


def there(*without: str) -> list[dict[str, Any]]:
    """A cluster that restores, without the objects of these kinds."""
    objects = [
        destination(),
        made.kustomization("apps/restores"),
        made.release("storage/volsync"),
        made.crd(f"replicationdestinations.{GROUP}", VOLSYNC),
        made.deployment("storage/volsync", VOLSYNC),
        made.secret("apps/repository"),
    ]
    return [one for one in objects if one["kind"] not in without]


def needs(*objects: dict[str, Any], **claim: Any) -> tuple[str, ...]:  # noqa: ANN401  fields of a claim
    """Return what a Deployment needs that uses a claim."""
    volumes = [{"name": "a", "persistentVolumeClaim": {"claimName": "data"}}]
    reader = made.deployment("apps/web", spec={"template": {"spec": {"volumes": volumes}}})
    used = {
        "kind": "PersistentVolumeClaim",
        "metadata": made.meta("apps/data"),
        "spec": claim or {"dataSourceRef": FROM},
    }
    found = Inventory.model_validate(inventory_of(scene(reader, used, *objects)))
    (item,) = (one for one in found.workloads if one.key == "apps/web")
    return item.needs


def test_a_claim_waits_for_what_it_is_restored_from_and_for_who_does_it() -> None:
    assert needs(*there()) == (OPERATOR, BROUGHT, SECRET)


@pytest.mark.parametrize(
    "source",
    [
        {**FROM, "apiGroup": "other.io"},
        {**FROM, "apiGroup": None},
        {**FROM, "kind": "Populator"},
        {**FROM, "name": "gone"},
        {**FROM, "namespace": "elsewhere"},
    ],
)
def test_another_source_is_no_need(source: dict[str, Any]) -> None:
    given = {key: value for key, value in source.items() if value is not None}

    assert needs(*there(), dataSourceRef=given) == ()


REPOSITORIES: list[tuple[dict[str, Any], bool]] = [
    ({"kopia": {"repository": "repository"}}, True),
    ({"rclone": {"rcloneConfig": "repository"}}, True),
    ({"restic": {"repository": "other"}}, False),
    ({"restic": {}}, False),
    ({"rsyncTLS": {}}, False),
]


@pytest.mark.parametrize(("spec", "reads"), REPOSITORIES)
def test_a_restore_needs_who_makes_the_secret_of_its_repository(
    spec: dict[str, Any],
    reads: bool,  # noqa: FBT001
) -> None:
    elsewhere = made.secret("storage/other")
    found = needs(*there("ReplicationDestination"), elsewhere, destination(**spec))

    assert found == (OPERATOR, BROUGHT, *([SECRET] if reads else []))


def test_a_secret_that_somebody_else_makes_is_no_need() -> None:
    assert needs(*there("ExternalSecret")) == (OPERATOR, BROUGHT)


def test_who_brings_the_kind_is_waited_for_where_its_operator_is_not_sure() -> None:
    more = made.deployment("storage/more", VOLSYNC)
    by_kustomize = made.crd(f"replicationdestinations.{GROUP}", "kustomize:apps/crds")
    own = made.deployment("storage/volsync", "kustomize:apps/crds")
    rest = there("CustomResourceDefinition", "Deployment")

    assert needs(*there(), more) == ("helmrelease/storage/volsync", BROUGHT, SECRET)
    assert needs(*rest, by_kustomize, own, made.kustomization("apps/crds")) == (
        "kustomization/apps/crds",
        BROUGHT,
        SECRET,
    )
    assert needs(*rest) == (BROUGHT, SECRET)


def test_what_its_owner_left_behind_is_no_need() -> None:
    """Neither of the source nor of its CRD: no recovery brings them again."""
    assert needs(*there("HelmRelease", "Kustomization")) == (SECRET,)


def test_a_claim_waits_for_who_brings_a_snapshot() -> None:
    crd = made.crd("volumesnapshots.snapshot.storage.k8s.io", "helm:storage/snapshots")
    rest = [made.kustomization("apps/restores"), made.release("storage/snapshots"), crd]
    runs = made.deployment("storage/snapshots", "helm:storage/snapshots")

    found = needs(*rest, runs, snapshot(), dataSourceRef=SNAPSHOT)

    assert found == ("deployment/storage/snapshots", BROUGHT)
    assert needs(*rest, runs, dataSourceRef=SNAPSHOT) == ()


def test_pods_do_not_wait_for_who_brought_them() -> None:
    reader = made.deployment("apps/own", "kustomize:apps/restores")
    templates = [{"metadata": {"name": "a"}, "spec": {"dataSourceRef": FROM}}]
    reader |= {"kind": "StatefulSet", "spec": {"volumeClaimTemplates": templates}}
    found = Inventory.model_validate(inventory_of(scene(reader, *there())))

    (item,) = (one for one in found.workloads if one.key == "apps/own")
    assert item.needs == (OPERATOR, SECRET)


OLDER: list[tuple[dict[str, Any], bool]] = [
    ({"dataSource": SNAPSHOT}, True),
    ({"dataSource": FROM}, False),
    ({"dataSource": SNAPSHOT, "dataSourceRef": SNAPSHOT}, True),
    ({"dataSourceRef": SNAPSHOT, "volumeName": "there"}, False),
]


@pytest.mark.parametrize(("spec", "waits"), OLDER)
def test_a_template_s_older_field_restores_snapshots_alone(
    spec: dict[str, Any],
    waits: bool,  # noqa: FBT001
) -> None:
    reader = made.deployment("apps/own")
    reader |= {
        "kind": "StatefulSet",
        "spec": {"volumeClaimTemplates": [{"metadata": {"name": "a"}, "spec": spec}]},
    }
    found = Inventory.model_validate(inventory_of(scene(reader, *there(), snapshot())))

    (item,) = (one for one in found.workloads if one.key == "apps/own")
    assert item.needs == ((BROUGHT,) if waits else ())
