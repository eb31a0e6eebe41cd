"""``rekindle report``: the postmortem of a run, from its journal alone."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import Exit
from rekindle.cli.options import existing_journal, journal_option, json_option, run_argument
from rekindle.output import print_text, tell

if TYPE_CHECKING:
    from rekindle.report.story import Story

MODE = 0o600  # like the journal: it names what the cluster has, and who may do what
PAGES = {"markdown": "rekindle.report.markdown", "html": "rekindle.report.html"}
FORMATS = (*(name for name, module in PAGES.items() if find_spec(module)), "json")


@click.command("report")
@run_argument
@journal_option()
@json_option("The same as --format json.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="markdown",
    show_default=True,
    help="What to write.",
)
@click.option(
    "--template",
    metavar="FILE|DIR",
    type=click.Path(exists=True),
    help="A Jinja template in place of ours, or a folder with some.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write there, mode 0600, and not to stdout.",
)
@click.option("--force", is_flag=True, help="Replace the file of --output.")
def command(
    run_id: str | None,
    journal: str | None,
    form: str,
    template: str | None,
    output: str | None,
    *,
    as_json: bool,
    force: bool,
) -> int:
    """Write the postmortem of a run: what broke, what was done, what is not proven."""
    from rekindle import left_notes, outputfile
    from rekindle.report.gather import gather
    from rekindle.report.story import BROKEN

    chosen = "json" if as_json else form
    if template is not None and chosen == "json":
        raise click.UsageError("--template is about pages, and JSON has none")
    if output is not None:
        outputfile.must_be_free(Path(output), force=force)
    path = existing_journal(journal)
    story = gather(path, run_id)
    text = _text(story, chosen, Path(template) if template is not None else None)
    if output is None:
        print_text(text)
    else:
        outputfile.write(Path(output), text, MODE)
        tell(f"written to {output}")
    run = story.run
    if waits := left_notes.told(path, run.run_id, held=run.alive, is_open=run.ended is None):
        tell(waits)
    if story.chain.verdict == BROKEN:
        tell(
            f"the journal is damaged, and what follows the damage is not told: {story.chain.message}"
        )
        return Exit.CHAIN_BROKEN
    return 0


def _text(story: Story, form: str, template: Path | None) -> str:
    """Write a story in a format; its module is imported when it is asked for."""
    if form == "json":
        from msgspec import to_builtins

        from journal.steady import encoded
        from rekindle.output import as_line

        return as_line(to_builtins(story, enc_hook=encoded))
    from importlib import import_module

    page: Callable[..., str] = import_module(PAGES[form]).page
    return page(story, template) if template is not None else page(story)
