"""
Aggregated APIs whose backend does not answer (catalogue AP1-AP3).

One of them stops every deletion of a namespace in the cluster: the deleter has to list all kinds. The reasons are
kube-aggregator's (kubernetes v1.36, pkg/controllers/status/remote): what it could not check is Unknown, not False.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from engine.answer import Subject
from journal.entries import Finding, Remedy
from phases import codes
from phases.diagnosis.backends import ABSENT, EMPTY, UNSEEN, backend_of, name_of
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import UNKNOWN, YES, Proof, Rule, destructive, look, reversible
from phases.diagnosis.scene import Scene, instant, path_of
from phases.diagnosis.victims import saying, subjects
from phases.more_objects import ApiService, ServiceReference
from phases.objects import Condition, condition

SOURCE: Final = (
    "kubernetes v1.36 kube-aggregator pkg/controllers/status/remote/remote_available_controller.go"
)
UNDISCOVERED: Final = (
    r"(Discovery failed for some groups|unable to retrieve the complete list of server APIs)"
)
# Why a discovery fails, in words; the first that the message contains.
DISCOVERY_FAILURES: Final = (
    ("x509", "its certificate is not trusted"),
    ("connection refused", "it refuses connections"),
    ("no route to host", "there is no route to it: the pod network is down"),
    ("imeout", "it does not answer in time: the pod network or the pod"),
    ("timed out", "it does not answer in time: the pod network or the pod"),
    ("deadline exceeded", "it does not answer in time: the pod network or the pod"),
    ("bad status", "it answers with an error"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """Reasons that are one cause. *broken*: the backend's states while it is there."""

    rule: str
    cause: str
    reasons: tuple[str, ...]
    broken: tuple[str, ...]
    remedies: tuple[Remedy, ...]


NO_SERVICE: Final = Case(
    "AP1",
    "no-service",
    ("ServiceNotFound", "ServicePortError", "ServiceAccessError"),
    (ABSENT,),
    (look("bring back what provides its Service; nudge that in Flux"),),
)
NO_ENDPOINT: Final = Case(
    "AP2",
    "no-endpoint",
    ("EndpointsNotFound", "MissingEndpoints", "EndpointsAccessError"),
    (ABSENT, EMPTY),
    (look("find out why the pods behind its Service are not Ready"),),
)
NO_ANSWER: Final = Case(
    "AP3",
    "no-answer",
    ("FailedDiscoveryCheck",),
    (),
    (
        look("check the network between the API server and the pod, and the pod's certificate"),
        reversible("approve pending serving certificates of kubelets, if it is the metrics server"),
    ),
)


def _unavailable(case: Case, scene: Scene) -> Iterable[Finding]:
    """AP1-AP3: an APIService that is not Available, by the reason it gives."""
    for found in scene.of("APIService").values():
        said = condition(found.status.conditions, "Available")
        service = found.spec.service
        if (
            said is None
            or said.status == "True"
            or service is None
            or said.reason not in case.reasons
        ):
            continue
        name = found.metadata.name
        yield Finding(
            subject=codes.subject("APIService", name),
            cause=case.cause,
            message=f"API {found.spec.group}/{found.spec.version} does not answer: {_why(said, service)}",
            blocks=_blocked(scene, found),
            clears_itself=_clears(scene, case, said, service),
            rule=case.rule,
            uid=found.metadata.uid,
            since=instant(said),
            evidence=(path_of("APIService", found.metadata, "status.conditions[Available]"),),
            clears_when=f"APIService {name} is Available",
            remedies=(
                *case.remedies,
                destructive("delete the APIService, if what provides it is gone from Git as well"),
            ),
        )


def _why(said: Condition, service: ServiceReference) -> str:
    name = name_of(service)
    fixed = {
        "ServiceNotFound": f"{name} does not exist",
        "ServicePortError": f"{name} does not listen on port {service.port}",
        "EndpointsNotFound": f"{name} has no endpoints",
        "MissingEndpoints": f"{name} has no ready endpoint",
    }
    if said.reason in fixed:
        return fixed[said.reason]
    if said.reason != "FailedDiscoveryCheck":
        return f"{name} cannot be checked ({quote(said.message)})"
    for text, words in DISCOVERY_FAILURES:
        if text in said.message:
            return f"behind {name}, {words}"
    return f"behind {name}: {quote(said.message)}"


def _clears(scene: Scene, case: Case, said: Condition, service: ServiceReference) -> str:
    """The aggregator looks again by itself, within seconds of a change of the Service or of its endpoints."""
    if said.reason.endswith("Error") or not case.broken:
        return UNKNOWN
    return UNKNOWN if backend_of(scene, service) in (*case.broken, UNSEEN) else YES


def _blocked(scene: Scene, found: ApiService) -> tuple[Subject, ...]:
    """Return who could not list all kinds because of this one."""
    name = re.escape(f"{found.spec.group}/{found.spec.version}")
    return subjects(saying(scene, rf"{UNDISCOVERED}.*(?<![\w.-]){name}\b"))


RULES = (
    Rule("AP1", "no Service", Proof.CONTROLLER, SOURCE, partial(_unavailable, NO_SERVICE)),
    Rule("AP2", "no endpoint", Proof.CONTROLLER, SOURCE, partial(_unavailable, NO_ENDPOINT)),
    Rule("AP3", "no answer", Proof.CONTROLLER, SOURCE, partial(_unavailable, NO_ANSWER)),
)
