"""
Flux synced: everything that Git says is there, at the goal revision.

Flux does the work; what is done here is only what no waiting can do: put back the roots, the controllers, a CRD that
sits behind its own consumer, a finalizer whose controller is gone, an API or a webhook that nobody serves (a person
decides about both), and wake exactly the objects whose recorded cause has cleared.
"""

from __future__ import annotations

from engine.answer import Act, Answer, Stuck, Subject, Wait, hopeless
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts, Findings, Judgement, Verdict
from journal.entries import Fact
from phases import codes
from phases.blockers import blockers
from phases.cni_up import installing
from phases.diagnosis.lost import KIND_GONE
from phases.ends import RESUMED
from phases.fetched import fetched
from phases.homes import home_goes, home_of
from phases.knots import (
    DELETION_GRACE_SECONDS,
    kinds,
    missing_kinds,
    namespaces,
    terminating,
)
from phases.nudges import (
    NUDGED,
    held,
    is_clear,
    is_mended,
    is_resumed,
    mended,
    nudge,
    paced,
)
from phases.readiness.releases import GIVEN_UP
from phases.readiness.saying import unlisted
from phases.section import Section, Told
from phases.sentence import alarmed, sentenced
from phases.vanished import vanished
from phases.verbs import ROOT, settled

KINDS = ("Namespace", "CustomResourceDefinition", "GitRepository", "Kustomization", "HelmRelease")
BROKEN = {codes.ABSENT, codes.BLOCKED, codes.FAILED, codes.TERMINATING, codes.SUSPENDED}
ROOT_SETTLE_SECONDS = 30.0


def guard(plan: Plan, facts: Facts) -> Judgement:
    """Hold when every expected object is synced; an object that is only being reconciled breaks nothing."""
    section: Section = plan.target
    subjects = section.expected
    for kind in KINDS:
        listed = facts.get(codes.kind(kind))
        if listed is None or listed.code != codes.SEEN:
            return Judgement(Verdict.UNKNOWN, unlisted(kind, listed), 0, len(subjects))
    for name in _controllers_of(section):
        fact = facts.get(name)
        if (
            fact is not None and fact.code == codes.ABSENT
        ):  # what all others say of themselves is as old as that
            why = f"{name} is Absent: nobody reconciles what it serves"
            return Judgement(Verdict.BROKEN, why, 0, len(subjects))
    open_ = section.standing_expected.open_in(facts)
    done = len(subjects) - len(open_)
    for subject, fact in open_:
        if fact is not None and fact.code in BROKEN:
            why = f"{subject} is {fact.code}: {fact.reason}".rstrip(": ")
            return Judgement(Verdict.BROKEN, why, done, len(subjects))
    if open_:
        why = f"{open_[0][0]} is being reconciled"
        return Judgement(Verdict.UNKNOWN, why, done, len(subjects))
    return Judgement(Verdict.HOLDS, "everything that Git says is there", done, len(subjects))


def decide(plan: Plan, facts: Facts, findings: Findings, memory: Memory) -> dict[Subject, Answer]:
    """Answer for the controllers, the roots, what blocks, and each object that is not synced."""
    section: Section = plan.target
    for kind in ("Deployment", "Kustomization"):
        fact = facts.get(codes.kind(kind))
        if fact is None or fact.code != codes.SEEN:
            return {codes.API: Wait(unlisted(kind, fact), can_clear="unknown")}
    answers: dict[Subject, Answer] = {}
    answers.update(_controllers(plan, facts, memory))
    if not answers:
        answers.update(_roots(section, facts, findings, memory))
    answers.update(kinds(section, facts, findings, memory))
    answers.update(namespaces(section, facts, findings, memory))
    answers.update(missing_kinds(section, facts, findings, memory))
    answers.update(_objects(section, facts, findings, memory))
    answers.update(fetched(section, facts, memory))
    answers.update(vanished(section, facts, memory))
    answers.update(blockers(section, facts, findings, memory, answers))
    answers = sentenced(paced(section, answers, memory), findings, memory, section)
    answers = alarmed(answers, findings, memory, section)
    for answer in answers.values():
        if isinstance(answer, Act) and answer.approval is not None:
            return _only_after_a_person(answers, facts)
    return answers


def _only_after_a_person(answers: dict[Subject, Answer], facts: Facts) -> dict[Subject, Answer]:
    """While a namespace is held, what is to come from the roots cannot come by waiting: say so."""
    told = dict(answers)
    for subject, answer in answers.items():
        fact = facts.get(subject)
        behind = fact is not None and (fact.code == codes.ABSENT or _is_behind(fact, facts))
        if isinstance(answer, Wait) and (subject == codes.ROOT or behind):
            told[subject] = hopeless(answer)
    return told


def _is_behind(fact: Fact, facts: Facts) -> bool:
    family, _, name = str(fact.detail.get("cause") or "").partition(":")
    if family == "dependency":
        found = facts.get(codes.subject("kustomization", name))
        return found is not None and found.code == codes.ABSENT
    return family == "namespace"


def _controllers_of(section: Section) -> list[Subject]:
    """Name the controllers that something here needs: a cluster without releases may have nobody for them."""
    needed = (
        key
        for key in section.flux.controllers
        if section.releases or not key.endswith("/helm-controller")
    )
    return [codes.subject("deployment", key) for key in needed]


