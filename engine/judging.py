"""
From facts to answers: what the phases say, held against what the engine never allows.

Everything here is a function of the plan and the memory alone, so that replaying a journal gives the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import assert_never

from engine.allowing import allowed, answer_to
from engine.answer import Act, Answer, Ask, Done, Stuck, Subject, Wait, hopeless
from engine.guests import behind, judgements, wishes
from engine.machine import Machine, Move
from engine.memory import Memory
from engine.patience import spoken
from engine.plan import DONE, Plan
from engine.recipe import Facts, Judgement, Recipe, Verdict
from engine.walks import gated
from journal.entries import Json
from journal.redactor import redact, redact_text

MACHINE: Subject = "machine"
GOAL: Subject = "goal"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a run is judged by: the domain, the operator's plan, and the table compiled from it."""

    recipe: Recipe
    plan: Plan
    machine: Machine
    latest: list[tuple[Facts, dict[str, Judgement]]] = field(default_factory=list, compare=False)
    # The last facts as they were reduced, and the remembered ones that say the same.
    compared: list[tuple[Facts, Facts]] = field(default_factory=list, compare=False)
    # Per subject: an answer, and what it looks like in the journal.
    spoken: dict[Subject, tuple[Answer, dict[str, Json]]] = field(
        default_factory=dict, compare=False
    )

    @classmethod
    def of(cls, recipe: Recipe, plan: Plan) -> Rules:
        """Compile the table."""
        return cls(recipe, plan, Machine(plan))


def judge(rules: Rules, memory: Memory) -> dict[str, Judgement]:
    """Ask every guard, in the order of the states, and hold against it what this run still owes."""
    judged = _seen(rules, memory)
    owed = rules.recipe.owed(rules.plan, memory)
    if not owed:
        return judged
    return {name: _owing(found, owed.get(name)) for name, found in judged.items()}


def _owing(found: Judgement, owed: str | None) -> Judgement:
    """A goal that holds is not reached as long as something was asked for and is not done."""
    if owed is None or found.verdict is not Verdict.HOLDS:
        return found
    return replace(found, verdict=Verdict.BROKEN, why=owed)


def _seen(rules: Rules, memory: Memory) -> dict[str, Judgement]:
    """The same facts are judged once."""
    if rules.latest and rules.latest[0][0] is memory.facts:
        return rules.latest[0][1]
    judged = judgements(rules.recipe, rules.plan, rules.machine.order, memory.facts)
    rules.latest[:] = [(memory.facts, judged)]
    return judged


def flapping(rules: Rules, memory: Memory, judged: Mapping[str, Judgement]) -> Ask | None:
    """Return the question to ask when the machine would go back once more than the plan allows."""
    lowest = lowest_broken(rules, memory, judged)
    if lowest is None or f"damping/{lowest}" not in memory.fired:
        return None
    count, window = rules.plan.machine.regress.limit
    recent = [at for at in memory.regressions if at > memory.now - window]
    if len(recent) < count:
        return None
    return Ask(
        question=f"{lowest} was lost {len(recent)} times within {spoken(window)}; go back to it again?",
        consequence="nothing is destroyed; something keeps breaking what was repaired",
        evidence={"state": lowest, "regressions": list(memory.regressions)},
    )


def lowest_broken(rules: Rules, memory: Memory, judged: Mapping[str, Judgement]) -> str | None:
    """Return the first state before the current one whose goal is known to be broken."""
    if memory.state == DONE:
        return None
    before = rules.machine.order[: rules.machine.order.index(memory.state)]
    return next((name for name in before if judged[name].verdict is Verdict.BROKEN), None)


def move_of(rules: Rules, memory: Memory, judged: Mapping[str, Judgement]) -> Move | None:
    """Return the move that the facts allow; None: they allow none, or a person is asked first."""
    if memory.state == DONE:
        return None
    stop = flapping(rules, memory, judged)
    if stop is not None and answer_to(memory, MACHINE, stop) != "given":
        return None
    fired, states = memory.fired, rules.plan.machine.states
    move = rules.machine.next_move(
        memory.state,
        judged,
        held=frozenset(
            name for name, state in states.items() if not state.stable or f"stable/{name}" in fired
        ),
        broken_long=frozenset(name for name in judged if f"damping/{name}" in fired),
    )
    # What is in the way of the goal itself is in the way of nothing that leads there, nor of going back.
    ends = move is not None and move.target == DONE
    if ends and memory.lasting:
        return None
    return None if ends and rules.recipe.objection(rules.plan, memory) is not None else move


