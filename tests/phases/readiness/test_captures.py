"""
Objects recorded from a real API with real Flux controllers, and what they must be judged.

Mutants, killed here: HEALTH_ITEM without lower case; RetriesExceeded not terminal; the deleter's conditions not told.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from journal.entries import Fact
from phases.objects import Condition
from phases.readiness import machinery
from phases.readiness.flux import cause_of
from phases.readiness.verdict import Context, struct_of, verdict
from phases.snapshot import KINDS
from tests.phases.making import decoded
from tests.phases.readiness.given import said

DATA = Path(__file__).parents[1] / "data"
EXPECTED: dict[str, dict[str, str]] = yaml.safe_load((DATA / "captures.yaml").read_text("utf-8"))
LISTED: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "listed.yaml").read_text("utf-8"))
# What the API answered, and what that says has to clear first.
REFUSALS = {"error-create-in-terminating-namespace": "namespace:held"}
LATER = 4e9  # long after every instant in a capture
CONTEXT = Context(now=LATER, machine=Fact("running", detail={"boot_id": "b1"}))


def found_in(name: str, kind: str) -> Any:  # noqa: ANN401  any struct
    return decoded((DATA / "captures" / f"{name}.json").read_bytes(), struct_of(kind))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_object_is_judged(name: str) -> None:
    expected = EXPECTED[name]
    fact = verdict(expected["kind"], found_in(name, expected["kind"]), CONTEXT)

    assert expected["said"] == said(fact)


@pytest.mark.parametrize("name", EXPECTED)
def test_no_verdict_begins_when_its_object_was_made(name: str) -> None:
    """Nor later than the newest instant that the object tells: a verdict has no clock of its own."""
    found = found_in(name, EXPECTED[name]["kind"])
    fact = verdict(EXPECTED[name]["kind"], found, CONTEXT)
    meta = found.metadata
    told = {c.last_transition_time for c in getattr(found.status, "conditions", ())}
    told |= {meta.deletion_timestamp}

    assert fact.since is None or fact.since in {at.timestamp() for at in told if at is not None}


@pytest.mark.parametrize("name", LISTED)
def test_each_object_of_a_recorded_list_is_judged(name: str) -> None:
    kind, expected = LISTED[name]["kind"], LISTED[name]["items"]
    listed = json.loads((DATA / "captures" / f"{name}.json").read_bytes())["items"]

    judged = {
        item["metadata"]["name"]: said(
            verdict(kind, decoded(json.dumps(item).encode(), struct_of(kind)), CONTEXT)
        )
        for item in listed
    }

    assert expected == judged


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("before", ["", "ConfigMap/held/new dry-run failed (Forbidden): "])
def test_a_recorded_refusal_names_what_has_to_clear_first(name: str, before: str) -> None:
    """As the API says it, and as kustomize-controller repeats it. Mutant: nobody reads "being terminated"."""
    refusal = json.loads((DATA / "captures" / f"{name}.json").read_bytes())
    ready = Condition("Ready", "False", "ReconciliationFailed", f"{before}{refusal['message']}")

    assert cause_of(ready, "flux-system") == REFUSALS[name]


def test_every_capture_is_used() -> None:
    assert {*EXPECTED, *LISTED, *REFUSALS} == {path.stem for path in (DATA / "captures").iterdir()}


def test_what_holds_a_namespace_is_said() -> None:
    raw = (DATA / "captures" / "accident3-namespace-apps-held-by-finalizer.json").read_bytes()

    fact = machinery.namespace(decoded(raw, KINDS["Namespace"]))

    assert "finalizers remaining" in fact.reason
    assert fact.since is not None


def test_the_label_of_a_health_check_is_not_shown_as_a_deadline() -> None:
    """``with a timeout of 59m30s`` is a label of the step; people have read it as the error."""
    raw = (DATA / "captures" / "kustomization-apps-unknown-progressing.json").read_bytes()

    fact = verdict("Kustomization", decoded(raw, KINDS["Kustomization"]))

    assert "timeout" not in fact.reason
