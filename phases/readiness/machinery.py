"""Namespaces, CRDs, and what holds them."""

from __future__ import annotations

from journal.entries import Fact
from phases.codes import ABSENT, PROGRESSING, READY, TERMINATING
from phases.objects import CustomResourceDefinition, Namespace, condition
from phases.snapshot import Holder

HOLDING = "Holding"


def namespace(found: Namespace | None) -> Fact:
    """Judge a namespace. How long it is Terminating comes from deletionTimestamp, never from its age."""
    if found is None:
        return Fact(ABSENT)
    if found.metadata.deletion_timestamp is not None:
        remaining = condition(found.status.conditions, "NamespaceFinalizersRemaining")
        held = remaining is not None and remaining.status == "True"
        reason = remaining.message if held and remaining is not None else "is being deleted"
        since = found.metadata.deletion_timestamp.timestamp()
        return Fact(TERMINATING, reason[:200], since, {"uid": found.metadata.uid})
    if found.status.phase not in {"Active", ""}:
        return Fact(PROGRESSING, f"phase {found.status.phase}")
    return Fact(READY)


def crd(found: CustomResourceDefinition | None) -> Fact:
    """Judge a CRD: established, with its names accepted, and not on its way out."""
    if found is None:
        return Fact(ABSENT)
    detail = {"kind": found.spec.names.kind, "group": found.spec.group}
    if found.metadata.deletion_timestamp is not None:
        since = found.metadata.deletion_timestamp.timestamp()
        return Fact(TERMINATING, "instances of it are left", since, detail)
    conditions = found.status.conditions
    accepted = condition(conditions, "NamesAccepted")
    if accepted is not None and accepted.status == "False":
        return Fact(PROGRESSING, f"names not accepted: {accepted.reason}", detail=detail)
    established = condition(conditions, "Established")
    if established is None or established.status != "True":
        return Fact(PROGRESSING, "not established yet", detail=detail)
    return Fact(READY, detail=detail)


def holder(found: Holder) -> Fact:
    """Say what an object with finalizers is, so that a person can decide about it."""
    name = f"{found.namespace}/{found.name}" if found.namespace else found.name
    detail = {
        "group": found.group,
        "version": found.version,
        "resource": found.resource,
        "kind": found.kind,
        "namespace": found.namespace,
        "name": found.name,
        "uid": found.uid,
        "finalizers": list(found.finalizers),
        "owner_alive": found.owner_alive,
    }
    reason = f"{found.kind} {name} holds {', '.join(found.finalizers)}"
    return Fact(HOLDING, reason, found.deletion, detail)
