"""
How things stood at a moment of a run: what ``status`` said then, and what it would have been asked next.

The ETA is of what had been learnt by then, not of what the run went on to teach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from engine.memory import Attempt, Memory
from engine.patience import spoken
from rekindle import shown
from rekindle.causes import roots
from rekindle.eta import Eta, of_found
from rekindle.lines import cause
from rekindle.past import NANOSECONDS, Past, past
from rekindle.retold import memory_of
from rekindle.sentences import action
from rekindle.spans import between, clock, stamp
from rekindle.view import View

NODES = ("node", "k8s-node")  # by Talos, by Kubernetes


@dataclass(frozen=True, slots=True)
class Stood:
    """A moment, with the view of it and when it would have been done (None: it was over)."""

    past: Past
    view: View
    until: Eta | None


def stood(path: Path, run_id: str | None, moment: str) -> Stood:
    """
    Find out how things stood.

    :raises UsageWrong: when there is no such run or no such moment.
    """
    found = past(path, run_id, moment)
    found = replace(found, found=replace(found.found, memory=memory_of(found.found.memory)))
    seen = shown.seen_of(found.found, path)
    if seen.closed:
        return Stood(found, seen, None)
    until = of_found(found.found, path)
    return Stood(found, replace(seen, eta=until.sentence), until)


def nodes_of(memory: Memory) -> dict[str, dict[str, str]]:
    """Return each node's code, as Talos and as Kubernetes tell it."""
    found: dict[str, dict[str, str]] = {}
    for subject, fact in memory.facts.items():
        family, _, name = subject.partition("/")
        if family in NODES:
            said = {family: fact.code, f"{family}-reason": fact.reason}
            found.setdefault(name, {}).update(said)
    return dict(sorted(found.items()))


def document(then: Stood, path: Path, *, verbose: bool = False) -> dict[str, Any]:
    """Write it as JSON: the document of ``status`` then, and more; *verbose*: of ``status -v``."""
    memory, row = then.past.found.memory, then.past.row
    return {
        **shown.document(then.view, then.past.found, path),
        "schema": "rekindle.moment/1",
        "seq": row.seq,
        "moment": then.past.at,
        "wall": row.wall_ns / NANOSECONDS,
        "withdrawn": then.past.withdrawn,
        "turn_ends": then.past.turn,
        "eta": then.until.as_json() if then.until is not None else None,
        "ledger": memory.summary.get("ledger"),
        "nodes": nodes_of(memory),
        "open": [{**_open(a), "attempt": a.attempt} for a in memory.open.values()],
        "timers": {name: to_builtins(timer) for name, timer in sorted(memory.timers.items())},
        **(_graph(then) if verbose else {}),
    }


def _graph(then: Stood) -> dict[str, Any]:
    from rekindle.remembered import document as graph

    return graph(then.past.found)


def _open(attempt: Attempt) -> dict[str, Any]:
    return {
        "action": attempt.action,
        "verb": attempt.verb,
        "target": attempt.target,
        "since": attempt.intended_at,
        "until": attempt.intended_at + attempt.deadline_seconds,
    }


def lines(then: Stood, path: Path, *, verbose: bool = False) -> Iterator[str]:
    """Say it in lines, the first ones as ``status`` said them; *verbose*: all causes below, as ``status -v`` did."""
    memory, row = then.past.found.memory, then.past.row
    yield f"{stamp(then.past.at)}, after entry {row.seq} ({row.kind}), written {stamp(row.wall_ns / NANOSECONDS)}"
    seen = replace(then.view, causes=()) if verbose else then.view
    yield from shown.lines(seen, then.past.found, path)
    if then.past.turn is not None:
        yield (
            f"{'mid-turn':14}what was seen up to here is decided upon by entry {then.past.turn}; "
            f"--at {then.past.turn} shows that"
        )
    yield from _column("nodes", (_node(name, said) for name, said in nodes_of(memory).items()))
    if not verbose:
        yield from _column("findings", (cause(found) for found in roots(memory)))
    yield from _column(
        "open",
        (
            f"{action(a, memory)}, begun {clock(a.intended_at)}, until {clock(a.intended_at + a.deadline_seconds)}"
            for a in memory.open.values()
        ),
    )
    due = sorted(memory.timers.items(), key=lambda item: item[1].due)
    yield from _column(
        "deadlines",
        (f"{stamp(t.due)}  {name}, in {spoken(between(memory.now, t.due))}" for name, t in due),
    )
    yield from _column("questions", (f"{i}  {asked}" for i, asked, _, _ in then.view.approvals))
    if then.past.withdrawn:
        yield f"{'withdrawn':14}{then.past.withdrawn} entries before: what they said is not in this picture"
    if verbose:
        from rekindle import remembered

        yield ""
        yield from remembered.lines(then.past.found)


def _node(name: str, said: dict[str, str]) -> str:
    told = [f"{said[family]}" for family in NODES if family in said]
    why = next((said[f"{f}-reason"] for f in NODES if said.get(f"{f}-reason")), "")
    return f"{name}  {' / '.join(told)}" + (f"  ({why})" if why else "")


def _column(title: str, items: Iterator[str]) -> Iterator[str]:
    """Write a title beside the first of its lines; without any, that there are none."""
    empty = True
    for text in items:
        yield f"{title if empty else '':14}{text}"
        empty = False
    if empty:
        yield f"{title:14}none"
