"""``rekindle history``: the runs of a journal."""

from __future__ import annotations

import click

from journal.reader import Reader
from rekindle.cli.options import existing_journal, journal_option, json_option
from rekindle.retold import told_json, told_line
from rekindle.runs import took_of
from rekindle.spans import span, stamp


@click.command("history")
@journal_option()
@json_option()
def command(journal: str | None, *, as_json: bool) -> int:
    """List the runs of a journal."""
    path = existing_journal(journal)
    with Reader(path) as reader:
        runs = reader.runs()
        took = [] if as_json else [span(took_of(reader, run)) for run in runs]
    if as_json:
        items = [
            {
                "run_id": run.run_id,
                "purpose": run.opened.purpose,
                "cluster": run.opened.cluster,
                "opened_at": run.opened.at,
                "last_at": run.last_at,
                "entries": run.last_seq,
                "outcome": str(run.outcome) if run.outcome is not None else None,
            }
            for run in runs
        ]
        told_json({"schema": "rekindle.history/1", "journal": str(path), "runs": items})
        return 0
    for run, long in zip(runs, took, strict=True):
        outcome = str(run.outcome) if run.outcome is not None else "open"
        told_line(
            f"{run.run_id}  {run.opened.purpose:8}  {run.opened.cluster:16}  {stamp(run.opened.at)}"
            f"  {long:>13}  {run.last_seq:6} entries  {outcome}"
        )
    return 0
