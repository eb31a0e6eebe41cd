"""
Webhooks that cannot be called, that are not trusted, or that say no (catalogue WH1-WH3).

A webhook with failurePolicy Fail whose backend is down refuses whatever its rules match; with Ignore it is in nobody's
way. Messages are the API server's (kubernetes v1.36, apiserver pkg/admission/plugin/webhook and pkg/util/webhook).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from engine.answer import Subject
from journal.entries import Finding, Remedy
from phases import codes
from phases.diagnosis.backends import ABSENT, EMPTY, SERVED, backend_of, name_of
from phases.diagnosis.quoting import quote
from phases.diagnosis.registrations import (
    CONFIGURATIONS,
    Registration,
    are_one,
    by_name,
    called,
    registrations,
)
from phases.diagnosis.rule import (
    NO,
    UNKNOWN,
    YES,
    Proof,
    Rule,
    destructive,
    look,
    never,
    nudge,
    reversible,
)
from phases.diagnosis.scene import Scene, path_of
from phases.diagnosis.victims import Complaint, saying, subjects
from phases.diagnosis.words import listed, named
from phases.more_objects import Webhook

CALLING: Final = re.compile(r'failed calling webhook "([^"]+)"(?:: ([^\n]*))?')
DENIED: Final = re.compile(r'admission webhook "([^"]+)" denied the request(?:: ([^\n]*))?')
UNTRUSTED: Final = re.compile(r"x509|certificate has expired|tls: ")
# A policy that misses something, or cannot look, says no only until that is there.
LACKING: Final = re.compile(
    r"not found|no(?:t|t yet)? (?:ready|available|established|exist)|n't exist|no matches for"
    r"|connection refused|no endpoints|timed out|timeout|deadline exceeded",
    re.IGNORECASE,
)
GONE: Final = "its configuration is gone"
# Where it may have been any of several: nothing that could hit one that serves.
WHICH: Final = (
    look(
        "find out which of them does not answer: ask who was refused to reconcile, and read where it called"
    ),
    never("delete one of them on suspicion: the other may be the dead one"),
)
ADMISSION: Final = "kubernetes v1.36 apiserver pkg/util/webhook/error.go: failed calling webhook"
DENIAL: Final = "kubernetes v1.36 apiserver pkg/admission/plugin/webhook/errors/statuserror.go"


@dataclass(slots=True)
class Call:
    """
    What is known of webhooks that cannot be called.

    *asking*: the configuration that asks for them; several where nothing tells which of them it was, none where it is
    gone.
    """

    asking: dict[Subject, Registration]
    webhooks: dict[str, Webhook | None] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    @property
    def subject(self) -> Subject:
        """The configuration, or the webhook where that is not known."""
        if len(self.asking) == 1:
            return next(iter(self.asking))
        return codes.subject("webhook", next(iter(self.webhooks)))


def _call(name: str, *asking: Registration) -> Call:
    webhook = asking[0].webhook if len(asking) == 1 else None
    return Call({one.subject: one for one in asking}, {name: webhook})


def _complained(scene: Scene, *, untrusted: bool) -> dict[Subject, Call]:
    """Gather the failed calls by the configuration that asks for them."""
    known = by_name(registrations(scene))
    calls: dict[Subject, Call] = {}
    for complaint in saying(scene, CALLING.pattern):
        for name, detail in CALLING.findall(complaint.message):
            if bool(UNTRUSTED.search(detail)) is not untrusted:
                continue
            found = called(scene, known.get(name, ()), detail, unanswered=not untrusted)
            alike = len(found) > 1 and are_one(scene, found)
            for fresh in [_call(name, one) for one in found] if alike else [_call(name, *found)]:
                call = calls.setdefault(fresh.subject, fresh)
                call.asking |= fresh.asking
                call.webhooks |= fresh.webhooks
                call.complaints.append(complaint)
                call.details.append(detail)
    return calls


def _unreachable(scene: Scene) -> Iterable[Finding]:
    """WH1: nobody answers: somebody was refused because of it, or whoever comes next will be."""
    calls = _complained(scene, untrusted=False)
    for one in registrations(scene):
        webhook = one.webhook
        if webhook.failure_policy == "Fail" and one.backend(scene) in {ABSENT, EMPTY}:
            call = calls.setdefault(one.subject, _call(webhook.name, one))
            call.webhooks[webhook.name] = webhook
    for call in calls.values():
        clears, why = _state(scene, call)
        remedies = (
            look("bring up what serves it, before what its rules match"),
            nudge("ask who was refused to reconcile once an endpoint of it is ready"),
            reversible("exempt the namespace by its namespaceSelector until it is back"),
            destructive(
                "delete its configuration: what it guards is unguarded until Flux restores it"
            ),
            never("do that to a policy engine without approval"),
        )
        yield _finding(call, "WH1", "unreachable", f"cannot be called: {why}", clears, remedies)


def _state(scene: Scene, call: Call) -> tuple[str, str]:
    """Say what is the matter with the backend, and whether that passes."""
    last = quote(call.details[-1]) if call.details else ""
    if len(call.asking) > 1:
        return UNKNOWN, f"{_untold(call)} ({last})"
    if not call.asking and all(scene.seen(kind) for kind in CONFIGURATIONS):
        known = by_name(registrations(scene))
        gone = "nobody asks for it there" if call.webhooks.keys() & known else GONE
        return YES, f"{gone} by now, and who was refused has not tried again"
    services = [w.client_config.service for w in call.webhooks.values() if w is not None]
    states = {backend_of(scene, one): name_of(one) for one in reversed(services) if one is not None}
    if ABSENT in states:
        return UNKNOWN, f"{states[ABSENT]} does not exist"
    if EMPTY in states:
        return UNKNOWN, f"{states[EMPTY]} has no ready endpoint"
    if SERVED in states:
        return UNKNOWN, f"{states[SERVED]} has endpoints by now, the last call failed ({last})"
    return UNKNOWN, last


def _untold(call: Call) -> str:
    """Name all that it may have been: the wrong one must not be accused."""
    ways = [path_of(one.kind, one.configuration.metadata) for one in call.asking.values()]
    return f"{listed(ways)} have one of that name, and nothing tells which was called"


def _untrusted(scene: Scene) -> Iterable[Finding]:
    """WH2: its certificate is none that the configuration's caBundle vouches for."""
    for call in _complained(scene, untrusted=True).values():
        remedies = (
            look("compare the configuration's caBundle with the Secret of its serving certificate"),
            reversible(
                "restart what injects it (cert-manager's cainjector, or its certificate Job)"
            ),
            nudge("ask who was refused to reconcile once the bundle is right"),
            destructive(
                "delete its configuration: what it guards is unguarded until Flux restores it"
            ),
            never("do that to a policy engine without approval"),
        )
        which = f"{_untold(call)}: " if len(call.asking) > 1 else ""
        why = f"is not trusted: {which}{quote(call.details[-1])}"
        yield _finding(call, "WH2", "untrusted", why, UNKNOWN, remedies)


