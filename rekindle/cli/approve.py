"""``rekindle approve``: a person's yes or no, from any terminal."""

from __future__ import annotations

import sys

import click

from engine.errors import Exit, UsageWrong
from engine.memory import Approval, Memory
from journal import inbox
from journal.lease import Holder
from rekindle.asked import entry_of
from rekindle.cli.options import journal_option
from rekindle.folding import newest
from rekindle.output import print_line, tell
from rekindle.paths import newest_journal


@click.command("approve")
@click.argument("approval", required=False)
@journal_option
@click.option(
    "--type", "typed", default="", metavar="TEXT", help="What the question asks to be typed."
)
@click.option("--refuse", is_flag=True, help="Say no.")
def command(approval: str | None, journal: str | None, typed: str, *, refuse: bool) -> int:
    """Answer a question that a run waits for."""
    path = newest_journal(journal)
    found = newest(path)
    if found is None:
        raise UsageWrong(
            f"{path}: no run", reference="no-run", hint="begin one with `rekindle run`"
        )
    if approval is None:
        return _list(found.memory)
    item = _open(found.memory, approval)
    actor = str(Holder.here())
    kind = inbox.Refuse if refuse else inbox.Approve
    if not refuse and item.typed and typed != item.typed:
        if not typed and sys.stdin.isatty():
            typed = click.prompt(
                f"{item.question}\n{item.consequence}\ntype '{item.typed}' to approve", err=True
            )
        if typed != item.typed:
            raise UsageWrong(
                f"'{typed}' is not '{item.typed}'; nothing was approved",
                reference="approval-mistyped",
                hint="type exactly what the question names",
            )
    request = (
        kind(actor=actor, approval=item.approval, digest=item.digest)
        if refuse
        else inbox.Approve(actor=actor, approval=item.approval, digest=item.digest, typed=typed)
    )
    if found.alive:
        inbox.submit(path, request)
        tell("left for the running session, which takes it in at its next turn")
        return Exit.DONE
    from journal.entries import LeaseLost
    from journal.store import Journal

    journal_file = Journal.resume(path, holder=Holder.here())
    try:
        entry = entry_of(request, found.memory, found.memory.now, tell)
        if entry is not None:
            journal_file.append([entry])
    finally:
        journal_file.close(LeaseLost(at=found.memory.now, epoch=journal_file.epoch))
    tell(f"written; nobody holds the run: rekindle resume --journal {path}")
    return Exit.DONE


def _open(memory: Memory, prefix: str) -> Approval:
    found = [a for a in memory.approvals.values() if a.approval.startswith(prefix) and not a.answer]
    if len(found) != 1:
        raise UsageWrong(
            f"there is no open question {prefix}" if not found else f"{prefix} names several",
            reference="approval-unknown",
            hint="`rekindle approve` without an id lists the open questions",
        )
    return found[0]


def _list(memory: Memory) -> int:
    for item in memory.approvals.values():
        if not item.answer and item.subject in memory.answers:
            print_line(f"{item.approval}  {item.question}")
            print_line(f"          {item.consequence}")
            if item.typed:
                print_line(f"          rekindle approve {item.approval} --type '{item.typed}'")
    return Exit.DONE
