"""
What a run would do: one look, one turn that is thrown away, and what each state's phase says to today's facts.

Later facts change what later states would find; so each is said "as far as today's facts tell".
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from engine.allowing import allowed, asked
from engine.answer import Act, Answer, Ask, Stuck, Wait
from engine.folding import fold_all
from engine.guests import wishes
from engine.judging import Rules
from engine.memory import Memory
from engine.patience import spoken
from engine.recipe import Verb, Verdict
from engine.turn import Turn, take
from engine.world import World
from journal import entries as e
from rekindle.doctor.check import Check
from rekindle.preflight import entry_of
from rekindle.sentences import name_of

LOOK_SECONDS = 20.0
SHOWN = 5
OK, WARNINGS, CRITICAL, COULD_NOT_TELL = 0, 1, 2, 3


def look(
    rules: Rules,
    world: World,
    checks: Sequence[Check] = (),
    request: dict[str, Any] | None = None,
) -> Turn:
    """
    Look until everything answered or the time is up; the turn is computed and thrown away.

    *checks* are those of the preflight: what they forbid would be stuck. *request*: what would be asked of the run.
    """
    opened = e.RunOpened(
        at=world.now(),
        run_id="plan",
        purpose="plan",
        cluster=rules.plan.cluster,
        identity={},
        plan={},
        plan_digest=rules.plan.digest(),
        version="",
        initial=rules.plan.machine.initial,
        request=request or {},
    )
    memory = fold_all(Memory(), (opened, entry_of(checks, opened.at)))
    ends = time.monotonic() + LOOK_SECONDS
    while True:
        turn = take(rules, memory, world.look(), world.now(), lambda: 0.5, draining=True)
        unseen = [f for f in turn.memory.facts.values() if f.code in {"unseen", "Unobservable"}]
        if not unseen or time.monotonic() > ends or world.identity().kind == "simulated":
            return turn
        world.next(world.now() + 1.0)


def verdict(turn: Turn) -> int:
    """Answer as commands that answer do: a guess from nothing is none."""
    state = turn.memory.state
    if state == "done":
        return OK
    answers = turn.answers.values()
    if any(isinstance(answer, Stuck) for answer in answers):
        return CRITICAL
    if any(isinstance(answer, Act | Ask) for answer in answers):
        return WARNINGS
    return COULD_NOT_TELL if turn.judgements[state].verdict is Verdict.UNKNOWN else WARNINGS


def document(rules: Rules, turn: Turn) -> dict[str, Any]:
    """Write the plan as JSON."""
    begin = rules.plan.states.index(turn.memory.state) if turn.memory.state != "done" else None
    states = []
    for index, name in enumerate(rules.plan.states):
        state = rules.plan.machine.states[name]
        judged = turn.judgements[name]
        pursued = begin is not None and index >= begin and judged.verdict != "holds"
        states.append(
            {
                "state": name,
                "goal": str(judged.verdict),
                "why": judged.why,
                "done": judged.done,
                "expected": judged.expected,
                "deadline_seconds": state.deadline.after,
                "deadline_policy": state.deadline.policy,
                **(_foreseen(rules, turn, name) if pursued else {}),
            }
        )
    return {
        "schema": "rekindle.plan/1",
        "cluster": rules.plan.cluster,
        "state": turn.memory.state,
        "states": states,
        "stuck": [
            {"reference": answer.reference, "message": answer.message, "hint": answer.hint}
            for answer in turn.answers.values()
            if isinstance(answer, Stuck)
        ],
        "verbs": {name: _limits(verb) for name, verb in rules.plan.verbs.items()},
    }


def _foreseen(rules: Rules, turn: Turn, name: str) -> dict[str, Any]:
    memory = turn.memory
    said = wishes(rules.recipe, rules.plan, name, memory.facts, memory.findings, memory)
    acts, asks, waits = [], [], []
    for subject, wished in said.items():
        answer = allowed(rules.plan, memory, subject, wished, [])
        question = _question(memory, subject, answer) if isinstance(answer, Ask) else None
        if question is not None:
            asks.append(question)
        match wished:
            case Act():
                acts.append(
                    {
                        "verb": wished.verb,
                        "target": wished.target,
                        "name": name_of(wished.target, memory),
                        "why": wished.reason,
                        "approval": question["id"] if question is not None else None,
                        **_forbidden(answer),
                    }
                )
            case Wait():
                waits.append({"subject": subject, "why": wished.reason})
            case _:
                pass
    return {"actions": acts, "approvals": asks, "waits": waits}


def _forbidden(answer: Answer) -> dict[str, str]:
    """Say what the preflight has against an action."""
    if isinstance(answer, Stuck) and answer.reference == "preflight-failed":
        return {"forbidden": answer.message, "hint": answer.hint}
    return {}


def _question(memory: Memory, subject: str, ask: Ask) -> dict[str, str]:
    """A question with the id that it will have in a run, as long as its evidence stays what it is."""
    return {
        "id": asked(memory, subject, ask).approval,
        "question": ask.question,
        "consequence": ask.consequence,
        "typed": ask.typed,
    }


def _limits(verb: Verb) -> dict[str, Any]:
    return {
        "effect": str(verb.effect),
        "deadline_seconds": verb.deadline_seconds,
        "attempts": verb.retry.attempts,
        "typed_approval": verb.typed_approval,
        "enabled": verb.enabled,
        "destroys": verb.destroys,
    }


def lines(foreseen: dict[str, Any], *, short: bool = False) -> list[str]:
    """Write the plan for people; *short* leaves out what is only waited for."""
    written = [f"{foreseen['cluster']}: a run would begin in {foreseen['state']}"]
    for state in foreseen["states"]:
        count = f"{state['done']}/{state['expected']}" if state["expected"] else ""
        limit = spoken(state["deadline_seconds"])
        written.append(
            f"  {state['state']:17} {state['goal']:8} {count:>9}  within {limit:>5}  {state['why']}"
        )
    for state in foreseen["states"]:
        if "actions" in state and not (short and not state["actions"] and not state["approvals"]):
            written += _of_state(state, foreseen["verbs"], short=short)
    for found in foreseen["stuck"]:
        written.append(f"stuck ({found['reference']}): {found['message']}")
        written.append(f"  hint: {found['hint']}")
    return written


def _of_state(state: dict[str, Any], verbs: dict[str, Any], *, short: bool) -> list[str]:
    written = [f"{state['state']}, as far as today's facts tell:"]
    questions = {ask["id"]: ask for ask in state["approvals"]}
    for act in state["actions"]:
        verb = verbs[act["verb"]]
        limits = (
            f"{verb['effect']}; {spoken(verb['deadline_seconds'])}, {verb['attempts']} attempts"
        )
        written.append(f"  would do    {act['verb']} {act['name']}  ({limits})  {act['why']}")
        if "forbidden" in act:
            written.append(f"  forbidden   {act['forbidden']}")
            written.append(f"              {act['hint']}")
        first = questions.pop(act["approval"], None)
        if first is not None:
            written += _asked("  asks first  ", first)
    for ask in questions.values():
        written += _asked("would ask", ask)
    waits = [] if short else state["waits"]
    written += [f"  would wait  {wait['subject']}: {wait['why']}" for wait in waits[:SHOWN]]
    if len(waits) > SHOWN:
        written.append(f"  would wait  ... and for {len(waits) - SHOWN} more")
    return written


def _asked(how: str, ask: dict[str, str]) -> list[str]:
    typed = f"to type: {ask['typed']}" if ask["typed"] else "nothing to type"
    told = (
        f"{ask['id']}  {ask['question']}",
        ask["consequence"],
        f"{typed}; --approve {ask['id']} says yes beforehand",
    )
    begin = f"  {how:12}"
    return [
        f"{begin if not number else ' ' * len(begin)}{text}" for number, text in enumerate(told)
    ]
