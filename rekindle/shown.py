"""
A run as ``status`` shows it, now or at an earlier moment: the lines and the document.

What it says of time is what the journal says; who holds the run is handed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from rekindle.causes import because
from rekindle.document import watched
from rekindle.folding import Found
from rekindle.ledger import sentence
from rekindle.spans import clock, stamp
from rekindle.typed import command as typed
from rekindle.view import View, states_of, view, yes_means
from rekindle.watching import handed_over


def seen_of(found: Found, path: Path) -> View:
    """Make the view of a run that was read from its journal."""
    return view(
        found.memory,
        states_of(found.plan),
        str(path),
        held=found.alive is not False,
        closed=closed(found),
    )


def closed(found: Found) -> str:
    """Say how, by whom and when a run was closed; an empty text for an open one."""
    if found.closed is None:
        return ""
    by = f" by {found.closed.by}" if found.closed.by else ""
    return f"{found.closed.outcome}{by} at {stamp(found.closed.at)}"


def document(seen: View, found: Found, path: Path) -> dict[str, Any]:
    """Write it as JSON."""
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
        "findings": {name: msgspec.to_builtins(one) for name, one in found.memory.findings.items()},
        "approvals": [
            {"id": identity, "question": question, "consequence": consequence, "typed": typed}
            for identity, question, consequence, typed in seen.approvals
        ],
        **(watched(found.memory) if seen.watches else {}),
        "held": found.alive,
        "outcome": seen.outcome,
        "closed": seen.closed,
    }


def lines(seen: View, found: Found, path: Path) -> Iterator[str]:
    """Say it in lines."""
    marks = []
    passed = seen.states.index(seen.state) if seen.state in seen.states else 0
    for index, name in enumerate(seen.states):
        marks.append(f"{'x' if index < passed else '>' if index == passed else ' '} {name}")
    yield f"{seen.cluster}  run {seen.run_id}  ({path})"
    yield "  ".join(f"[{mark}]" for mark in marks)
    yield f"held by       {holder(seen, found, path)}"
    time = " cluster time" if seen.simulated else ""
    until = f", until {clock(seen.deadline)} at the latest" if seen.deadline is not None else ""
    yield f"as of         {stamp(seen.now)}{time}, {seen.age} in this state{until}"
    yield f"waits for     {seen.waits_for}"
    yield f"can succeed   {seen.can_succeed}"
    took = sentence(found.memory.summary, seen.now)
    if seen.eta or took:
        yield f"{'eta' if seen.eta else 'took':14}{seen.eta or took}"
    yield f"you must      {seen.must_do}"
    if meant := yes_means(seen):
        yield f"a yes means   {meant}"
    for number, line in enumerate(because(seen.causes, seen.now)):
        yield f"{'' if number else 'because':14}{line}"
    figures = "  ".join(f"{name} {good}/{total}" for name, (good, total) in seen.counts.items())
    yield f"there are     {figures or 'no figures yet'}"


def holder(seen: View, found: Found, path: Path) -> str:
    """Say who holds the run; nobody: what goes on with it."""
    if seen.closed:
        return f"nobody; closed: {seen.closed}"
    if found.alive and found.lease is not None:
        only = ", which only watches" if seen.watches else ""
        return f"{found.lease.holder} since {stamp(found.lease.since)}{only}"
    if found.alive is None:
        return "not known: its lock cannot be read"
    if seen.watches:
        on = typed("resume", journal=path)
        acts = f", `{handed_over(path)}` acts" if found.plan["section"]["talos"]["nodes"] else ""
        return f"nobody: `{on}` watches on{acts}"
    first = "answer first, then " if seen.approvals else ""
    return f"nobody: {first}`{typed('resume', journal=path)}` goes on"
