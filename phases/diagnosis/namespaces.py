"""
Namespaces that are on their way out and do not get there, and who waits for them (catalogue N1-N4, N10, N11).

The five conditions of the namespace deleter (kubernetes v1.36, pkg/controller/namespace/deletion) name the reason,
but not always: with only a pod left that has a finalizer all five are False. What holds a namespace by finalizers is
in ``finalizers``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from journal.entries import Finding, Instant, Remedy
from phases import codes
from phases.diagnosis.controllers import attempt_ends, release_of
from phases.diagnosis.quoting import quote, utc
from phases.diagnosis.rule import (
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
from phases.diagnosis.scene import Scene, deleted_at, instant, path_of
from phases.diagnosis.victims import (
    APPLYING,
    OWNER_LABELS,
    Complaint,
    behind_namespace,
    saying,
    step_of,
    subjects,
)
from phases.diagnosis.words import listed, named
from phases.objects import Condition, Flux, Namespace, condition

SOURCE: Final = "kubernetes v1.36 pkg/controller/namespace/deletion/status_condition_utils.go"
WAIT_SOURCE: Final = "fluxcd/pkg ssa/manager_wait.go as of kustomize-controller v1.9.5"
REFUSED_SOURCE: Final = "kubernetes v1.36 apiserver/pkg/admission/plugin/namespace/lifecycle"
GONE: Final = "the namespace is gone, or Active again"
FINALIZE: Final = never(
    "replace the namespace's /finalize: everything left in it is orphaned, and comes back to haunt its successor"
)
# A deletion whose kinds are all served and that nothing holds is over by then; so is the wait of the stage that
# applies namespaces (60 s since kustomize-controller 1.7, up to the Kustomization's own timeout before).
PATIENCE_SECONDS: Final = 60.0
# What outlives its grace is an error to the deleter, too: nobody refuses anything, a kubelet does not let go.
OUTLIVED: Final = "unexpected items still remain in namespace"
FAILURES: Final = re.compile(r"^Failed to delete all resource types, (\d+) remaining: ")
GROUP_VERSION: Final = re.compile(r"\b([a-z0-9-]+(?:\.[a-z0-9-]+)+/v[0-9a-z]+)\b")
TERMINATING: Final = r"Namespace/([a-z0-9-]+) status: 'Terminating'"
REFUSED: Final = r"in namespace ([a-z0-9-]+) because it is being terminated"


def terminating(scene: Scene) -> Iterator[tuple[Namespace, Instant]]:
    """Return the namespaces that are on their way out, and since when."""
    for found in scene.of("Namespace").values():
        since = deleted_at(found.metadata)
        if since is not None:
            yield found, since


def told(found: Namespace, kind: str) -> Condition | None:
    """Return a condition of the deleter that says that something is in its way."""
    said = condition(found.status.conditions, kind)
    return said if said is not None and said.status == "True" else None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A condition by which the deleter says what is in its way; *says* puts its message into words."""

    rule: str
    type: str
    cause: str
    says: Callable[[str], str]
    clears_when: str
    remedies: tuple[Remedy, ...]


def _undiscovered(message: str) -> str:
    groups = set(GROUP_VERSION.findall(message))
    if not groups:
        return f"cannot be emptied: an API group does not answer ({quote(message)})"
    return f"cannot be emptied: API {listed(groups)} does not answer, so that nobody can list what is left"


UNDISCOVERED: Final = Obstacle(
    "N1",
    "NamespaceDeletionDiscoveryFailure",
    "undiscovered",
    _undiscovered,
    "every APIService is Available",
    (
        look("kubectl get apiservices: which is not Available, and where its backend is"),
        destructive("delete the APIService, if what provides it is gone from Git as well"),
    ),
)
UNPARSED: Final = Obstacle(
    "N2",
    "NamespaceDeletionGroupVersionParsingFailure",
    "unparsed",
    lambda message: (
        f"cannot be emptied: an aggregated API offers a version that is none ({quote(message)})"
    ),
    "the aggregated API server offers well-formed versions, or is gone",
    (
        look("kubectl get apiservices: which server offers that version"),
        destructive("delete its APIService: the kinds that it serves are gone with it"),
    ),
)
UNDELETABLE: Final = Obstacle(
    "N3",
    "NamespaceDeletionContentFailure",
    "undeletable",
    lambda message: f"cannot be emptied: deleting what is in it is refused ({quote(message)})",
    "the API lets its content be deleted",
    (
        look("restore the backend of the webhook that the message names, or the right to delete"),
        destructive("scope the webhook away from this namespace by its namespaceSelector"),
        never("delete the webhook's configuration for good"),
    ),
)


def _obstructed(obstacle: Obstacle, scene: Scene) -> Iterable[Finding]:
    """N1-N3: the deleter says itself why it does not get on."""
    for found, since in terminating(scene):
        said = told(found, obstacle.type)
        if said is not None and not is_outlived(said):
            yield obstruction(scene, obstacle, found, since, said)


def is_outlived(said: Condition) -> bool:
    """Say whether all that the deleter calls a failure is that something is still there."""
    failures = FAILURES.match(said.message)
    return failures is not None and said.message.count(OUTLIVED) == int(failures[1])


