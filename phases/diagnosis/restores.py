"""
Claims that wait for their data, and restores that brought none (catalogue L10, L11).

Who fills a claim from a dataSourceRef is a populator of its own; the claim stays Pending until that is through, and
nothing on it says how far it is, or since when: that is told by who waits for it, a pod that finds no node or a health
check that named it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from engine.answer import Subject
from journal.entries import Finding, Instant
from phases.codes import READY
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import UNKNOWN, Proof, Rule, destructive, look
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.diagnosis.storage import pods_using, users_of
from phases.diagnosis.victims import WAITING, saying, waited_for
from phases.diagnosis.volsync import BACKUP, DESTINATION, TOO_EARLY, backups, destination, lack
from phases.diagnosis.words import listed
from phases.more_objects import Claim
from phases.objects import Reference, condition, key_of
from phases.readiness.verdict import verdict

KIND: Final = "PersistentVolumeClaim"
RESTORE_SECONDS: Final = 600.0  # a restore that is through within it is nobody's trouble
SNAPSHOTS: Final = {"PersistentVolumeClaim", "VolumeSnapshot"}  # cloned by the CSI driver, at once


def _restoring(scene: Scene) -> Iterable[Finding]:
    """L10: a claim waits for a populator, which is at it, or cannot reach its repository."""
    for found in scene.of(KIND).values():
        source = found.spec.data_source_ref
        gone = found.metadata.deletion_timestamp is not None
        if source is None or source.kind in SNAPSHOTS or gone or found.status.phase != "Pending":
            continue
        since = _waited_since(scene, found)
        if since is None or not scene.older(since, RESTORE_SECONDS) or lack(scene, found):
            continue
        key = key_of(found.metadata)
        of = f"{source.kind} {source.namespace or found.metadata.namespace}/{source.name}"
        yield Finding(
            subject=subject_of(KIND, found.metadata),
            cause="restoring",
            message=f"claim {key} waits for its data from {of}: {_how_far(scene, found, source)}",
            blocks=_waiting(scene, found),
            clears_itself=UNKNOWN,
            rule="L10",
            uid=found.metadata.uid,
            since=since,
            evidence=(path_of(KIND, found.metadata, "spec.dataSourceRef", "status.phase"),),
            clears_when=f"claim {key} is Bound",
            remedies=(
                look(f"the status of {of}, and its mover's pod: whether it reaches the repository"),
                TOO_EARLY,
                destructive("take dataSourceRef out: the volume is then made empty"),
            ),
        )


def _how_far(scene: Scene, claim: Claim, source: Reference) -> str:
    """Say what is seen of a restore; of populators other than VolSync's nothing is listed."""
    if source.kind != DESTINATION or not scene.seen(DESTINATION):
        return "a restore runs, or cannot"
    found = destination(scene, claim)
    if found is None:
        return "it is not there"
    fact = verdict(DESTINATION, found)
    done = "its image is there, and no volume was made from it yet"
    return done if fact.code == READY else quote(fact.reason)


def _empty(scene: Scene) -> Iterable[Finding]:
    """L11: a claim cannot get its data from its destination, or got none."""
    for found in scene.of(KIND).values():
        why, brings = lack(scene, found), destination(scene, found)
        if why is None or brings is None:
            continue
        key, saving = key_of(found.metadata), backups(scene, found)
        saved = listed(f"{BACKUP} {key_of(one.metadata)}" for one in saving)
        yield Finding(
            subject=subject_of(KIND, found.metadata),
            cause=why.cause,
            message=f"claim {key} {why.text}{f'; {saved} backs it up' if saved else ''}",
            blocks=_waiting(scene, found) if found.status.phase == "Pending" else (),
            clears_itself=why.clears,
            rule="L11",
            uid=found.metadata.uid,
            since=why.since,
            evidence=(
                path_of(KIND, found.metadata, "spec.dataSourceRef", "status.phase"),
                path_of(DESTINATION, brings.metadata, why.where),
                *(path_of(BACKUP, one.metadata, "spec.sourcePVC") for one in saving),
            ),
            clears_when=f"{DESTINATION} {key_of(brings.metadata)} has brought the data of claim {key}",
            remedies=why.remedies,
        )


def _waiting(scene: Scene, found: Claim) -> tuple[Subject, ...]:
    users = users_of(scene, found)
    return tuple(dict.fromkeys((*users, *waited_for(scene, KIND, found.metadata, WAITING))))


def _waited_since(scene: Scene, found: Claim) -> Instant | None:
    """Return since when somebody has waited for a claim; None: nobody does, or nobody knows since when."""
    key = re.escape(key_of(found.metadata))
    naming = saying(scene, rf"(^|[\[\s]){KIND}/{key} status: ")
    pods = (condition(pod.status.conditions, "PodScheduled") for pod in pods_using(scene, found))
    placing = (instant(said) for said in pods if said is not None and said.status == "False")
    waits = (*(complaint.since for complaint in naming), *placing)
    return min((since for since in waits if since is not None), default=None)


POPULATOR: Final = (
    "kubernetes-csi/lib-volume-populator v1.3; volsync v0.14 controllers/volumepopulator"
)
MOVER: Final = (
    "volsync v0.16 internal/controller/volumepopulator_controller.go, mover-restic/entry.sh, "
    "internal/controller/mover/restic/logfilter.go; issue 1211"
)

RULES = (
    Rule("L10", "a claim waits for its data", Proof.SOURCE, POPULATOR, _restoring),
    Rule("L11", "a restore brought nothing", Proof.SOURCE, MOVER, _empty),
)
