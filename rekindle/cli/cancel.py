"""``rekindle cancel``: end a run for good, at a safe point."""

from __future__ import annotations

from pathlib import Path

import click

from engine.errors import Exit, UsageWrong
from engine.memory import Memory
from journal import inbox
from journal.lease import Holder
from rekindle.cli.options import journal_option
from rekindle.folding import newest
from rekindle.output import tell
from rekindle.paths import newest_journal


@click.command("cancel")
@journal_option
def command(journal: str | None) -> int:
    """Ask a run to stop for good at the next safe point."""
    path = newest_journal(journal)
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
    return _close(path, found.memory, actor)


def _close(path: Path, memory: Memory, actor: str) -> int:
    from journal import entries as e
    from journal.store import Journal

    held = Journal.resume(path, holder=Holder.here())
    try:
        entries: list[e.AnyEntry] = [e.CancelRequested(at=memory.now, actor=actor)]
        if memory.open:
            tell(f"open actions are left in doubt: {', '.join(memory.open)}; look at the cluster")
        summary = {"left_open": sorted(memory.open)} if memory.open else {}
        entries.append(
            e.RunClosed(
                at=memory.now, outcome=e.RunOutcome.CANCELLED, state=memory.state, summary=summary
            )
        )
        held.append(entries)
    finally:
        held.close(e.LeaseLost(at=memory.now, epoch=held.epoch))
    tell(f"run {memory.run_id} is closed: cancelled")
    return Exit.DONE
