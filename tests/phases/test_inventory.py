"""What follows another source is expected itself, and judged by no revision of ours."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from phases.facts import reduce
from phases.inventory import Inventory
from phases.snapshot import Seen, Snapshot
from tests.phases.making import plan
from tests.phases.test_facts import kustomization, repository, seen, snapshot


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
