"""
Kinds that are not served, or not as they are asked for (catalogue C1-C3, C5; C4 is in ``deadlocks``).

A CRD that exists and is in nobody's way has no finding; who asks for its kind too early says so (``missing``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from journal.entries import Finding, Remedy
from phases import codes
from phases.diagnosis.missing import Missing, has_names, missing
from phases.diagnosis.providers import is_deadlocked, provider_state
from phases.diagnosis.quoting import quote
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
from phases.diagnosis.scene import Scene, deleted_at, instant, path_of, uid_of
from phases.diagnosis.victims import APPLYING, Complaint, saying, subjects, waited_for
from phases.diagnosis.words import listed
from phases.leaks import leak_of
from phases.objects import CustomResourceDefinition, condition
from phases.snapshot import Holder

REFUSED: Final = r"not allowed while custom resource definition is terminating"
STORED: Final = re.compile(
    r'CustomResourceDefinition\.apiextensions\.k8s\.io "([^"]+)" is invalid: .*?'
    r'status\.storedVersions\[\d+\]: Invalid value: "([^"]+)": missing from spec\.versions'
)
ESTABLISHING_SECONDS: Final = 60.0  # the API establishes a CRD within seconds


def _terminating(scene: Scene) -> Iterable[Finding]:
    """C1: a CRD is on its way out, and instances of it are left."""
    for found in scene.of("CustomResourceDefinition").values():
        since = deleted_at(found.metadata)
        if since is None:
            continue
        name = found.metadata.name
        held = scene.holders(f"crd/{name}")
        asking = [m for m in missing(scene) if m.name == name]
        which = rf"(\b{found.spec.names.kind}/|(?<![\w.-]){re.escape(name)}\b)"
        refused = saying(scene, rf"{which}.*{REFUSED}")
        blocks = [
            *waited_for(scene, "CustomResourceDefinition", found.metadata, APPLYING),
            *subjects(refused),
            *(subject for m in asking for subject in subjects(m.complaints)),
        ]
        yield Finding(
            subject=codes.subject("crd", name),
            cause="terminating",
            message=f"CRD {name} is being deleted{_left(held)}: nothing of its kind can be made until it is over",
            blocks=tuple(dict.fromkeys(blocks)),
            clears_itself=_clears(held),
            rule="C1",
            uid=found.metadata.uid,
            since=since,
            evidence=(
                path_of(
                    "CustomResourceDefinition", found.metadata, "status.conditions[Terminating]"
                ),
                *(f"holders[crd/{name}] {h.kind}/{h.name} {h.uid}" for h in held or ()),
            ),
            clears_when="the CRD is gone, and Established again where it is wanted",
            remedies=(
                look(f"bring back the controller of {found.spec.group} and let it finish"),
                destructive(
                    f"take the finalizers off its instances by hand: {leak_of(found.spec.group)}"
                ),
                never("take the CRD's own finalizer off: its instances stay in etcd, out of reach"),
            ),
        )


def _left(held: tuple[Holder, ...] | None) -> str:
    if not held:
        return ""
    names = listed(f"{h.namespace}/{h.name}" if h.namespace else h.name for h in held)
    verb = "has a finalizer" if len(held) == 1 else "have finalizers"
    return f", and {len(held)} of its instances {verb} ({names})"


def _clears(held: tuple[Holder, ...] | None) -> str:
    if held is None or any(h.owner_alive is None for h in held):
        return UNKNOWN
    return YES if all(h.owner_alive for h in held) else NO


def _may_have_names_of(other: CustomResourceDefinition, found: CustomResourceDefinition) -> bool:
    """Say whether two CRDs want a name of the same group both, as each does with itself."""
    ours, theirs = found.spec.names, other.spec.names
    resources = {ours.plural, ours.singular, *ours.short_names} - {""}
    kinds = {ours.kind, ours.list_kind} - {""}
    return other.spec.group == found.spec.group and not (
        resources.isdisjoint((theirs.plural, theirs.singular, *theirs.short_names))
        and kinds.isdisjoint((theirs.kind, theirs.list_kind))
    )


def _frees(holders: list[CustomResourceDefinition]) -> str:
    """Say whether names come free: who has them may be on its way out or gone already; only who stays keeps them."""
    going = any(deleted_at(one.metadata) is not None for one in holders)
    return NO if not going and any(map(has_names, holders)) else UNKNOWN


def _conflicting(scene: Scene) -> Iterable[Finding]:
    """C2: another CRD has its names already, so that it is never served."""
    listing = scene.of("CustomResourceDefinition")
    for found in listing.values():
        said = condition(found.status.conditions, "NamesAccepted")
        if said is None or said.status != "False" or deleted_at(found.metadata) is not None:
            continue
        name = found.metadata.name
        holders = [other for other in listing.values() if _may_have_names_of(other, found)]
        asking = [m for m in missing(scene) if m.name == name]
        blocks = [
            *waited_for(scene, "CustomResourceDefinition", found.metadata, APPLYING),
            *(subject for m in asking for subject in subjects(m.complaints)),
        ]
        yield Finding(
            subject=codes.subject("crd", name),
            cause="names-taken",
            message=f"CRD {name} is not served, another CRD has its names: {quote(said.message or said.reason)}",
            blocks=tuple(dict.fromkeys(blocks)),
            clears_itself=_frees(holders),
            rule="C2",
            uid=found.metadata.uid,
            since=instant(said),
            evidence=(
                path_of(
                    "CustomResourceDefinition", found.metadata, "status.conditions[NamesAccepted]"
                ),
            ),
            clears_when="NamesAccepted is True",
            remedies=(
                look("find the CRD that has the name, and decide which of the two is wanted"),
                reversible("take the loser out of Git"),
                destructive("delete one of the CRDs: every object of its kind goes with it"),
            ),
        )


def _absent(scene: Scene) -> Iterable[Finding]:
    """C3: nothing serves a kind that is asked for, and that is not the fault of who asks."""
    for found in missing(scene):
        if found.crd is not None:
            if not _is_their_own_case(found, found.crd):
                yield _here(scene, found, found.crd)
        elif not is_deadlocked(scene, found.item, subjects(found.complaints)):
            yield _nowhere(scene, found)


def _is_their_own_case(found: Missing, crd: CustomResourceDefinition) -> bool:
    """C1, C2 and C5 say more about a CRD that exists."""
    return deleted_at(crd.metadata) is not None or bool(_unserved(found)) or not has_names(crd)


def _here(scene: Scene, found: Missing, crd: CustomResourceDefinition) -> Finding:
    """The CRD exists: it is being established, or it came after the attempt."""
    said = condition(crd.status.conditions, "Established")
    since = instant(said)
    if said is None or said.status != "True":
        fresh = since is not None and not scene.older(since, ESTABLISHING_SECONDS)
        message = f"CRD {found.name} is there and not Established yet"
        clears, cause = (YES if fresh else UNKNOWN), "not-established"
        remedies = (look("read the CRD's conditions"),)
    else:
        late = since is not None and any(
            c.since is None or c.since > since for c in found.complaints
        )
        who = listed(_names(found))
        message = f"CRD {found.name} is served by now, and {who} has not tried again since"
        # Who still fails after that reads an old discovery, or talks to an API server that does not serve it yet.
        clears, cause = (UNKNOWN if late else YES), "waits-for-its-next-attempt"
        remedies = (nudge("ask who waits for it to reconcile"),)
    return _finding(found, cause, message, clears, remedies)


def _nowhere(scene: Scene, found: Missing) -> Finding:
    provider = found.item.provider if found.item is not None else ""
    clears, why = provider_state(scene, provider) if provider else (UNKNOWN, "")
    where = [f"{found.group}/{v}".lstrip("/") for v in found.versions] or [found.group]
    kind = f"{found.kind} ({', '.join(where)})"
    bring = (
        f"apply {provider} first: it brings the CRD" if provider else "find what brings this CRD"
    )
    message = f"no CRD serves {kind}{why}, and {listed(_names(found))} cannot be applied without it"
    remedies = (look(bring), nudge("ask who waits for it to reconcile once it is Established"))
    return _finding(found, "kind-missing", message, clears, remedies)


def _skewed(scene: Scene) -> Iterable[Finding]:
    """C5: the CRD is served, and not in the version that is asked for, or its old version cannot be dropped."""
    for found in missing(scene):
        crd, versions = found.crd, _unserved(found)
        if crd is not None and versions and deleted_at(crd.metadata) is None:
            served = listed(v.name for v in crd.spec.versions if v.served) or "none"
            message = (
                f"CRD {found.name} does not serve version {listed(versions)} (it serves {served}): "
                f"what provides it is of another release than {listed(_names(found))} is written for"
            )
            remedies = (
                look("compare the provider's version with the one that Git asks for"),
                reversible(
                    "upgrade the provider, or write its objects in a version that is served"
                ),
            )
            yield _finding(found, "version-not-served", message, NO, remedies, rule="C5")
    for complaint in saying(scene, STORED.pattern):
        yield _stored(scene, complaint)


def _unserved(found: Missing) -> list[str]:
    """Return the versions that are asked for and that an established CRD does not serve."""
    if found.crd is None:
        return []
    served = {version.name for version in found.crd.spec.versions if version.served}
    return [version for version in found.versions if version not in served]


def _stored(scene: Scene, complaint: Complaint) -> Finding:
    ((crd, version), *_) = STORED.findall(complaint.message)
    return Finding(
        subject=codes.subject("crd", crd),
        cause="version-still-stored",
        message=f"CRD {crd} cannot drop version {version}: objects may still be stored in it",
        blocks=(complaint.subject,),
        clears_itself=NO,
        rule="C5",
        uid=uid_of(scene, "CustomResourceDefinition", crd),
        since=complaint.since,
        evidence=(complaint.evidence,),
        clears_when=f"status.storedVersions no longer has {version}, and tried again since",
        remedies=(
            look("upgrade in the order that the provider's release notes give"),
            reversible(
                "migrate the stored objects (flux migrate, or the storage version migrator)"
            ),
            destructive(
                f"take {version} out of status.storedVersions: what is stored in it is lost"
            ),
        ),
    )


def _names(found: Missing) -> list[str]:
    return [subject.replace("/", " ", 1) for subject in subjects(found.complaints)]


def _finding(
    found: Missing,
    cause: str,
    message: str,
    clears: str,
    remedies: tuple[Remedy, ...],
    rule: str = "C3",
) -> Finding:
    versions = f" in {', '.join(found.versions)}" if found.versions else ""
    return Finding(
        subject=found.subject,
        cause=cause,
        message=message,
        blocks=subjects(found.complaints),
        clears_itself=clears,
        rule=rule,
        uid=found.crd.metadata.uid if found.crd is not None else "",
        since=found.since,
        evidence=tuple(complaint.evidence for complaint in found.complaints),
        clears_when=f"a CRD serves {found.kind}{versions}, and tried again since",
        remedies=remedies,
    )


DELETION: Final = (
    "kubernetes v1.36 apiextensions-apiserver pkg/controller/finalizer/crd_finalizer.go"
)
NAMING: Final = (
    "kubernetes v1.36 apiextensions-apiserver pkg/controller/status/naming_controller.go"
)
MATCHING: Final = "kubernetes v1.36 apimachinery pkg/api/meta/errors.go: NoKindMatchError"
STORING: Final = "kubernetes v1.36 apiextensions-apiserver pkg/apis/apiextensions/validation"

RULES = (
    Rule("C1", "a CRD is being deleted", Proof.CONTROLLER, DELETION, _terminating),
    Rule("C2", "two CRDs claim one name", Proof.CONTROLLER, NAMING, _conflicting),
    Rule("C3", "nothing serves a kind", Proof.CONTROLLER, MATCHING, _absent),
    Rule("C5", "a CRD of another version", Proof.CONTROLLER, STORING, _skewed),
)
