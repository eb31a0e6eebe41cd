"""``rekindle approve``: a person's yes or no, from any terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from engine.errors import Exit, UsageWrong
from engine.memory import Approval, Memory
from journal import inbox
from journal.lease import Holder
from rekindle import asking
from rekindle.asked import entry_of, said
from rekindle.cli.options import existing_journal, journal_option
from rekindle.completing import complete_approvals
from rekindle.folding import Found, newest
from rekindle.output import tell
from rekindle.retold import memory_of, told_line
from rekindle.sentences import questions, to_answer
from rekindle.typed import command as typed_command

GIVEN, REFUSED = "given", "refused"


@click.command("approve")
@click.argument("approval", required=False, shell_complete=complete_approvals)
@journal_option()
@click.option(
    "--type", "typed", default="", metavar="TEXT", help="What the question asks to be typed."
)
@click.option("--refuse", is_flag=True, help="Say no.")
def command(approval: str | None, journal: str | None, typed: str, *, refuse: bool) -> int:
    """
    Answer a question that a run waits for.

    Without APPROVAL the open questions are listed; the beginning of an id is enough.
    """
    if approval is None and (refuse or typed):
        said = "--type and --refuse answer one question, and none was named"
        raise click.UsageError(f"{said}: `rekindle approve` lists them with their ids")
    path = existing_journal(journal)
    found = newest(path)
    if found is None:
        raise UsageWrong(
            f"{path}: no run", reference="no-run", hint="begin one: `rekindle run PLAN`"
        )
    if approval is None:
        return _list(found, path)
    item = _chosen(found.memory, approval)
    if item.answer:
        return _answered(item, GIVEN if not refuse else REFUSED)
    actor = str(Holder.here())
    request: inbox.Refuse | inbox.Approve
    if refuse:
        request = inbox.Refuse(actor=actor, approval=item.approval, digest=item.digest)
    else:
        fit = memory_of(found.memory).approvals[item.approval]  # to be shown
        tell(f"approval {item.approval}: {fit.question}")
        tell(f"  consequence: {fit.consequence}")
        typed = _typed(item, typed, path)
        request = inbox.Approve(
            actor=actor, approval=item.approval, digest=item.digest, typed=typed
        )
    return _submit(path, found, request)


def _typed(item: Approval, typed: str, path: Path) -> str:
    """Return what was typed, if it is what the question wants."""
    if typed == item.typed or not item.typed:
        return typed
    if not typed and sys.stdin.isatty():
        typed = asking.line(f"type '{item.typed}' to approve: ")
        if typed == item.typed:
            return typed
    what = f"'{typed}' is not '{item.typed}'" if typed else f"'{item.typed}' has to be typed"
    raise UsageWrong(
        f"{what}; nothing was approved",
        reference="approval-mistyped",
        hint=f"type exactly what the question names: `{to_answer(item, str(path))}`",
    )


def _submit(path: Path, found: Found, request: inbox.Refuse | inbox.Approve) -> int:
    if found.alive:
        inbox.submit(path, request)
        tell("left for the running session, which takes it in at its next turn")
        return Exit.DONE
    from journal.entries import LeaseLost
    from journal.store import Journal

    held = Journal.resume(path, holder=Holder.here())
    now = found.memory.now
    try:
        latest = newest(path) or found  # somebody may have answered while we had no lease
        now = latest.memory.now
        entry = entry_of(request, latest.memory, now, tell)
        if entry is not None:
            held.append([entry])
    finally:
        held.close(LeaseLost(at=now, epoch=held.epoch))
    if entry is not None:
        going_on = typed_command("resume", journal=path)
        tell(f"written; nobody holds the run: {going_on}")
    return Exit.DONE


def _chosen(memory: Memory, prefix: str) -> Approval:
    """Find the question that is meant: an open one, else one that was answered."""
    hint = "`rekindle approve` without an id lists the open questions"
    if memory.outcome:
        raise UsageWrong(
            f"run {memory.run_id} is closed: {memory.outcome}; it asks nothing any more",
            reference="approval-unknown",
            hint="`rekindle log` shows what was asked and answered",
        )
    known = [item for item in memory.approvals.values() if item.approval.startswith(prefix)]
    open_ = [item for item in known if not item.answer]
    found = open_ or known
    if prefix and len(found) == 1:
        return found[0]
    if not prefix:
        what = "an empty id names no question"
    else:
        what = f"{prefix} names several" if found else f"there is no open question {prefix}"
    raise UsageWrong(what, reference="approval-unknown", hint=hint)


def _answered(item: Approval, wanted: str) -> int:
    if item.answer == wanted:
        tell(f"approval {item.approval} was {said(item)} already; nothing was written")
        return Exit.DONE
    raise UsageWrong(
        f"approval {item.approval} was {said(item)}; an answer is not changed",
        reference="approval-answered",
        hint="`rekindle log` shows what came of it",
    )


def _list(found: Found, path: Path) -> int:
    waiting = () if found.memory.outcome else questions(memory_of(found.memory))
    for item in waiting:
        told_line(f"{item.approval}  {item.question}")
        told_line(f"          {item.consequence}")
        told_line(f"          {to_answer(item, str(path))}")
    if not waiting:
        tell("no question is open")
        if not found.memory.outcome and found.alive is False:
            tell(f"to go on: {typed_command('resume', journal=path)}")
    return Exit.DONE
