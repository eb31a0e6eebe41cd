"""``rekindle graph``: a plan's machine as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageWrong
from rekindle.cli.options import json_option
from rekindle.paths import PLAN

if TYPE_CHECKING:
    from engine.plan import Plan


@click.command("graph")
@click.argument("plan", type=click.Path(dir_okay=False), required=False)
@json_option()
@click.option("--scenario", metavar="NAME", help="Draw a rehearsal's machine instead.")
def command(plan: str | None, scenario: str | None, *, as_json: bool) -> int:
    """
    Draw a plan's machine as a Mermaid state diagram.

    PLAN is recovery.yaml in this folder unless it is given. What a walk was turned into is drawn as it is pursued.
    """
    from rekindle.planfile import read_plan

    if scenario is not None:
        if plan is not None:
            raise UsageWrong(
                f"--scenario has a plan of its own; {plan} does not go with it",
                reference="plan-twice",
                hint="leave one of them away",
            )
        from rekindle.rehearsal import load

        _, _, loaded = load(scenario)
    else:
        loaded = read_plan(Path(plan or PLAN))
    draw(loaded, as_json=as_json)
    return 0


def draw(loaded: Plan, *, as_json: bool) -> None:
    """Print a machine; names and inputs of states are what somebody wrote into a plan."""
    from engine.machine import mermaid
    from rekindle.retold import told_json, told_line

    if as_json:
        told_json(_document(loaded))
        return
    for line in mermaid(loaded).splitlines():
        told_line(line)


def _document(loaded: Plan) -> dict[str, Any]:
    """Write the machine as it is pursued: its states in their order."""
    from engine.machine import mermaid

    states = []
    for name in loaded.states:
        state = loaded.machine.states[name]
        phase = state.phase or name
        foreign = loaded.foreign.get(phase)
        states.append(
            {
                "state": name,
                "next": state.next,
                "phase": phase,
                "guard": state.guard or (phase if phase in loaded.own else name),
                "until": state.until,
                "deadline_seconds": state.deadline.after,
                "stable_seconds": state.stable,
                "item": state.walked.item if state.walked is not None else None,
                "from": dict(foreign) if foreign is not None else None,
            }
        )
    return {
        "schema": "rekindle.graph/1",
        "cluster": loaded.cluster,
        "initial": loaded.machine.initial,
        "states": states,
        "mermaid": mermaid(loaded),
    }
