"""``rekindle note``: a person's remark or correction, in the journal for good."""

from __future__ import annotations

import click

from rekindle.cli.options import existing_journal, journal_option, run_option

REMARK = "`rekindle note 'the switch was rebooted at two'`; --help shows how a time or a cause is corrected"


@click.command("note")
@click.argument("text", required=False, default="")
@journal_option()
@run_option
@click.option("--entry", type=click.IntRange(min=1), metavar="SEQ", help="The entry it is about.")
@click.option(
    "--time",
    "time",
    metavar="[OLD=]NEW",
    help="Correct when it happened. OLD: the entry's number or instant, unless --entry names it, or a "
    "finding (its id or its subject) or an object, which alone is then corrected: to an instant before the run found "
    "it, since when it was so. Found several times, the first is meant; --entry names another by its finding. "
    "NEW: an instant; HH:MM:SS is the one nearest to the entry's own.",
)
@click.option(
    "--cause",
    "cause",
    metavar="[FINDING=]TEXT",
    help="Correct why: in the place of a root cause (its id or its subject), each time that it was found, of a root of "
    "the tree that was gone at the first look, or of what --entry says.",
)
def command(
    text: str,
    journal: str | None,
    run_id: str | None,
    entry: int | None,
    time: str | None,
    cause: str | None,
) -> int:
    """
    Add a remark or a correction to a run, also to a closed one.

    It changes nothing that was decided: a correction names the entry that it corrects, and the report shows both.
    Instants as of `rekindle log --at`.
    """
    path = existing_journal(journal)

    from engine.errors import UsageWrong
    from rekindle.noting import Wanted, write

    wanted = Wanted(text.strip(), entry or 0, time or "", cause or "")
    if not (wanted.text or wanted.time or wanted.cause):
        raise UsageWrong("there is nothing to note", reference="note-empty", hint=REMARK)
    return write(path, run_id, wanted)
