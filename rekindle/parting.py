"""
Two runs beside each other: what differs by state, the first decision that one took and the other did not, and why.

Decisions are aligned by visit of a state: what both did the first time, and one did again when it was thrown back, is
a decision that the other did not take.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from msgspec import to_builtins

from engine.recipe import Facts
from journal.entries import Fact, Finding
from journal.steady import as_written, encoded
from rekindle.courses import UUID, Choice, Course
from rekindle.tries import A, B
from rekindle.view import states_of

REFUSED = "approval-refused"
FACTS = 10  # that parted a decision and are listed; what is over is counted


@dataclass(frozen=True, slots=True)
class Parting:
    """
    The first decision that only one of the runs took (*run*: a or b).

    *facts* have another code in the one than in the other when it was taken: by subject, (in a, in b). *more* are left
    out; *instead*: what else parted it, where no fact did: above all what people answered.
    """

    run: str
    choice: Choice
    facts: dict[str, tuple[Fact | None, Fact | None]]
    more: int
    instead: str


def states(a: Course, b: Course) -> list[str]:
    """Return all states of both, in the order of the machine."""
    order = [*states_of(a.plan), *states_of(b.plan), *a.stays, *b.stays]
    return [name for name in dict.fromkeys(order) if name in a.stays or name in b.stays]


def parting(a: Course, b: Course) -> Parting | None:
    """
    Find the first decision that parted; None: both decided the same, whatever it took.

    The first by the time of the run that took it, since that run was opened: not by the order of the machine, for a
    run that is thrown back decides in an early state what only follows from a later one.
    """
    alone = [(A, one) for one in _alone(a, b)] + [(B, one) for one in _alone(b, a)]
    if not alone:
        return None
    run, choice = min(alone, key=lambda item: item[1].elapsed)
    here, there = (a, b) if run == A else (b, a)
    answers = _answers(choice, here, there)
    if answers is not None:  # what else differs by then did not part them
        one, two = answers if run == A else answers[::-1]
        said = f"what people said parted them: in a {one}, in b {two}"
        return Parting(run, choice, {}, 0, said)
    facts = _parted(choice, here, there)
    listed = dict(list(facts.items())[:FACTS])
    if run == B:
        listed = {subject: (two, one) for subject, (one, two) in listed.items()}
    instead = "" if facts else _otherwise(a, b)
    return Parting(run, choice, listed, len(facts) - len(listed), instead)


def _alone(here: Course, there: Course) -> list[Choice]:
    """Return the first decision that the other did not take in the same visit of a state; none: an empty list."""
    alone = [
        choice
        for visit, choices in here.choices.items()
        for key, choice in choices.items()
        if key not in there.choices.get(visit, {})
    ]
    # By place in the journal: a clock that was set back makes what came later look earlier.
    return sorted(alone, key=lambda choice: choice.seq)[:1]


def _answers(choice: Choice, here: Course, there: Course) -> tuple[str, str] | None:
    """Return what people said in the one and in the other to the question that a decision rests on, if that differs."""
    question = _question(choice, here)
    if not question:
        return None
    mine, theirs = (_answer(question, course) for course in (here, there))
    return None if mine.partition(" by ")[0] == theirs.partition(" by ")[0] else (mine, theirs)


def _question(choice: Choice, here: Course) -> str:
    """Return the question that a decision rests on: it was allowed by the answer, or is stuck because of it."""
    question = str((choice.body.get("approval") or {}).get("question", ""))
    if question or choice.body.get("reference") != REFUSED:
        return question
    asked = here.memory.approvals.values()
    return next((one.question for one in asked if here.named(one.subject) == choice.subject), "")


def _answer(question: str, course: Course) -> str:
    """Say what was answered to a question: yes before no before nothing, for it may have been asked again."""
    sense = UUID.sub("...", question)
    answers = course.memory.approvals.values()
    asked = [one for one in answers if UUID.sub("...", one.question) == sense]
    for answer, word in (("given", "yes"), ("refused", "no")):
        by = next((one.actor for one in asked if one.answer == answer), None)
        if by is not None:
            return f"{word} by {by}"
    return "nothing" if asked else "not asked"


def _facts_then(choice: Choice, here: Course, there: Course) -> Facts:
    """
    Return what the other run knew at the same place: after the last decision that both had taken in this visit.

    One that did not come there a second time knew what it knew when it left the last visit that both made before.
    """
    if choice.visit not in there.left:
        before_it = here.visits[: here.visits.index(choice.visit)]
        both = [visit for visit in before_it if visit in there.left]
        return there.left[both[-1]] if both else there.memory.facts
    mine, theirs = here.choices[choice.visit], there.choices.get(choice.visit, {})
    before = [key for key in mine if mine[key].seq < choice.seq and key in theirs]
    order = list(theirs.values())
    if before:
        last = order.index(theirs[before[-1]])
        order = order[last + 1 :]
    if order:
        return order[0].facts
    return there.left[choice.visit]


def _parted(
    choice: Choice, here: Course, there: Course
) -> dict[str, tuple[Fact | None, Fact | None]]:
    """Name the facts that say something else, those first that the decision is about."""
    known = _by_name(choice.facts, here)
    others = _by_name(_facts_then(choice, here, there), there)
    found: dict[str, tuple[Fact | None, Fact | None]] = {}
    for subject in known.keys() | others.keys():
        mine, theirs = known.get(subject), others.get(subject)
        if (mine.code if mine else None) != (theirs.code if theirs else None):
            found[subject] = (mine, theirs)
    text = json.dumps(choice.body, sort_keys=True)

    def order(subject: str) -> tuple[int, str]:
        if subject in {choice.subject, choice.target}:
            return 0, subject
        return (1 if subject.rpartition("/")[2] in text else 2), subject

    return {subject: found[subject] for subject in sorted(found, key=order)}


def _by_name(facts: Facts, course: Course) -> Facts:
    """Return facts by what each is about, so that a thing and its next life are one."""
    return {course.named(subject): fact for subject, fact in facts.items()}


def _otherwise(a: Course, b: Course) -> str:
    """Say what else may have parted two runs that saw the same."""
    if a.plan_digest != b.plan_digest:
        return "the plans differ"
    if a.version != b.version:
        return f"they were written by rekindle {a.version} and {b.version}"
    return "no fact differs in its code: an approval, a settlement or a limit parted them"


# --- what is written ------------------------------------------------------------------------------


def document(a: Course, b: Course, journals: tuple[str, str]) -> dict[str, Any]:
    """Write the difference as JSON."""
    found = parting(a, b)
    return {
        "schema": "rekindle.diff/1",
        "a": _run(a, journals[0]),
        "b": _run(b, journals[1]),
        "verdict": "same" if found is None else "parted",
        "states": {
            state: {
                A: _state(a, state),
                B: _state(b, state),
            }
            for state in states(a, b)
        },
        "findings": {
            "only_a": {
                k: _builtin(a.findings[k]) for k in sorted(a.findings.keys() - b.findings.keys())
            },
            "only_b": {
                k: _builtin(b.findings[k]) for k in sorted(b.findings.keys() - a.findings.keys())
            },
            "both": sorted(a.findings.keys() & b.findings.keys()),
        },
        "parted": None if found is None else _as_json(found),
    }


def _run(course: Course, journal: str) -> dict[str, Any]:
    memory = course.memory
    return {
        "journal": journal,
        "run_id": memory.run_id,
        "purpose": memory.purpose,
        "cluster": memory.cluster,
        "opened_at": memory.opened_at,
        "seconds": round(course.seconds, 3),
        "outcome": course.outcome,
        "state": memory.state,
        "by_hand": course.by_hand,
    }


def _state(course: Course, state: str) -> dict[str, Any] | None:
    stay = course.stays.get(state)
    if stay is None:
        return None
    attempts = {key: dict(count) for key, count in course.attempts.get(state, {}).items()}
    return {"seconds": round(stay.seconds, 3), "visits": stay.visits, "attempts": attempts}


def _as_json(found: Parting) -> dict[str, Any]:
    choice = found.choice
    return {
        "run": found.run,
        "state": choice.state,
        "visit": choice.visit.number,
        "seq": choice.seq,
        "at": as_written(choice.at),
        "seconds_in_state": round(choice.after, 3),
        "seconds_in_run": round(choice.elapsed, 3),
        "decision": choice.key,
        "subject": choice.subject,
        "body": dict(choice.body),
        "facts": {
            subject: {A: _builtin(one), B: _builtin(two)}
            for subject, (one, two) in found.facts.items()
        },
        "more_facts": found.more,
        "instead": found.instead,
    }


def _builtin(told: Fact | Finding | None) -> Any:  # noqa: ANN401  JSON
    return to_builtins(told, enc_hook=encoded)


def seconds(course: Course, state: str) -> int | None:
    """How long a run was in a state, in the whole seconds that a report says as well; None: never there."""
    stay = course.stays.get(state)
    return None if stay is None else stay.whole
