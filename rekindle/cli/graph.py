"""``rekindle graph``: a plan's machine as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageWrong
from rekindle.cli.options import json_option
from rekindle.output import print_json, print_line
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
    from engine.machine import mermaid
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
    if as_json:
        print_json(_document(loaded))
        return 0
    for line in mermaid(loaded).splitlines():
        print_line(line)
    return 0


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
