"""``rekindle replay``: would today's code decide the same, and what did it look like then."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rekindle.cli.options import Speed, about, journal_option, json_option, verbose_option
from rekindle.completing import complete_runs
from rekindle.output import tell

if TYPE_CHECKING:
    from engine.plan import Plan
    from rekindle.runs import Source

SHOWN = 20


@click.command("replay")
@click.argument("run", required=False, shell_complete=complete_runs)
@journal_option()
@json_option()
@click.option(
    "--plan",
    "plan",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Ask what this plan would have decided, too.",
)
@click.option(
    "--speed",
    type=Speed(),
    help="Show the run as it was, so many of its seconds in one of yours; compares nothing.",
)
@click.option("--all", "everything", is_flag=True, help="Print every difference, not the first 20.")
@verbose_option("With --speed: also say each new cause in full, as `rekindle status -v` does.")
def command(
    run: str | None,
    journal: str | None,
    plan: str | None,
    speed: float | None,
    *,
    as_json: bool,
    everything: bool,
    verbose: bool,
) -> int:
    """
    Walk a run through today's code and say which decisions differ and why; or show it as it was.

    RUN is an id, the beginning of one, or a journal file (its newest run); default: the newest run. Without recorded
    looks (--record) the facts are the journal's own; with them readiness and diagnosis are judged anew as well. 0: all
    is the same, 1: something differs, 74: the recording is damaged, and what could be read of it was replayed.
    """
    from rekindle.runs import chosen

    if verbose and speed is None:
        raise click.UsageError("-v says causes while a run is shown again, and --speed shows it")
    if speed is not None and (as_json or everything or plan is not None):
        raise click.UsageError(
            "--speed shows a run as it was: it compares nothing, for --plan, --all or --json"
        )
    source = chosen(run, journal)
    about(source.journal)
    if speed is not None:
        return _play(source, speed, verbose=verbose)
    from rekindle.replaying import document, replayed
    from rekindle.retold import told_json, told_line

    result = replayed(source, _plan(plan))
    if as_json:
        told_json(document(result))
        result.must_be_whole()
        return int(not result.same)
    from rekindle.replayed_lines import lines

    for line in lines(result, None if everything else SHOWN):
        told_line(line)
    result.must_be_whole()
    return int(not result.same)


def _plan(name: str | None) -> Plan | None:
    """Read the operator's plan of today."""
    from rekindle.planfile import read_plan

    return read_plan(Path(name)) if name is not None else None


def _play(source: Source, speed: float, *, verbose: bool) -> int:
    """Show a run as it was; Ctrl-C leaves at once."""
    from engine.errors import Exit
    from journal.reader import Reader
    from rekindle import signals
    from rekindle.pace import HostPace
    from rekindle.playing import Player
    from rekindle.recipes import recipe
    from rekindle.retold import rows_of
    from rekindle.watchers import watcher_for

    with signals.held("left; nothing was begun") as orders:
        pace = HostPace()
        show = watcher_for(sys.stderr, str(source.journal))
        orders.listen(pace.leave, close=show.close)
        try:
            player = Player(recipe(), show, pace, speed, verbose=verbose)
            with Reader(source.journal) as reader:
                whole = player.play(rows_of(reader.rows(source.run_id)))
        finally:
            show.close()
            pace.close()
    if whole:
        tell(f"that was run {source.run_id}; nothing was begun")
        return Exit.DONE
    tell("left; nothing was begun")
    return Exit.INTERRUPTED
