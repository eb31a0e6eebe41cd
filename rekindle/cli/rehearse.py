"""``rekindle rehearse``: the same program, the same journal, a simulated cluster with a disaster."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import UsageWrong
from rekindle.cli.options import (
    FOLDER,
    Speed,
    about,
    approve_option,
    causes_option,
    journal_option,
    json_option,
    record_option,
)
from rekindle.completing import complete_scenarios
from rekindle.output import tell
from rekindle.speeds import REHEARSED
from rekindle.typed import command as command_line

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
                [(path.stem, title(path)) for path in sorted(PACKAGED.glob("*.yaml"))]
            )


def title(path: Path) -> str:
    """Return what a scenario says of itself in a line; its file is not parsed."""
    lines = path.read_text("utf-8").splitlines()
    return next((line.removeprefix(TITLE) for line in lines if line.startswith(TITLE)), "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked of the session, in words of the command line."""

    approve: tuple[str, ...]
    as_json: bool
    record: bool
    verbose: bool


@click.command("rehearse", cls=WithScenarios)
@click.argument("scenario", required=False, shell_complete=complete_scenarios)
@journal_option(f"rehearsals/SCENARIO.db in {FOLDER}")
@click.option(
    "--from",
    "recorded",
    metavar="RUN",
    help="Rehearse a run as its journal tells it, no SCENARIO: its id, the beginning of it, or a journal file (its "
    "newest run). What --record kept is not read.",
)
@click.option(
    "--write",
    "folder",
    metavar="DIRECTORY",
    type=click.Path(file_okay=False, exists=True),
    help="With --from: write the scenario and its tree there, to be edited and kept, and rehearse nothing.",
)
@json_option()
@approve_option
@record_option
@causes_option
@click.option(
    "--speed",
    type=Speed(above_zero=False),
    default=REHEARSED,
    show_default="as fast as possible",
    help="Seconds of the cluster in a second of yours.",
)
def command(  # noqa: PLR0913  an option each
    scenario: str | None,
    journal: str | None,
    recorded: str | None,
    folder: str | None,
    approve: tuple[str, ...],
    speed: float,
    *,
    as_json: bool,
    record: bool,
    verbose: bool,
) -> int:
    """
    Recover a simulated cluster from a disaster.

    SCENARIO is one of those below, or a file of yours that ends in .yaml. --from makes one of a run's journal: of a
    real run, of a watch of somebody who recovered by hand, or of a rehearsal.
    """
    if (scenario is None) == (recorded is None) or (folder and recorded is None):
        raise UsageWrong(
            "--write writes the scenario of a recorded run, so it needs --from"
            if folder and recorded is None
            else "either a SCENARIO is rehearsed or a run that --from names",
            reference="rehearse-what",
            hint="`rekindle rehearse june-12`, or `rekindle rehearse --from RUN`; --help lists the scenarios",
        )
    session = Wanted(approve, as_json=as_json, record=record, verbose=verbose)
    if recorded is None:
        return _rehearse(str(scenario), journal, session, speed)
    if folder is not None:
        return _write(recorded, folder, journal, as_json=as_json)
    return _rehearse_run(recorded, journal, session, speed)


def _write(recorded: str, folder: str, journal: str | None, *, as_json: bool) -> int:
    """Write the scenario of a run, and say where."""
    from rekindle.output import print_json, print_line
    from rekindle.paths import given_journal
    from rekindle.recordings import read, write_to
    from rekindle.runs import find_run

    source = find_run(recorded, given_journal(journal))
    written = write_to(Path(folder), read(source))
    if as_json:
        files = {"scenario": str(written), "tree": str(written.with_suffix(".tree.yaml"))}
        print_json({"schema": "rekindle.recorded/1", "run_id": source.run_id, **files})
    else:
        print_line(str(written))
        tell(f"review it, then: {command_line('rehearse', str(written))}")
    return 0


def _rehearse_run(recorded: str, journal: str | None, wanted: Wanted, speed: float) -> int:
    """Rehearse a recorded run: as a file beside the journal, so that neither needs the other journal any more."""
    from rekindle.folding import newest
    from rekindle.paths import given_journal, journal_for_rehearsal
    from rekindle.recordings import keep, read, scenario_beside
    from rekindle.runs import find_run
    from rekindle.simulator.recorded import name_of
    from rekindle.there import is_there

    given = given_journal(journal)
    source = find_run(recorded, given)
    path = given or journal_for_rehearsal(name_of(source.run_id))
    about(path, owes_document=wanted.as_json)
    scenario = scenario_beside(path, source)
    found = newest(path)
    goes_on = found is not None and not found.memory.outcome
    if not goes_on or not is_there(
        scenario
    ):  # what an open rehearsal lives from is not written anew
        keep(read(source), scenario)
    tell(f"from run {source.run_id} in {source.journal}; what was assumed is said in {scenario}")
    return _rehearse(str(scenario), str(path), wanted, speed)


def _rehearse(scenario: str, journal: str | None, wanted: Wanted, speed: float) -> int:
    from rekindle.folding import newest
    from rekindle.handover import refuse_open
    from rekindle.paths import given_journal, journal_for_rehearsal
    from rekindle.rehearsal import same_scenario
    from rekindle.sentences import REHEARSE
    from rekindle.session import Options, open_run, resume_run
    from rekindle.worlds import world_of

    path = given_journal(journal) or journal_for_rehearsal(scenario)
    about(path, owes_document=wanted.as_json)
    options = Options(
        path,
        as_json=wanted.as_json,
        approve=wanted.approve,
        record=wanted.record,
        verbose=wanted.verbose,
    )
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
    from engine.memory import WATCH
    from rekindle.rehearsal import load, new_address
    from rekindle.session import Opening

    path, scenario, plan = load(name)
    address = new_address(path, scenario, journal, speed)
    identity = {"cluster": scenario.cluster, "ca": f"sim:{scenario.cluster}", "kind": "simulated"}
    if scenario.recorded is not None:
        identity["recorded_from"] = scenario.recorded.run
    at, request = scenario.start.timestamp(), {} if purpose == WATCH else scenario.request
    return Opening(purpose, plan, at, identity, asdict(address), request)
