"""``rekindle watch``: the same engine with its hands tied. It journals what happens, and begins nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import UsageWrong
from rekindle.cli.options import FOLDER, about, journal_option, json_option, named, record_option
from rekindle.output import tell
from rekindle.paths import PLAN

if TYPE_CHECKING:
    from rekindle.folding import Found

SPEED = 60.0


@click.command("watch")
@click.argument("plan", type=click.Path(dir_okay=False), required=False)
@journal_option(f"CLUSTER.db (with --scenario: rehearsals/NAME.db) in {FOLDER}")
@json_option()
@record_option
@click.option("--scenario", metavar="NAME", help="Watch a rehearsal's cluster instead.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0.0, max=100_000.0, min_open=True),
    default=SPEED,
    show_default=True,
    help="Seconds of a scenario's cluster in a second of yours.",
)
def command(
    plan: str | None,
    journal: str | None,
    scenario: str | None,
    speed: float,
    *,
    as_json: bool,
    record: bool,
) -> int:
    """
    Look on, say what it would do and what is done by hand; changes nothing.

    PLAN is recovery.yaml in this folder unless it is given. It begins no action and asks nobody; it journals what
    happens and what it would do, until the goal is reached or you press Ctrl-C. `rekindle resume` watches on, `rekindle
    resume --take-over` goes on with hands.
    """
    if scenario is None:
        return _real(plan or PLAN, journal, as_json=as_json, record=record)
    if plan is not None:
        raise UsageWrong(
            f"--scenario has a plan of its own; {plan} does not go with it",
            reference="plan-twice",
            hint="leave one of them away",
        )
    return _simulated(scenario, journal, speed, as_json=as_json, record=record)


def _real(plan: str, journal: str | None, *, as_json: bool, record: bool) -> int:
    from engine.memory import WATCH
    from rekindle.paths import given_journal, journal_for_cluster
    from rekindle.planfile import read_plan
    from rekindle.session import Opening, Options, open_run, resume_run
    from rekindle.worlds import identity_of, real, world_of

    loaded = read_plan(Path(plan))
    path = given_journal(journal) or journal_for_cluster(loaded.cluster)
    found = _open_watch(path, as_json=as_json)
    options = Options(path, as_json=as_json, record=record)
    if found is not None and not found.memory.outcome:
        return resume_run(found, options, lambda f, p: world_of(f, p, path), plan=loaded)
    world = real(loaded, path)
    try:
        opening = Opening(WATCH, loaded, world.now(), identity_of(world))
        return open_run(opening, options, lambda _found, _plan: world, before=found)
    finally:
        world.close()


def _simulated(name: str, journal: str | None, speed: float, *, as_json: bool, record: bool) -> int:
    from engine.memory import WATCH
    from rekindle.cli.rehearse import opening_of
    from rekindle.handover import refuse_open
    from rekindle.paths import given_journal, journal_for_rehearsal
    from rekindle.rehearsal import same_scenario
    from rekindle.session import Options, open_run, resume_run
    from rekindle.worlds import world_of

    path = given_journal(journal) or journal_for_rehearsal(name)
    found = _open_watch(path, as_json=as_json)
    options = Options(path, as_json=as_json, record=record)
    if found is not None and not found.memory.outcome:
        if not same_scenario(found, name):
            refuse_open(found, path)
        return resume_run(found, options, lambda f, p: world_of(f, p, path))
    opening = opening_of(name, path, speed, WATCH)
    return open_run(opening, options, lambda f, p: world_of(f, p, path), before=found)


def _open_watch(path: Path, *, as_json: bool) -> Found | None:
    """
    Return the journal's newest run.

    :raises UsageWrong: when it is open and acts: nobody looks on by taking its place.
    """
    from rekindle.folding import newest
    from rekindle.handover import refuse_open

    about(path, owes_document=as_json)
    if not named():
        tell(f"journal {path}")
    found = newest(path)
    if found is not None and not found.memory.outcome and not found.memory.watches:
        refuse_open(found, path)
    return found
