"""Objects recorded from a real API with real Flux controllers, and what they must be judged."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from journal.entries import Fact
from phases.readiness import flux, machinery, nodes, releases, sources, workloads
from phases.snapshot import KINDS
from tests.phases.making import decoded

DATA = Path(__file__).parent / "data"
EXPECTED: dict[str, dict[str, str]] = yaml.safe_load((DATA / "captures.yaml").read_text("utf-8"))

JUDGED = [name for name, expected in EXPECTED.items() if "code" in expected]


def judged(kind: str, found: Any) -> Fact:  # noqa: ANN401  any of KINDS
    judges: dict[str, Any] = {
        "CustomResourceDefinition": machinery.crd,
        "Deployment": lambda seen: workloads.verdict("Deployment", seen, seen.spec.replicas),
        "GitRepository": sources.source,
        "HelmRelease": releases.helm_release,
        "Kustomization": partial(flux.kustomization, goal="", suspended=False),
        "Namespace": machinery.namespace,
        "Node": partial(nodes.k8s_node, talos=Fact("running", detail={"boot_id": "b1"})),
    }
    if kind == "HelmRelease":
        return releases.helm_release(found, suspended=False)
    fact: Fact = judges[kind](found)
    return fact


@pytest.mark.parametrize("name", JUDGED)
def test_a_recorded_object_is_judged(name: str) -> None:
    expected = EXPECTED[name]
    raw = (DATA / "captures" / f"{name}.json").read_bytes()

    fact = judged(expected["kind"], decoded(raw, KINDS[expected["kind"]]))

    assert (expected["code"], expected["cause"]) == (fact.code, fact.detail.get("cause", ""))


def test_every_capture_is_used() -> None:
    assert set(EXPECTED) == {path.stem for path in (DATA / "captures").iterdir()}


def test_what_holds_a_namespace_is_said() -> None:
    raw = (DATA / "captures" / "accident3-namespace-apps-held-by-finalizer.json").read_bytes()

    fact = machinery.namespace(decoded(raw, KINDS["Namespace"]))

    assert "finalizers remaining" in fact.reason
    assert fact.since is not None


def test_the_label_of_a_health_check_is_not_shown_as_a_deadline() -> None:
    """``with a timeout of 59m30s`` is a label of the step; people have read it as the error."""
    raw = (DATA / "captures" / "kustomization-apps-unknown-progressing.json").read_bytes()

    fact = judged("Kustomization", decoded(raw, KINDS["Kustomization"]))

    assert "timeout" not in fact.reason