def answers_of(rules: Rules, memory: Memory) -> dict[Subject, Answer]:
    """Decide: the phase's answers, as far as the engine allows them."""
    if memory.state == DONE:
        return {}
    judged = judge(rules, memory)
    asked = wishes(rules.recipe, rules.plan, memory.state, memory.facts, memory.findings, memory)
    wished = gated(rules.plan.machine, memory, judged, asked)
    stop = flapping(rules, memory, judged)
    if stop is not None and answer_to(memory, MACHINE, stop) != "given":
        wished[MACHINE] = stop
    objection = rules.recipe.objection(rules.plan, memory)
    if objection is not None:
        wished[GOAL] = _objecting(rules, memory, objection)
    answers: dict[Subject, Answer] = {}
    begun: list[Act] = []
    for subject, answer in wished.items():
        if type(answer) is Wait:  # nearly all are, and waiting needs nobody's leave
            answers[subject] = answer
            continue
        given = allowed(rules.plan, memory, subject, answer, begun)
        if isinstance(given, Act):
            begun.append(given)
        if not isinstance(given, Done):
            answers[subject] = given
    if not answers:
        answers[MACHINE] = _nothing_left(rules, memory, judged)
    vain = _behind_stuck(rules, memory, answers)
    if f"deadline/{memory.state}" in memory.fired:
        # What waits behind what is stuck was given up long ago: the way out is there, and not in its deadline.
        return {
            subject: answer if subject in vain else _too_late(rules, memory, answer)
            for subject, answer in {**answers, **vain}.items()
        }
    return {**answers, **vain} if vain else answers


def _behind_stuck(
    rules: Rules, memory: Memory, answers: Mapping[Subject, Answer]
) -> dict[Subject, Answer]:
    """Return the waits that are in vain before a person has mended what is stuck."""
    if not any(type(answer) is Stuck for answer in answers.values()):
        return {}
    found = behind(rules.recipe, rules.plan, memory, answers)
    return {
        subject: hopeless(answer)
        for subject, answer in answers.items()
        if subject in found and isinstance(answer, Wait)
    }


def _objecting(rules: Rules, memory: Memory, objection: Answer) -> Answer:
    """What the goal itself would begin or ask is held back by what holds the phases back; that it is owed is not."""
    if not isinstance(objection, Act | Ask):
        return objection
    return rules.recipe.held(rules.plan, memory.facts, memory, {GOAL: objection})[GOAL]


def _nothing_left(rules: Rules, memory: Memory, judged: Mapping[str, Judgement]) -> Answer:
    judgement = judged[memory.state]
    if judgement.verdict is Verdict.HOLDS:
        stable = rules.plan.machine.states[memory.state].stable
        timer = memory.timers.get(f"stable/{memory.state}")
        lowest = lowest_broken(rules, memory, judged)
        if lowest is not None:
            return Wait(f"{lowest} no longer holds: {judged[lowest].why}")
        if timer is None and memory.lasting and _all_holds(rules, memory, judged):
            return Done()
        if timer is None:
            return Wait("the goal holds; what came before it cannot be seen just now")
        return Wait(f"the goal holds; it must hold for {spoken(stable)}", timer.due)
    return Wait(judgement.why or "the goal does not show yet")


def _all_holds(rules: Rules, memory: Memory, judged: Mapping[str, Judgement]) -> bool:
    """Say whether a run that its goal does not end is there: the last goal, and all before it."""
    is_last = rules.plan.machine.states[memory.state].next == DONE
    return is_last and all(found.verdict is Verdict.HOLDS for found in judged.values())


def _too_late(rules: Rules, memory: Memory, answer: Answer) -> Answer:
    if isinstance(answer, Ask | Stuck):
        return answer
    after = spoken(rules.plan.machine.states[memory.state].deadline.after)
    last = answer.reason if isinstance(answer, Wait | Act) else ""
    return Stuck(
        reference="state-deadline-passed",
        message=f"{memory.state} did not reach its goal within {after}; at the end: {last}",
        hint="look into what is named here; `rekindle resume` gives the state a fresh deadline",
    )


def news_in(
    rules: Rules, answers: Mapping[Subject, Answer], known: Mapping[Subject, dict[str, Json]]
) -> dict[Subject, dict[str, Json]]:
    """Write as JSON what is not *known* of the answers; one that is still the same is not written again."""
    bodies: dict[Subject, dict[str, Json]] = {}
    for subject, answer in answers.items():
        kept = rules.spoken.get(subject)
        remembered = known.get(subject)
        if kept is None or (kept[0] is not answer and kept[0] != answer):
            body = spelled(answer)
        elif kept[1] is remembered:
            continue
        else:
            body = kept[1]
        if body == remembered:
            body = remembered  # the next comparison of the two is one of identities
        else:
            bodies[subject] = body
        rules.spoken[subject] = (answer, body)
    return bodies


def spelled(answer: Answer) -> dict[str, Json]:
    """Write an answer as JSON, as the journal will hold it: what it redacts must not look new on every turn."""
    body = _body(answer)
    if isinstance(answer, Wait):
        # By far the most frequent, and its only text is the reason.
        body["reason"] = redact_text(answer.reason)
        return body
    clean: dict[str, Json] = redact(body)
    return clean


def _body(answer: Answer) -> dict[str, Json]:
    match answer:
        case Wait():
            body: dict[str, Json] = {"answer": "wait", "reason": answer.reason}
            if answer.until is not None:
                body["until"] = answer.until
            if answer.can_clear != "yes":
                body["can_clear"] = answer.can_clear
            return body
        case Done():
            return {"answer": "done"}
        case Act() | Ask() | Stuck():
            # Not ``asdict``: it copies what is only read, and a replay writes tens of thousands of answers.
            found = ((name, getattr(answer, name)) for name in answer.__dataclass_fields__)
            said = {
                name: asdict(value) if isinstance(value, Ask) else value
                for name, value in found
                if value not in (None, "", {})
            }
            return {"answer": type(answer).__name__.lower(), **said}
        case _:
            assert_never(answer)
