"""What the commands share that write a run down for another tool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.errors import UsageWrong
from journal.reader import Reader
from journal.row import RunSummary
from rekindle.cli.options import existing_journal
from rekindle.output import print_text


def project(
    run_id: str | None,
    journal: str | None,
    output: str | None,
    made_of: Callable[[Reader, RunSummary], str],
) -> int:
    """
    Write what *made_of* makes of a run, to stdout or to a file that is replaced as a whole.

    :raises UsageWrong: when the journal has no such run.
    """
    path = existing_journal(journal)
    with Reader(path) as reader:
        runs = [one for one in reader.runs() if run_id is None or one.run_id.startswith(run_id)]
        if not runs:
            raise UsageWrong(
                f"{path}: there is no such run",
                reference="no-run",
                hint="`rekindle history` lists the runs of a journal",
            )
        text = made_of(reader, runs[-1])
    if output is None:
        print_text(text)
    else:
        from rekindle.outputfile import write

        write(Path(output), text)
    return 0
