"""``rekindle plan``: look, and say what would be done. Nothing is changed, nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageWrong
from rekindle.cli.options import json_option
from rekindle.output import print_json, print_line, tell
from rekindle.paths import PLAN
from rekindle.resetting import reset_options

if TYPE_CHECKING:
    from engine.plan import Plan
    from engine.world import World
    from rekindle.doctor.check import Check


@click.command("plan")
@click.argument("plan", type=click.Path(dir_okay=False), required=False)
@json_option()
@click.option("--scenario", metavar="NAME", help="Plan for a rehearsal's cluster instead.")
@click.option("--check", is_flag=True, help="Only check the file; look at no cluster.")
@reset_options
def command(
    plan: str | None,
    scenario: str | None,
    reset: str | None,
    reset_scope: str,
    *,
    as_json: bool,
    check: bool,
) -> int:
    """
    Look at the cluster and say what a run would do; changes nothing.

    PLAN is recovery.yaml in this folder unless it is given.
    """
    import os
    import tempfile

    from rekindle.paths import ENVIRONMENT, given_journal, place_for_cluster
    from rekindle.planfile import read_plan
    from rekindle.preflight import of_plan
    from rekindle.resetting import request_of
    from rekindle.worlds import real

    if scenario is not None:
        if plan is not None or check:
            raise UsageWrong(
                f"--scenario has a plan of its own; {plan or '--check'} does not go with it",
                reference="plan-twice",
                hint="leave one of them away",
            )
        from rekindle.rehearsal import in_process, requested

        loaded, simulated = in_process(scenario)
        request = request_of(loaded, reset, reset_scope) or requested(scenario)
        return _show(loaded, simulated, request, as_json=as_json)
    loaded = read_plan(Path(plan or PLAN))
    request = request_of(loaded, reset, reset_scope)
    if check:
        return _checked(loaded, plan or PLAN, as_json=as_json)
    # Where a run would have its journal: that is the disk that has to have room.
    journal = given_journal(os.environ.get(ENVIRONMENT)) or place_for_cluster(loaded.cluster)
    checks = of_plan(loaded, journal, simulated=False)
    world = real(loaded, Path(tempfile.gettempdir()) / "rekindle-plan.db")
    return _show(loaded, world, request, as_json=as_json, checks=checks)


def _checked(loaded: Plan, path: str, *, as_json: bool) -> int:
    from phases.diagnosis.words import counted

    nodes = len(loaded.target.talos.nodes)
    if as_json:
        document = {"file": path, "cluster": loaded.cluster, "nodes": nodes}
        print_json({"schema": "rekindle.check/1", **document, "digest": loaded.digest()})
    else:
        print_line(f"{path}: a plan for {loaded.cluster} with {counted(nodes, 'node')}")
    return 0


def _show(
    loaded: Plan,
    world: World,
    request: dict[str, Any],
    *,
    as_json: bool,
    checks: tuple[Check, ...] = (),
) -> int:
    from engine.judging import Rules
    from rekindle import foresight, preflight
    from rekindle.doctor.check import rows_of
    from rekindle.recipes import recipe

    try:
        if world.identity().kind == "real":
            seconds = foresight.LOOK_SECONDS
            tell(f"looking at {loaded.cluster}, for {seconds:g} s if something does not answer ...")
        rules = Rules.of(recipe(), loaded)
        turn = foresight.look(rules, world, checks, request)
    finally:
        world.close()
    preflight.tell(checks, tell)
    document = foresight.document(rules, turn)
    if as_json:
        print_json({**document, "preflight": rows_of(checks)})
    else:
        for line in foresight.lines(document):
            print_line(line)
    return foresight.verdict(turn)