def _controllers(plan: Plan, facts: Facts, memory: Memory) -> dict[Subject, Answer]:
    section: Section = plan.target
    answers: dict[Subject, Answer] = {}
    subjects = _controllers_of(section)
    absent = [s for s in subjects if s not in facts or facts[s].code == codes.ABSENT]
    going = [s for s in absent if home_goes(s, facts)]
    if going:
        # What is made in a namespace that is going is refused, and the command would be tried out for nothing.
        text = f"{going[0]} comes back once {home_of(going[0])} is gone"
        return {going[0]: Wait(text, can_clear="unknown")}
    if absent:
        command = section.flux.command or section.cni.command
        answers |= installing(plan, command, absent, memory)
    for subject in subjects:
        fact = facts.get(subject)
        if subject not in absent and fact is not None and fact.code != codes.READY:
            answers[subject] = Wait(f"{subject}: {fact.reason}")
    return answers


def _roots(
    section: Section, facts: Facts, findings: Findings, memory: Memory
) -> dict[Subject, Answer]:
    subjects = [codes.subject("gitrepository", section.flux.source)]
    subjects += section.roots
    absent = [s for s in subjects if s not in facts or facts[s].code == codes.ABSENT]
    if not absent:
        return {}
    due = settled(memory.last_of(ROOT, codes.ROOT), ROOT_SETTLE_SECONDS)
    if due is not None and not memory.passed(due):
        return {codes.ROOT: Wait("the roots were applied", due)}
    reason = f"absent: {', '.join(absent)}"
    going = terminating(section, facts)
    if going:
        # A root that is applied now spends its first attempt on waiting for them, and may park for an hour.
        return {codes.ROOT: Wait(f"the roots are applied once these namespaces are gone: {going}")}
    unserved = next((f for f in findings.values() if f.cause == KIND_GONE), None)
    if unserved is not None and not set(absent).isdisjoint(unserved.blocks):
        # The API would refuse it, and the tries would be used up before the kind is there again.
        text = f"the roots are applied once {unserved.subject} is there"
        return {codes.ROOT: Wait(text, can_clear=unserved.clears_itself)}
    if not section.flux.roots:
        text = f"{reason}; without a plan nobody knows what brings them"
        return {codes.ROOT: Wait(text, can_clear="unknown")}
    return {codes.ROOT: Act(ROOT, codes.ROOT, {"path": section.flux.roots}, reason)}


def _objects(
    section: Section, facts: Facts, findings: Findings, memory: Memory
) -> dict[Subject, Answer]:
    answers: dict[Subject, Answer] = {}
    known, mends = section.told, mended(findings)
    for subject, fact in section.standing_synced.open_in(facts):
        if fact is None:
            continue
        told = known.get(subject)
        if told is None or told.fact is not fact:
            told = known[subject] = Told(fact, _wakes(subject, fact), _unwoken(subject, fact))
        # Nearly every answer of nearly every turn is a function of the fact alone, and made once.
        answers[subject] = told.answer
        if fact.code == codes.TERMINATING:
            answers[subject] = _going(fact, memory)
        elif told.cause and (
            is_clear(section, subject, told.cause, facts) or is_mended(subject, fact, mends)
        ):
            parked = fact.detail.get("parked", True)
            answers[subject] = (
                nudge(section, subject, fact, told.cause, memory)
                if parked
                else held(section, subject, facts)
            )
        elif (
            told.cause
            and fact.detail.get("parked", True)
            and is_resumed(subject, fact, told.cause, memory)
        ):
            answers[subject] = nudge(section, subject, fact, f"{RESUMED}:{told.cause}", memory)
    return answers


def _going(fact: Fact, memory: Memory) -> Answer:
    due = (fact.since or memory.now) + DELETION_GRACE_SECONDS
    text = "is being deleted; it comes back once it is gone"
    return Wait(text, None if memory.passed(due) else due, can_clear="unknown")


def _wakes(subject: Subject, fact: Fact) -> str:
    """Return the recorded cause after whose end a nudge would help; empty: none is recorded."""
    if fact.code not in {codes.BLOCKED, codes.FAILED} or subject.partition("/")[0] not in NUDGED:
        return ""
    return str(fact.detail.get("cause") or "")


def _unwoken(subject: Subject, fact: Fact) -> Answer:
    match fact.code:
        case codes.ABSENT:
            return Wait("not applied yet by its parent", can_clear="unknown")
        case codes.SUSPENDED:
            return Stuck(
                reference="suspended-in-cluster",
                message=f"{subject} is suspended in the cluster and not in Git",
                hint="somebody paused it: ask why, then `flux resume` it; rekindle never touches spec",
            )
        case codes.PROGRESSING:
            return Wait(fact.reason or "is being reconciled")
    detail = fact.detail
    is_terminal = (
        detail.get("terminal") is not False
    )  # a journal of before has no such detail, nor the next
    given_up = detail.get("given_up") or detail.get("cause") in GIVEN_UP
    if fact.code == codes.FAILED and is_terminal and not given_up:
        return Wait(fact.reason, can_clear="no")
    return Wait(fact.reason, can_clear="unknown")
