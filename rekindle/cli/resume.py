"""``rekindle resume``: go on with what the journal has; it needs no plan file and never begins a new run."""

from __future__ import annotations

import sys

import click

from rekindle.cli.options import approve_option, existing_journal, journal_option, json_option


@click.command("resume")
@journal_option()
@json_option()
@approve_option
def command(journal: str | None, approve: tuple[str, ...], *, as_json: bool) -> int:
    """Go on with the newest run of a journal."""
    path = existing_journal(journal, tells=True, owes_document=as_json)

    from engine.errors import UsageWrong
    from rekindle.ending import tell_closed
    from rekindle.folding import newest
    from rekindle.session import Options, resume_run
    from rekindle.worlds import REAL, world_of

    found = newest(path)
    if found is None:
        raise UsageWrong(
            f"{path}: there is no run to resume",
            reference="no-run",
            hint="`rekindle run PLAN` begins one there; `rekindle history` lists the runs of a journal",
        )
    if found.memory.outcome:
        return tell_closed(found, path, as_json=as_json)
    real = found.opened.purpose == REAL
    patient = real and sys.stderr.isatty() and not as_json
    options = Options(path, as_json=as_json, approve=approve, patient=patient)
    return resume_run(found, options, lambda f, p: world_of(f, p, path))
