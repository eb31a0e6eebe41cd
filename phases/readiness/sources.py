"""
Sources of Flux: GitRepository, OCIRepository, HelmRepository, HelmChart and Bucket.

A source that cannot be fetched any more goes on serving the artifact it has, so that its consumers look well at an old
revision: it is not Ready here, and detail.revision says what it still serves. Conditions are source-controller 1.9's
(api/v1/condition_types.go).
"""

from __future__ import annotations

from journal.entries import Fact
from phases.codes import PROGRESSING, READY, SUSPENDED
from phases.more_objects import Chart
from phases.objects import Source, condition
from phases.readiness.flux import SAYS_READY, handled, identity, is_parked
from phases.readiness.lacking import unreached
from phases.readiness.saying import (
    absent,
    blocked,
    failed,
    is_stale,
    is_true,
    since_of,
    terminating,
    text_of,
)

STATIC = "oci"


def source(found: Source | Chart | None) -> Fact:
    """
    Judge a source; detail.revision is what it serves (empty: nothing), detail.cause is the reason it gives.

    detail.unreached: what it asked was not there at all; detail.parked: no worker holds it just now.
    """
    if found is None:
        return absent()
    status = found.status
    revision = status.artifact.revision if status.artifact else ""
    detail = {**identity(found.metadata), **handled(found), "revision": revision}
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    if found.spec.suspend:
        parked = {**detail, "parked": is_parked(status.conditions)}
        return Fact(SUSPENDED, "suspended", detail=parked)
    if isinstance(found, Source) and found.spec.type == STATIC:
        return Fact(READY, "never reconciled: its charts are pulled from it", detail=detail)
    ready = condition(status.conditions, "Ready")
    stalled = condition(status.conditions, "Stalled")
    if stalled is not None and is_true(stalled):
        cause = f"reason:{stalled.reason}"
        return failed(
            text_of(stalled), cause, terminal=True, since=since_of(stalled), detail=detail
        )
    if ready is not None and ready.status == "False":
        parked = {**detail, "parked": is_parked(status.conditions)}
        told = {**parked, "unreached": True} if unreached(ready.message) else parked
        return blocked(text_of(ready), f"reason:{ready.reason}", since_of(ready), told)
    if is_stale(found.metadata, status.observed_generation):
        return Fact(PROGRESSING, "the latest generation is not fetched", detail=detail)
    if not is_true(ready) or not revision:
        return Fact(PROGRESSING, text_of(ready), detail=detail)
    if is_true(condition(status.conditions, "ArtifactOutdated")):
        return Fact(PROGRESSING, "a newer revision than what it serves is known", detail=detail)
    failing = condition(status.conditions, "FetchFailed")
    if failing is not None and is_true(failing):
        denied = {**detail, **SAYS_READY}
        return blocked(text_of(failing), f"reason:{failing.reason}", since_of(failing), denied)
    return Fact(READY, detail=detail)
