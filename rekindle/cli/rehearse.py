"""``rekindle rehearse``: the same program, the same journal, a simulated cluster with a disaster."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rekindle.cli.options import FOLDER, about, approve_option, journal_option, json_option

if TYPE_CHECKING:
    from rekindle.session import Opening

PACKAGED = Path(__file__).parents[1] / "simulator" / "scenarios"
TITLE = "title: "


class WithScenarios(click.Command):
    """A command whose help lists what can be rehearsed; the files are read only then."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the package's scenarios, a line each."""
        del ctx
        with formatter.section("Scenarios"):
            formatter.write_dl(
                [(path.stem, _title(path)) for path in sorted(PACKAGED.glob("*.yaml"))]
            )


def _title(path: Path) -> str:
    lines = path.read_text("utf-8").splitlines()
    return next((line.removeprefix(TITLE) for line in lines if line.startswith(TITLE)), "")


@click.command("rehearse", cls=WithScenarios)
@click.argument("scenario")
@journal_option(f"rehearsals/SCENARIO.db in {FOLDER}")
@json_option()
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
    """
    Recover a simulated cluster from a disaster.

    SCENARIO is one of those below, or a file of yours that ends in .yaml.
    """
    from rekindle.folding import newest
    from rekindle.handover import refuse_open
    from rekindle.output import tell
    from rekindle.paths import given_journal, journal_for_rehearsal
    from rekindle.rehearsal import same_scenario
    from rekindle.sentences import REHEARSE
    from rekindle.session import Options, open_run, resume_run
    from rekindle.worlds import world_of

    path = given_journal(journal) or journal_for_rehearsal(scenario)
    about(path, owes_document=as_json)
    options = Options(path, as_json=as_json, approve=approve)
    found = newest(path)
    if found is not None and not found.memory.outcome:
        if found.memory.watches or not same_scenario(found, scenario):
            refuse_open(found, path)
        tell(f"going on with {found.memory.run_id} in {path}")
        return resume_run(found, options, lambda f, p: world_of(f, p, path))
    opening = opening_of(scenario, path, speed, REHEARSE)
    tell(f"journal {path}")
    return open_run(opening, options, lambda f, p: world_of(f, p, path), before=found)


def opening_of(name: str, journal: Path, speed: float, purpose: str) -> Opening:
    """Name a scenario's cluster for a run that begins, before it is made."""
    from rekindle.rehearsal import load, new_address
    from rekindle.session import Opening

    path, scenario, plan = load(name)
    address = new_address(path, scenario, journal, speed)
    identity = {"cluster": scenario.cluster, "ca": f"sim:{scenario.cluster}", "kind": "simulated"}
    return Opening(purpose, plan, scenario.start.timestamp(), identity, asdict(address))
