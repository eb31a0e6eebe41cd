"""What follows another source is expected itself, and judged by no revision of ours."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from phases.facts import reduce
from phases.inventory import Inventory
from phases.kinds import crds_of
from phases.snapshot import Seen, Snapshot
from tests.phases.making import plan
from tests.phases.test_facts import kustomization, repository, seen, snapshot

PARENTED = {"name": "vault", "parent": "flux-system/stores"}


def look(unknown: list[str]) -> tuple[str, str]:
    """The goal is main@2, and the Kustomization is Ready at a revision of another source."""
    for_plan = plan({"inventory": {"unknown": unknown}})
    one: Seen[dict[str, Any]] = seen("Kustomization", kustomization("v1.2.3@sha256:1"))
    there: Snapshot = snapshot(
        Kustomization=one, GitRepository=seen("GitRepository", repository("main@2"))
    )
    facts = reduce(for_plan, there)
    found = facts["kustomization/flux-system/apps"]
    return found.code, found.reason


def test_who_follows_another_source_is_ready_at_its_own_revision() -> None:
    """Mutant: hold it against the goal as well, and a cluster with a foreign source is never synced."""
    assert look(["flux-system/apps"]) == ("Ready", "")
    assert look([])[0] == "Progressing"


def test_who_follows_another_source_is_expected_all_the_same() -> None:
    for_plan = plan({"inventory": {"unknown": ["flux-system/apps"]}})

    assert "kustomization/flux-system/apps" in for_plan.target.expected
    assert reduce(for_plan, snapshot())["kustomization/flux-system/apps"].code == "Absent"


def test_unknown_names_only_what_is_expected() -> None:
    with pytest.raises(ValidationError, match="apps/typo is not among the kustomizations"):
        Inventory.model_validate({"schema": "rekindle.inventory/1", "unknown": ["apps/typo"]})


def test_an_inventory_without_needs_is_written_as_it_was_before_there_were_any() -> None:
    """Or every plan would have another digest. Mutant: leave the empty ones in."""
    items = [{"key": "a/b"}, {"key": "a/c", "needs": ["crd/gadgets.example.com"]}]
    raw = {"schema": "rekindle.inventory/1", "kustomizations": items}
    plain, needy = Inventory.model_validate(raw).model_dump(mode="json", by_alias=True)[
        "kustomizations"
    ]

    assert plain == {
        "key": "a/b",
        "parent": None,
        "depends_on": [],
        "wait": False,
        "suspended": False,
    }
    assert needy["needs"] == ["crd/gadgets.example.com"]


def test_a_store_may_be_its_bare_name_and_is_written_so_where_nobody_applies_it() -> None:
    """Or every plan of before would have another digest. Mutant: write the parent that is none."""
    raw = {"schema": "rekindle.inventory/1", "stores": ["a", {"name": "b"}, PARENTED]}
    found = Inventory.model_validate(raw)

    assert [(item.name, item.parent) for item in found.stores] == [
        ("a", None),
        ("b", None),
        ("vault", "flux-system/stores"),
    ]
    written = found.model_dump(mode="json", by_alias=True)["stores"]
    assert written == ["a", "b", PARENTED]
    for wrong in ("A", {"name": "a", "parent": "b"}, {"name": "a", "owner": "b"}, 1):
        with pytest.raises(ValidationError, match="1 validation error"):
            Inventory.model_validate({**raw, "stores": [wrong]})


@pytest.mark.parametrize(
    "need", ["gadgets.example.com", "crd/", "crd/a/b", "helmrelease/a", "pod/a/b", "etcd", ""]
)
def test_a_need_is_a_subject_of_a_kind_that_facts_are_made_of(need: str) -> None:
    items = [{"key": "a/b", "needs": [need]}]
    with pytest.raises(ValidationError, match="write it as crd/NAME or as"):
        Inventory.model_validate({"schema": "rekindle.inventory/1", "kustomizations": items})


HELD = {
    ("example.com", "Policy"): {"a", "b"},
    ("apps", "Deployment"): {"a"},
    ("x.io", "Fish"): {""},
    ("x.io", "Gone"): {"a"},
}


def test_crds_are_told_by_the_kinds_that_are_held() -> None:
    """Mutants: take every usual plural; trust plurals where the definition itself is known."""
    listed = ["policies.example.com", "policys.example.com", "fish.x.io", "other.x.io"]

    assert crds_of(HELD, listed, {("example.com", "Policy"): "policies.example.com"}) == {
        "fish.x.io": {""},
        "policies.example.com": {"a", "b"},
    }


def test_flux_s_own_kinds_are_there_before_anything_follows_flux() -> None:
    """Mutant: list them, and whoever brings its operator waits for itself."""
    flux = [("helm.toolkit.fluxcd.io", "HelmRelease"), ("fluxcd.controlplane.io", "FluxInstance")]
    listed = ["helmreleases.helm.toolkit.fluxcd.io", "fluxinstances.fluxcd.controlplane.io"]

    assert crds_of({kind: {"a"} for kind in flux}, listed, {}) == {}
