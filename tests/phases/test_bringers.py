"""What may be the controller of a kind, as far as an inventory tells; ``data/flux_synced`` has who is waited for."""

from __future__ import annotations

from typing import Any

import pytest

from phases.bringers import brought_by, lineage
from tests.phases.making import plan

CRDS = "helmrelease/other/keeper-crds"


def section(**inventory: Any) -> Any:  # noqa: ANN401
    given = {
        "kustomizations": [
            {"key": "flux-system/cluster"},
            {"key": "flux-system/apps", "parent": "flux-system/cluster"},
        ],
        "helmreleases": [
            {"key": "other/keeper", "parent": "flux-system/apps"},
            {"key": "other/keeper-crds", "parent": "flux-system/apps"},
        ],
        "workloads": [
            {
                "kind": "Deployment",
                "key": "other/keeper",
                "pods": 1,
                "owner": "helmrelease/other/keeper",
            }
        ],
    }
    return plan({"inventory": given | inventory}).target


def test_it_is_worked_out_once_for_all_holders() -> None:
    """300 holders and 500 workloads cost a turn 2.6 s. Mutant: nothing is kept; what is kept is of any provider."""
    one = section()

    assert brought_by(one, CRDS) is brought_by(one, CRDS)
    assert not brought_by(one, CRDS).is_known
    assert brought_by(one, "helmrelease/other/keeper").is_known


@pytest.mark.parametrize(
    "parents", [{"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}, {"a": "a"}]
)
def test_who_apply_each_other_bring_nothing_and_end(parents: dict[str, str]) -> None:
    """Mutant: who was met already is gone up from again."""
    kustomizations = [
        {"key": f"flux-system/{key}", "parent": f"flux-system/{parent}"}
        for key, parent in parents.items()
    ]
    one = section(
        kustomizations=kustomizations,
        helmreleases=[{"key": "other/keeper-crds", "parent": "flux-system/a"}],
        workloads=[],
    )

    assert len(list(lineage(one, CRDS))) == len(parents) + 1
    assert brought_by(one, CRDS).items == ()
