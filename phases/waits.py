"""
What one wait was: useful, or dead of a class of the catalogue of dead waits, or unknown.

A class is only said when the journal has a sign of it. Signs that it never has, and classes that are therefore never
said, are listed in ``docs/explanation/dead-wait.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from engine.answer import Subject
from engine.memory import Memory
from journal.entries import Fact, Finding, Instant
from phases import codes
from phases.hindsight import LOST, Course
from phases.knots import terminating
from phases.needs import AT_WORK_AT_ALL, is_at_work, is_queued, is_well, subject_of
from phases.nudges import is_clear, workers_by_family
from phases.section import Section
from phases.verbs import COMMAND, RELEASE
from phases.vertices import Vertex
from phases.wait_classes import (
    BY_RULE,
    CERTIFICATE,
    CERTIFIED,
    CHECKING,
    CRD,
    DELETION,
    DEPENDENCY,
    EVICTION,
    FIRST_STAGE,
    HEALTH_HOLD,
    MACHINES,
    NS_HELD,
    OWN_TIMERS,
    PERSON,
    RELEASE_RETRY,
    RETRY,
    SECRET_RETRY,
    SOURCE_POLL,
    STABLE,
    STARVED,
    TOOL,
    UNKNOWN,
    USEFUL,
    WORKS_ON,
)
from phases.wait_machines import etcd_comes, is_moving, lacks_lost, waits_for_etcd
from phases.wait_questions import is_asked, is_asked_before, pending


class Question(NamedTuple):
    """What was the wait for *vertex* that began at the instant *at*, when *memory* was all that was known?"""

    section: Section
    course: Course
    memory: Memory
    vertex: Vertex
    at: Instant
    open: tuple[Subject, ...]  # what people are asked about

    @property
    def subject(self) -> Subject:
        """The object that the run waited for: the nearest one, on the way up, that was there."""
        facts = self.memory.facts
        first = last = subject_of(self.vertex)
        found = facts.get(first)
        if found is not None and found.code != codes.ABSENT:
            return first  # nearly always
        for last in _upwards(self.course, first):
            found = facts.get(last)
            if found is not None and found.code != codes.ABSENT:
                break
        return last


def what_is(asked: Question) -> str:
    """Classify a wait."""
    memory = asked.memory
    if memory.looked_at is None:
        return UNKNOWN
    if asked.vertex == LOST:
        return _before_a_loss(asked)
    if not asked.vertex:
        return _after_all(memory)
    subject = asked.subject
    if memory.open and is_worked_on(asked, subject):
        return USEFUL
    if asked.open and is_asked(asked, subject):
        return PERSON
    if asked.vertex.endswith("#gone"):
        return _of_a_namespace(asked, subject)
    if memory.findings:
        by_rule = _by_rule(asked, subject)
        if by_rule:
            return by_rule
        if is_checked_in_vain(asked, subject):
            return HEALTH_HOLD
    fact = memory.facts.get(subject)
    found = UNKNOWN if fact is None else _by_fact(asked, subject, fact)
    if found == UNKNOWN:
        found = _of_a_machine(asked, subject)
    return PERSON if found == UNKNOWN and is_asked_before(asked, subject) else found


def may_be_useful(memory: Memory, vertex: Vertex) -> bool:
    """Say no where the object's own code tells that nobody works on it: true of most, and cheap."""
    if memory.open or vertex.startswith(MACHINES):
        return True
    fact = memory.facts.get(subject_of(vertex))
    return fact is None or fact.code == codes.ABSENT or fact.code in AT_WORK_AT_ALL


def may_tell(known: Fact | None, fact: Fact) -> bool:
    """Say no where another fact of an object, no machine, leaves every verdict about work as it is: of most."""
    if known is None:
        return True
    code, old = fact.code, known.code
    if code in AT_WORK_AT_ALL or old in AT_WORK_AT_ALL:
        return True
    return (code == codes.ABSENT) != (old == codes.ABSENT)


def is_held(section: Section, memory: Memory) -> bool:
    """Say whether a namespace of the inventory is on its way out."""
    return bool(terminating(section, memory.facts))


