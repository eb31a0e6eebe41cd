"""Releases whose objects somebody else changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.phases.diagnosis.flux_objects import Said, hr
from tests.phases.diagnosis.scenes import AT, found_by, scene

TEXT = (
    "Cluster state of release apps/web.v1 has drifted from the desired state:\n"
    "Deployment/apps/web changed (0 additions, 1 changes, 0 removals)\n"
    "ConfigMap/apps/web removed"
)
DRIFTED: Said = ("True", "DriftDetected", TEXT)


def drifted(mode: str = "warn", told: Said = DRIFTED, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    spec = {"driftDetection": {"mode": mode}, **more.pop("spec", {})}
    return hr("web", ready=("True", "InstallSucceeded", ""), drifted=told, spec=spec, **more)


@pytest.mark.parametrize(
    ("mode", "cause", "clears"),
    [("warn", "drifted", "no"), ("enabled", "drifts-again", "unknown")],
)
def test_a_release_that_has_drifted_names_what_differs(mode: str, cause: str, clears: str) -> None:
    (found,) = found_by("H12", scene(drifted(mode)))

    assert (found.cause, found.clears_itself) == (cause, clears)
    assert "changed ConfigMap/apps/web, Deployment/apps/web, and" in found.message


@pytest.mark.parametrize(
    "given",
    [
        drifted(told=("False", "NoDriftDetected", "No drift detected")),
        drifted("enabled", since=AT - 59),
        drifted(spec={"suspend": True}),
        drifted(deleted=AT - 5),
        hr("web", ready=("True", "InstallSucceeded", "")),
    ],
    ids=["none", "being mended", "suspended", "leaving", "not asked"],
)
def test_a_release_that_is_as_it_was_made(given: dict[str, Any]) -> None:
    assert found_by("H12", scene(given)) == []


def test_a_fresh_drift_that_nobody_mends_is_told_at_once() -> None:
    (found,) = found_by("H12", scene(drifted(told=("True", "DriftDetected", "?"), since=AT - 5)))

    assert "changed some of its objects, and nobody" in found.message
