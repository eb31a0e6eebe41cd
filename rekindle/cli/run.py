"""``rekindle run``: recover the cluster of a plan. May it be run again? Always."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rekindle.cli.options import approve_option, journal_option, json_option
from rekindle.planfile import DEFAULT


@click.command("run")
@click.argument("plan", type=click.Path(dir_okay=False), default=DEFAULT)
@journal_option
@json_option
@approve_option
def command(plan: str, journal: str | None, approve: tuple[str, ...], *, as_json: bool) -> int:
    """Recover the cluster of a plan; goes on with an open run."""
    from rekindle.folding import newest
    from rekindle.paths import given_journal, journal_for_cluster
    from rekindle.planfile import read_plan
    from rekindle.session import Opening, Options, open_run, resume_run
    from rekindle.worlds import identity_of, real, world_of

    loaded = read_plan(Path(plan))
    path = given_journal(journal) or journal_for_cluster(loaded.cluster)
    patient = sys.stderr.isatty() and not as_json
    options = Options(path, as_json=as_json, approve=approve, patient=patient)
    found = newest(path)
    if found is not None and not found.memory.outcome:
        return resume_run(found, options, lambda f, p: world_of(f, p, path), plan=loaded)
    world = real(loaded, path)
    opening = Opening("run", loaded, world.now(), identity_of(world))
    return open_run(opening, options, lambda _found, _plan: world, before=found)
