"""
What the claims of pods wait for, as a healthy cluster shows it.

Mutants, each tried: an argument that only contains a driver's name counts; each of the flags is left out; a flag's
value that comes next is not read; of several workloads the first is taken; a sidecar tells of a release with two
drivers; the class's owner stands for the driver's; two default classes are one; the template's own class yields to that
of the claim.
"""

from __future__ import annotations

from typing import Any

import pytest

from phases.existing import inventory_of
from phases.inventory import Inventory
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import scene

DRIVER = "disks.example.com"
CSI, CLASSES = "helm:storage/csi", "helm:storage/classes"
BROUGHT, RUN = "helmrelease/storage/classes", "deployment/storage/maker"
USUAL = "storageclass.kubernetes.io/is-default-class"


def storage_class(
    name: str = "fast", owner: str = CLASSES, driver: str = DRIVER, **annotations: str
) -> dict[str, Any]:
    metadata = made.meta(name, owner, annotations=annotations)
    return {"kind": "StorageClass", "metadata": metadata, "provisioner": driver}


def driver(name: str = DRIVER, owner: str = CSI) -> dict[str, Any]:
    return {"kind": "CSIDriver", "metadata": made.meta(name, owner)}


def runs(  # a workload with one container
    *args: str, key: str = "storage/maker", image: str = "", owner: str = "", kind: str = ""
) -> dict[str, Any]:
    pods = {"spec": {"containers": [{"name": "a"}, {"name": "b", "image": image, "args": args}]}}
    work = made.deployment(key, owner, spec={"template": pods})
    return {**work, "kind": kind} if kind else work


def claim(name: str = "data", **spec: Any) -> dict[str, Any]:  # noqa: ANN401  fields of a claim
    return {"kind": "PersistentVolumeClaim", "metadata": made.meta(f"apps/{name}"), "spec": spec}


