"""``rekindle resume``: go on with what the journal has; it needs no plan file and never begins a new run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rekindle.cli.options import (
    approve_option,
    causes_option,
    existing_journal,
    journal_option,
    json_option,
    record_option,
)
from rekindle.typed import command as command_of

if TYPE_CHECKING:
    from rekindle.folding import Found


@click.command("resume")
@click.argument("plan", type=click.Path(dir_okay=False), required=False)
@journal_option()
@json_option()
@approve_option
@record_option
@causes_option
@click.option("--take-over", is_flag=True, help="Let a run that only watched act from here on.")
@click.option(
    "--yes", is_flag=True, help="Take over without the question that a terminal is asked."
)
def command(
    plan: str | None,
    journal: str | None,
    approve: tuple[str, ...],
    *,
    as_json: bool,
    record: bool,
    verbose: bool,
    take_over: bool,
    yes: bool,
) -> int:
    """
    Go on with the newest run of a journal.

    It goes on with the plan in the journal. PLAN is only for --take-over: a watch that had none gets it, if it is of
    the same cluster; any other one goes on with it as it is today.
    """
    path = existing_journal(journal, tells=True, owes_document=as_json)

    from engine.errors import UsageWrong
    from rekindle import handover
    from rekindle.ending import tell_closed
    from rekindle.folding import newest
    from rekindle.planfile import read_plan
    from rekindle.session import Options, resume_run
    from rekindle.worlds import world_of

    found = newest(path)
    if found is None:
        raise UsageWrong(
            f"{path}: there is no run to resume",
            reference="no-run",
            hint="`rekindle run PLAN` begins one there; `rekindle history` lists the runs of a journal",
        )
    if found.memory.outcome and plan is not None and not take_over:
        raise UsageWrong(
            f"run {found.memory.run_id} is closed: {found.memory.outcome}; {plan} was not looked at",
            reference="plan-twice",
            hint=_anew(found, plan),
        )
    if found.memory.outcome:
        return tell_closed(found, path, as_json=as_json)
    patient = not found.simulated and sys.stderr.isatty() and not as_json
    options = Options(
        path,
        as_json=as_json,
        approve=approve,
        patient=patient,
        record=record,
        verbose=verbose,
    )
    takes_over = take_over and found.memory.watches
    if plan is not None and (found.simulated or not takes_over):
        raise UsageWrong(
            f"the plan of this run is in its journal; {plan} does not go with it",
            reference="plan-twice",
            hint=_instead(found, plan),
        )
    if takes_over:
        given = read_plan(Path(plan)) if plan is not None else None
        return handover.take_over(found, options, yes=yes, plan=given)
    return resume_run(found, options, lambda f, p: world_of(f, p, path))


def _anew(found: Found, plan: str) -> str:
    """Say what begins under a plan; no run of a cluster begins in the journal of a rehearsal or of a watch."""
    if found.simulated or found.memory.watches:
        return "no run on a cluster begins there: name the journal of the one that is meant, or leave the plan away"
    begins = command_of("run", plan)
    return f"`{begins}` looks at the cluster and begins one; without the plan this says how that one ended"


def _instead(found: Found, plan: str) -> str:
    """Say what takes a plan in the place of this: `run` refuses every watch, and a rehearsal's is its scenario's."""
    if found.simulated:
        return "leave it away: the plan of a rehearsal is its scenario's"
    if found.memory.watches:
        acts = command_of("resume", "--take-over", plan)
        return f"leave it away to watch on; `{acts}` lets it act under the plan as it is today"
    goes_on = command_of("run", plan)
    return f"leave it away; `{goes_on}` goes on with an open run under the plan as it is today"
