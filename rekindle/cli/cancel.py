"""``rekindle cancel``: end a run for good, at a safe point."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import Exit, UsageWrong
from journal import inbox
from journal.lease import Holder
from journal.redactor import redact_text
from rekindle.cli.options import existing_journal, journal_option
from rekindle.folding import Found, newest
from rekindle.output import tell

if TYPE_CHECKING:
    from journal.entries import AnyEntry, Json
    from rekindle.ending import Rows


@click.command("cancel")
@journal_option()
def command(journal: str | None) -> int:
    """Ask a run to stop for good at the next safe point."""
    path = existing_journal(journal)
    found = newest(path)
    if found is None or found.memory.outcome:
        raise UsageWrong(
            f"{path}: there is no open run",
            reference="no-run",
            hint="`rekindle history` lists the runs",
        )
    actor = str(Holder.here())
    if found.alive:
        inbox.submit(path, inbox.Cancel(actor=actor))
        tell("left for the running session; it finishes what is in flight first")
        return Exit.DONE
    return _close(path, found, actor)


def _close(path: Path, found: Found, actor: str) -> int:
    from journal import entries as e
    from journal.store import Journal
    from rekindle.asked import take_in_notes

    memory = found.memory
    held = Journal.resume(path, holder=Holder.here())
    try:
        take_in_notes(held, memory.now)
        entries: list[AnyEntry] = [e.CancelRequested(at=memory.now, actor=actor)]
        if memory.open:
            tell(
                f"open actions are left in doubt: {', '.join(map(redact_text, memory.open))}; look at the cluster"
            )
        entries.append(
            e.RunClosed(
                at=memory.now,
                outcome=e.RunOutcome.CANCELLED,
                state=memory.state,
                summary=_summary(found, held),
            )
        )
        held.append(entries)
    finally:
        held.close(e.LeaseLost(at=memory.now, epoch=held.epoch))
    tell(f"run {memory.run_id} is closed: cancelled")
    return Exit.DONE


def _summary(found: Found, held: Rows) -> dict[str, Json]:
    """Count as a session would have: by the last facts, and by the simulated world, which ends here."""
    from engine.plan import from_compiled
    from rekindle.ending import closing_of
    from rekindle.recipes import recipe

    memory = found.memory
    left: dict[str, Json] = {"left_open": sorted(memory.open)} if memory.open else {}
    plan = from_compiled(found.plan, recipe())
    counted = recipe().counts(plan, memory.facts)
    counted.update(closing_of(held, memory.run_id, plan, memory.now))
    if not found.simulated:
        return {**counted, **left}
    from rekindle.rehearsal import abandon_world

    return {**counted, **abandon_world(found), **left}
