"""``rekindle status``: where a run stands, from the journal alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from engine.errors import UsageWrong
from engine.patience import spoken
from rekindle.cli.options import journal_option, json_option
from rekindle.folding import Found, newest
from rekindle.lines import clock, stamp
from rekindle.output import print_json, print_line
from rekindle.paths import newest_journal
from rekindle.view import View, states_of, view


@click.command("status")
@journal_option
@json_option
@click.option(
    "--run", "run_id", metavar="ID", help="Another run than the newest; a prefix is enough."
)
def command(journal: str | None, run_id: str | None, *, as_json: bool) -> int:
    """Say where a run stands, in three sentences."""
    path = newest_journal(journal)
    found = newest(path, run_id)
    if found is None:
        raise UsageWrong(
            f"{path}: there is no such run" if path.exists() else f"{path} does not exist",
            reference="no-run",
            hint="`rekindle history` lists the runs of a journal",
        )
    seen = view(found.memory, states_of(found.plan), str(path))
    if as_json:
        print_json(_document(seen, found, path))
    else:
        _show(seen, found, path)
    return _exit(found)


def _exit(found: Found) -> int:
    """0 ok or done, 1 waiting, 2 stuck."""
    kinds = {body.get("answer") for body in found.memory.answers.values()}
    if found.memory.outcome == "done" or found.memory.open:
        return 0
    if "stuck" in kinds and not kinds & {"act", "wait"}:
        return 2
    return 1 if "ask" in kinds else 0


def _document(seen: View, found: Found, path: Path) -> dict[str, Any]:
    return {
        "schema": "rekindle.status/1",
        "journal": str(path),
        "run_id": seen.run_id,
        "cluster": seen.cluster,
        "purpose": found.opened.purpose,
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
        "approvals": [
            {"id": identity, "question": question, "consequence": consequence, "typed": typed}
            for identity, question, consequence, typed in seen.approvals
        ],
        "held": found.alive,
        "outcome": seen.outcome,
    }


def _show(seen: View, found: Found, path: Path) -> None:
    marks = []
    passed = seen.states.index(seen.state) if seen.state in seen.states else 0
    for index, name in enumerate(seen.states):
        marks.append(f"{'x' if index < passed else '>' if index == passed else ' '} {name}")
    print_line(f"{seen.cluster}  run {seen.run_id}  ({path})")
    print_line("  ".join(f"[{mark}]" for mark in marks))
    if found.alive and found.lease is not None:
        print_line(f"held by       {found.lease.holder} since {stamp(found.lease.since)}")
    else:
        print_line(
            f"held by       nobody: `rekindle resume --journal {path}` goes on"
            if not found.memory.outcome
            else "held by       nobody: closed"
        )
    since = spoken(seen.now - seen.entered_at)
    until = f", until {clock(seen.deadline)} at the latest" if seen.deadline is not None else ""
    print_line(f"as of         {stamp(seen.now)}, {since} in this state{until}")
    print_line(f"waits for     {seen.waits_for}")
    print_line(f"can succeed   {seen.can_succeed}")
    print_line(f"you must      {seen.must_do}")
    figures = "  ".join(f"{name} {good}/{total}" for name, (good, total) in seen.counts.items())
    print_line(f"there are     {figures or 'no figures yet'}")