def _finding(
    call: Call, rule: str, cause: str, why: str, clears: str, remedies: tuple[Remedy, ...]
) -> Finding:
    asking = call.asking.values()
    where = [path_of(one.kind, one.configuration.metadata) for one in asking]
    return Finding(
        subject=call.subject,
        cause=cause,
        message=f"{named(call.webhooks, 'webhook')} {why}",
        blocks=subjects(call.complaints),
        clears_itself=clears,
        rule=rule,
        uid=next(one.configuration.metadata.uid for one in asking) if len(asking) == 1 else "",
        since=min((c.since for c in call.complaints if c.since is not None), default=None),
        evidence=(*where, *dict.fromkeys(c.evidence for c in call.complaints)),
        clears_when=f"{listed(call.webhooks)}: called with success, and who was refused tried again",
        remedies=remedies if len(asking) <= 1 else WHICH,
    )


def _denied(scene: Scene) -> Iterable[Finding]:
    """WH3: a policy says no, and says why."""
    told: dict[Subject, list[tuple[Complaint, str, str]]] = {}
    for complaint in saying(scene, DENIED.pattern):
        for name, reason in DENIED.findall(complaint.message):
            told.setdefault(complaint.subject, []).append((complaint, name, reason))
    for subject, denials in told.items():
        complaint, name, reason = denials[0]
        who = subject.replace("/", " ", 1)
        yield Finding(
            subject=subject,
            cause="denied",
            message=f"{who} is against the policy of webhook {name}: {quote(reason) or 'no reason given'}",
            clears_itself=NO if reason and not LACKING.search(reason) else UNKNOWN,
            rule="WH3",
            uid=complaint.uid,
            since=complaint.since,
            evidence=tuple(dict.fromkeys(c.evidence for c, _, _ in denials)),
            clears_when="what Git asks for is within the policy, and tried again since",
            remedies=(
                look("change in Git what the policy names, or the policy"),
                never("bypass the policy"),
            ),
        )


RULES = (
    Rule("WH1", "a webhook cannot be called", Proof.CONTROLLER, ADMISSION, _unreachable),
    Rule("WH2", "a webhook is not trusted", Proof.CONTROLLER, ADMISSION, _untrusted),
    Rule("WH3", "a webhook denies", Proof.CONTROLLER, DENIAL, _denied),
)
