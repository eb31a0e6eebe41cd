"""What people are asked about, and whether that is what the run waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from engine.answer import Subject
from engine.memory import Memory
from phases import codes
from phases.needs import subject_of

if TYPE_CHECKING:
    from phases.waits import Question

Answers = Mapping[Subject, Mapping[str, Any]]


def open_questions(memory: Memory, answers: Answers | None = None) -> tuple[Subject, ...]:
    """Return what questions without an answer, and dead ends, are about: of *answers*, else of all that stand."""
    found = memory.answers if answers is None else answers
    kinds = [(s, k) for s, body in found.items() if (k := body.get("answer")) in {"ask", "stuck"}]
    if not kinds:
        return ()  # nearly always
    answered = {item.subject for item in memory.approvals.values() if item.answer}
    return tuple(s for s, kind in kinds if kind == "stuck" or s not in answered)


def is_asked(asked: Question, subject: Subject) -> bool:
    """Say whether a person is asked about just this: the object, what holds its namespace, or the whole machine."""
    for about in asked.open:
        if about in {subject, "machine"}:
            return True
        if about.startswith("holder/") and asked.vertex.endswith("#gone"):
            holder = asked.memory.facts.get(about)
            space = (
                codes.subject("namespace", str(holder.detail.get("namespace"))) if holder else ""
            )
            if space == subject_of(asked.vertex):
                return True
    return False


def is_asked_before(asked: Question, subject: Subject) -> bool:
    """Say whether a person is asked about what blocks this, by a finding, or about anything that it needs and lacks."""
    if not asked.open:
        return False
    found = asked.memory.findings.values()
    if any(f.subject in asked.open and subject in f.blocks for f in found):
        return True
    return any(subject_of(vertex) in asked.open for vertex in _lacking(asked))


def _lacking(asked: Question) -> Iterator[str]:
    """Yield what is not done of all that the vertex needs, directly or not."""
    course, facts = asked.course, asked.memory.facts
    todo, passed = [asked.vertex], {asked.vertex}
    while todo:
        for need in course.needs.get(todo.pop(), ()):
            if need not in passed:
                passed.add(need)
                todo.append(need)
                if not course.standing.is_done(need, facts):
                    yield need


def pending(memory: Memory) -> tuple[Subject, ...]:
    """Return what the run itself waits for: what its decisions do not call done."""
    return tuple(s for s, body in memory.answers.items() if body.get("answer") != "done")
