"""What no inventory can find out, and somebody knows: an edge to a registry or a gateway, written as a need."""

from __future__ import annotations

from typing import Any

import pytest

from phases.inventory import Inventory
from phases.needs import needs_of
from phases.path import critical_path
from tests.phases.making import START, facts, plan

REGISTRY = "deployment/registry/zot"
PULLS = [REGISTRY]


def inventory(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A registry, and one of each that may wait for it."""
    return {
        "inventory": {
            "kustomizations": [
                {"key": "flux-system/cluster"},
                {"key": "flux-system/apps", "parent": "flux-system/cluster", "needs": PULLS},
            ],
            "helmreleases": [
                {"key": "apps/db", "parent": "flux-system/cluster", "needs": PULLS},
            ],
            "externalsecrets": [],
            "crds": [],
            "workloads": [
                {"kind": "Deployment", "key": "apps/web", "pods": 2, "needs": PULLS},
                {
                    "kind": "Deployment",
                    "key": "registry/zot",
                    "pods": 1,
                    "owner": "kustomization/flux-system/cluster",
                },
            ],
            **more,
        }
    }


@pytest.mark.parametrize(
    "reader",
    [
        "deployment/apps/web",
        "helmrelease/apps/db#applied",
        "kustomization/flux-system/apps#applied",
    ],
)
def test_whoever_pulls_from_a_registry_waits_for_its_workload(reader: str) -> None:
    """Mutant: leave out the needs of a workload, of a release or of a Kustomization."""
    of = plan(inventory())

    assert REGISTRY in needs_of(of.target)[reader]
    assert REGISTRY not in needs_of(of.target, certain=True)[reader], "it may be there beforehand"


def test_the_path_goes_through_a_registry() -> None:
    of = plan(inventory())
    codes = {s.partition("#")[0]: "Ready" for s in needs_of(of.target) if s != "root"}
    well = {"node": "running", "etcd": "healthy", "api": "up"}
    codes |= {subject: well.get(subject.partition("/")[0], code) for subject, code in codes.items()}
    lost = {REGISTRY: "Absent", "deployment/apps/web": "Absent"}

    path = critical_path(of.target, facts({**codes, **lost}), START)

    assert (REGISTRY, "deployment/apps/web") == tuple(path.subjects)


def test_a_registry_that_nobody_counts_is_no_edge() -> None:
    """It has to be in the inventory itself; and what it needs to begin with never closes a circle."""
    uncounted = {"kind": "Deployment", "key": "apps/web", "pods": 2, "needs": PULLS}
    own = {"key": "flux-system/cluster", "needs": PULLS}
    alone = plan(inventory(workloads=[uncounted]))
    circle = plan(inventory(kustomizations=[own]))

    assert REGISTRY not in needs_of(alone.target)["deployment/apps/web"]
    assert REGISTRY not in needs_of(circle.target)["kustomization/flux-system/cluster#applied"]


@pytest.mark.parametrize("need", ["service/network/gateway", "node/k8s-1", "deployment/zot"])
def test_what_an_edge_cannot_lead_to_is_refused(need: str) -> None:
    given = {"kind": "Deployment", "key": "apps/web", "pods": 2, "needs": [need]}

    with pytest.raises(ValueError, match="write it as crd/NAME or as KIND/namespace/name"):
        Inventory.model_validate({"schema": "rekindle.inventory/1", "workloads": [given]})
