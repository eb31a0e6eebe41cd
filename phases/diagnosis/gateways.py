"""
Gateways that nobody programmed: the other half of L4.

Reasons and conditions are the Gateway API's (v1.4, apis/v1/gateway_types.go): Programmed of the whole, ResolvedRefs of
each listener, which says what is wrong with the Secret of its certificate.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from journal.entries import Finding
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import UNKNOWN, look, never, nudge
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.diagnosis.victims import WAITING, waited_for
from phases.more_objects import Gateway
from phases.objects import condition, key_of

KIND: Final = "Gateway"
PROGRAMMING_SECONDS: Final = 60.0


def unprogrammed(scene: Scene) -> Iterable[Finding]:
    """Find the Gateways that are not Programmed, for a while already."""
    for found in scene.of(KIND).values():
        said = condition(found.status.conditions, "Programmed")
        since = instant(said)
        if said is None or said.status == "True" or found.metadata.deletion_timestamp is not None:
            continue
        if since is not None and not scene.older(since, PROGRAMMING_SECONDS):
            continue
        key = key_of(found.metadata)
        listeners = _listeners(found)
        why = listeners or quote(said.message or said.reason)
        yield Finding(
            subject=subject_of(KIND, found.metadata),
            cause="listener" if listeners else "not-programmed",
            message=f"Gateway {key} serves nobody: {why}",
            blocks=tuple(waited_for(scene, KIND, found.metadata, WAITING)),
            clears_itself=UNKNOWN,
            rule="L4",
            uid=found.metadata.uid,
            since=since,
            evidence=(path_of(KIND, found.metadata, "status.conditions[Programmed]"),),
            clears_when=f"Gateway {key} is Programmed",
            remedies=(
                look(
                    "whether its class has a controller, a pool an address, and each Secret a certificate"
                ),
                nudge("ask what applies the pool, or the certificate, to reconcile"),
                never("give it an address by hand that a pool may give to another"),
            ),
        )


def _listeners(found: Gateway) -> str:
    """Say which listener lacks what it refers to."""
    for listener in found.status.listeners:
        said = condition(listener.conditions, "ResolvedRefs")
        if said is not None and said.status == "False":
            return f"listener {listener.name}: {quote(said.message or said.reason)}"
    return ""
