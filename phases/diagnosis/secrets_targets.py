"""
ExternalSecrets that say Ready without a Secret to show for it (catalogue E5).

External Secrets writes when it refreshed last; a status that came back from a backup has instants of before its own
object, and whoever misses a Secret after it was written tells that it is gone (external-secrets helm-chart-2.9.0,
pkg/controllers/externalsecret/externalsecret_controller.go). No Secret is ever listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.missing_objects import missing, target_of
from phases.diagnosis.rule import NO, UNKNOWN, look, nudge
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.objects import Condition, ExternalSecret, condition, key_of
from phases.readiness.secrets import GONE_SECRET

KUBELET_SECONDS: Final = 180.0  # the kubelet tries again, and reads Secrets anew, well within it


def emptied(scene: Scene) -> Iterator[Finding]:
    """E5: it says Ready, and there is no Secret, or that word is of another life of the cluster."""
    missed = missing(scene)
    for found in scene.of("ExternalSecret").values():
        ready = condition(found.status.conditions, "Ready")
        if ready is None or ready.status != "True" or found.metadata.deletion_timestamp is not None:
            continue
        target = codes.subject("Secret", target_of(found.metadata, found.spec.target.name))
        blocks = missed[target].blocks if target in missed else ()
        if ready.reason in GONE_SECRET:
            text = f"says Ready, and has no Secret: {ready.reason}"
            yield _finding(found, ready, ready.reason, text, NO, blocks)
        elif _is_restored(found):
            text = "says Ready by a status that is older than itself: it came from a backup"
            yield _finding(found, ready, "restored", text, UNKNOWN, blocks)
        elif blocks and _is_gone(scene, found, ready, target):
            text = "says Ready, and the Secret that it wrote is gone"
            yield _finding(found, ready, "target-gone", text, UNKNOWN, blocks)


def _is_restored(found: ExternalSecret) -> bool:
    made, refreshed = found.metadata.creation_timestamp, found.status.refresh_time
    return made is not None and refreshed is not None and refreshed < made


def _is_gone(scene: Scene, found: ExternalSecret, ready: Condition, target: Subject) -> bool:
    """Say whether the Secret was missed after it was written last."""
    missed = missing(scene)[target]
    refreshed = found.status.refresh_time
    written = refreshed.timestamp() if refreshed is not None else instant(ready)
    if written is None or missed.keys:
        return False
    if any(since > written for since in missed.since):
        return True
    # A pod's instant is of its first failure; it asks again all the time, so that what it says is of now.
    return "E7" in missed.by and scene.older(written, KUBELET_SECONDS)


def _finding(
    found: ExternalSecret,
    ready: Condition,
    cause: str,
    text: str,
    clears: str,
    blocks: tuple[Subject, ...],
) -> Finding:
    return Finding(
        subject=subject_of("ExternalSecret", found.metadata),
        cause=cause,
        message=f"ExternalSecret {key_of(found.metadata)} {text}",
        blocks=blocks,
        clears_itself=clears,
        rule="E5",
        uid=found.metadata.uid,
        since=instant(ready),
        evidence=(
            path_of("ExternalSecret", found.metadata, "status.conditions[Ready]"),
            path_of("ExternalSecret", found.metadata, "status.refreshTime"),
        ),
        clears_when="it was synced again, and its Secret is there",
        remedies=(
            look("whether the vault still has the item, and who deleted the Secret"),
            nudge("annotate the ExternalSecret"),
        ),
    )
