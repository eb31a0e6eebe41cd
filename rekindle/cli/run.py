"""``rekindle run``: recover the cluster of a plan. May it be run again? Always."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rekindle.cli.options import (
    FOLDER,
    about,
    approve_option,
    journal_option,
    json_option,
    named,
    record_option,
)
from rekindle.output import tell
from rekindle.planfile import DEFAULT


@click.command("run")
@click.argument("plan", type=click.Path(dir_okay=False), default=DEFAULT)
@journal_option(f"CLUSTER.db in {FOLDER}")
@json_option()
@approve_option
@record_option
@click.option("--yes", is_flag=True, help="Begin without the question that a terminal is asked.")
def command(
    plan: str,
    journal: str | None,
    approve: tuple[str, ...],
    *,
    as_json: bool,
    record: bool,
    yes: bool,
) -> int:
    """
    Recover the cluster of a plan; goes on with an open run.

    PLAN is recovery.yaml in this folder unless it is given. A terminal is shown the plan in short and asked once
    before a run is opened.
    """
    from engine.errors import Exit
    from rekindle import beginning
    from rekindle.folding import newest
    from rekindle.handover import refuse_open
    from rekindle.paths import given_journal, journal_for_cluster
    from rekindle.planfile import read_plan
    from rekindle.session import Opening, Options, open_run, resume_run
    from rekindle.worlds import identity_of, real, world_of

    loaded = read_plan(Path(plan))
    path = given_journal(journal) or journal_for_cluster(loaded.cluster)
    about(path, owes_document=as_json)
    if not named():
        tell(f"journal {path}")
    patient = sys.stderr.isatty() and not as_json
    options = Options(path, as_json=as_json, approve=approve, patient=patient, record=record)
    found = newest(path)
    if found is not None and not found.memory.outcome:
        if found.memory.watches:
            refuse_open(found, path)
        return resume_run(found, options, lambda f, p: world_of(f, p, path), plan=loaded)
    world = real(loaded, path)
    try:
        if not yes and beginning.somebody_is_there() and not beginning.wanted(loaded, world):
            tell("nothing was begun")
            return Exit.CANCELLED
        opening = Opening("run", loaded, world.now(), identity_of(world))
        return open_run(opening, options, lambda _found, _plan: world, before=found)
    finally:
        world.close()
