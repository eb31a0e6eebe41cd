"""What the commands share that write a run down for another tool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from journal.reader import Reader
from journal.row import RunSummary
from rekindle.cli.options import existing_journal
from rekindle.output import print_text
from rekindle.runs import pick


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
        text = made_of(reader, pick(reader.runs(), path, run_id))
    if output is None:
        print_text(text)
    else:
        from rekindle.outputfile import write

        write(Path(output), text)
    return 0