def needs(*objects: dict[str, Any], **spec: Any) -> tuple[str, ...]:  # noqa: ANN401  fields of a StatefulSet
    """Return what a StatefulSet needs, whose claims are of the class ``fast``."""
    templates = [{"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}]
    reader = made.deployment("apps/db", "kustomize:apps/db")
    reader |= {"kind": "StatefulSet", "spec": spec or {"volumeClaimTemplates": templates}}
    found = Inventory.model_validate(inventory_of(scene(reader, *objects)))
    (item,) = (one for one in found.workloads if one.key == "apps/db")
    return item.needs


NAMED = [
    [f"--drivername={DRIVER}"],
    ["--v=5", f"--drivername={DRIVER}", "--nodeid=$(NODE)"],
    ["-drivername", DRIVER],
    [f"--driver-name={DRIVER}"],
    [f"--csi-name={DRIVER}"],
    [f"--provisioner={DRIVER}"],
    [f"--provisioner-name={DRIVER}"],
    [f"--kubelet-registration-path=/var/lib/kubelet/plugins/{DRIVER}/csi.sock"],
]


@pytest.mark.parametrize("args", NAMED)
def test_a_claim_waits_for_the_workload_that_is_told_the_name_of_its_driver(
    args: list[str],
) -> None:
    assert needs(storage_class(), runs(*args)) == (RUN, BROUGHT)


@pytest.mark.parametrize(
    "args",
    [
        [],
        [DRIVER],
        [f"--drivername=not-{DRIVER}"],
        [f"--watch={DRIVER}"],
        ["--drivername"],
        [f"--kubelet-registration-path=/plugins/{DRIVER}"],
        [f"--kubelet-registration-path=/var/lib/kubelet/plugins/{DRIVER}-b/csi.sock"],
    ],
)
def test_what_only_looks_like_it_is_nobody(args: list[str]) -> None:
    assert needs(storage_class(), runs(*args)) == (BROUGHT,)


def test_a_class_without_a_provisioner_that_is_known_has_none() -> None:
    local = storage_class(driver="kubernetes.io/no-provisioner")

    assert needs(local, driver(), runs(f"--drivername={DRIVER}", owner=CSI)) == (BROUGHT,)


SIDECAR = "registry.k8s.io/sig-storage/csi-provisioner:v5.1.0@sha256:0"
OTHER = {"key": "storage/other"}
SEVERAL: list[tuple[list[dict[str, Any]], str]] = [
    # The one that asks a driver for volumes, beside one that also names it.
    ([runs(f"--drivername={DRIVER}", image=SIDECAR), runs(f"--drivername={DRIVER}", **OTHER)], RUN),
    # A claim gets its volume without each node's own.
    (
        [
            runs(f"--drivername={DRIVER}"),
            runs(f"--drivername={DRIVER}", kind="DaemonSet", **OTHER),
        ],
        RUN,
    ),
    (
        [runs(f"--drivername={DRIVER}", kind="DaemonSet", **OTHER)],
        "daemonset/storage/other",
    ),
    ([runs(f"--drivername={DRIVER}"), runs(f"--drivername={DRIVER}", **OTHER)], ""),
    # Told by who brings the CSIDriver.
    ([driver(), runs(image=SIDECAR, owner=CSI), runs(owner=CSI, **OTHER)], RUN),
    (
        [
            driver(),
            runs(image="external-provisioner@sha256:0", owner=CSI),
            runs(owner=CSI, **OTHER),
        ],
        RUN,
    ),
    ([driver(), runs(owner=CSI), runs(owner=CLASSES, **OTHER)], RUN),
    ([driver(), runs(owner=CSI), runs(owner=CSI, **OTHER)], "helmrelease/storage/csi"),
    (
        [driver(), driver("b.io"), runs(image=SIDECAR, owner=CSI), runs(owner=CSI, **OTHER)],
        "helmrelease/storage/csi",
    ),
    ([driver(owner=""), runs(image=SIDECAR)], ""),
    ([runs(image=SIDECAR, owner=CLASSES)], ""),
]


@pytest.mark.parametrize(("objects", "behind"), SEVERAL)
def test_only_who_certainly_makes_the_volumes_is_waited_for(
    objects: list[dict[str, Any]], behind: str
) -> None:
    assert needs(storage_class(), *objects) == tuple(sorted({BROUGHT, behind} - {""}))


def test_an_operator_does_not_wait_for_itself() -> None:
    templates = [{"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}]
    pods = {"spec": {"containers": [{"name": "a", "args": [f"--drivername={DRIVER}"]}]}}

    assert needs(storage_class(), volumeClaimTemplates=templates, template=pods) == (BROUGHT,)


def templates(**spec: Any) -> dict[str, Any]:  # noqa: ANN401  fields of a claim
    return {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": spec}]}


def volume(**source: Any) -> dict[str, Any]:  # noqa: ANN401  fields of a volume
    return {"template": {"spec": {"volumes": [{"name": "a", **source}]}}}


CLAIMED = volume(persistentVolumeClaim={"claimName": "data"})
NAMELESS: list[tuple[dict[str, Any], list[dict[str, Any]], bool]] = [
    (templates(), [storage_class(**{USUAL: "true"})], True),
    (templates(), [storage_class(**{USUAL.replace(".k", ".beta.k"): "true"})], True),
    (templates(), [storage_class(**{USUAL: "false"})], False),
    (templates(storageClassName=""), [storage_class(**{USUAL: "true"})], False),
    (
        templates(),
        [storage_class(**{USUAL: "true"}), storage_class("slow", **{USUAL: "true"})],
        False,
    ),
    # A claim that was made says which it got.
    (templates(), [storage_class(), claim("data-db-0", storageClassName="fast")], True),
    (
        templates(),
        [storage_class(**{USUAL: "true"}), claim("data-db-0", storageClassName="gone")],
        False,
    ),
    (
        templates(storageClassName="fast"),
        [storage_class(), claim("data-db-0", storageClassName="gone")],
        True,
    ),
    (volume(ephemeral={"volumeClaimTemplate": {}}), [storage_class(**{USUAL: "true"})], True),
    (volume(ephemeral={}), [storage_class(**{USUAL: "true"})], False),
    (CLAIMED, [storage_class(), claim(storageClassName="fast")], True),
    (CLAIMED, [storage_class(**{USUAL: "true"}), claim(storageClassName="")], False),
    (CLAIMED, [storage_class(**{USUAL: "true"})], False),
]


@pytest.mark.parametrize(("spec", "objects", "waits"), NAMELESS)
def test_a_claim_that_names_no_class_waits_for_the_usual_one(
    spec: dict[str, Any],
    objects: list[dict[str, Any]],
    waits: bool,  # noqa: FBT001
) -> None:
    assert needs(*objects, **spec) == ((BROUGHT,) if waits else ())


@pytest.mark.parametrize(("owner", "waits"), [("", True), ("kustomize:apps/volumes", False)])
def test_a_claim_on_a_volume_that_flux_brings_needs_no_class(owner: str, waits: bool) -> None:  # noqa: FBT001
    bound = claim(storageClassName="fast", volumeName="pv-1")
    volume_object = {"kind": "PersistentVolume", "metadata": made.meta("pv-1", owner), "spec": {}}

    found = needs(storage_class(), bound, volume_object, **CLAIMED)

    assert found == ((BROUGHT,) if waits else ())