def is_worked_on(asked: Question, subject: Subject) -> bool:
    """Say whether an action in flight is what the vertex needs."""
    family = subject.partition("/")[0]
    for attempt in asked.memory.open.values():
        releases = attempt.verb == RELEASE and asked.vertex.endswith("#gone")
        if attempt.target in {subject, subject_of(asked.vertex)} or releases:
            return True
        if family in WORKS_ON.get(attempt.verb, ()) and _is_its(asked, attempt.verb, subject):
            return True
    return False


def _is_its(asked: Question, verb: str, subject: Subject) -> bool:
    """The CNI's command brings network and controllers, and nothing that Git brings."""
    if verb != COMMAND or subject.startswith("k8s-node/"):
        return True
    return subject in asked.course.standing.first


def is_checked_in_vain(asked: Question, subject: Subject) -> bool:
    """
    Say whether a health check holds a worker for something that diagnosis says does not come by itself.

    *subject* is what it waits for, or the Kustomization that has the worker. What a Kustomization says of itself
    (K13) is about its last attempt, and what is not well but at work is what such a check is for.
    """
    found = asked.memory.findings.values()
    if not found or not any(_is_checking(asked, one) for one in _upwards(asked.course, subject)):
        return False
    named = (f for f in found if f.rule != "K16" and _concerns(f, subject))
    return any(
        f.clears_itself != "yes" and not (f.subject == subject and _is_checking(asked, subject))
        for f in named
    )


def _is_checking(asked: Question, subject: Subject) -> bool:
    fact = asked.memory.facts.get(subject)
    if fact is None or not subject.startswith("kustomization/"):
        return False
    return fact.code == codes.PROGRESSING and fact.reason.startswith(CHECKING)


def rests_on(course: Course, vertex: Vertex) -> Iterator[Subject]:
    """Yield the subjects whose facts, or findings about them, tell whether a vertex is worked on."""
    yield from _upwards(course, subject_of(vertex))
    yield from _bringers(course.section, subject_of(vertex))


def _upwards(course: Course, subject: Subject) -> Iterator[Subject]:
    """Yield a subject and what brings it, up to the root."""
    passed: set[Subject] = set()
    while subject and subject not in passed:
        passed.add(subject)
        yield subject
        subject = course.standing.parent.get(subject, "")


def _before_a_loss(asked: Question) -> str:
    """
    What the run waited for before something was lost again, no path tells: only what it did or asked, and its window.

    A machine on its way is what the run waits for, if its decisions do; people are, if they wait for nothing else.
    """
    memory, left = asked.memory, pending(asked.memory)
    moving = any(is_moving(memory, subject, asked.at) for subject in left)
    if moving or any(attempt.verb in WORKS_ON for attempt in memory.open.values()):
        return USEFUL
    if left and set(left) <= set(asked.open):
        return PERSON
    return TOOL if any(name.startswith(STABLE) for name in memory.timers) else UNKNOWN


def _of_a_namespace(asked: Question, subject: Subject) -> str:
    """Say what holds a namespace that goes: who is asked about what blocks it is asked about it."""
    if is_asked_before(asked, subject):
        return PERSON
    return NS_HELD if is_held(asked.section, asked.memory) else UNKNOWN


def _of_a_machine(asked: Question, subject: Subject) -> str:
    section, memory = asked.section, asked.memory
    if is_moving(memory, subject, asked.at):
        return USEFUL
    if not waits_for_etcd(section, memory, subject):
        return UNKNOWN
    if any(codes.ETCD in WORKS_ON.get(attempt.verb, ()) for attempt in memory.open.values()):
        return USEFUL
    if codes.ETCD in asked.open:
        return PERSON
    if etcd_comes(section, memory, asked.at):
        return USEFUL
    return TOOL if f"wait/{codes.ETCD}" in memory.timers else UNKNOWN


def _after_all(memory: Memory) -> str:
    """Everything is well, and the run goes on: it holds its own stability window, or nobody knows."""
    if memory.open:
        return USEFUL
    return TOOL if any(name.startswith(OWN_TIMERS) for name in memory.timers) else UNKNOWN


def _by_rule(asked: Question, subject: Subject) -> str:
    fact = asked.memory.facts.get(subject)
    for found in asked.memory.findings.values():
        name = BY_RULE.get(found.rule, "")
        if name and _concerns(found, subject) and not _holds_worker(found, subject, fact):
            return name
    return ""


