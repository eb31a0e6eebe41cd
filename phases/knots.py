"""
Knots that no waiting can untie: namespaces held by finalizers, and kinds that nothing serves.

A controller is given its time first; what a controller cannot do any more, a person decides.
"""

from __future__ import annotations

from itertools import chain
from posixpath import join

from engine.answer import Act, Answer, Stuck, Subject, Wait
from engine.memory import Memory
from engine.recipe import Facts, Findings
from journal.entries import Fact, Finding
from phases import codes
from phases.hands import verb_for
from phases.holding import holders_of, release
from phases.kinds import EXTERNAL_SECRETS_CRD, usual_crds
from phases.section import Section
from phases.verbs import PREAPPLY, settled

DELETION_GRACE_SECONDS = 30.0  # a deletion whose kinds are all served is over within this time
DEADLOCK, DELETED = "C4", "X2"  # the catalogue's rules
EXTERNAL_KIND = "kind:ExternalSecret.external-secrets.io"
GONE = Fact(codes.UNOBSERVABLE)
PREAPPLY_SETTLE_SECONDS = 30.0


def terminating(section: Section, facts: Facts) -> str:
    """Name the expected namespaces that are on their way out."""
    found = (
        name
        for name in section.inventory.namespaces
        if facts.get(codes.subject("namespace", name), GONE).code == codes.TERMINATING
    )
    return ", ".join(found)


def namespaces(
    section: Section, facts: Facts, findings: Findings, memory: Memory
) -> dict[Subject, Answer]:
    """Answer for each expected namespace that is on its way out, or for what holds it."""
    answers: dict[Subject, Answer] = {}
    for name in section.inventory.namespaces:
        subject = codes.subject("namespace", name)
        fact = facts.get(subject)
        if fact is None or fact.code != codes.TERMINATING:
            continue
        held = [found for found in holders_of(facts) if found.detail.get("namespace") == name]
        for holder in held:
            target = codes.subject("holder", str(holder.detail["uid"]))
            answers[target] = release(section, holder, f"namespace {name}", facts, findings, memory)
        if not held:
            answers[subject] = Wait(f"namespace {name} is Terminating: {fact.reason}")
    return answers


def kinds(
    section: Section, facts: Facts, findings: Findings, memory: Memory
) -> dict[Subject, Answer]:
    """Answer for what holds each expected CRD that is on its way out: an instance of it with a finalizer."""
    answers: dict[Subject, Answer] = {}
    for subject, name in section.crd_subjects:
        if facts.get(subject, GONE).code != codes.TERMINATING:
            continue
        for holder in holders_of(facts):
            detail = holder.detail
            if f"{detail['resource']}.{detail['group']}" == name:
                target = codes.subject("holder", str(detail["uid"]))
                answers[target] = release(section, holder, f"CRD {name}", facts, findings, memory)
    return answers


def missing_kinds(
    section: Section, facts: Facts, findings: Findings, memory: Memory
) -> dict[Subject, Answer]:
    """
    Apply a CRD out of band when a Kustomization cannot go on without it: no retry can untie that knot.

    Who cannot go on says so, or diagnosis has found the knot (C4) before anybody ran into it; or that a CRD is gone
    which its release does not put back (X2), and whoever looks again next will run into that.
    """
    answers: dict[Subject, Answer] = {}
    causes = {cause for cause in _causes(section, facts) if cause.startswith("kind:")}
    if _deletion_hangs(section, facts, memory):
        causes.add(EXTERNAL_KIND)
    for cause in sorted(causes):
        kind, _, group = cause.removeprefix("kind:").partition(".")
        if crd_of(section, facts, kind, group) is None:
            subject = kind_subject(section, cause)
            why = f"no CRD serves {kind}"
            answers[subject] = _untied(section, subject, why, facts, memory)
    for found in findings.values():
        # One that a bootstrap may untie is left to it: Helm does not take over CRDs that somebody else applied before.
        knot = found.root and _is_knot(section, found, findings)
        absent = facts.get(found.subject, GONE).code == codes.ABSENT
        if knot and absent and found.subject not in answers:
            answers[found.subject] = _untied(section, found.subject, found.message, facts, memory)
    return answers


def _is_knot(section: Section, found: Finding, findings: Findings) -> bool:
    """Say whether only a CRD that is applied out of band ends it; of one that is just gone it has to be at hand."""
    if found.rule == DEADLOCK:
        return found.clears_itself == "no" and _is_near(found, findings)
    # That nobody brings it is said only once all of Flux is at rest.
    lost = found.clears_itself == "no" or found.cause == "missing"
    return found.rule == DELETED and lost and found.subject in section.early


def _is_near(knot: Finding, findings: Findings) -> bool:
    """Say whether a knot blocks, or blocks next after what the recovery clears itself: then it is untied meanwhile."""
    before = (findings.get(name) for name in knot.next_after)
    return all(found is not None and verb_for(found) for found in before)


