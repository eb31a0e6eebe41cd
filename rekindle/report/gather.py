"""
A run's journal → its story, in one pass over its entries.

The ledger of an open run asks of each entry what only its end tells, and so does the class of each step of a closed
one's path. The entries are kept for that, as many as fit (``TAPE``), so that memory does not grow with the journal: a
longer run is read a second time if it is open; closed, its path has no classes.

Of a damaged journal everything before the first bad entry is told, and that the rest is not.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from engine.errors import ChainBroken, Diagnosed
from engine.plan import Plan, from_compiled
from journal import entries as e
from journal.entries import Instant, Json
from journal.reader import Reader, row_of
from journal.row import Record, Row, RunSummary
from journal.steady import steady
from phases.ledger import ledger_along, ledger_of, pieces_along
from rekindle.recipes import recipe
from rekindle.report.cleaning import clean
from rekindle.report.corrections import Corrections
from rekindle.report.following import OPENED, Follower
from rekindle.report.kept import Tape
from rekindle.report.reasons import Ledger, Step
from rekindle.report.roots import REMOVED, SIGNS
from rekindle.report.story import BROKEN, WHOLE, Chain, Run, Story
from rekindle.report.telling import told
from rekindle.report.times import ledger_from, path_along, path_of
from rekindle.runs import pick

CATEGORY = "Infrastructure"
AT_ONCE = 2.0  # seconds: a clock that is set back is put ahead by whole ones, and what is closed is written at once
TAPE = 150_000  # entries; those of 200,000 facts take about as many MB
_UNFIT = (Diagnosed, ValueError, KeyError, TypeError)  # a plan that this rekindle cannot read


def gather(path: Path, run_id: str | None = None) -> Story:
    """
    Tell the newest run of a journal, or the one that *run_id* begins the name of.

    :raises Diagnosed: for a file that is no journal of ours, or of which not even the run's first entry is whole.
    :raises UsageWrong: when there is no such run.
    """
    with _uncollected(), Reader(path) as reader:
        chosen = pick(reader.runs(), path, run_id)
        follower = _new(chosen)
        try:
            head = reader.verify(see=partial(_shown, follower))
        except ChainBroken as error:
            follower, chain = _as_far_as_it_is_whole(reader, chosen, error)
        else:
            chain = Chain(verdict=WHOLE, entries=head.id, head=head.hash.hex())
        alive = reader.holder_alive() if chosen.lease is not None else False
        run = run_of(chosen, follower, alive=alive, path=reader.path)
        return told(follower, run, chain, _ledger(reader, follower, chain))


def honours(path: Path, run_id: str, note: e.Note) -> tuple[bool, bool]:
    """Say whether a report would show the time, and the cause, that *note* gives what it names as a finding."""
    with _uncollected(), Reader(path) as reader:
        found = _new(pick(reader.runs(), path, run_id))
        for row in reader.rows(run_id):
            _follow(found, row)
        found.corrections = Corrections(count=found.corrections.count)
        found.corrections.add(note, note.at)
        found.causes.found = list(found.corrections.beside(found.causes.found, "id"))
        signs = found.causes.first_signs(found.memory.looked_at, found.corrections)[:SIGNS]
        rows = (*found.causes.found, *signs)
        time = any(one.time is not None for row in rows for one in row.corrections)
        told = {one.id for one in found.causes.found}
        removed = {one.subject for one in found.causes.gone if one.unexplained == REMOVED}
        told |= removed & {sign.subject for sign in signs}
        return time, clean(note.finding) in told


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the collector rest: no entry is part of a cycle, and it would go through all of the tape again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _new(chosen: RunSummary) -> Follower:
    return Follower.of(chosen.opened, plan_of(chosen.opened.plan), Tape[e.AnyEntry](TAPE))


def _shown(follower: Follower, record: Record) -> None:
    """Read a record of this run, while the chain is checked."""
    if record.run_id == follower.opened.run_id:
        _follow(follower, row_of(record))


def _follow(follower: Follower, row: Row) -> None:
    row = follower.clock.see(row)
    if isinstance(row.entry, e.PlanChanged):
        follower.replan(plan_of(row.entry.plan), row.entry.plan)
    follower.see(row)


def _as_far_as_it_is_whole(
    reader: Reader, chosen: RunSummary, error: ChainBroken
) -> tuple[Follower, Chain]:
    """Begin again, and stop before the first entry that is not to be believed."""
    entry = error.entry_id or None
    if entry is not None and entry <= chosen.first_id:
        raise error
    chain = Chain(
        verdict=BROKEN, entries=reader.head().id, message=clean(error.message), entry=entry
    )
    follower = _new(chosen)
    for row in _whole(reader, chosen.run_id, chain):
        _follow(follower, row)
    return follower, chain


def _whole(reader: Reader, run_id: str, chain: Chain) -> Iterator[Row]:
    """Yield the entries of a run that may be believed."""
    with suppress(*([ChainBroken] if chain.verdict == BROKEN else [])):
        for row in reader.rows(run_id):
            if chain.entry is not None and row.id >= chain.entry:
                return
            yield row


def plan_of(compiled: dict[str, object]) -> Plan | None:
    """Read the journal's own plan; None where this rekindle cannot: then there is a report without a path."""
    try:
        return from_compiled(compiled, recipe())
    except _UNFIT:
        return None


