"""``rekindle rehearse``: the same program, the same journal, a simulated cluster with a disaster."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rekindle.cli.options import approve_option, journal_option, json_option

if TYPE_CHECKING:
    from rekindle.session import Opening


@click.command("rehearse")
@click.argument("scenario")
@journal_option
@json_option
@approve_option
@click.option(
    "--speed",
    type=click.FloatRange(min=0.0, max=100_000.0),
    default=0.0,
    show_default="as fast as possible",
    help="Seconds of the cluster in a second of yours.",
)
def command(
    scenario: str,
    journal: str | None,
    approve: tuple[str, ...],
    speed: float,
    *,
    as_json: bool,
) -> int:
    """Recover a simulated cluster from a disaster."""
    from rekindle.folding import newest
    from rekindle.output import tell
    from rekindle.paths import given_journal, journal_for_rehearsal
    from rekindle.session import Options, open_run, resume_run
    from rekindle.worlds import world_of

    named = given_journal(journal)
    path = named or journal_for_rehearsal(scenario)
    options = Options(path, as_json=as_json, approve=approve)
    found = newest(path)
    same = found is not None and found.opened.world.get("scenario") == scenario
    if found is not None and same and not found.memory.outcome:
        tell(f"going on with {found.memory.run_id} in {path}")
        return resume_run(found, options, lambda f, p: world_of(f, p, path))
    if found is not None and not found.memory.outcome:
        _refuse_open(found.memory.run_id, found.opened.purpose, str(path))
    opening = _opening(scenario, path, speed)
    tell(f"journal {path}")
    return open_run(opening, options, lambda f, p: world_of(f, p, path), before=found)


def _opening(name: str, journal: Path, speed: float) -> Opening:
    from rekindle.rehearsal import load, new_address
    from rekindle.session import REHEARSE, Opening

    path, scenario, plan = load(name)
    address = new_address(path, scenario, journal, speed)
    identity = {"cluster": scenario.cluster, "ca": f"sim:{scenario.cluster}", "kind": "simulated"}
    return Opening(REHEARSE, plan, scenario.start.timestamp(), identity, asdict(address))


def _refuse_open(run_id: str, what: str, journal: str) -> None:
    from engine.errors import UsageWrong

    raise UsageWrong(
        f"{journal} has an open run, {run_id} ({what})",
        reference="run-open",
        hint=f"`rekindle resume --journal {journal}` goes on with it, `rekindle cancel` closes it for good",
    )
