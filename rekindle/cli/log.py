"""``rekindle log``: a run, entry by entry; and whether the chain still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from journal import entries as e
from journal.reader import Reader
from journal.row import Row
from rekindle.cli.options import existing_journal, journal_option, json_option
from rekindle.lines import describe, stamp
from rekindle.output import print_json, print_line, reader_left, tell
from rekindle.runs import pick

QUIET = (e.Observed, e.Decided, e.TimerSet, e.TimerCancelled, e.TimerFired)


@click.command("log")
@journal_option()
@json_option("Print one JSON document a line, an entry each.")
@click.option(
    "--run", "run_id", metavar="ID", help="Another run than the newest; a prefix is enough."
)
@click.option("--all", "everything", is_flag=True, help="Also observations, decisions and timers.")
@click.option(
    "--at",
    "moment",
    metavar="SEQ|TIME",
    help="Show how things stood after that entry, or at that instant: ISO 8601, or +SECONDS since the opening.",
)
@click.option("--verify", is_flag=True, help="Check the whole chain; 0 if it holds, 77 if not.")
def command(
    journal: str | None,
    run_id: str | None,
    moment: str | None,
    *,
    as_json: bool,
    everything: bool,
    verify: bool,
) -> int:
    """Show a run entry by entry or as it stood at a moment, or verify the chain."""
    path = existing_journal(journal)
    if moment is not None:
        return _at(path, run_id, moment, as_json=as_json)
    with Reader(path) as reader:
        if verify:
            return _verify(reader, path, as_json=as_json)
        run = pick(reader.runs(), path, run_id)
        shown = 0
        for row in reader.rows(run.run_id):
            if reader_left():
                return 0
            if as_json:
                print_json(_document(row))
            elif everything or not isinstance(row.entry, QUIET):
                print_line(f"{row.seq:6}  {stamp(row.at)}  {row.kind:18}  {describe(row.entry)}")
            else:
                continue
            shown += 1
        if not as_json and not everything:
            tell(f"{run.last_seq - shown} entries of detail are left out; --all shows them")
    return 0


def _verify(reader: Reader, path: Path, *, as_json: bool) -> int:
    head = reader.verify()
    if as_json:
        document = {"id": head.id, "hash": head.hash.hex(), "journal": str(path)}
        print_json({"schema": "rekindle.verify/1", "verdict": "whole", **document})
    else:
        print_line(f"whole: {head.id} entries, head {head.hash.hex()[:16]}")
    return 0


def _at(path: Path, run_id: str | None, moment: str, *, as_json: bool) -> int:
    from rekindle.momentary import document, lines, stood

    then = stood(path, run_id, moment)
    if as_json:
        print_json(document(then, path))
        return 0
    for line in lines(then, path):
        print_line(line)
    return 0


def _document(row: Row) -> dict[str, Any]:
    body = msgspec.to_builtins(row.entry) if row.entry is not None else None
    return {
        "schema": "rekindle.entry/1",
        "run_id": row.run_id,
        "seq": row.seq,
        "kind": row.kind,
        "at": row.at,
        "wall_ns": row.wall_ns,
        "epoch": row.epoch,
        "entry": body,
    }