def _ledger(reader: Reader, follower: Follower, chain: Chain) -> Ledger | None:
    """Take what the run's end says of its time; of an open run it is worked out here."""
    if follower.plan is None or follower.course is None:
        return None
    end = follower.end
    path = path_of(follower.course, follower.opened.at, end)
    found = follower.memory.summary.get("ledger")
    if isinstance(found, dict) and _is_of(found, follower):
        return _as_shown(ledger_from(found, _classed(follower, end) or path), follower)

    def read() -> Iterable[e.AnyEntry]:
        if follower.tape.whole:
            return follower.tape.items
        rows = islice(steady(_whole(reader, follower.opened.run_id, chain)), follower.entries)
        return (row.entry for row in rows if row.entry is not None)

    if (
        follower.replanned
    ):  # what it knew of the new plan's own subjects before, only a fresh course tells
        ledger = ledger_of(follower.plan, read, end)
    else:
        ledger = ledger_along(follower.plan, follower.course, read, follower.opened.at, end)
    found = ledger.as_json()
    return _as_shown(ledger_from(found, path_along(ledger.pieces) or path), follower)


def _is_of(ledger: Mapping[str, Json], follower: Follower) -> bool:
    """Say whether a closing entry's ledger is of the time that passed: an older rekindle went by a clock set back."""
    seconds = float(ledger.get("seconds") or 0.0)
    jumped = bool(follower.clock.jumps)
    return not jumped or abs(follower.end - follower.opened.at - seconds) <= AT_ONCE


def _as_shown(ledger: Ledger, follower: Follower) -> Ledger:
    """Put to each instant of the path what the clock showed, where it was set back."""
    if not follower.clock.jumps:
        return ledger
    told = follower.clock.told
    path = (replace(one, begun=told(one.begun), ended=told(one.ended)) for one in ledger.path)
    return replace(ledger, path=tuple(path))


def _classed(follower: Follower, end: Instant) -> tuple[Step, ...]:
    """Return the path of a closed run with the class of each step; empty: the run was too long, or had two plans."""
    plan, course, tape = follower.plan, follower.course, follower.tape
    if plan is None or course is None or follower.replanned or not tape.whole:
        return ()
    return path_along(pieces_along(plan, course, lambda: tape.items, follower.opened.at, end))


def run_of(chosen: RunSummary, follower: Follower, *, alive: bool | None, path: Path) -> Run:
    """Say which run this is, as far as it was read."""
    opened, memory = chosen.opened, follower.memory
    world = opened.world
    return Run(
        run_id=clean(opened.run_id),
        purpose=clean(memory.purpose),
        opened_as=clean(opened.purpose),
        cluster=clean(opened.cluster),
        version=clean(opened.version),
        journal=clean(path),
        entries=follower.entries,
        opened=opened.at,
        opened_wall=follower.opened_wall,
        last=follower.last,
        last_wall=follower.last_wall,
        ended=follower.closed_at,
        of={"opened": OPENED}
        | ({} if follower.closed_at is None else {"ended": follower.closed_by}),
        state=clean(memory.state),
        outcome=clean(memory.outcome or "open"),
        simulated=opened.purpose == "rehearse" or bool(world),
        initial=clean(opened.initial),
        plan_digest=clean(memory.plan_digest),
        status=_status(follower, alive=alive),
        category=CATEGORY,
        alive=alive,
        scenario=clean(_scenario(str(world.get("scenario", "")))),
        recorded_from=clean(opened.identity.get("recorded_from", "")),
        identity={clean(key): clean(value) for key, value in opened.identity.items()},
        goal=clean(memory.goal),
    )


def _scenario(name: str) -> str:
    """Name a scenario's file without the folder that it lies in: a report is read elsewhere."""
    return re.sub(r"^.*/", "", name)


def _status(follower: Follower, *, alive: bool | None) -> str:
    memory = follower.memory
    match memory.outcome:
        case "done":
            return "Complete"
        case "cancelled":
            return "Cancelled"
        case _ if alive:
            return "In progress"
        case _ if memory.interrupted:
            return f"Interrupted ({clean(memory.interrupted)})"
        case _ if alive is None:
            return "Open"
        case _:
            return "Killed, and not resumed"
