"""``rekindle resume``: go on with what the journal has; it needs no plan file and never begins a new run."""

from __future__ import annotations

import sys

import click

from rekindle.cli.options import approve_option, journal_option, json_option


@click.command("resume")
@journal_option
@json_option
@approve_option
def command(journal: str | None, approve: tuple[str, ...], *, as_json: bool) -> int:
    """Go on with the newest run of a journal."""
    from engine.errors import UsageWrong
    from rekindle.folding import newest
    from rekindle.output import tell
    from rekindle.paths import newest_journal
    from rekindle.session import Options, resume_run, tell_closed
    from rekindle.worlds import REAL, world_of

    path = newest_journal(journal)
    found = newest(path)
    if found is None:
        raise UsageWrong(
            f"{path}: there is no run to resume",
            reference="no-run",
            hint="`rekindle run` or `rekindle rehearse` begins one; `--journal` names another file",
        )
    tell(f"journal {path}")
    real = found.opened.purpose == REAL
    patient = real and sys.stderr.isatty() and not as_json
    options = Options(path, as_json=as_json, approve=approve, patient=patient)
    if found.memory.outcome:
        return tell_closed(found, options)
    return resume_run(found, options, lambda f, p: world_of(f, p, path))
