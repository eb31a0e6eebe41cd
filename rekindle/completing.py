"""
What a shell may complete: runs, questions, references, scenarios.

Whatever is wrong with a journal, a shell that completes says nothing: an error belongs to the command itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path

import click
from click.shell_completion import CompletionItem

MOST_RUNS = 50
Found = Iterable[tuple[str, str]]


def _completed(find: Callable[[click.Context], Found]) -> Callable[..., list[CompletionItem]]:
    """Make what click asks of a function that yields words and what stands beside each."""

    @wraps(find)
    def complete(
        ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            return [
                CompletionItem(word, help=said)
                for word, said in find(ctx)
                if word.startswith(incomplete)
            ]
        except Exception:  # noqa: BLE001  see above
            return []

    return complete


@_completed
def complete_references(_ctx: click.Context) -> Found:
    """Name the references of errors."""
    from rekindle.explaining import references

    return ((name, said) for name, _, said in references())


@_completed
def complete_runs(ctx: click.Context) -> Found:
    """Name runs, the newest first: of the journal that was named, else of all that are known."""
    from journal.reader import Reader
    from rekindle.spans import stamp

    found = []
    for path in _journals(ctx, newest=False):
        with Reader(path) as reader:
            found += reader.runs()
    found.sort(key=lambda run: run.opened.at, reverse=True)
    for run in found[:MOST_RUNS]:
        outcome = run.outcome or "open"
        yield (
            run.run_id,
            f"{run.opened.purpose} of {run.opened.cluster}, {stamp(run.opened.at)}, {outcome}",
        )


@_completed
def complete_approvals(ctx: click.Context) -> Found:
    """Name the questions that the newest run waits for."""
    from rekindle.folding import newest
    from rekindle.sentences import questions

    for path in _journals(ctx, newest=True):
        run = newest(path)
        if run is not None and not run.memory.outcome:
            for item in questions(run.memory):
                yield item.approval, item.question


@_completed
def complete_scenarios(_ctx: click.Context) -> Found:
    """Name the rehearsals that come with the program."""
    from rekindle.cli.rehearse import PACKAGED, title

    return ((path.stem, title(path)) for path in sorted(PACKAGED.glob("*.yaml")))


def _journals(ctx: click.Context, *, newest: bool) -> list[Path]:
    from rekindle import paths

    given = ctx.params.get("journal")
    if given:
        return [Path(str(given)).absolute()]
    return [paths.newest_journal(None)] if newest else paths.all_journals()
