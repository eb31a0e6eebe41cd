"""``rekindle run``: recover the cluster of a plan. May it be run again? Always."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from rekindle.cli.options import (
    FOLDER,
    about,
    approve_option,
    causes_option,
    journal_option,
    json_option,
    named,
    record_option,
)
from rekindle.output import tell
from rekindle.paths import PLAN
from rekindle.resetting import reset_options


@click.command("run")
@click.argument("plan", type=click.Path(dir_okay=False), default=PLAN)
@journal_option(f"CLUSTER.db in {FOLDER}")
@json_option()
@approve_option
@record_option
@causes_option
@reset_options
@click.option("--yes", is_flag=True, help="Begin without the question that a terminal is asked.")
def command(  # noqa: PLR0913  an option each
    plan: str,
    journal: str | None,
    approve: tuple[str, ...],
    reset: str | None,
    reset_scope: str,
    *,
    as_json: bool,
    record: bool,
    verbose: bool,
    yes: bool,
) -> int:
    """
    Recover the cluster of a plan; goes on with an open run.

    PLAN is recovery.yaml in this folder unless it is given. A terminal is shown the plan in short and asked once
    before a run is opened.
    """
    from engine.errors import Exit
    from rekindle import beginning, preflight
    from rekindle.folding import newest
    from rekindle.handover import refuse_beside, refuse_open
    from rekindle.paths import given_journal, journal_for_cluster
    from rekindle.planfile import read_plan
    from rekindle.resetting import refuse_another, request_of
    from rekindle.session import Opening, Options, open_run, resume_run
    from rekindle.worlds import identity_of, real, world_of

    loaded = read_plan(Path(plan))
    request = request_of(loaded, reset, reset_scope)
    path = given_journal(journal) or journal_for_cluster(loaded.cluster)
    about(path, owes_document=as_json)
    if not named():
        tell(f"journal {path}")
    patient = sys.stderr.isatty() and not as_json
    options = Options(
        path,
        as_json=as_json,
        approve=approve,
        patient=patient,
        record=record,
        verbose=verbose,
    )
    found = newest(path)
    if found is not None and not found.memory.outcome:
        if found.memory.watches:
            refuse_open(found, path)
        refuse_another(request, found.memory)
        return resume_run(found, options, lambda f, p: world_of(f, p, path), plan=loaded)
    if not named():  # who names a journal says whose memory this run has
        refuse_beside(loaded, path)
    world = real(loaded, path)
    try:
        simulated = world.identity().kind == "simulated"
        checks = preflight.of_plan(loaded, path, simulated=simulated)
        preflight.tell(checks, tell)
        options = replace(options, checks=checks)
        asks = not yes and beginning.somebody_is_there()
        if asks and not beginning.wanted(loaded, world, checks, request):
            tell("nothing was begun")
            return Exit.CANCELLED
        identity = identity_of(world)
        opening = Opening("run", loaded, world.now(), identity, request=request)
        return open_run(opening, options, lambda _found, _plan: world, before=found)
    finally:
        world.close()
