"""``rekindle status``: where a run stands, from the journal alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageWrong
from rekindle import left_notes
from rekindle.cli.options import (
    existing_journal,
    journal_option,
    json_option,
    run_option,
    verbose_option,
)
from rekindle.folding import Found, newest
from rekindle.retold import memory_of, told_json, told_line
from rekindle.sentences import questions
from rekindle.shown import document, lines, seen_of
from rekindle.view import nothing_seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rekindle.eta import Eta
    from rekindle.view import View

OK, WARNINGS, CRITICAL, COULD_NOT_TELL = 0, 1, 2, 3


@click.command("status")
@journal_option()
@json_option()
@run_option
@verbose_option(
    "Also every cause with its evidence, its rule and the tree of what it blocks; in --json the graph and the proofs."
)
def command(journal: str | None, run_id: str | None, *, as_json: bool, verbose: bool) -> int:
    """
    Say where a run stands, in three sentences.

    It reads the journal and asks no cluster: with -v it says what the run found last as `rekindle diagnose -v` would.
    """
    path = existing_journal(journal, tells=False)
    found = newest(path, run_id)
    if found is None:
        raise UsageWrong(
            f"{path}: there is no such run",
            reference="no-run",
            hint="`rekindle history` lists the runs of a journal",
        )
    found = replace(found, memory=memory_of(found.memory))
    seen = seen_of(found, path)
    until = None if seen.closed else _eta(found, path)
    if as_json:
        graph = _graph(found) if verbose else {}
        waiting = {"notes_waiting": left_notes.count_of(path, seen.run_id)}
        told_json({**document(seen, found, path), **_times(found, until), **waiting, **graph})
    else:
        shown = replace(seen, eta=until.sentence if until is not None else "")
        for line in _told(shown, found, path) if verbose else lines(shown, found, path):
            told_line(line)
        if waits := left_notes.told(path, seen.run_id, held=found.alive, is_open=not seen.closed):
            told_line(f"{'notes':14}{waits}")
    return _exit(found)


def _told(seen: View, found: Found, path: Path) -> Iterator[str]:
    """Say it with all causes, below everything else: they are the longest."""
    from rekindle import remembered

    yield from lines(replace(seen, causes=()), found, path)
    yield ""
    yield from remembered.lines(found)


def _graph(found: Found) -> dict[str, Any]:
    from rekindle.remembered import document as graph

    return graph(found)


def _eta(found: Found, path: Path) -> Eta:
    """Say when it will be done; only an open run needs the plan's types for it."""
    from rekindle.eta import of_found

    return of_found(found, path)


def _times(found: Found, until: Eta | None) -> dict[str, Any]:
    """What is left of an open run, and what a closed one's time went to."""
    return {
        "eta": until.as_json() if until is not None else None,
        "ledger": found.memory.summary.get("ledger"),
    }


def _exit(found: Found) -> int:
    """Answer as commands that answer do: 1 for what waits for a person, 2 for what no waiting mends."""
    memory = found.memory
    if memory.outcome:
        return OK if memory.outcome == "done" else WARNINGS
    answers = memory.answers.values()
    kinds = {body.get("answer") for body in answers if body.get("can_clear") != "no"}
    if "stuck" in kinds and not kinds & {"act", "wait"} and not memory.open:
        return CRITICAL
    if nothing_seen(memory):
        return COULD_NOT_TELL
    if memory.watches:
        return WARNINGS if kinds & {"act", "ask"} else OK
    if found.alive is False:
        return WARNINGS  # nobody pursues it: whatever it waits for, it waits for `rekindle resume` first
    return WARNINGS if questions(memory) and not memory.open else OK
