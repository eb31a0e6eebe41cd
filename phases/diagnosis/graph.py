"""
Roots instead of forty red rows.

Findings block subjects, and subjects block one another: a Kustomization its dependents and what it applies. A root is
a finding that no other finding blocks; in a circle of findings all are roots together, since waiting ends none of
them. A cause that is an object's own (``own``) is a root wherever it stands: what is upstream may come before it, and
does not explain it. What blocks only next does not explain what is before it. Victims are everything that a root
reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from engine.answer import Subject
from journal.entries import Finding
from phases.diagnosis.own import is_own

Blocking = Mapping[Subject, tuple[Subject, ...]]
AHEAD = "C4"  # the rule that speaks of what nobody has run into yet


@dataclass(frozen=True, slots=True)
class Root:
    """A finding that nothing explains. *victims* do not contain its own subject; *circle*: it is part of a deadlock."""

    id: str
    finding: Finding
    victims: tuple[Subject, ...]
    circle: bool = False


def roots_of(findings: Mapping[str, Finding], blocking: Blocking) -> tuple[Root, ...]:
    """Find the roots among *findings*; *blocking* says what each subject that is not well blocks by its nature."""
    by_subject = _by_subject(findings)
    reached = {name: _reach(finding, by_subject, blocking) for name, finding in findings.items()}
    reaching: dict[Subject, list[str]] = {}  # of each subject, what reaches it
    for name, subjects in reached.items():
        for subject in subjects & by_subject.keys():
            reaching.setdefault(subject, []).append(name)
    following: dict[str, set[str]] = {}  # of each finding, what blocks only after it has cleared
    for name, finding in findings.items():
        for before in finding.next_after:
            following.setdefault(before, set()).add(name)
    roots: list[Root] = []
    for name, finding in findings.items():
        later = _later(following.get(name, set()), findings, reached)
        above = [
            other
            for other in reaching.get(finding.subject, ())
            if other not in later and findings[other].subject != finding.subject
        ]
        if is_own(finding):
            above = []
        circle = [
            other
            for other in above
            if findings[other].subject in reached[name] and not _outranks(findings[other], finding)
        ]
        if len(circle) < len(above):
            continue  # something outside any circle explains it
        victims = tuple(sorted(reached[name] - {finding.subject}))
        roots.append(Root(name, finding, victims, circle=bool(circle)))
    return tuple(sorted(roots, key=_weight))


def _outranks(own: Finding, finding: Finding) -> bool:
    """Say whether one of two that hold each other is a cause of its own: the other waits for it, in no deadlock."""
    return is_own(own) and finding.clears_itself != "no"


def in_series(findings: Mapping[str, Finding], blocking: Blocking) -> dict[str, Finding]:
    """
    Return the findings, and of each that is an object's own what has to clear before it blocks again.

    What is upstream keeps the object from being tried, but for what waits for that very object. A deadlock of kinds
    (C4) looks ahead: its consumers get to their kinds only once they are built.
    """
    roots = roots_of(findings, blocking)
    reaching: dict[Subject, list[Root]] = {}
    for root in roots:
        for victim in root.victims if root.finding.rule != AHEAD else ():
            reaching.setdefault(victim, []).append(root)
    told = dict(findings)
    for mine in roots:
        if not is_own(mine.finding):
            continue
        own = frozenset(mine.victims)
        above = reaching.get(mine.finding.subject, ())
        before = (root.id for root in above if root.finding.subject not in own)
        told[mine.id] = replace(mine.finding, next_after=tuple(sorted(before)))
    return told


def _later(
    after: set[str], findings: Mapping[str, Finding], reached: Mapping[str, frozenset[Subject]]
) -> set[str]:
    """Return *after*, what blocks only after a finding has cleared, and what is behind that."""
    if not after:
        return after
    behind = frozenset().union(*(reached[other] for other in after))
    return after | {other for other, found in findings.items() if found.subject in behind}


def through(root: Root, blocking: Blocking) -> Subject:
    """Return what leads on to the most victims, of what a root blocks itself; empty: nothing leads on to several."""
    others = frozenset(root.victims)
    behind = {
        subject: len(onward(subject, blocking) & others)
        for subject in _next(root.finding, blocking)
        if subject in others
    }
    most = max(behind, key=lambda subject: (behind[subject], subject), default="")
    return most if behind.get(most, 0) > 1 else ""


def onward(start: Subject, blocking: Blocking) -> set[Subject]:
    """Return all that edges lead to from a subject."""
    seen: set[Subject] = set()
    todo = [start]
    while todo:
        for subject in blocking.get(todo.pop(), ()):
            if subject not in seen:
                seen.add(subject)
                todo.append(subject)
    return seen - {start}


def _weight(root: Root) -> tuple[bool, int, str]:
    """What blocks now before what will block next, the heaviest first."""
    return bool(root.finding.next_after), -len(root.victims), root.id


def _by_subject(findings: Mapping[str, Finding]) -> dict[Subject, list[Finding]]:
    found: dict[Subject, list[Finding]] = {}
    for finding in findings.values():
        found.setdefault(finding.subject, []).append(finding)
    return found


def _reach(
    finding: Finding, by_subject: Mapping[Subject, list[Finding]], blocking: Blocking
) -> frozenset[Subject]:
    seen: set[Subject] = set()
    # What will block next is explained by its own finding, not by the structure around its subject; but for what its
    # subject itself has to get through.
    around = () if finding.next_after and not is_own(finding) else blocking.get(finding.subject, ())
    todo = [*finding.blocks, *around]
    while todo:
        subject = todo.pop()
        if subject in seen:
            continue
        seen.add(subject)
        todo.extend(blocking.get(subject, ()))
        for other in by_subject.get(subject, ()):
            todo.extend(other.blocks)
    return frozenset(seen)


def tree(
    root: Root,
    findings: Mapping[str, Finding],
    blocking: Blocking,
    mark: Callable[[Finding], str] = lambda _: "",
) -> Iterable[str]:
    """
    Write a root and what it blocks, an indented line each; every subject once, where it is first reached.

    *mark*: what is said of a finding behind its words.
    """
    yield f"{root.finding.message}{mark(root.finding)}"
    by_subject = _by_subject(findings)
    seen = {root.finding.subject}
    stack = [(subject, 1) for subject in reversed(_next(root.finding, blocking))]
    while stack:
        subject, depth = stack.pop()
        if subject in seen:
            continue
        seen.add(subject)
        own = by_subject.get(subject, [])
        why = "; ".join(f"{one.message}{mark(one)}" for one in own)
        yield f"{'  ' * depth}{subject}{': ' if why else ''}{why}"
        below = [*blocking.get(subject, ()), *(s for f in own for s in f.blocks)]
        stack.extend((s, depth + 1) for s in reversed(below))


def _next(finding: Finding, blocking: Blocking) -> list[Subject]:
    return [*finding.blocks, *blocking.get(finding.subject, ())]
