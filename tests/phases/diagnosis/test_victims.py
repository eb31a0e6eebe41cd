"""Who complains, and what only looks like a complaint."""

from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis.victims import complaints, saying
from tests.phases.diagnosis.scenes import AT, failed, made, said, scene


@pytest.mark.parametrize(
    ("found", "subjects"),
    [
        (failed("Kustomization", "f/a", "no"), ["kustomization/f/a"]),
        (failed("Kustomization", "f/a", ""), []),
        (failed("Kustomization", "f/a", "no", spec={"suspend": True}), []),
        (failed("Kustomization", "f/a", "no", spec={"suspend": False}), ["kustomization/f/a"]),
        (failed("HelmChart", "f/a", "no", spec={"suspend": True}), []),
        (failed("ExternalSecret", "f/a", "no"), ["externalsecret/f/a"]),
        (made("Kustomization", "f/a", said("Ready", "Unknown", message="no")), []),
        (made("HelmRelease", "f/a", said("Released", "False", message="no")), ["helmrelease/f/a"]),
        (made("HelmRelease", "f/a", said("Released", "True", message="no")), []),
        (
            made("Deployment", "x/a", said("ReplicaFailure", "True", message="no")),
            ["deployment/x/a"],
        ),
        (made("Deployment", "x/a", said("ReplicaFailure", "False", message="no")), []),
        (made("Deployment", "x/a", said("Available", "False", message="no")), []),
    ],
)
def test_a_complaint_is_a_condition_that_says_what_is_wrong(
    found: dict[str, Any], subjects: list[str]
) -> None:
    looked_at = scene(found)

    assert [complaint.subject for complaint in complaints(looked_at)] == subjects
    assert [complaint.since for complaint in saying(looked_at, "^no$")] == [
        AT - 300 for _ in subjects
    ]
    assert saying(looked_at, "^yes$") == ()
