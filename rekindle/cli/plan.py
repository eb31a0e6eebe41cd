"""``rekindle plan``: look, and say what would be done. Nothing is changed, nothing is written."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.answer import Act, Ask, Stuck, Wait
from engine.patience import spoken
from rekindle.cli.options import json_option
from rekindle.output import print_json, print_line
from rekindle.planfile import DEFAULT

if TYPE_CHECKING:
    from engine.judging import Rules
    from engine.recipe import Verb
    from engine.turn import Turn
    from engine.world import World

LOOK_SECONDS = 20.0
SHOWN = 5


@click.command("plan")
@click.argument("plan", type=click.Path(dir_okay=False), default=DEFAULT)
@json_option
@click.option("--scenario", metavar="NAME", help="Plan for a rehearsal's cluster instead.")
@click.option("--check", is_flag=True, help="Only check the file; look at no cluster.")
def command(plan: str, scenario: str | None, *, as_json: bool, check: bool) -> int:
    """Look at the cluster and say what a run would do; changes nothing."""
    import tempfile

    from rekindle.planfile import read_plan
    from rekindle.worlds import real

    if scenario is not None:
        from rekindle.rehearsal import in_process

        loaded, world = in_process(scenario)
    else:
        loaded = read_plan(Path(plan))
        if check:
            print_line(
                f"{plan}: a plan for {loaded.cluster} with {len(loaded.target.talos.nodes)} nodes"
            )
            return 0
        world = real(loaded, Path(tempfile.gettempdir()) / "rekindle-plan.db")
    try:
        return _show(loaded, world, as_json=as_json)
    finally:
        world.close()


def _show(loaded: Any, world: World, *, as_json: bool) -> int:  # noqa: ANN401  a Plan
    from engine.judging import Rules
    from phases.recipe import recipe

    rules = Rules.of(recipe(), loaded)
    turn = _look(rules, world)
    document = _document(rules, turn)
    if as_json:
        print_json(document)
    else:
        _print(document)
    answers = turn.answers.values()
    if turn.memory.state == "done":
        return 0
    if any(isinstance(answer, Stuck) for answer in answers):
        return 2
    return 1


def _look(rules: Rules, world: World) -> Turn:
    """Look until everything answered or the time is up; the turn is computed and thrown away."""
    from engine.memory import Memory, fold
    from engine.turn import take
    from journal import entries as e

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
    )
    memory = fold(Memory(), opened)
    ends = time.monotonic() + LOOK_SECONDS
    while True:
        turn = take(rules, memory, world.look(), world.now(), lambda: 0.5, draining=True)
        unseen = [f for f in turn.memory.facts.values() if f.code in {"unseen", "Unobservable"}]
        if not unseen or time.monotonic() > ends or world.identity().kind == "simulated":
            return turn
        world.next(world.now() + 1.0)


def _document(rules: Rules, turn: Turn) -> dict[str, Any]:
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
    """Say what a state would do, as far as today's facts tell: later ones change what it would find."""
    phase = rules.recipe.phases[rules.plan.machine.states[name].phase or name]
    answers = phase(rules.plan, turn.memory.facts, turn.memory.findings, turn.memory)
    acts, asks, waits = [], [], []
    for subject, answer in answers.items():
        match answer:
            case Act():
                acts.append({"verb": answer.verb, "target": answer.target, "why": answer.reason})
                if answer.approval is not None:
                    asks.append(_question(answer.approval))
            case Ask():
                asks.append(_question(answer))
            case Wait():
                waits.append({"subject": subject, "why": answer.reason})
            case _:
                pass
    return {"actions": acts, "approvals": asks, "waits": waits}


def _question(ask: Ask) -> dict[str, str]:
    return {"question": ask.question, "consequence": ask.consequence, "typed": ask.typed}


def _limits(verb: Verb) -> dict[str, Any]:
    return {
        "effect": str(verb.effect),
        "deadline_seconds": verb.deadline_seconds,
        "attempts": verb.retry.attempts,
        "typed_approval": verb.typed_approval,
        "enabled": verb.enabled,
        "destroys": verb.destroys,
    }


def _print(document: dict[str, Any]) -> None:
    print_line(f"{document['cluster']}: a run would begin in {document['state']}")
    for state in document["states"]:
        count = f"{state['done']}/{state['expected']}" if state["expected"] else ""
        limit = spoken(state["deadline_seconds"])
        print_line(
            f"  {state['state']:17} {state['goal']:8} {count:>9}  within {limit:>5}  {state['why']}"
        )
    for state in document["states"]:
        if "actions" in state:
            _print_state(state, document["verbs"])
    for found in document["stuck"]:
        print_line(f"stuck ({found['reference']}): {found['message']}\n  hint: {found['hint']}")


def _print_state(state: dict[str, Any], verbs: dict[str, Any]) -> None:
    print_line(f"{state['state']}, as far as today's facts tell:")
    for act in state["actions"]:
        verb = verbs[act["verb"]]
        limits = (
            f"{verb['effect']}; {spoken(verb['deadline_seconds'])}, {verb['attempts']} attempts"
        )
        print_line(f"  would do    {act['verb']} {act['target']}  ({limits})  {act['why']}")
    for ask in state["approvals"]:
        print_line(f"  would ask   {ask['question']}\n              {ask['consequence']}")
    for wait in state["waits"][:SHOWN]:
        print_line(f"  would wait  {wait['subject']}: {wait['why']}")
    if len(state["waits"]) > SHOWN:
        print_line(f"  would wait  ... and for {len(state['waits']) - SHOWN} more")
