"""
Flux synced: everything that Git says is there, at the goal revision.

Flux does the work; what is done here is only what no waiting can do: put back the roots, the controllers, a CRD that
sits behind its own consumer, a finalizer whose controller is gone (a person decides), and wake exactly the objects
whose recorded cause has cleared.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

from engine.answer import Act, Answer, Ask, Stuck, Subject, Wait
from engine.memory import Attempt, Memory
from engine.plan import Plan
from engine.recipe import Facts, Findings, Judgement, Verdict
from journal.entries import Fact, Outcome
from phases import codes
from phases.cni_up import installed
from phases.leaks import FLUX_FINALIZER, leak_of
from phases.section import Section
from phases.verbs import NUDGE, PREAPPLY, RELEASE, ROOT

NUDGED = {
    "externalsecret": "ExternalSecret",
    "gitrepository": "GitRepository",
    "helmrelease": "HelmRelease",
    "kustomization": "Kustomization",
}
KINDS = ("Namespace", "CustomResourceDefinition", "GitRepository", "Kustomization", "HelmRelease")
BROKEN = {codes.ABSENT, codes.BLOCKED, codes.FAILED, codes.TERMINATING, codes.SUSPENDED}
ROOT_SETTLE_SECONDS = 30.0
DELETION_GRACE_SECONDS = 30.0  # a deletion whose kinds are all served is over within this time
EXTERNAL_CRD = "externalsecrets.external-secrets.io"
EXTERNAL_KIND = "kind:ExternalSecret.external-secrets.io"
GONE = Fact(codes.UNOBSERVABLE)
PREAPPLY_SETTLE_SECONDS = 30.0
RELEASE_SETTLE_SECONDS = 60.0  # what holds a namespace is listed now and then, not watched
HOLDER_GRACE_SECONDS = 60.0  # a controller that lives takes its finalizer off within this time


def guard(plan: Plan, facts: Facts) -> Judgement:
    """Hold when every expected object is synced; an object that is only being reconciled breaks nothing."""
    subjects = plan.target.expected
    for kind in KINDS:
        fact = facts.get(codes.kind(kind))
        if fact is None or fact.code != codes.SEEN:
            return Judgement(Verdict.UNKNOWN, f"{kind}s cannot be listed", 0, len(subjects))
    open_ = [s for s in subjects if s not in facts or facts[s].code != codes.READY]
    done = len(subjects) - len(open_)
    broken = [s for s in open_ if s in facts and facts[s].code in BROKEN]
    if broken:
        fact = facts[broken[0]]
        why = f"{broken[0]} is {fact.code}: {fact.reason}".rstrip(": ")
        return Judgement(Verdict.BROKEN, why, done, len(subjects))
    if open_:
        why = f"{open_[0]} is being reconciled"
        return Judgement(Verdict.UNKNOWN, why, done, len(subjects))
    return Judgement(Verdict.HOLDS, "everything that Git says is there", done, len(subjects))


def decide(plan: Plan, facts: Facts, findings: Findings, memory: Memory) -> dict[Subject, Answer]:
    """Answer for the controllers, the roots, what blocks, and each object that is not synced."""
    del findings
    section: Section = plan.target
    for kind in ("Deployment", "Kustomization"):
        fact = facts.get(codes.kind(kind))
        if fact is None or fact.code != codes.SEEN:
            why = fact.reason if fact is not None else "not asked"
            return {codes.API: Wait(f"{kind}s cannot be listed: {why}", can_clear="unknown")}
    answers: dict[Subject, Answer] = {}
    answers.update(_controllers(plan, facts, memory))
    if not answers:
        answers.update(_roots(section, facts, memory))
    answers.update(_namespaces(section, facts, memory))
    answers.update(_missing_kinds(section, facts, memory))
    answers.update(_objects(section, facts, memory))
    return answers


def _controllers(plan: Plan, facts: Facts, memory: Memory) -> dict[Subject, Answer]:
    section: Section = plan.target
    answers: dict[Subject, Answer] = {}
    subjects = [codes.subject("deployment", key) for key in section.flux.controllers]
    absent = [s for s in subjects if s not in facts or facts[s].code == codes.ABSENT]
    if absent:
        command = section.flux.command or section.cni.command
        reason = f"absent: {', '.join(absent)}"
        answers[f"command/{command}"] = installed(plan, command, reason, memory)
    for subject in subjects:
        fact = facts.get(subject)
        if subject not in absent and fact is not None and fact.code != codes.READY:
            answers[subject] = Wait(f"{subject}: {fact.reason}")
    return answers


def _roots(section: Section, facts: Facts, memory: Memory) -> dict[Subject, Answer]:
    subjects = [codes.subject("gitrepository", section.flux.source)]
    subjects += [codes.subject("kustomization", key) for key in section.inventory.roots]
    absent = [s for s in subjects if s not in facts or facts[s].code == codes.ABSENT]
    if not absent:
        return {}
    due = _settled(memory.last_of(ROOT, codes.ROOT), ROOT_SETTLE_SECONDS)
    if due is not None and not memory.passed(due):
        return {codes.ROOT: Wait("the roots were applied", due)}
    reason = f"absent: {', '.join(absent)}"
    going = terminating(section, facts)
    if going:
        # A root that is applied now spends its first attempt on waiting for them, and may park for an hour.
        return {codes.ROOT: Wait(f"the roots are applied once these namespaces are gone: {going}")}
    return {codes.ROOT: Act(ROOT, codes.ROOT, {"path": section.flux.roots}, reason)}


def terminating(section: Section, facts: Facts) -> str:
    """Name the expected namespaces that are on their way out."""
    found = (
        name
        for name in section.inventory.namespaces
        if facts.get(codes.subject("namespace", name), GONE).code == codes.TERMINATING
    )
    return ", ".join(found)


def _settled(last: Attempt | None, span: float) -> float | None:
    """Return the instant until which a look may be older than what was done."""
    if last is None or last.outcome is not Outcome.DONE or last.settled_at is None:
        return None
    return last.settled_at + span


def _namespaces(section: Section, facts: Facts, memory: Memory) -> dict[Subject, Answer]:
    answers: dict[Subject, Answer] = {}
    for name in section.inventory.namespaces:
        subject = codes.subject("namespace", name)
        fact = facts.get(subject)
        if fact is None or fact.code != codes.TERMINATING:
            continue
        held = [
            found
            for key, found in facts.items()
            if key.startswith("holder/") and found.detail.get("namespace") == name
        ]
        for holder in held:
            target = codes.subject("holder", str(holder.detail["uid"]))
            answers[target] = _release(section, holder, facts, memory)
        if not held:
            answers[subject] = Wait(f"namespace {name} is Terminating: {fact.reason}")
    return answers


def _is_fluxs(section: Section, finalizers: list[str], facts: Facts) -> bool:
    """Say whether Flux would take these off: its controllers are there, or are being brought back first."""
    if set(finalizers) != {FLUX_FINALIZER}:
        return False
    controllers = [codes.subject("deployment", key) for key in section.flux.controllers]
    return all(subject in facts for subject in controllers)


def _release(section: Section, holder: Fact, facts: Facts, memory: Memory) -> Answer:
    """Only a controller or a person may take a finalizer off; a controller that lives is given its time."""
    detail = holder.detail
    name = f"{detail['kind']} {detail['namespace']}/{detail['name']}"
    due = (holder.since or memory.opened_at) + HOLDER_GRACE_SECONDS
    if detail.get("owner_alive") or _is_fluxs(section, detail["finalizers"], facts):
        return Wait(f"{name} is being finalized by its controller")
    if not memory.passed(due):
        return Wait(f"{name} is being deleted", due)
    wanted = ("group", "version", "resource", "kind", "namespace", "name", "uid", "finalizers")
    arguments = {key: detail[key] for key in wanted}
    finalizers = ", ".join(detail["finalizers"])
    ask = Ask(
        question=f"take {finalizers} off {name}, which holds namespace {detail['namespace']}?",
        consequence=leak_of(str(detail["group"])),
        evidence={"uid": detail["uid"], "finalizers": detail["finalizers"], "verb": RELEASE},
        typed=f"{detail['namespace']}/{detail['name']}",
    )
    target = codes.subject("holder", str(detail["uid"]))
    shown = _settled(memory.last_of(RELEASE, target), RELEASE_SETTLE_SECONDS)
    if shown is not None and not memory.passed(shown):
        return Wait(f"{name} was released and is still listed", shown)
    return Act(RELEASE, target, arguments, f"{name} holds its namespace", ask)


def _missing_kinds(section: Section, facts: Facts, memory: Memory) -> dict[Subject, Answer]:
    """Apply a CRD out of band when a Kustomization cannot go on without it: no retry can untie that knot."""
    answers: dict[Subject, Answer] = {}
    causes = {
        str(fact.detail["cause"])
        for fact in facts.values()
        if fact.code == codes.BLOCKED and str(fact.detail.get("cause", "")).startswith("kind:")
    }
    if _deletion_hangs(section, facts, memory):
        causes.add(EXTERNAL_KIND)
    for cause in sorted(causes):
        kind, _, group = cause.removeprefix("kind:").partition(".")
        if crd_of(section, facts, kind, group) is not None:
            continue
        name = _expected_crd(section, kind, group)
        subject = codes.subject("crd", name or f"{kind}.{group}")
        fact = facts.get(subject)
        due = _settled(memory.last_of(PREAPPLY, subject), PREAPPLY_SETTLE_SECONDS)
        if fact is not None and fact.code != codes.ABSENT:
            answers[subject] = Wait(f"CRD {name}: {fact.reason}")
        elif due is not None and not memory.passed(due):
            answers[subject] = Wait(f"CRD {name} was applied and does not show yet", due)
        elif name in section.crds.available and section.crds.preapply == "when-blocked":
            path = str(PurePosixPath(section.crds.directory) / f"{name}.yaml")
            arguments = {"crd": name, "path": path}
            answers[subject] = Act(PREAPPLY, subject, arguments, f"no CRD serves {kind}")
        else:
            answers[subject] = Stuck(
                reference="crd-missing",
                message=f"no CRD serves {kind} ({group}), and what would bring it waits behind its consumer",
                hint=f"put {name or 'the CRD'}.yaml into crds.directory of the plan, or apply the provider by hand",
            )
    return answers


def _deletion_hangs(section: Section, facts: Facts, memory: Memory) -> bool:
    """
    Say whether a Kustomization cannot be deleted since the kind of what it must prune is gone.

    kustomize-controller 1.9 says so only in its log ("no matches for kind"); Ready stays as it was. What is known: it
    is Terminating for a while, the inventory gives it ExternalSecrets, and nothing serves them.
    """
    if facts.get(codes.subject("crd", EXTERNAL_CRD), GONE).code != codes.ABSENT:
        return False
    parents = {item.parent for item in section.inventory.externalsecrets}
    owners = [facts.get(codes.subject("kustomization", str(key)), GONE) for key in parents]
    return any(
        fact.code == codes.TERMINATING
        and memory.passed((fact.since or memory.now) + DELETION_GRACE_SECONDS)
        for fact in owners
    )


def crd_of(section: Section, facts: Facts, kind: str, group: str) -> str | None:
    """Return the established CRD that serves *kind*."""
    for name in section.crd_names:
        fact = facts.get(codes.subject("crd", name))
        if fact is None or fact.code != codes.READY:
            continue
        if fact.detail.get("kind") == kind and fact.detail.get("group") == group:
            return name
    return None


def _expected_crd(section: Section, kind: str, group: str) -> str:
    """Find the name of the CRD for a kind of which only the message knows: plural.group, by the usual plurals."""
    stem = kind.lower()
    plurals = {f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies", stem}
    found = (f"{plural}.{group}" for plural in sorted(plurals))
    return next((name for name in found if name in section.crd_names), "")


def _objects(section: Section, facts: Facts, memory: Memory) -> dict[Subject, Answer]:
    answers: dict[Subject, Answer] = {}
    for subject in section.expected:
        fact = facts.get(subject)
        if fact is None or fact.code == codes.READY or subject.startswith(("namespace/", "crd/")):
            continue
        answers[subject] = _object(section, subject, fact, facts, memory)
    return answers


def _object(section: Section, subject: Subject, fact: Fact, facts: Facts, memory: Memory) -> Answer:
    match fact.code:
        case codes.ABSENT:
            return Wait("not applied yet by its parent", can_clear="unknown")
        case codes.SUSPENDED:
            return Stuck(
                reference="suspended-in-cluster",
                message=f"{subject} is suspended in the cluster and not in Git",
                hint="somebody paused it: ask why, then `flux resume` it; rekindle never touches spec",
            )
        case codes.TERMINATING:
            due = (fact.since or memory.now) + DELETION_GRACE_SECONDS
            text = "is being deleted; it comes back once it is gone"
            return Wait(text, None if memory.passed(due) else due, can_clear="unknown")
        case codes.PROGRESSING:
            return Wait(fact.reason or "is being reconciled")
    cause = str(fact.detail.get("cause") or "")
    wakeable = subject.partition("/")[0] in NUDGED and fact.detail.get("parked", True)
    if wakeable and is_clear(section, cause, facts):
        return _nudge(subject, fact, cause, memory)
    if fact.code == codes.FAILED and cause != "RetriesExceeded":
        return Wait(fact.reason, can_clear="no")
    return Wait(fact.reason, can_clear="unknown")


def is_clear(section: Section, cause: str, facts: Facts) -> bool:
    """Say whether a recorded cause has provably cleared."""
    family, _, name = cause.partition(":")
    match family:
        case "kind":
            kind, _, group = name.partition(".")
            return crd_of(section, facts, kind, group) is not None
        case "namespace" | "namespace-gone":
            fact = facts.get(codes.subject("namespace", name))
            # Gone is as good as active: the next attempt creates it anew.
            return fact is not None and fact.code in {codes.READY, codes.ABSENT}
        case "namespace-missing":
            fact = facts.get(codes.subject("namespace", name))
            return fact is not None and fact.code == codes.READY
        case "source":
            fact = facts.get(codes.subject("gitrepository", section.flux.source))
            return fact is not None and fact.code == codes.READY
        case "store":
            fact = facts.get(codes.subject("store", name))
            return fact is not None and fact.code == codes.READY and not fact.reason
        case "health":
            subjects = [_of_health_check(item) for item in name.split(",")]
            found = [facts.get(subject) for subject in subjects]
            return all(fact is not None and fact.code == codes.READY for fact in found)
        case "RetriesExceeded":
            # Whatever it was: the nodes and the network are up again by the time this state is pursued.
            return True
        case _:
            return False


def _of_health_check(item: str) -> Subject:
    """``Deployment/ns/name``, as a health check names it, to the subject of the same object."""
    kind, _, key = item.partition("/")
    return codes.subject(kind, key)


def _nudge(subject: Subject, fact: Fact, cause: str, memory: Memory) -> Answer:
    """Once per UID, generation and cause; a nudge that did not help is not repeated."""
    uid, generation = str(fact.detail["uid"]), fact.detail["generation"]
    key = f"{uid}/{generation}/{cause}"
    if key in memory.keys and not _may_repeat(subject, key, memory):
        return Wait(f"woken after {cause} cleared; {fact.reason}", can_clear="unknown")
    kind, _, name = subject.partition("/")
    namespace, _, bare = name.partition("/")
    stamp = datetime.fromtimestamp(memory.now, UTC).isoformat()
    arguments = {
        "kind": NUDGED[kind],
        "namespace": namespace,
        "name": bare,
        "uid": uid,
        "generation": generation,
        "requested_at": f"{stamp}#{memory.run_id}#{cause}",
        "reset": kind == "helmrelease",
        "cause": cause,
        "once": key,
    }
    return Act(NUDGE, subject, arguments, f"{cause} has cleared")


def _may_repeat(subject: Subject, key: str, memory: Memory) -> bool:
    """A nudge that certainly never arrived is no nudge."""
    last = memory.last_of(NUDGE, subject)
    return last is not None and last.arguments.get("once") == key and last.outcome is Outcome.FAILED
