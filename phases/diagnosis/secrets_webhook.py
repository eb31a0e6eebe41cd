"""
External Secrets' own admission webhook in its first minutes (catalogue E6).

It is registered before it runs, and then all stores and ExternalSecrets are refused (external-secrets issue 6450).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.answer import Subject
from journal.entries import Finding, Instant
from phases import codes
from phases.diagnosis.attempts import failing
from phases.diagnosis.rule import UNKNOWN, Proof, Rule, look, never, nudge
from phases.diagnosis.scene import Scene, instant, path_of, subject_of, uid_of
from phases.diagnosis.structure import FLUX_KINDS

WEBHOOK = re.compile(
    r'failed calling webhook "((?:validate\.)?[\w.-]*external-secrets\.io)"'
    r".*(connection refused|no endpoints available|context deadline exceeded|i/o timeout)"
)
Refused = tuple[list[Subject], list[Instant], list[str]]


def _webhook(scene: Scene) -> Iterator[Finding]:
    """E6: External Secrets' own webhook is not up, and what it should admit is refused."""
    refused: dict[Subject, Refused] = {}
    for kind in FLUX_KINDS:
        for found, ready in failing(scene, kind):
            said = WEBHOOK.search(" ".join(ready.message.split()))
            if said is None:
                continue
            subjects, starts, paths = refused.setdefault(_backend(scene, said[1]), ([], [], []))
            subjects.append(subject_of(kind, found.metadata))
            paths.append(path_of(kind, found.metadata, "status.conditions[Ready]"))
            starts.extend([at] if (at := instant(ready)) is not None else [])
    for backend, (subjects, starts, paths) in refused.items():
        yield Finding(
            subject=backend,
            cause="webhook-down",
            message=f"the webhook of External Secrets does not answer: {len(subjects)} cannot apply what it admits",
            blocks=tuple(subjects),
            clears_itself=UNKNOWN,
            rule="E6",
            uid=uid_of(scene, "Service", backend.partition("/")[2]),
            since=min(starts, default=None),
            evidence=tuple(paths),
            clears_when="its Service has an endpoint that is ready",
            remedies=(
                look("wait for external-secrets-webhook after a fresh start, and look at its pods"),
                nudge("annotate what was refused once it answers"),
                never(
                    "delete the webhook configuration: unchecked stores and secrets slip through"
                ),
            ),
        )


def _backend(scene: Scene, webhook: str) -> Subject:
    """Name the Service behind a webhook; the webhook itself where that is not seen."""
    for config in scene.of("ValidatingWebhookConfiguration").values():
        for hook in config.webhooks:
            service = hook.client_config.service
            if hook.name == webhook and service is not None:
                return codes.subject("Service", f"{service.namespace}/{service.name}")
    return f"webhook/{webhook}"


RULES = (
    Rule(
        "E6",
        "the webhook of External Secrets is down",
        Proof.CONTROLLER,
        "external-secrets #6450",
        _webhook,
    ),
)
