"""``rekindle metrics``: a run for Prometheus, from its journal alone."""

from __future__ import annotations

import click

from journal.reader import Reader
from journal.row import RunSummary
from rekindle.cli.options import journal_option, run_argument
from rekindle.cli.projecting import project


@click.command("metrics")
@run_argument
@journal_option()
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write there instead of stdout, replaced as a whole: node_exporter's textfile collector may read meanwhile.",
)
def command(run_id: str | None, journal: str | None, output: str | None) -> int:
    """
    Write a run as Prometheus metrics.

    RUN is the newest run of the journal unless its id, or the beginning of it, is given.
    """
    return project(run_id, journal, output, _metrics)


def _metrics(reader: Reader, run: RunSummary) -> str:
    from rekindle.projections.metrics import metrics
    from rekindle.retold import rows_of

    held = reader.holder_alive() if run.lease is not None else None
    return metrics(rows_of(reader.rows(run.run_id)), run.lease, held=held)
