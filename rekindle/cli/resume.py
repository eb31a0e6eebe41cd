"""``rekindle resume``: go on with what the journal has; it needs no plan file and never begins a new run."""

from __future__ import annotations

import sys

import click

from rekindle.cli.options import (
    approve_option,
    existing_journal,
    journal_option,
    json_option,
    record_option,
)


@click.command("resume")
@journal_option()
@json_option()
@approve_option
@record_option
@click.option("--take-over", is_flag=True, help="Let a run that only watched act from here on.")
@click.option(
    "--yes", is_flag=True, help="Take over without the question that a terminal is asked."
)
def command(
    journal: str | None,
    approve: tuple[str, ...],
    *,
    as_json: bool,
    record: bool,
    take_over: bool,
    yes: bool,
) -> int:
    """Go on with the newest run of a journal."""
    path = existing_journal(journal, tells=True, owes_document=as_json)

    from engine.errors import UsageWrong
    from rekindle import handover
    from rekindle.ending import tell_closed
    from rekindle.folding import newest
    from rekindle.session import Options, resume_run
    from rekindle.worlds import world_of

    found = newest(path)
    if found is None:
        raise UsageWrong(
            f"{path}: there is no run to resume",
            reference="no-run",
            hint="`rekindle run PLAN` begins one there; `rekindle history` lists the runs of a journal",
        )
    if found.memory.outcome:
        return tell_closed(found, path, as_json=as_json)
    patient = not found.simulated and sys.stderr.isatty() and not as_json
    options = Options(path, as_json=as_json, approve=approve, patient=patient, record=record)
    if take_over and found.memory.watches:
        return handover.take_over(found, options, yes=yes)
    return resume_run(found, options, lambda f, p: world_of(f, p, path))
