"""``rekindle log``: a run, entry by entry; and whether the chain still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from journal import entries as e
from journal.codec import kind_of
from journal.reader import Reader
from journal.row import Row
from rekindle import left_notes
from rekindle.cli.options import (
    existing_journal,
    journal_option,
    json_option,
    run_option,
    verbose_option,
)
from rekindle.lines import describe
from rekindle.moments import is_since
from rekindle.output import print_json, print_line, reader_left, tell
from rekindle.retold import rows_of, told_json, told_line
from rekindle.runs import pick
from rekindle.spans import stamp

_DETAIL: tuple[type[e.Entry], ...] = (
    e.Observed,
    e.Decided,
    e.TimerSet,
    e.TimerCancelled,
    e.TimerFired,
)
QUIET = tuple(map(kind_of, _DETAIL))


@click.command("log")
@journal_option()
@json_option("Print one JSON document a line, an entry each.")
@run_option
@click.option("--all", "everything", is_flag=True, help="Also observations, decisions and timers.")
@click.option(
    "--at",
    "moment",
    metavar="SEQ|TIME",
    help="Show how things stood after that entry, or at that instant: ISO 8601, HH:MM:SS, or +SECONDS since opening.",
)
@click.option("--verify", is_flag=True, help="Check the whole chain; 0 if it holds, 77 if not.")
@verbose_option(
    "With --at: also every cause with its evidence, its rule and the tree of what it blocks, as `rekindle status -v`."
)
def command(
    journal: str | None,
    run_id: str | None,
    moment: str | None,
    *,
    as_json: bool,
    everything: bool,
    verify: bool,
    verbose: bool,
) -> int:
    """Show a run entry by entry or as it stood at a moment, or verify the chain."""
    if verbose and moment is None:
        raise click.UsageError("-v says the causes of a moment, and --at names it")
    if verify and (moment is not None or everything):
        raise click.UsageError("--verify checks the whole chain and shows no entries: ask it alone")
    if everything and moment is not None:
        raise click.UsageError("--all is about entries, and --at shows how things stood")
    path = existing_journal(journal)
    if moment is not None:
        return _at(path, run_id, moment, as_json=as_json, verbose=verbose)
    with Reader(path) as reader:
        if verify:
            return _verify(reader, path, as_json=as_json)
        run = pick(reader.runs(), path, run_id)
        corrected = _corrected(reader, run.run_id)
        shown = 0
        whole = as_json or everything
        wanted = reader.rows(run.run_id) if whole else reader.rows_but(run.run_id, QUIET)
        for row in rows_of(wanted):
            if reader_left():
                return 0
            if as_json:
                print_json(_document(row, corrected.get(row.seq, ())))
            else:
                print_line(f"{row.seq:6}  {stamp(row.at)}  {row.kind:18}  {describe(row.entry)}")
                for note in corrected.get(row.seq, ()):
                    print_line(f"{'↳':>6}  {_correction(note)}")
            shown += 1
        if not as_json and not everything:
            tell(f"{run.last_seq - shown} entries of detail are left out; --all shows them")
        if waits := left_notes.told(
            path, run.run_id, held=reader.holder_alive(), is_open=run.outcome is None
        ):
            tell(waits)
    return 0


def _verify(reader: Reader, path: Path, *, as_json: bool) -> int:
    head = reader.verify()
    if as_json:
        document = {"id": head.id, "hash": head.hash.hex(), "journal": str(path)}
        print_json({"schema": "rekindle.verify/1", "verdict": "whole", **document})
    else:
        print_line(f"whole: {head.id} entries, head {head.hash.hex()[:16]}")
    return 0


def _at(path: Path, run_id: str | None, moment: str, *, as_json: bool, verbose: bool) -> int:
    from rekindle.momentary import document, lines, stood

    then = stood(path, run_id, moment)
    if as_json:
        told_json(document(then, path, verbose=verbose))
        return 0
    for line in lines(then, path, verbose=verbose):
        told_line(line)
    return 0


def _corrected(reader: Reader, run_id: str) -> dict[int, tuple[e.Note, ...]]:
    """Find what people corrected, by the entry that it is about: a note comes after it."""
    found: dict[int, tuple[e.Note, ...]] = {}
    for row in rows_of(reader.notes(run_id)):
        note = row.entry
        if isinstance(note, e.Note) and note.corrects and (note.time is not None or note.cause):
            found[note.corrects] = (*found.get(note.corrects, ()), note)
    return found


def _correction(note: e.Note) -> str:
    since = is_since(note.finding, note.said, note.time)
    what = f"{note.finding} was so since" if since else "it was"
    said = [f"{what} {stamp(note.time)}"] if note.time is not None else []
    about = f" of {note.finding}" if note.finding else ""
    said += [f"the cause{about} was: {note.cause}"] if note.cause else []
    return f"corrected by {note.actor}: {'; '.join(said)}"


def _document(row: Row, corrected: tuple[e.Note, ...]) -> dict[str, Any]:
    """Write an entry; *corrections*, if there are any, are what people said of it later."""
    notes = {"corrections": [msgspec.to_builtins(note) for note in corrected]} if corrected else {}
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
        **notes,
    }
