"""
Which logs are asked for: few, and only where a container has run.

Mutants, each killed here: all pods of a Job are asked; no end to how many; a container that never ran is asked; a pod
with several containers has any of them asked.
"""

# ruff: noqa: ANN401  objects of the API are JSON
from __future__ import annotations

from typing import Any

import msgspec
import pytest

from phases.objects import Pod, key_of
from phases.pod_logs import AT_MOST, wanted


def pod(name: str, *containers: str | dict[str, Any], **metadata: Any) -> Pod:
    phase = metadata.pop("phase", "Running")
    statuses = [{"name": one} if isinstance(one, str) else one for one in containers]
    given = {
        "metadata": {"namespace": "x", "name": name, "uid": f"u-{name}", **metadata},
        "status": {"phase": phase, "containerStatuses": statuses},
    }
    return msgspec.convert(given, Pod)


def asked(*pods: Pod) -> list[tuple[str, str]]:
    return [(one.key, one.container) for one in wanted({key_of(p.metadata): p for p in pods})]


def job(name: str, made: int = 1) -> dict[str, Any]:
    return {
        "ownerReferences": [{"kind": "Job", "name": name}],
        "creationTimestamp": f"2027-01-15T08:00:{made:02}Z",
    }


WAITING = {"name": "cloudflared", "state": {"waiting": {"reason": "ContainerCreating"}}}


def test_the_newest_pod_of_each_job_that_prepares_disks_is_asked() -> None:
    pods = (
        pod("p2", "provision", phase="Failed", **job("rook-ceph-osd-prepare-a", 2)),
        pod("p1", "provision", **job("rook-ceph-osd-prepare-a", 1)),
        pod("q", "provision", phase="Succeeded", **job("rook-ceph-osd-prepare-b")),
        pod("r", "provision", **job("rook-ceph-detect-version")),
        pod("s", "provision"),
    )

    assert asked(*pods) == [("x/p2", "provision"), ("x/q", "provision")]
    assert asked(*reversed(pods)) == asked(*pods)


@pytest.mark.parametrize(
    ("found", "container"),
    [
        (pod("cloudflared-5b88-x", "app"), "app"),
        (pod("edge", "proxy", "cloudflared"), "cloudflared"),
        (pod("edge", "app", labels={"app.kubernetes.io/name": "cloudflare-tunnel"}), "app"),
        (pod("edge", "app", labels={"app": "cloudflared"}), "app"),
        (pod("edge", {**WAITING, "restartCount": 1}), "cloudflared"),
        (pod("edge", WAITING), ""),
        (pod("edge", "app"), ""),
        (pod("cloudflare-ddns", "app"), ""),
        (pod("cloudflared-1", "app", "sidecar"), ""),
        (pod("cloudflared-1"), ""),
        (pod("cloudflared-1", "app", phase="Succeeded"), ""),
        (pod("cloudflared-1", "app", deletionTimestamp="2027-01-15T08:00:00Z"), ""),
    ],
)
def test_a_tunnel_is_known_by_its_names(found: Pod, container: str) -> None:
    assert asked(found) == ([(key_of(found.metadata), container)] if container else [])


def test_few_are_asked_and_those_that_prepare_disks_first() -> None:
    many = [pod(f"cloudflared-{number:02}", "app") for number in range(30)]
    prepared = pod("z", "provision", **job("rook-ceph-osd-prepare-a"))

    found = asked(*many, prepared)
    assert (len(found), found[0]) == (AT_MOST, ("x/z", "provision"))
