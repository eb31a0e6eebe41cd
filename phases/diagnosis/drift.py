"""
Releases whose objects are no longer as Helm made them (catalogue H12).

helm-controller 1.6.4 (internal/reconcile/atomic_release.go) compares only with spec.driftDetection, and says what
differs by Drifted=True. With mode ``enabled`` it mends that in the same reconciliation and says Drifted=False, so that
one that stays True is changed back by somebody, or cannot be mended; with ``warn`` it only tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from journal.entries import Finding
from phases.diagnosis.flux_findings import finding
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene, instant, path_of
from phases.diagnosis.words import listed
from phases.objects import condition, key_of

KIND: Final = "HelmRelease"
MENDS: Final = "enabled"
CORRECTION_SECONDS: Final = 60.0
# Lines of internal/diff SummarizeDiffSet; only names are taken from them.
DIFFERS: Final = re.compile(r"^(\S+/\S+) (?:changed|removed)", re.MULTILINE)


def _drifted(scene: Scene) -> Iterator[Finding]:
    """H12: what runs is not what the release says."""
    for found in scene.of(KIND).values():
        said = condition(found.status.conditions, "Drifted")
        away = found.spec.suspend or found.metadata.deletion_timestamp is not None
        if said is None or said.status != "True" or away:
            continue
        detection = found.spec.drift_detection
        mends = detection is not None and detection.mode == MENDS
        since = instant(said)
        if mends and since is not None and not scene.older(since, CORRECTION_SECONDS):
            continue
        what = listed(DIFFERS.findall(said.message)) or "some of its objects"
        why = "and putting it back does not last" if mends else "and nobody puts it back"
        yield finding(
            scene,
            KIND,
            found,
            "H12",
            said,
            cause="drifts-again" if mends else "drifted",
            message=f"HelmRelease {key_of(found.metadata)}: somebody else changed {what}, {why}",
            clears_itself=UNKNOWN if mends else NO,
            evidence=(path_of(KIND, found.metadata, "status.conditions[Drifted]"),),
            clears_when="Drifted is False",
            remedies=(
                look("who writes these fields: an autoscaler, an injector, a person"),
                reversible("spec.driftDetection.ignore, in Git, for what another controller owns"),
                never("switch drift detection off to be rid of the message"),
            ),
        )


RULES = (
    Rule(
        "H12",
        "a release has drifted",
        Proof.CONTROLLER,
        "helm-controller 1.6.4 internal/reconcile/atomic_release.go",
        _drifted,
    ),
)
