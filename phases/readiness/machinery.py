"""
Namespaces, CRDs, APIServices, and what holds them.

How long something is Terminating comes from its deletionTimestamp, never from its age. The conditions of a namespace
are the deleter's (kubernetes v1.36, pkg/controller/namespace/deletion/status_condition_utils.go), those of a CRD
apiextensions-apiserver's, that of an APIService kube-aggregator's. kstatus asks neither a namespace nor an APIService
for any condition.
"""

from __future__ import annotations

from typing import Any

from journal.entries import Fact
from phases.codes import PROGRESSING, READY
from phases.more_objects import ApiService
from phases.objects import Condition, CustomResourceDefinition, Namespace, condition
from phases.readiness.saying import (
    absent,
    blocked,
    failed,
    is_true,
    since_of,
    terminating,
    text_of,
)
from phases.snapshot import Holder

HOLDING = "Holding"
DELETER = "kubernetes"  # the finalizer of every namespace, taken off last
INSTALLING = "Installing"
# What the deleter says of a namespace, the plainest first. All False, and it still may be held: by a pod, or by a
# finalizer of the namespace itself.
DELETION = (
    "NamespaceFinalizersRemaining",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
)
ROUTINE = "NamespaceContentRemaining"  # also while all goes well: it counts down


def namespace(found: Namespace | None) -> Fact:
    """Judge a namespace; detail.blockers are the deletion's conditions that are True, and finalizers."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        said = _said(found.status.conditions)
        told = next((c.message for c in said if c.type != ROUTINE), "")
        finalizers = tuple(name for name in found.spec.finalizers if name != DELETER)
        blockers = (*finalizers, *(c.type for c in said))
        uid = {"uid": found.metadata.uid}
        return terminating(found.metadata, told or "is being deleted", blockers, uid)
    if found.status.phase not in {"Active", ""}:
        return Fact(PROGRESSING, f"phase {found.status.phase}")
    return Fact(READY)


def _said(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Return the deleter's conditions that are True, the plainest first."""
    told = (condition(conditions, name) for name in DELETION)
    return tuple(c for c in told if c is not None and c.status == "True")


def crd(
    found: CustomResourceDefinition | None,
    *,
    version: str = "",
    discovered: bool | None = None,
) -> Fact:
    """
    Judge a CRD: established, with its names accepted, and not on its way out.

    *version*: the one that somebody needs (empty: any). *discovered*: whether discovery lists it, which comes some
    seconds after Established where there are several API servers (None: not asked).
    """
    if found is None:
        return absent()
    detail = {"kind": found.spec.names.kind, "group": found.spec.group}
    conditions = found.status.conditions
    going = condition(conditions, "Terminating")
    if found.metadata.deletion_timestamp is not None:
        blockers = (going.reason,) if going is not None and is_true(going) else ()
        return terminating(found.metadata, "instances of it are left", blockers, detail)
    if is_true(going):
        return blocked(text_of(going), "deletion", since_of(going), detail)
    refused = _refused(conditions)
    if refused is not None:
        why = "names not accepted" if refused.type == "NamesAccepted" else "not established"
        text, cause = f"{why}: {refused.reason}", f"reason:{refused.reason}"
        return failed(text, cause, terminal=True, since=since_of(refused), detail=detail)
    if not is_true(condition(conditions, "Established")):
        return Fact(PROGRESSING, "not established yet", detail=detail)
    served = [found_version.name for found_version in found.spec.versions if found_version.served]
    if version and version not in served:
        text = f"serves {', '.join(served) or 'nothing'}, not {version}"
        return blocked(text, f"version:{version}", detail=detail)
    if discovered is False:
        return Fact(PROGRESSING, "established, and not in discovery yet", detail=detail)
    return Fact(READY, detail=detail)


def _refused(conditions: tuple[Condition, ...]) -> Condition | None:
    """Return why it will not be established; ``Installing`` is how every CRD begins."""
    accepted = condition(conditions, "NamesAccepted")
    if accepted is not None and accepted.status == "False":
        return accepted
    established = condition(conditions, "Established")
    if established is None or established.status != "False" or established.reason == INSTALLING:
        return None
    return established


def api_service(found: ApiService | None) -> Fact:
    """Judge an APIService; one that is not Available stops every deletion of a namespace."""
    if found is None:
        return absent()
    if found.metadata.deletion_timestamp is not None:
        return terminating(found.metadata)
    available = condition(found.status.conditions, "Available")
    if available is None or available.status == "Unknown":
        # What the aggregator could not check, it calls Unknown.
        return Fact(PROGRESSING, text_of(available) or "not checked yet")
    if available.status != "True":
        return blocked(text_of(available), f"reason:{available.reason}", since_of(available))
    return Fact(READY)


def holder(found: Holder, users: tuple[str, ...] | None = ()) -> Fact:
    """
    Say what an object with finalizers is, so that a person can decide about it.

    *users* are the pods that still use it, by key (None: they are not listed).
    """
    name = f"{found.namespace}/{found.name}" if found.namespace else found.name
    detail: dict[str, Any] = {
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
    if users != ():
        detail["used_by"] = users if users is None else list(users)
    reason = f"{found.kind} {name} holds {', '.join(found.finalizers)}"
    return Fact(HOLDING, reason, found.deletion, detail)
