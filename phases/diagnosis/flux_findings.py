"""The one way in which findings about an object of Flux are written."""

from __future__ import annotations

from typing import Any

from journal.entries import Finding
from phases.diagnosis.attempts import next_attempt
from phases.diagnosis.quoting import utc
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.objects import Condition, Flux


def finding(
    scene: Scene,
    kind: str,
    found: Flux,
    rule: str,
    said: Condition | None,
    **fields: Any,  # noqa: ANN401  the fields of Finding
) -> Finding:
    """
    Make a finding about a Kustomization or a HelmRelease, since *said* became what it is.

    A parked one says in its message when it is looked at again; an instant that is past says that nobody did.
    """
    message = fields.pop("message")
    due = next_attempt(kind, found)
    if due is not None and not scene.passed(due):
        message = f"{message}; next attempt at {utc(due)}"
    elif due is not None:
        message = f"{message}; its next attempt was due at {utc(due)}"
    given: dict[str, Any] = {
        "since": instant(said),
        "evidence": (path_of(kind, found.metadata, "status.conditions[Ready]"),),
        **fields,
    }
    return Finding(
        subject=subject_of(kind, found.metadata),
        message=message,
        rule=rule,
        uid=found.metadata.uid,
        **given,
    )
