"""``rekindle status``: where a run stands, from the journal alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from engine.errors import UsageWrong
from engine.patience import spoken
from rekindle.causes import because
from rekindle.cli.options import existing_journal, journal_option, json_option
from rekindle.document import watched
from rekindle.folding import Found, newest
from rekindle.ledger import sentence
from rekindle.lines import clock, stamp
from rekindle.output import print_json, print_line
from rekindle.sentences import questions
from rekindle.typed import command as typed
from rekindle.view import View, nothing_seen, states_of, view
from rekindle.watching import handed_over

if TYPE_CHECKING:
    from rekindle.eta import Eta

OK, WARNINGS, CRITICAL, COULD_NOT_TELL = 0, 1, 2, 3


@click.command("status")
@journal_option()
@json_option()
@click.option(
    "--run", "run_id", metavar="ID", help="Another run than the newest; a prefix is enough."
)
def command(journal: str | None, run_id: str | None, *, as_json: bool) -> int:
    """Say where a run stands, in three sentences."""
    path = existing_journal(journal, tells=False)
    found = newest(path, run_id)
    if found is None:
        raise UsageWrong(
            f"{path}: there is no such run",
            reference="no-run",
            hint="`rekindle history` lists the runs of a journal",
        )
    seen = view(
        found.memory,
        states_of(found.plan),
        str(path),
        held=found.alive is not False,
        closed=closed(found),
    )
    until = None if seen.closed else _eta(found, path)
    if as_json:
        print_json({**_document(seen, found, path), **_times(found, until)})
    else:
        _show(replace(seen, eta=until.sentence if until is not None else ""), found, path)
    return _exit(found)


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


def closed(found: Found) -> str:
    """Say how, by whom and when a run was closed; an empty text for an open one."""
    if found.closed is None:
        return ""
    by = f" by {found.closed.by}" if found.closed.by else ""
    return f"{found.closed.outcome}{by} at {stamp(found.closed.at)}"


def _exit(found: Found) -> int:
    """Answer as commands that answer do: 1 for what waits for a person, 2 for what no waiting mends."""
    memory = found.memory
    if memory.outcome:
        return OK if memory.outcome == "done" else WARNINGS
    kinds = {body.get("answer") for body in memory.answers.values()}
    if "stuck" in kinds and not kinds & {"act", "wait"} and not memory.open:
        return CRITICAL
    if nothing_seen(memory):
        return COULD_NOT_TELL
    if memory.watches:
        return WARNINGS if kinds & {"act", "ask"} else OK
    if found.alive is False:
        return WARNINGS  # nobody pursues it: whatever it waits for, it waits for `rekindle resume` first
    return WARNINGS if questions(memory) and not memory.open else OK


def _document(seen: View, found: Found, path: Path) -> dict[str, Any]:
    return {
        "schema": "rekindle.status/1",
        "journal": str(path),
        "run_id": seen.run_id,
        "cluster": seen.cluster,
        "purpose": found.memory.purpose,
        "state": seen.state,
        "states": list(seen.states),
        "at": seen.now,
        "entered_at": seen.entered_at,
        "deadline": seen.deadline,
        "waits_for": seen.waits_for,
        "can_succeed": seen.can_succeed,
        "must_do": seen.must_do,
        "counts": {
            name: {"good": good, "all": total} for name, (good, total) in seen.counts.items()
        },
        "running": [
            {"action": a.action, "verb": a.verb, "target": a.target, "since": a.intended_at}
            for a in seen.running
        ],
        "causes": [msgspec.to_builtins(found) for found in seen.causes],
        "approvals": [
            {"id": identity, "question": question, "consequence": consequence, "typed": typed}
            for identity, question, consequence, typed in seen.approvals
        ],
        **(watched(found.memory) if seen.watches else {}),
        "held": found.alive,
        "outcome": seen.outcome,
        "closed": seen.closed,
    }


def _show(seen: View, found: Found, path: Path) -> None:
    marks = []
    passed = seen.states.index(seen.state) if seen.state in seen.states else 0
    for index, name in enumerate(seen.states):
        marks.append(f"{'x' if index < passed else '>' if index == passed else ' '} {name}")
    print_line(f"{seen.cluster}  run {seen.run_id}  ({path})")
    print_line("  ".join(f"[{mark}]" for mark in marks))
    print_line(f"held by       {_holder(seen, found, path)}")
    time = " cluster time" if seen.simulated else ""
    since = spoken(seen.now - seen.entered_at)
    until = f", until {clock(seen.deadline)} at the latest" if seen.deadline is not None else ""
    print_line(f"as of         {stamp(seen.now)}{time}, {since} in this state{until}")
    print_line(f"waits for     {seen.waits_for}")
    print_line(f"can succeed   {seen.can_succeed}")
    took = sentence(found.memory.summary)
    if seen.eta or took:
        print_line(f"{'eta' if seen.eta else 'took':14}{seen.eta or took}")
    print_line(f"you must      {seen.must_do}")
    for number, line in enumerate(because(seen.causes, seen.now)):
        print_line(f"{'' if number else 'because':14}{line}")
    figures = "  ".join(f"{name} {good}/{total}" for name, (good, total) in seen.counts.items())
    print_line(f"there are     {figures or 'no figures yet'}")


def _holder(seen: View, found: Found, path: Path) -> str:
    if seen.closed:
        return f"nobody; closed: {seen.closed}"
    if found.alive and found.lease is not None:
        only = ", which only watches" if seen.watches else ""
        return f"{found.lease.holder} since {stamp(found.lease.since)}{only}"
    if found.alive is None:
        return "not known: its lock cannot be read"
    if seen.watches:
        on = typed("resume", journal=path)
        return f"nobody: `{on}` watches on, `{handed_over(path)}` acts"
    first = "answer first, then " if seen.approvals else ""
    return f"nobody: {first}`{typed('resume', journal=path)}` goes on"
