"""
Certificates that nobody signs (catalogue T9, L15).

A kubelet asks for its serving certificate by a CertificateSigningRequest, and kube-controller-manager approves only
those for its client certificate (kubernetes v1.36, pkg/controller/certificates/approver/sarapprove.go): with
rotate-server-certificates somebody else has to, or no metrics, no logs and no exec come from that node. A request that
nobody has answered has no condition and so no instant: since when it waits is not said. But one that was made less than
a minute ago, or is of a kubelet that has run for less, may be answered yet; and of a node that is gone none matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from journal.entries import Finding
from phases import codes
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import UNKNOWN, YES, Proof, Rule, look, never, reversible
from phases.diagnosis.scene import Scene, instant, is_younger, path_of, subject_of
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
    for name, found in scene.of(REQUEST).items():
        decided = any(condition(found.status.conditions, kind) for kind in DECIDED)
        node = found.spec.username.removeprefix(NODE_USER)
        if found.spec.signer_name != SERVING or decided:
            continue
        if _is_awaited(scene, node) and not is_younger(scene, found.metadata, APPROVAL_SECONDS):
            waiting.setdefault(node, []).append(name)
    if not waiting:
        return
    yield Finding(
        subject="kubelet-certificates",
        cause="nobody-approves",
        message=f"nobody approves the serving certificates of {counted(len(waiting), 'kubelet')} "
        f"({listed(waiting)}): logs, exec and metrics of these nodes fail",
        clears_itself=UNKNOWN,
        rule="T9",
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


def _is_awaited(scene: Scene, name: str) -> bool:
    """Say whether a kubelet has registered, and not only now: it has written the first conditions of its Node."""
    node = scene.get("Node", name)
    if node is None:
        return not scene.seen("Node")
    said = map(instant, node.status.conditions)
    first = min((since for since in said if since is not None), default=None)
    return first is not None and scene.older(first, APPROVAL_SECONDS)


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
