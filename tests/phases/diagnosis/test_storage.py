"""Claims that wait for a pod, and volumes of a former claim."""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.scenes import AT, dangers, failed, found_by, made, pod, scene

WAITS = failed(
    "Kustomization",
    "f/k",
    "timeout waiting for: [PersistentVolumeClaim/x/data status: 'InProgress']",
)


def claim(phase: str = "Pending", **more: Any) -> dict[str, Any]:
    spec = {"storageClassName": "fast", **more.pop("spec", {})}
    return made("PersistentVolumeClaim", "x/data", spec=spec, status={"phase": phase}, **more)


def user(name: str = "x/p", of: str = "data") -> dict[str, Any]:
    volumes = [{"name": "tmp"}, {"name": "v", "persistentVolumeClaim": {"claimName": of}}]
    return pod(name, owner=("StatefulSet", "s"), spec={"volumes": volumes})


PROVISIONED = {"annotations": {"volume.kubernetes.io/storage-provisioner": "csi.example.com"}}
LEAVING = {"deletionTimestamp": "2027-01-15T07:50:00Z"}


@pytest.mark.parametrize(
    ("objects", "unlisted", "found"),
    [
        ((claim(), WAITS), (), 1),
        ((claim(), WAITS, user(of="other")), (), 1),
        ((claim(), WAITS, user("y/p")), (), 1),
        ((claim(), WAITS, user()), (), 0),
        ((claim(),), (), 0),
        ((claim("Bound"), WAITS), (), 0),
        # somebody was asked for a volume: it is not the mode of binding
        ((claim(metadata=PROVISIONED), WAITS), (), 0),
        ((claim(spec={"volumeName": "pv"}), WAITS), (), 0),
        ((claim(spec={"storageClassName": ""}), WAITS), (), 0),
        ((claim(metadata=LEAVING), WAITS), (), 0),
        ((claim(), WAITS), ("Pod",), 0),
    ],
)
def test_a_claim_waits_for_its_first_consumer(
    objects: tuple[dict[str, Any], ...], unlisted: tuple[str, ...], found: int
) -> None:
    findings = found_by("L9", scene(*objects, unlisted=unlisted))

    assert len(findings) == found
    for finding in findings:
        assert finding.subject == "persistentvolumeclaim/x/data"
        assert finding.blocks == ("kustomization/f/k",)
        assert "kustomization f/k waits for it before any pod comes" in finding.message


def volume(phase: str = "Released", uid: str = "uid-of-the-former", **more: Any) -> dict[str, Any]:
    reference = {"namespace": "x", "name": "data", "uid": uid}
    status = {"phase": phase, "lastPhaseTransitionTime": "2027-01-15T07:50:00Z"}
    return made("PersistentVolume", "pv", spec={"claimRef": reference}, status=status, **more)


WANTED = claim(spec={"volumeName": "pv"})


@pytest.mark.parametrize(
    ("objects", "found"),
    [
        ((WANTED, volume()), 1),
        # a claim that asks for any volume is not kept waiting by this one
        ((claim(), volume()), 0),
        ((WANTED, volume("Bound")), 0),
        ((WANTED, volume(uid="uid-PersistentVolumeClaim-data")), 0),
        ((WANTED, volume(uid="")), 0),
        ((claim("Bound", spec={"volumeName": "pv"}), volume()), 0),
        ((claim(metadata=LEAVING, spec={"volumeName": "pv"}), volume()), 0),
        ((claim(spec={"volumeName": "other"}), volume()), 0),
        ((volume(),), 0),
    ],
)
def test_a_volume_belongs_to_a_claim_by_uid(
    objects: tuple[dict[str, Any], ...], found: int
) -> None:
    findings = found_by("L12", scene(*objects, user(), WAITS))

    assert len(findings) == found
    for finding in findings:
        assert (finding.subject, finding.since) == ("persistentvolume/pv", AT - 600)
        assert finding.blocks == (
            "persistentvolumeclaim/x/data",
            "statefulset/x/s",
            "kustomization/f/k",
        )
        assert (finding.clears_itself, dangers(finding)) == ("no", {"look", "reversible", "never"})


def test_a_volume_without_a_claim_or_without_an_instant() -> None:
    bare = made("PersistentVolume", "pv", status={"phase": "Released"})
    old = volume()
    del old["status"]["lastPhaseTransitionTime"]

    assert found_by("L12", scene(WANTED, bare)) == []
    assert [finding.since for finding in found_by("L12", scene(WANTED, old))] == [None]
