"""
Certificates that nobody signs (catalogue T9, L15).

A kubelet asks for its serving certificate by a CertificateSigningRequest, and kube-controller-manager approves only
those for its client certificate (kubernetes v1.36, pkg/controller/certificates/approver/sarapprove.go): with
rotate-server-certificates somebody else has to, or no metrics, no logs and no exec come from that node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from journal.entries import Finding
from phases import codes
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import UNKNOWN, YES, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene, instant, path_of, subject_of
from phases.diagnosis.victims import WAITING, waited_for
from phases.diagnosis.words import counted, listed
from phases.objects import condition, key_of

REQUEST: Final = "CertificateSigningRequest"
SERVING: Final = "kubernetes.io/kubelet-serving"
NODE_USER: Final = "system:node:"
DECIDED: Final = ("Approved", "Denied", "Failed")
APPROVAL_SECONDS: Final = 60.0  # an approver that runs answers by watch
# Boulder's problem document, as cert-manager 1.19 hands it on (pkg/acme, internal/controller/certificaterequests).
RATE_LIMITED: Final = re.compile(
    r"urn:ietf:params:acme:error:rateLimited|too many certificates", re.IGNORECASE
)


def _unapproved(scene: Scene) -> Iterable[Finding]:
    """T9: kubelets ask for a serving certificate, and nobody approves: one cause, however many nodes."""
    waiting: dict[str, list[str]] = {}
    starts = []
    for name, found in scene.of(REQUEST).items():
        made = found.metadata.creation_timestamp
        decided = any(condition(found.status.conditions, kind) for kind in DECIDED)
        if found.spec.signer_name != SERVING or decided or made is None:
            continue
        # A request is made once and waits from then on: here the age is an instant of the matter.
        if scene.older(made.timestamp(), APPROVAL_SECONDS):
            node = found.spec.username.removeprefix(NODE_USER)
            waiting.setdefault(node, []).append(name)
            starts.append(made.timestamp())
    if not waiting:
        return
    yield Finding(
        subject="kubelet-certificates",
        cause="nobody-approves",
        message=f"nobody approves the serving certificates of {counted(len(waiting), 'kubelet')} "
        f"({listed(waiting)}): logs, exec and metrics of these nodes fail",
        clears_itself=UNKNOWN,
        rule="T9",
        since=min(starts),
        evidence=tuple(
            f"{REQUEST}/{name} .status.conditions" for names in waiting.values() for name in names
        ),
        clears_when="the requests are approved, or gone",
        remedies=(
            look("whether the approver of serving certificates runs, and what applies it"),
            reversible(
                "approve each by hand after comparing its names and addresses with the node"
            ),
            never("approve all that wait unseen: whoever may ask gets the name of any node"),
        ),
    )


def _limited(scene: Scene) -> Iterable[Finding]:
    """L15: the authority signs no more for now: mostly the same names too often, after several wipes."""
    for found in scene.of("Certificate").values():
        said = condition(found.status.conditions, "Issuing")
        ready = condition(found.status.conditions, "Ready")
        if said is None or said.status != "False" or not RATE_LIMITED.search(said.message):
            continue
        if ready is not None and ready.status == "True":
            continue  # the renewal failed; what is there still holds
        key = key_of(found.metadata)
        yield Finding(
            subject=codes.subject("Certificate", key),
            cause="rate-limited",
            message=f"Certificate {key} is refused by the authority's rate limit: {quote(said.message)}",
            blocks=tuple(waited_for(scene, "Certificate", found.metadata, WAITING)),
            clears_itself=YES,
            rule="L15",
            uid=found.metadata.uid,
            since=instant(said),
            evidence=(path_of("Certificate", found.metadata, "status.conditions[Issuing]"),),
            clears_when=f"{subject_of('Certificate', found.metadata)} is Ready",
            remedies=(
                look("when the limit ends: the message names the instant"),
                reversible(
                    "restore its Secret from a backup: a certificate that holds is not asked for"
                ),
                never("delete the Certificate or its Order to try again: every attempt counts"),
            ),
        )


APPROVER: Final = "kubernetes v1.36 pkg/controller/certificates/approver/sarapprove.go: recognizers"
ISSUER: Final = "cert-manager v1.19 pkg/controller/certificates/issuing: Issuing=False; issue 3603"

RULES = (
    Rule("T9", "nobody approves a kubelet's certificate", Proof.SOURCE, APPROVER, _unapproved),
    Rule("L15", "an authority's rate limit", Proof.SOURCE, ISSUER, _limited),
)
