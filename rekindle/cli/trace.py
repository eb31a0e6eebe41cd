"""``rekindle trace``: a run for whatever shows OpenTelemetry traces, from its journal alone."""

from __future__ import annotations

import click

from journal.reader import Reader
from journal.row import RunSummary
from rekindle.cli.options import journal_option, run_argument
from rekindle.cli.projecting import project


@click.command("trace")
@run_argument
@journal_option()
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write there instead of stdout, replaced as a whole.",
)
def command(run_id: str | None, journal: str | None, output: str | None) -> int:
    """
    Write a run as an OpenTelemetry trace (OTLP/JSON).

    RUN is the newest run of the journal unless its id, or the beginning of it, is given. It is one line, the request
    that a collector takes at /v1/traces; told again, a run is the same trace.
    """
    return project(run_id, journal, output, _trace)


def _trace(reader: Reader, run: RunSummary) -> str:
    from rekindle.projections.trace import trace
    from rekindle.retold import rows_of

    return trace(rows_of(reader.rows(run.run_id)))