def _concerns(found: Finding, subject: Subject) -> bool:
    return found.subject == subject or subject in found.blocks


def _holds_worker(found: Finding, subject: Subject, fact: Fact | None) -> bool:
    """Who has one of the busy workers does not wait for one."""
    return found.rule == "K16" and fact is not None and is_at_work(subject, fact)


def _by_fact(asked: Question, subject: Subject, fact: Fact) -> str:
    family = subject.partition("/")[0]
    if is_at_work(subject, fact):
        return _at_work(asked, subject, fact)
    if is_queued(fact):
        return STARVED if _all_are_busy(asked, family) else UNKNOWN
    match family:
        case "kustomization":
            return _parked(asked, subject, fact, RETRY)
        case "helmrelease":
            return _parked(asked, subject, fact, RELEASE_RETRY)
        case "externalsecret" | "store":
            return SECRET_RETRY if fact.code == codes.BLOCKED else UNKNOWN
        case "namespace":
            return USEFUL if fact.code == codes.ABSENT and _is_brought(asked, subject) else UNKNOWN
        case "gitrepository":
            return SOURCE_POLL if fact.code == codes.BLOCKED else UNKNOWN
        case _:
            return UNKNOWN


def _is_brought(asked: Question, space: Subject) -> bool:
    """Say whether a Kustomization that brings something into a namespace is being applied: it comes first."""
    known = ((s, asked.memory.facts.get(s)) for s in _bringers(asked.section, space))
    return any(
        fact is not None and is_at_work(s, fact) and not _is_checking(asked, s) for s, fact in known
    )


def _bringers(section: Section, space: Subject) -> Iterator[Subject]:
    """Yield the Kustomizations that bring something into a namespace: what is there belongs to one of them."""
    family, _, name = space.partition("/")
    items = (item for _, item in section.kustomizations) if family == "namespace" else ()
    found = {item.parent for item in items if item.parent and item.key.startswith(f"{name}/")}
    yield from (codes.subject("kustomization", parent) for parent in sorted(found))


def _all_are_busy(asked: Question, family: str) -> bool:
    """Say whether as many of a family are at work as its controller reconciles at once: the rest waits for them."""
    section, facts = asked.section, asked.memory.facts
    subjects = [subject for subject, _ in (*section.kustomizations, *section.releases)]
    known = ((s, facts.get(s)) for s in subjects if s.startswith(f"{family}/"))
    busy = sum(fact is not None and is_at_work(subject, fact) for subject, fact in known)
    return busy > 0 and busy >= workers_by_family(section, facts).get(family, busy + 1)


def _at_work(asked: Question, subject: Subject, fact: Fact) -> str:
    """Who only waits for a namespace that goes, or for a lost machine, does nothing; a CRD is waited for."""
    if subject.startswith("crd/"):
        return CRD
    gone = lacks_lost(asked.section, asked.memory, subject, fact, asked.at)
    if gone:
        return PERSON if any(codes.node(name) in asked.open for name in gone) else EVICTION
    if subject.startswith("kustomization/") and "'Terminating'" in fact.reason:
        return FIRST_STAGE if is_held(asked.section, asked.memory) else UNKNOWN
    return USEFUL


def _parked(asked: Question, subject: Subject, fact: Fact, retry: str) -> str:
    """Say what holds a Kustomization or a release that no worker has: a poll, a retry, or its cause."""
    cause = str(fact.detail.get("cause") or "")
    if fact.code == codes.TERMINATING:
        return DELETION if subject.startswith("kustomization/") else UNKNOWN
    if fact.code not in {codes.BLOCKED, codes.FAILED} or not cause:
        return UNKNOWN
    family, _, name = cause.partition(":")
    if is_clear(asked.section, subject, cause, asked.memory.facts):
        return DEPENDENCY if family == "dependency" else retry
    if family == "namespace":
        return NS_HELD if is_held(asked.section, asked.memory) else UNKNOWN
    if family == "kind":
        return CRD
    if family == "health" and any(item.startswith(CERTIFIED) for item in name.split(",")):
        return CERTIFICATE
    if family == "dependency":
        needed = codes.subject(subject.partition("/")[0], name)
        return UNKNOWN if not is_well(needed, asked.memory.facts) else DEPENDENCY
    return retry if fact.detail.get("given_up") else UNKNOWN
