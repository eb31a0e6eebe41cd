"""Runs, found by their id or the beginning of one, or by the file that they are the newest of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UsageWrong
from journal import files
from journal.errors import Diagnosed
from journal.reader import Reader
from journal.row import RunSummary
from journal.steady import JUMPED, SteadyClock
from rekindle.paths import all_journals, given_journal, state_folder
from rekindle.spans import between
from rekindle.there import may_be_file

HISTORY = "`rekindle history --journal FILE` lists the runs of a journal"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A run, and the journal that has it."""

    journal: Path
    run_id: str
    entries: int = 0


def find_run(name: str, *also: Path | None) -> Source:
    """
    Find a run by its id or the beginning of one, in the journals of this user and in *also*; or a file's newest run.

    :raises UsageWrong: when there is none, or several begin so.
    """
    if os.sep in name or name.endswith(".db") or may_be_file(Path(name)):
        return _newest_of(Path(name).absolute())
    found: dict[str, Source] = {}
    unread: list[str] = []
    known = [one for one in also if one is not None]
    try:
        known += all_journals()
    except Diagnosed as error:
        unread.append(f"{state_folder()} ({error.reference})")
    for path in dict.fromkeys(known):
        try:
            for source in _runs_of(path):
                longest = found.get(source.run_id, source)  # a copy may be of an earlier hour
                found[source.run_id] = max(longest, source, key=lambda one: one.entries)
        except Diagnosed as error:
            unread.append(f"{path} ({error.reference})")
    matching = sorted(run_id for run_id in found if name and run_id.startswith(name))
    if name in found or len(matching) == 1:
        return found[name if name in found else matching[0]]
    if matching:
        named = ", ".join(matching[:SHOWN]) + (", ..." if len(matching) > SHOWN else "")
        raise UsageWrong(
            f"{len(matching)} runs begin with {name}: {named}",
            reference="run-ambiguous",
            hint="give more of the id, or the journal's file",
        )
    not_read = f"; could not be read: {', '.join(unread)}" if unread else ""
    raise UsageWrong(
        f"no journal that is known here has a run {name!r}{not_read}",
        reference="run-unknown",
        hint=f"name the journal's file in place of the id; {HISTORY}",
    )


def _runs_of(path: Path) -> Iterator[Source]:
    if files.is_there(path):
        with Reader(path) as reader:
            for run in reader.runs():
                yield Source(path, run.run_id, run.last_seq)


def _newest_of(path: Path) -> Source:
    if not files.is_there(path):
        raise UsageWrong(
            f"there is no journal at {path}",
            reference="no-journal",
            hint="check the file's name; a run's id is found without its file, if its journal is in the usual folder",
        )
    runs = list(_runs_of(path))
    if not runs:
        raise UsageWrong(f"{path} has no run", reference="run-unknown", hint=HISTORY)
    return runs[-1]


def pick(runs: Sequence[RunSummary], path: Path, run_id: str | None) -> RunSummary:
    """
    Return the newest of a journal's runs, or the one whose id is *run_id* or begins so.

    :raises UsageWrong: when there is none, or several begin so: nobody is told of another run than they meant.
    """
    if run_id is None and runs:
        return runs[-1]
    matching = [one for one in runs if run_id and one.run_id.startswith(run_id)]
    exact = [one for one in matching if one.run_id == run_id]
    if len(exact or matching) == 1:
        return (exact or matching)[0]
    if matching:
        named = ", ".join(one.run_id for one in matching[:SHOWN])
        raise UsageWrong(
            f"{path}: {len(matching)} runs begin with {run_id}: {named}",
            reference="run-ambiguous",
            hint="give more of the id, or the journal's file",
        )
    raise UsageWrong(
        f"{path}: there is no such run",
        reference="no-run",
        hint="`rekindle history` lists the runs of a journal",
    )


def run_in(path: Path, run_id: str | None) -> Source:
    """
    Return the newest run of a journal, or the one whose id begins so.

    :raises UsageWrong: when there is none, or several begin so.
    """
    runs: Sequence[RunSummary] = ()
    if files.is_there(path):
        with Reader(path) as reader:
            runs = reader.runs()
    found = pick(runs, path, run_id)
    return Source(path, found.run_id, found.last_seq)


def chosen(run: str | None, option: str | None) -> Source:
    """
    Return the run that a command is about: RUN and ``--journal`` as they were given.

    :raises UsageWrong: when there is no such run.
    """
    from rekindle.cli.options import existing_journal, named

    if run is None:
        return run_in(existing_journal(option), None)
    if option is not None and named() and not may_be_file(Path(run)):
        return run_in(existing_journal(option), run)
    return find_run(run, given_journal(option))


def took_of(reader: Reader, run: RunSummary) -> int:
    """Return how long a run took so far, in the seconds that are shown; a clock that was set back takes nothing off."""
    clock = SteadyClock()
    for row in reader.of_kind(run.run_id, JUMPED):
        clock.see(row)
    return between(run.opened.at, clock.of(run.ended_at))
