"""
External Secrets' own admission webhook in its first minutes (catalogue E6).

It is registered before it runs, and then all stores and ExternalSecrets are refused (external-secrets issue 6450).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.answer import Subject
from journal.entries import Finding, Instant
from phases import codes
from phases.diagnosis.attempts import failing
from phases.diagnosis.registrations import called, registrations
from phases.diagnosis.rule import UNKNOWN, Proof, Rule, look, never, nudge
from phases.diagnosis.scene import Scene, instant, path_of, subject_of, uid_of
from phases.diagnosis.structure import FLUX_KINDS
from phases.diagnosis.words import listed

WEBHOOK = re.compile(
    r'failed calling webhook "((?:validate\.)?[\w.-]*external-secrets\.io)"'
    r".*(connection refused|no endpoints available|context deadline exceeded|i/o timeout)"
)
VALIDATING = ("ValidatingWebhookConfiguration",)


@dataclass(slots=True)
class Refused:
    """Who was refused because of one backend; *maybe*: the Services of which nothing tells which it was."""

    maybe: set[Subject] = field(default_factory=set)
    subjects: list[Subject] = field(default_factory=list)
    starts: list[Instant] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def _webhook(scene: Scene) -> Iterator[Finding]:
    """E6: External Secrets' own webhook is not up, and what it should admit is refused."""
    refused: dict[Subject, Refused] = {}
    for kind in FLUX_KINDS:
        for found, ready in failing(scene, kind):
            said = WEBHOOK.search(" ".join(ready.message.split()))
            if said is None:
                continue
            backends = _backends(scene, said[1], said[0])
            known = len(backends) == 1
            backend = next(iter(backends)) if known else codes.subject("webhook", said[1])
            call = refused.setdefault(backend, Refused())
            call.maybe |= set() if known else backends
            call.subjects.append(subject_of(kind, found.metadata))
            call.paths.append(path_of(kind, found.metadata, "status.conditions[Ready]"))
            call.starts.extend([at] if (at := instant(ready)) is not None else [])
    for backend, call in refused.items():
        which = f"; nothing tells which was called: {listed(call.maybe)}" if call.maybe else ""
        yield Finding(
            subject=backend,
            cause="webhook-down",
            message="the webhook of External Secrets does not answer: "
            f"{len(call.subjects)} cannot apply what it admits{which}",
            blocks=tuple(call.subjects),
            clears_itself=UNKNOWN,
            rule="E6",
            uid=uid_of(scene, "Service", backend.partition("/")[2]),
            since=min(call.starts, default=None),
            evidence=tuple(call.paths),
            clears_when="its Service has an endpoint that is ready",
            remedies=(
                look("wait for external-secrets-webhook after a fresh start, and look at its pods"),
                nudge("annotate what was refused once it answers"),
                never(
                    "delete the webhook configuration: unchecked stores and secrets slip through"
                ),
            ),
        )


def _backends(scene: Scene, webhook: str, message: str) -> set[Subject]:
    """Return the Services that may have been called: none where no configuration is seen, or asks there."""
    found = [one for one in registrations(scene, VALIDATING) if one.webhook.name == webhook]
    services = [one.webhook.client_config.service for one in called(scene, found, message)]
    return {codes.subject("Service", f"{s.namespace}/{s.name}") for s in services if s is not None}


RULES = (
    Rule(
        "E6",
        "the webhook of External Secrets is down",
        Proof.CONTROLLER,
        "external-secrets #6450",
        _webhook,
    ),
)