def _untied(section: Section, subject: Subject, why: str, facts: Facts, memory: Memory) -> Answer:
    name = subject.partition("/")[2]
    fact = facts.get(subject)
    due = settled(memory.last_of(PREAPPLY, subject), PREAPPLY_SETTLE_SECONDS)
    if fact is not None and fact.code != codes.ABSENT:
        clears = "no" if fact.detail.get("terminal") else "yes"
        return Wait(f"CRD {name}: {fact.reason}", can_clear=clears)
    if due is not None and not memory.passed(due):
        return Wait(f"CRD {name} was applied and does not show yet", due)
    if subject in section.early:
        path = join(section.crds.directory, f"{name}.yaml")
        return Act(PREAPPLY, subject, {"crd": name, "path": path}, why)
    if _is_coming(section, name, facts):
        return Wait(f"CRD {name} is being installed by its provider")
    if again := _brings_again(section, subject, facts):
        return Wait(f"{why}, and {again}, which is Ready, applies it again", can_clear="unknown")
    if late := _unknown_and_late(section, name, facts):
        return Wait(f"{why}, and what {late} brings is not known", can_clear="unknown")
    file = f"{name}.yaml" if name in section.crd_names else "the CRD as NAME.yaml"
    return Stuck(
        reference="crd-missing",
        message=f"{why}, and what would bring it waits behind its consumer",
        hint=f"put {file} into crds.directory of the plan, or apply the provider by hand",
    )


def _causes(section: Section, facts: Facts) -> list[str]:
    """Return the causes that controllers named, of everything that is blocked or has given up for them."""
    return [
        str(fact.detail.get("cause") or "")
        for _, fact in section.standing_synced.open_in(facts)
        if fact is not None and fact.code in {codes.BLOCKED, codes.FAILED}
    ]


def _deletion_hangs(section: Section, facts: Facts, memory: Memory) -> bool:
    """
    Say whether a Kustomization cannot be deleted since the kind of what it must prune is gone.

    kustomize-controller 1.9 says so only in its log ("no matches for kind"); Ready stays as it was. What is known: it
    is Terminating for a while, the inventory gives it ExternalSecrets, and nothing serves them.
    """
    if facts.get(codes.subject("crd", EXTERNAL_SECRETS_CRD), GONE).code != codes.ABSENT:
        return False
    parents = {item.parent for item in section.inventory.externalsecrets}
    owners = [facts.get(codes.subject("kustomization", str(key)), GONE) for key in parents]
    return any(
        fact.code == codes.TERMINATING
        and memory.passed((fact.since or memory.now) + DELETION_GRACE_SECONDS)
        for fact in owners
    )


def _is_coming(section: Section, name: str, facts: Facts) -> bool:
    """Say whether what brings a CRD is at work, or waits for nothing but its turn."""
    providers = {item.name: item.provider for item in section.inventory.crds}
    ahead = [providers.get(name, "")]
    for subject in ahead:
        found = facts.get(subject, GONE)
        cause = str(found.detail.get("cause") or "")
        if found.code == codes.BLOCKED and cause.startswith("dependency:"):
            ahead += [
                other for other in section.dependencies.get(subject, ()) if other not in ahead
            ]
        elif found.code not in {codes.PROGRESSING, codes.READY}:
            return False
    return facts.get(ahead[0], GONE).code != codes.READY


def _brings_again(section: Section, crd: Subject, facts: Facts) -> Subject:
    """Name the Kustomization that has brought a CRD and is Ready: it is woken for what is gone (``vanished``)."""
    provider = section.bringers.get(crd, "")
    found = facts.get(provider, GONE)
    # Without a UID Git itself suspends it.
    applies = found.code == codes.READY and "uid" in found.detail
    return provider if applies and provider.startswith("kustomization/") else ""


def _unknown_and_late(section: Section, name: str, facts: Facts) -> str:
    """Name what follows another source and is not synced: a CRD that the inventory has not may come from there."""
    if any(item.name == name for item in section.inventory.crds):
        return ""
    late = (
        key
        for key in section.inventory.unknown
        if facts.get(codes.subject("kustomization", key), GONE).code != codes.READY
    )
    return ", ".join(late)


def crd_of(section: Section, facts: Facts, kind: str, group: str) -> str | None:
    """Return the established CRD that serves *kind*; one that no inventory has is looked for by its usual names."""
    usual = ((codes.subject("crd", name), name) for name in usual_crds(kind, group))
    for subject, name in chain(section.crd_subjects, usual):
        fact = facts.get(subject)
        if fact is None or fact.code != codes.READY:
            continue
        if fact.detail.get("kind") == kind and fact.detail.get("group") == group:
            return name
    return None


def kind_subject(section: Section, cause: str) -> Subject:
    """Name the CRD that a ``kind:KIND.GROUP`` cause asks for, by its kind where no inventory has it."""
    kind, _, group = cause.removeprefix("kind:").partition(".")
    return codes.subject("crd", _expected_crd(section, kind, group) or f"{kind}.{group}")


def _expected_crd(section: Section, kind: str, group: str) -> str:
    """Find the name of the CRD for a kind of which only the message knows."""
    return next((name for name in usual_crds(kind, group) if name in section.crd_names), "")
