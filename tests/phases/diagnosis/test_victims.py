"""Who complains, and what only looks like a complaint."""

from __future__ import annotations

from typing import Any

import pytest

from phases.diagnosis import victims
from phases.diagnosis.victims import Complaint, complaints, saying, waited_for
from phases.objects import Meta
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


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("timeout waiting for: [Job/a/b status: 'InProgress']", True),
        ("timeout waiting for: [Deployment/a/c status: 'x', Job/a/b status: 'InProgress']", True),
        ("Job/a/b status: 'InProgress'", True),
        ("timeout waiting for:\nJob/a/b status: 'InProgress'", True),
        (
            "timeout waiting for: [CronJob/a/b status: 'x', Job/a/bc status: 'x', Job/a/b done]",
            False,
        ),
    ],
)
def test_who_names_an_object_with_its_status_waits_for_it(message: str, named: bool) -> None:  # noqa: FBT001
    looked_at = scene(failed("Kustomization", "f/a", message))

    found = waited_for(looked_at, "Job", Meta(name="b", namespace="a"), ())

    assert found == (["kustomization/f/a"] if named else [])


def test_all_complaints_are_read_once_for_all_that_may_be_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """2,000 workloads that 2,000 wait for were four million searches. Mutant: each looks for its own name."""
    looked_at = scene(failed("Kustomization", "f/a", "[Job/a/b status: 'x', Job/a/c status: 'x']"))
    asked = []

    def counted(scene: Any) -> tuple[Complaint, ...]:  # noqa: ANN401
        asked.append(scene)
        return complaints(scene)

    monkeypatch.setattr(victims, "complaints", counted)
    found = [waited_for(looked_at, "Job", Meta(name=name, namespace="a"), ()) for name in "bcd"]

    assert found == [["kustomization/f/a"], ["kustomization/f/a"], []]
    assert len(asked) == 1