def obstruction(
    scene: Scene,
    obstacle: Obstacle,
    found: Namespace,
    since: Instant,
    said: Condition,
    clears: str = UNKNOWN,
) -> Finding:
    """Make a finding about what is in the deleter's way, by the condition that says so."""
    return Finding(
        subject=codes.subject("namespace", found.metadata.name),
        cause=obstacle.cause,
        message=f"namespace {found.metadata.name} {obstacle.says(said.message)}",
        blocks=behind_namespace(scene, found.metadata),
        clears_itself=clears,
        rule=obstacle.rule,
        uid=found.metadata.uid,
        since=since,
        evidence=(path_of("Namespace", found.metadata, f"status.conditions[{said.type}]"),),
        clears_when=obstacle.clears_when,
        remedies=(*obstacle.remedies, FINALIZE),
    )


def _waiting(scene: Scene) -> Iterable[Finding]:
    """N10: a Kustomization waits for namespaces that are on their way out, and cannot begin."""
    complaining = saying(scene, TERMINATING)
    for complaint in complaining:
        names = sorted(set(re.findall(TERMINATING, complaint.message)))
        yield _behind(scene, "N10", complaint, names)
    said = set(subjects(complaining))
    for attempt, names, until in _held_attempts(scene):
        if attempt.subject not in said:
            yield _behind(scene, "N10", attempt, names, until)


def _held_attempts(scene: Scene) -> Iterator[tuple[Complaint, list[str], str]]:
    """
    Find attempts that sit in the stage that applies namespaces for longer than it may take.

    "Detecting drift ... with a timeout of 59m30s" is a label of the step, not an error: the namespaces that it waits
    for bear its name.
    """
    prefix = OWNER_LABELS["Kustomization"]
    owned: dict[str, list[str]] = {}
    for found, _ in terminating(scene):
        labels = found.metadata.labels
        key = f"{labels.get(f'{prefix}/namespace')}/{labels.get(f'{prefix}/name')}"
        owned.setdefault(key, []).append(found.metadata.name)
    for key, names in sorted(owned.items()):
        owner = scene.get("Kustomization", key)
        if owner is None or not step_of(owner).startswith(APPLYING):
            continue
        held = condition(owner.status.conditions, "Reconciling")
        begun = instant(held)
        if held is not None and begun is not None and scene.older(begun, PATIENCE_SECONDS):
            where = path_of("Kustomization", owner.metadata, "status.conditions[Reconciling]")
            subject = codes.subject("Kustomization", key)
            attempt = Complaint(subject, "", begun, where, owner.metadata.uid)
            yield attempt, sorted(names), _until(scene, owner, held)


def _until(scene: Scene, owner: Flux, held: Condition) -> str:
    """Say when an attempt is over at the latest, by whose version; nothing where neither is known, or it is past."""
    ends = attempt_ends(scene, owner, held)
    if ends is None or scene.passed(ends):
        return ""
    release = release_of(scene, "kustomize-controller")
    return f"; kustomize-controller {release} ends its attempt by {utc(ends)}"


def _refused(scene: Scene) -> Iterable[Finding]:
    """N11: nothing new may be made in a namespace that is on its way out."""
    for complaint in saying(scene, REFUSED):
        names = sorted(set(re.findall(REFUSED, complaint.message)))
        yield _behind(scene, "N11", complaint, names)


def _behind(
    scene: Scene, rule: str, complaint: Complaint, names: list[str], until: str = ""
) -> Finding:
    """Say what a complaint is about; once its namespaces are out of the way it only waits for its next attempt."""
    there = scene.of("Namespace")
    left = [n for n in names if n in there and deleted_at(there[n].metadata) is not None]
    over = scene.seen("Namespace") and not left
    who = complaint.subject.replace("/", " ", 1)
    verb = "may create nothing before" if rule == "N11" else "cannot go on before"
    again = nudge("ask it to reconcile once the namespace is gone or Active again")
    return Finding(
        subject=complaint.subject,
        cause="waits-for-its-next-attempt" if over else "behind-a-terminating-namespace",
        message=f"{who} has not tried again since {named(names, 'namespace')} got out of its way"
        if over
        else f"{who} {verb} the deletion of {named(left or names, 'namespace')} is over{until}",
        clears_itself=YES if over else UNKNOWN,
        rule=rule,
        uid=complaint.uid,
        since=complaint.since,
        evidence=(
            complaint.evidence,
            *(f"Namespace/{n} .metadata.deletionTimestamp" for n in left),
        ),
        clears_when=f"{named(names, 'namespace')}: gone or Active again, and tried again since",
        remedies=(again,)
        if over
        else (
            look(f"find out what keeps {listed(left or names)} Terminating"),
            again,
            reversible("leave that namespace and what is in it out of Git until then"),
            FINALIZE,
        ),
    )


RULES = (
    Rule(
        "N1",
        "an API group does not answer",
        Proof.CONTROLLER,
        SOURCE,
        partial(_obstructed, UNDISCOVERED),
    ),
    Rule(
        "N2",
        "an API group offers a version that is none",
        Proof.SOURCE,
        SOURCE,
        partial(_obstructed, UNPARSED),
    ),
    Rule(
        "N3",
        "the content cannot be deleted",
        Proof.CONTROLLER,
        SOURCE,
        partial(_obstructed, UNDELETABLE),
    ),
    Rule("N10", "behind a Terminating namespace", Proof.CONTROLLER, WAIT_SOURCE, _waiting),
    Rule("N11", "refused by a Terminating namespace", Proof.CONTROLLER, REFUSED_SOURCE, _refused),
)
